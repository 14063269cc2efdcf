#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cases B4, B5, B6, C1 and D2 of WireGuard's netns test, and one of ours: where a peer is, how the hub gets there,
# and where it answers from.
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# stays_at ENDPOINT: every answer comes from there
stays_at() {
	flood a 10.99.0.3 && echo "answers from $(of_peer a endpoints)" && same "$1" of_peer a endpoints
}

# begins_at ENDPOINT: a asks there for a session
begins_at() {
	peer_trusts a hub "$1" && lab_until 5 lab_reaches a 10.99.0.1 1 && stays_at "$1"
}

# turns_to ENDPOINTS...: a speaks to one after the other within its session, and already the first answer comes
# from there: an answer from elsewhere would take it back
turns_to() {
	local endpoint
	for endpoint; do
		peer_wg a set peer "$(public_key hub)" endpoint "$endpoint" && lab_reaches a 10.99.0.1 1 || return
		same "$endpoint" of_peer a endpoints || { echo "not $endpoint: $(of_peer a endpoints)" && return 1; }
	done
	stays_at "$endpoint"
}

check "peer a" peer_up a 2
check "peer b" peer_up b 3
check "b says where it is" lab_reaches b 10.99.0.1
check "a reaches b" lab_reaches a 10.99.0.3

case_is B4 "another address and port, one ping, and the hub has it"
lab_member_address a 9
peer_wg a set listen-port 9999
check "a ping" lab_reaches a 10.99.0.3
check "the hub speaks to it there" same "$(lab_member4 9):9999" of_hub 1 endpoints a
check "from b too" lab_reaches b 10.99.0.2

case_is B5 "and another family"
peer_wg a set listen-port 9998
peer_wg a set peer "$(public_key hub)" endpoint "[$LAB_HUB6]:51820"
check "a ping" lab_reaches a 10.99.0.3
check "the hub speaks to it there" same "[$(lab_member6 9)]:9998" of_hub 1 endpoints a
check "from b too" lab_reaches b 10.99.0.2

case_is B6 "whose address is another peer's sends nothing, but moves"
hub_wg set nave1 peer "$(public_key a)" allowed-ips 10.99.0.0/25
check "a whole net is its" lab_reaches a 10.99.0.1
hub_wg set nave1 peer "$(public_key other)" allowed-ips 10.99.0.2/32
peer_wg a set listen-port 9997
check "not an address within that is another's" lab_refused a 10.99.0.1
check "yet it is seen at its new port" same "[$(lab_member6 9)]:9997" of_hub 1 endpoints a
hub_wg set nave1 peer "$(public_key other)" remove
check "the net is its again" lab_reaches a 10.99.0.1

case_is C1 "behind NAT that forgets after 2 s, a keepalive of 1 s keeps the way open"
lab_member_add home 6
lab_machine_add c
lab_routes_between home
lab_link home lan0 c wan0
lab_address home lan0 192.168.1.1/24
lab_address c wan0 192.168.1.2/24
lab_ip c route add default via 192.168.1.1
lab_in home nft 'add table ip nat; add chain ip nat post { type nat hook postrouting priority 100; };
	add rule ip nat post oifname "wan0" masquerade'
lab_in home sysctl -qw net.netfilter.nf_conntrack_udp_timeout=2 net.netfilter.nf_conntrack_udp_timeout_stream=2
check "peer c" peer_up c 4
check "out" lab_reaches c 10.99.0.3
check "the hub sees the NAT's address" grep -q "^$(lab_member4 6):" <<<"$(of_hub 1 endpoints c)"
sleep 3 # what must pass is time
check "without keepalives the way is closed" lab_refused b 10.99.0.4
peer_wg c set peer "$(public_key hub)" persistent-keepalive 1
check "with them it opens" lab_until 5 lab_reaches b 10.99.0.4 1
sleep 3
check "and is open after 3 s of silence" lab_reaches b 10.99.0.4 1
check "at the NAT's address" grep -q "^$(lab_member4 6):" <<<"$(of_hub 1 endpoints c)"

case_is D2 "answers come from the address that was spoken to"
lab_address hub nave0 203.0.113.2/24 2001:db8:113::2/64
check "the first IPv4 address" begins_at "$LAB_HUB4:51820"
check "the second" begins_at 203.0.113.2:51820
check "the first IPv6 address" begins_at "[$LAB_HUB6]:51820"
check "the second" begins_at "[2001:db8:113::2]:51820"
check "the first again" begins_at "$LAB_HUB4:51820"
handshake=$(of_hub 1 latest-handshakes a)
check "all of them within a session" turns_to 203.0.113.2:51820 "$LAB_HUB4:51820" 203.0.113.2:51820 \
	"[$LAB_HUB6]:51820" "[2001:db8:113::2]:51820" "[$LAB_HUB6]:51820" "$LAB_HUB4:51820"
check "which was one" same "$handshake" of_hub 1 latest-handshakes a

case_is neighbour "a peer on the hub's own cable is called as soon as it has a MAC address, not after REKEY_TIMEOUT"
check "peer inet" peer_up inet 5
peer_wg inet set listen-port 7777
calls=$(counter handshake_initiations_sent)
hub_wg set nave1 peer "$(public_key inet)" endpoint 203.0.113.77:7777
lab_in a ping -q -n -c 1 -W 4 10.99.0.5 >/dev/null &
ping=$!
check "the hub calls, and nobody is there" counted handshake_initiations_sent "$calls"
lab_address inet to-hub 203.0.113.77/24
check "there is somebody" lab_reaches inet "$LAB_HUB4" 2 -I 203.0.113.77
check "what waited has arrived" wait "$ping"

check "a clean end" netns_down
