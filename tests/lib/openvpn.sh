# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tests of OpenVPN share, behind interop.sh: listeners with other settings for one test, and clients that come again.

LISTENERS_BEFORE=

# listeners UDP_JSON [TCP_JSON]: acme's, as the test wants them beside what they are; in force when the hub has them.
# Undone at the end of the test.
listeners() {
	local tcp=${2:-}
	if [ -z "$LISTENERS_BEFORE" ]; then
		LISTENERS_BEFORE=$(lab_instance acme '.openvpn | tojson') || return
		at_end listeners_set "$LISTENERS_BEFORE"
	fi
	listeners_set "$(jq -c --argjson udp "$1" --argjson tcp "${tcp:-null}" '.udp += $udp | .tcp += $tcp' <<<"$LISTENERS_BEFORE")"
}

listeners_set() {
	lab_instance_update acme "{\"openvpn\":$1}" && lab_until 5 lab_instance_ready acme
}

# again MACHINE udp|tcp [OPTION...]: connects with a profile as it is issued now. The client was killed, as it is when
# it crashes: the hub takes the new session in the old one's place
again() {
	local machine=$1
	lab_openvpn_profile acme "$machine" "$2" >/dev/null || return
	shift 2
	reconnect "$machine" "$@"
}

# reconnect MACHINE [OPTION...]: with the profile that it has
reconnect() {
	lab_openvpn_down "$1" KILL
	lab_openvpn_up "$1" "$LAB_DIR/clients/acme.$1.issued.ovpn" "${@:2}"
}

# start_refused MACHINE TEXT [OPTION...]: connects with the profile that it has, and its log says that
start_refused() {
	lab_openvpn_down "$1" KILL
	lab_openvpn_start "$1" "$LAB_DIR/clients/acme.$1.issued.ovpn" "${@:3}" && lab_until 8 lab_openvpn_says "$1" "$2"
}

# inner4 MACHINE: its address inside, as the client has it
inner4() {
	lab_ip "$1" -4 -o address show dev "$(lab_tunnel "$1")" | awk '{ sub("/.*", "", $4); print $4 }'
}

# both_ways MACHINE: with branch LAN, which is WireGuard's: small and large packets, and those that are cut on the way
both_ways() {
	check "$1: to branch LAN" lab_reaches "$1" 192.168.10.10 5
	check "$1: 1420 bytes" lab_reaches "$1" 192.168.10.10 3 -s 1392 -M "do"
	check "$1: 4000 bytes from branch LAN" lab_reaches branch-lan "$(inner4 "$1")" 3 -s 3972
}
