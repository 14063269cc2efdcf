# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Debian packages by list: only what is missing, and the archive is asked only then.

# packages_missing FILE... : the listed packages that are not installed, one a line
packages_missing() {
	local name
	cat "$@" | sed 's/#.*//' | while read -r name; do
		[ -n "$name" ] || continue
		[ "$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
	done
}

# packages_install FILE... : installs them, quietly unless it fails
packages_install() {
	local missing log
	mapfile -t missing < <(packages_missing "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	echo "installing ${#missing[@]} packages from Debian's archive: ${missing[*]}" >&2
	log=$(mktemp)
	if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive \
		apt-get -q install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		echo "apt-get could not install: ${missing[*]}" >&2
		return 1
	fi
	rm -f "$log"
}
