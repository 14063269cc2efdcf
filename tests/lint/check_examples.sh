#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check_examples.sh ROOT DATAPLANE NODE CONTROL: the example configurations are taken as they are, and so is
# every default that they show behind a "#"; a line that is not known is refused with its number.
set -u
root=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
umask 027
failed=0

fail() {
	echo "$*"
	failed=1
}

for program in "${@:2}"; do
	name=${program##*/nave-}
	cp "$root/configs/$name.conf" "$scratch/plain.conf"
	"$program" --check-config --config "$scratch/plain.conf" || fail "configs/$name.conf: refused"
	# '# name = value' is a default, and so are its lines that follow behind a tab
	sed -E 's/^# ([a-z_0-9]+ = |	")/\1/' "$root/configs/$name.conf" >"$scratch/defaults.conf"
	cmp -s "$scratch/plain.conf" "$scratch/defaults.conf" && fail "configs/$name.conf: shows no default"
	"$program" --check-config --config "$scratch/defaults.conf" || fail "configs/$name.conf: its defaults are refused"
	{ echo "nonsense = 1;" && cat "$scratch/plain.conf"; } >"$scratch/wrong.conf"
	said=$("$program" --check-config --config "$scratch/wrong.conf" 2>&1)
	[ $? -eq 78 ] || fail "nave-$name takes an unknown setting"
	[[ $said == *"$scratch/wrong.conf:1: "* ]] || fail "nave-$name does not say where: $said"
done
exit "$failed"
