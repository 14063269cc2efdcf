#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_units.sh ROOT: systemd reads our units without a word, calls none of them exposed, and makes the
# users and folders that they name.
set -u
root=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

fail() {
	echo "$*"
	failed=1
}

for template in "$root"/configs/systemd/*.service.in; do
	unit=$scratch/$(basename "$template" .in)
	# the programs need not be installed here
	sed -E 's,@sbindir@/nave-[a-z]+,/bin/true,' "$template" >"$unit"
	said=$(systemd-analyze verify --man=no "$unit" 2>&1) || fail "$template: $said"
	[ -z "$said" ] || fail "$template: $said"
	# 30: 3.0 of 10
	said=$(systemd-analyze security --offline=true --no-pager --threshold=30 "$unit" 2>&1) || fail "$template: $said"
	user=$(sed -n 's/^User=//p' "$template")
	[ -z "$user" ] || grep -q "^u $user " "$root/configs/systemd/nave.sysusers.conf" || fail "$template: nobody makes $user"
	for word in 'NoNewPrivileges=yes' 'ProtectSystem=strict' 'CapabilityBoundingSet=' 'RestartPreventExitStatus=78'; do
		grep -q "^$word" "$template" || fail "$template: $word is gone"
	done
done
mkdir -p "$scratch/root/etc"
systemd-sysusers --root "$scratch/root" "$root/configs/systemd/nave.sysusers.conf" >/dev/null 2>&1
grep -q '^nave:' "$scratch/root/etc/group" || fail "nave.sysusers.conf is refused"
exit "$failed"
