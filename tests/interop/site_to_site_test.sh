#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hosts behind two sites reach each other through the hub, over IPv4 and IPv6, and nothing is seen twice.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

check "branch LAN to depot LAN" lab_reaches branch-lan 192.168.20.10 5
check "depot LAN to branch LAN" lab_reaches depot-lan 192.168.10.10
check "branch LAN to depot LAN, IPv6" lab_reaches branch-lan fd00:20::10
check "depot LAN to branch LAN, IPv6" lab_reaches depot-lan fd00:10::10
check "the router itself, from its tunnel address" lab_reaches branch 192.168.20.10

answers=$(lab_in branch-lan ping -n -c 5 -i 0.2 -w 3 192.168.20.10)
check "5 answers to 5 pings" grep -q '5 received' <<<"$answers"
check_not "no duplicates" grep -qE 'DUP|duplicates' <<<"$answers"

before=$(counter drop_route_drop)
check "an address of the network that nobody has" lab_refused branch-lan "$(lab_inner_nobody acme)"
check "that was counted" counted drop_route_drop "$before"
check "an address outside everything" lab_refused branch-lan 192.168.99.1

# what the hub tells of a site is what the site's own WireGuard tells
tunnel=$(lab_tunnel branch)
told() {
	lab_peer acme branch "$1"
}
# site_bytes COLUMN: 2 received, 3 sent
site_bytes() {
	lab_in branch wg show "$tunnel" transfer | cut -f"$1"
}
# about WANTED FILTER: the hub's number has grown to that; keepalives and handshakes of a few seconds more or less
about() {
	local have
	have=$(told "$2") && [ "$have" -ge "$1" ] && [ "$have" -le $(($1 + 2000)) ]
}
began=$(now)
check "the hub has reported" lab_until 12 hub_reported_after "$began"
hub_rx=$(told .rx_bytes) hub_tx=$(told .tx_bytes)
site_rx=$(site_bytes 2) site_tx=$(site_bytes 3)
check "30 kB each way" lab_in branch-lan ping -q -n -c 30 -i 0.02 -s 1000 192.168.20.10 >/dev/null
site_rx=$(($(site_bytes 2) - site_rx)) site_tx=$(($(site_bytes 3) - site_tx))
check "the site counts them" test "$site_tx" -ge 30000
check "what the site sent the hub received" lab_until 12 about "$((hub_rx + site_tx - 400))" .rx_bytes
check "what the hub sent the site received" lab_until 12 about "$((hub_tx + site_rx - 400))" .tx_bytes
check "it is connected" same true told .connected
check "from where it is" same "$(lab_member4 1)" connected_from branch
check "the key is the site's" same "$(lab_in branch wg show "$tunnel" public-key)" told .public_key
handshake=$(handshake_of branch)
told_handshake=$(date -d "$(told .last_handshake_at)" +%s)
check "the last handshake is the site's, within a second" \
	test $((told_handshake - handshake + 1)) -ge 0 -a $((told_handshake - handshake - 1)) -le 0
