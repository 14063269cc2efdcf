# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests of OpenVPN share, behind interop.sh: listeners with other settings for one test, and clients that come again.

# listener udp|tcp JSON: acme's, as the test wants it; in force when the hub has it. Undone at the end of the test.
listener() {
	local before
	if [ -z "${LISTENER_BEFORE[$1]:-}" ]; then
		before=$(lab_instance acme ".openvpn.$1 | tojson") || return
		LISTENER_BEFORE[$1]=$before
		at_end listener_set "$1" "$before"
	fi
	listener_set "$1" "$(jq -c --argjson more "$2" '. + $more' <<<"${LISTENER_BEFORE[$1]}")"
}
declare -A LISTENER_BEFORE=()

listener_set() {
	lab_instance_update acme "{\"openvpn\":{\"$1\":$2}}" || return
	lab_until 5 lab_instance_ready acme
}

# again MACHINE udp|tcp [OPTION...]: disconnects, and connects with a profile as it is issued now
again() {
	local machine=$1 profile
	lab_openvpn_down "$machine"
	profile=$(lab_openvpn_profile acme "$machine" "$2") || return
	shift 2
	lab_openvpn_up "$machine" "$profile" "$@"
}

# both_ways MACHINE: with branch LAN, which is WireGuard's: small and large packets, and those that are cut on the way
both_ways() {
	local inner
	inner=$(lab_inner acme "$1" 4)
	check "$1: to branch LAN" lab_reaches "$1" 192.168.10.10 5
	check "$1: 1420 bytes" lab_reaches "$1" 192.168.10.10 3 -s 1392 -M "do"
	check "$1: 1420 bytes to it" lab_reaches branch-lan "$inner" 3 -s 1392 -M "do"
	check "$1: 4000 bytes there and back" lab_reaches branch-lan "$inner" 3 -s 3972
}
