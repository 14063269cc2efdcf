#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cases A, B1, B2, B2'', B3 and B8 of WireGuard's netns test: what passes, byte by byte.
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

prefixes_of() {
	of_hub 1 allowed-ips "$1" | tr ' ' '\n' | sort | xargs
}

# matrix: everything both ways, both families, inside what the peers now have outside
matrix() {
	check "flood a to b, IPv4" flood a 10.99.0.3
	check "flood b to a, IPv6" flood b fd99::2
	check "flood a to b, IPv6" flood a fd99::3
	check "flood b to a, IPv4" flood b 10.99.0.2
	check "TCP, IPv4" iperf a b 10.99.0.3
	check "TCP, IPv6, the other way" iperf b a fd99::2
	check "UDP as fast as it goes, IPv4" iperf b a 10.99.0.2 -u -b 0
	check "UDP as fast as it goes, IPv6" iperf a b fd99::3 -u -b 0
	check "parallel TCP" iperf a b 10.99.0.3 -P "$(nproc)"
}

case_is A "keys, preshared keys, /32 and /128 at both ends"
check "peer a" peer_up a 2
check "peer b" peer_up b 3
check "the hub's key as it was set" same "$(public_key hub)" hub_wg show nave1 public-key
check "preshared key" same "$(cat "$(psk a)")" of_hub 1 preshared-keys a
check "allowed addresses" same "10.99.0.2/32 fd99::2/128" prefixes_of a

case_is B1 "ten pings: every byte is counted, at both ends the same"
check "ten answers" lab_in a ping -q -n -f -c 10 -W 1 10.99.0.1
check "bytes at both ends" lab_until 2 transfers_mirror a
bytes=$(of_hub 1 transfer a)
check "as many as WireGuard's: $bytes" grep -Eqx '(1428|1460) 1372' <<<"$bytes"
check "a handshake just now" test "$(($(date +%s) - $(of_hub 1 latest-handshakes a)))" -le 5

case_is B2 "floods, TCP and UDP through the hub"
check "b says where it is" lab_reaches b 10.99.0.1
matrix

case_is B2-outer-IPv6 "the same with IPv6 outside"
check "a moves" peer_wg a set peer "$(public_key hub)" endpoint "[$LAB_HUB6]:51820"
check "b moves" peer_wg b set peer "$(public_key hub)" endpoint "[$LAB_HUB6]:51820"
check "b says where it is" lab_reaches b 10.99.0.1
matrix
check "seen at its IPv6 address" grep -qF "[$(lab_member6 1)]:" <<<"$(of_hub 1 endpoints a)"

case_is B3 "padding never exceeds the MTU"
lab_member_add c 5
hub_wg set nave2 listen-port 51821 private-key "$(private_key hub)"
check "a peer with the MTU of its instance, 1299" peer_up c 2 "$LAB_HUB4:51821" 2 1299
check "a ping" lab_reaches c 10.98.0.1
# 1299 bytes inside are 1359 outside; 1297 padded to 16 would be 1372
lab_in inet nft "add table ip length; add chain ip length forward { type filter hook forward priority 0; };
	add chain ip length output { type filter hook output priority 0; };
	add rule ip length forward ip daddr { $LAB_HUB4, $(lab_member4 5) } meta length > 1359 counter drop"
check "1297 bytes there and back" lab_reaches c 10.98.0.1 3 -s 1269 -M "do"
check "1299 bytes there and back" lab_reaches c 10.98.0.1 3 -s 1271 -M "do"
lab_in inet nft delete table ip length

case_is B8 "WireGuard in WireGuard, and no loop"
lab_in a env LOG_LEVEL=error wireguard-go "$(lab_tunnel a)n" >/dev/null 2>&1
lab_in b env LOG_LEVEL=error wireguard-go "$(lab_tunnel b)n" >/dev/null 2>&1
lab_ip a address add 10.97.0.2/24 dev "$(lab_tunnel a)n"
lab_ip b address add 10.97.0.3/24 dev "$(lab_tunnel b)n"
lab_ip a link set "$(lab_tunnel a)n" mtu 1340 up
lab_ip b link set "$(lab_tunnel b)n" mtu 1340 up
lab_in a wg set "$(lab_tunnel a)n" private-key "$(private_key an)" listen-port 5000 \
	peer "$(public_key bn)" endpoint 10.99.0.3:5000 allowed-ips 10.97.0.3/32
lab_in b wg set "$(lab_tunnel b)n" private-key "$(private_key bn)" listen-port 5000 \
	peer "$(public_key an)" endpoint 10.99.0.2:5000 allowed-ips 10.97.0.2/32
check "flood through both" flood a 10.97.0.3
check "TCP through both" iperf a b 10.97.0.3
check "UDP through both" iperf b a 10.97.0.2 -u -b 0
# the hub's own outer address, asked for from inside: b speaks to the hub by IPv6, so IPv4 may go inside
before=$(hub_sent)
peer_wg b set peer "$(public_key hub)" allowed-ips "10.99.0.0/24,fd99::/64,$LAB_HUB4/32"
lab_ip b route add "$LAB_HUB4/32" dev "$(lab_tunnel b)"
check "the hub's outer address is not reached from inside" lab_refused b "$LAB_HUB4"
sent=$(($(hub_sent) - before))
check "and nothing goes round: $sent packets" test "$sent" -lt 100
check "the hub goes on" lab_reaches a 10.99.0.3

check "a clean end" netns_down
