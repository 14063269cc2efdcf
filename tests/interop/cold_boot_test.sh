#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything on the hub killed at once and started again, as after a loss of power: it speaks first, to where its
# peers were, so that one that says nothing by itself is reached; and an initiation of before stays a replay (W-16).
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

port=$(lab_instance acme .endpoints.wireguard.port)
initiation=$LAB_DIR/initiation.pcap spoke=$LAB_DIR/spoke.pcap

# capture FILE: the initiations that visitor sends, until the test ends
capture() {
	# shellcheck disable=SC2016 # expanded by that shell
	lab_in inet tcpdump -i to-visitor -n -q -U --immediate-mode -w "$1" \
		"udp dst port $port and udp[8] = 1" </dev/null >/dev/null 2>&1 &
	at_end kill $!
	lab_until 5 test -s "$1" # its head is written when it listens
}

# has_frames FILE
has_frames() {
	[ "$(tcpdump -n -r "$1" 2>/dev/null | wc -l)" -gt 0 ]
}

# what the node has written of visitor last
last_line() {
	grep "^$visitor_id " "$LAB_NODE_STATE/peers" | tail -n 1
}

remembered() {
	[[ $(last_line) == *" $(lab_member4 5):"*" "*[1-9a-f]*" 0" ]]
}

old_timestamp_told() {
	lab_peer acme visitor '.last_failure.reason | test("clock|older")' >/dev/null
}

at_end lab_machine_del visitor
check "a client that says nothing by itself" lab_member_add visitor 5
check "is watched" capture "$initiation"
at_end lab_peer_del acme visitor
check "and connects" lab_client_connect acme visitor false '/PersistentKeepalive/d'
check "before" lab_reaches visitor 192.168.10.10 5
visitor_id=$(lab_peer acme visitor .id) visitor=$(lab_inner acme visitor 4)
check "its initiation was caught" lab_until 3 has_frames "$initiation"
check "it is remembered within 5 s" lab_until 5 remembered
before=$(last_line)
check "it connects again" lab_tunnel_again visitor
check "and is there" lab_reaches visitor 192.168.10.10 5
check "the node ends" lab_daemon_stop node TERM
check_not "and has kept what happened just before" same "$before" last_line
lab_daemon_start node
check "from now on it is watched again" capture "$spoke"

handshake=$(handshake_of visitor)
for daemon in dataplane node control; do
	lab_daemon_stop "$daemon" KILL
done
check_not "nothing flows" lab_reaches branch-lan "$visitor" 1
for daemon in control dataplane node; do
	lab_daemon_start "$daemon"
done
start=$SECONDS
check "the silent client is called" lab_until 20 shook_hands_after visitor "$handshake"
echo "after $((SECONDS - start)) s"
check "and reached" lab_reaches branch-lan "$visitor" 5
check "the sites reach each other" lab_reaches branch-lan 192.168.20.10 10
check_not "without a word of the client before" has_frames "$spoke"

# from somewhere else: were it taken, the client's packets would go there
check "the hub reports" lab_hub_wait
old=$(counter drop_handshake_old_timestamp)
check "its old initiation has no answer" same 0 \
	lab_in web python3 -B "$ROOT/tests/lib/replay.py" "$initiation" "$LAB_HUB4" "$port"
check "and is counted as a replay" counted drop_handshake_old_timestamp "$old"
check "the client is where it was" same "$(lab_member4 5)" connected_from visitor
check "and is reached there" lab_reaches branch-lan "$visitor" 2
check "the operator is told" lab_until 5 old_timestamp_told

# the other way round: a router whose clock was ahead is let in again, which a replay shows as well
check "its clock is forgotten" lab_peer_action acme visitor reset-clock
check "within 5 s" lab_until 5 same 1 \
	lab_in web python3 -B "$ROOT/tests/lib/replay.py" "$initiation" "$LAB_HUB4" "$port"
check "once" same 0 lab_in web python3 -B "$ROOT/tests/lib/replay.py" "$initiation" "$LAB_HUB4" "$port"
killed=$(now)
lab_daemon_stop node KILL
lab_daemon_start node
check "the next node reports" lab_until 20 hub_reported_after "$killed"
check "it has not done it again" same 0 lab_in web python3 -B "$ROOT/tests/lib/replay.py" "$initiation" "$LAB_HUB4" "$port"
