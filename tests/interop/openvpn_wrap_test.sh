#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each wrapping of the control channel over UDP and TCP, outside IPv4 and IPv6, with the profiles as issued; a profile
# of before the change, and one with a key that is not the hub's, get no answer.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

# only REMOTE MACHINE: the profile with that address alone
only() {
	sed -i "/^remote /{/^remote $1 /!d}" "$LAB_DIR/clients/acme.$2.issued.ovpn"
}

check "over UDP" ovpn_guest udpa 7 udp
check "over TCP" ovpn_guest tcpa 8 tcp
for wrap in none tls-auth tls-crypt-v2 tls-crypt; do
	check "$wrap" listeners "{\"wrap\":\"$wrap\"}" "{\"wrap\":\"$wrap\"}"
	for transport in udp tcp; do
		check "$wrap over $transport: connected" again "${transport}a" "$transport"
		check "$wrap over $transport: 1420 bytes" lab_reaches "${transport}a" 192.168.10.10 5 -s 1392 -M "do"
	done
done
for transport in udp tcp; do
	only "$LAB_HUB6" "${transport}a"
	check "$transport, IPv6 outside: connected" reconnect "${transport}a"
	both_ways "${transport}a"
done
check "seen at its IPv6 address" lab_until 12 same "$(lab_member6 7)" connected_from udpa
check "seen at its IPv6 address, TCP" lab_until 12 same "$(lab_member6 8)" connected_from tcpa

# tls-crypt now; nothing is said to whoever has not the key, not even a TCP stream is told why
for transport in udp tcp; do
	profile=$LAB_DIR/clients/acme.${transport}a.issued.ovpn
	sed -i '/^<tls-crypt>/,/^<\/tls-crypt>/{/^[0-9a-f]*$/s/^......../00000000/}' "$profile"
	lab_openvpn_down "${transport}a" KILL
	refused=drop_ovpn_unwrap
	[ "$transport" = udp ] || refused=drop_ovpn_control
	before=$(counter "$refused")
	check "with another key over $transport" lab_openvpn_start "${transport}a" "$profile"
	check "it is counted" counted "$refused" "$before"
	check_not "and not answered" lab_openvpn_says "${transport}a" 'TLS: Initial packet'
done
