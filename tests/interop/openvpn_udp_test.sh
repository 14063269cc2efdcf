#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's openvpn over UDP with the profile as issued: it reaches WireGuard's peers, and they reach it.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# ovpn_guest MACHINE NUMBER: a client of acme for this test only
ovpn_guest() {
	at_end lab_machine_del "$1"
	lab_member_add "$1" "$2" || return
	at_end lab_peer_del acme "$1"
	at_end lab_openvpn_down "$1"
	lab_peer_create acme "{\"type\":\"client\",\"protocol\":\"openvpn\",\"name\":\"$1\",\"route_all\":false}" &&
		lab_openvpn_up "$1" "$(lab_openvpn_profile acme "$1")"
}

check "a client connects" ovpn_guest ophelia 7
check "to the hub" lab_reaches ophelia "$(lab_hub_inner acme 4)" 5
check "to the hub, IPv6" lab_reaches ophelia "$(lab_hub_inner acme 6)" 5
check "to branch LAN, which is WireGuard's" lab_reaches ophelia 192.168.10.10 5
check "to branch LAN, IPv6" lab_reaches ophelia fd00:10::10 5
check "from branch LAN" lab_reaches branch-lan "$(lab_inner acme ophelia 4)" 5
