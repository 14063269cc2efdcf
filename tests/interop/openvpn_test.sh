#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's openvpn with the profile as issued: it reaches WireGuard's peers and they reach it, over UDP and TCP, and what
# access rules and a split tunnel forbid is refused at the hub.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# reaches_everybody MACHINE
reaches_everybody() {
	check "$1: the hub" lab_reaches "$1" "$(lab_hub_inner acme 4)" 5
	check "$1: the hub, IPv6" lab_reaches "$1" "$(lab_hub_inner acme 6)" 5
	check "$1: branch LAN, which is WireGuard's" lab_reaches "$1" 192.168.10.10 5
	check "$1: branch LAN, IPv6" lab_reaches "$1" fd00:10::10 5
	check "$1: from branch LAN" lab_reaches branch-lan "$(lab_inner acme "$1" 4)" 5
	check "$1: from branch LAN, IPv6" lab_reaches branch-lan "$(lab_inner acme "$1" 6)" 5
	check "$1: nobody's address" lab_refused "$1" "$(lab_inner_nobody acme)"
	check "$1: another client" lab_refused "$1" "$(lab_inner acme laptop 4)"
	check "$1: packets of 1420 bytes" lab_reaches "$1" 192.168.10.10 5 -s 1392 -M "do"
}

check "over UDP" ovpn_guest ophelia 7 udp
reaches_everybody ophelia
check "over TCP" ovpn_guest polonius 8 tcp
reaches_everybody polonius
check "what OpenVPN calls them is what REST says" test "$(lab_peer acme ophelia .protocol_in_use)" = openvpn
