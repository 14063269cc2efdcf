#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Floods: junk, initiations with a wrong MAC1, true ones of strangers, replays. Meanwhile sessions stay, a client that
# starts anew gets through, memory does not grow, and strangers are answered with less than they send.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/flood.sh
. "$(dirname "$0")/../lib/flood.sh"

# handshakes: of those who stay
handshakes() {
	handshake_of branch
	handshake_of depot
}

# memory_kb: what the dataplane has in memory
memory_kb() {
	awk '/^VmRSS/ { print $2 }' "/proc/$(lab_daemon_pid dataplane)/status"
}

# sum COUNTER...
sum() {
	local name total=0
	for name; do
		total=$((total + $(counter "$name")))
	done
	echo "$total"
}

# mostly LEAST_PERCENT: of the steady pings were answered
mostly() {
	steady_end
	[ "$STEADY_SENT" -ge 100 ] && [ "$STEADY_ANSWERED" -ge $((STEADY_SENT * $1 / 100)) ]
}

# flood KIND RATE SECONDS COUNTER...: the counters take in most of it. The rates are for a hub under sanitizers with
# half a machine; bench/run flood goes further.
flood() {
	local kind=$1 rate=$2 seconds=$3 before memory answered
	shift 3
	handshakes=$(handshakes) memory=$(memory_kb) before=$(sum "$@") answered=$(flood_answered)
	steady_begin branch-lan 192.168.20.10
	flood_begin "$kind" "$rate" "$seconds" hub
	check "$kind: a client starts anew" lab_tunnel_again roadie
	check "$kind: and gets through within 10 s" lab_reaches roadie 192.168.20.10 10
	check "$kind: while it goes on" flood_is_on
	check "$kind: it ends" flood_end
	check "$kind: 95 % of the others' pings are answered" mostly 95
	check "$kind: their sessions are the same" same "$handshakes" handshakes
	check "$kind: most of $FLOOD_FRAMES frames are counted" test $(($(sum "$@") - before)) -ge $((FLOOD_FRAMES / 2))
	check "$kind: memory stays, $memory KiB, within 10 %" test $(($(memory_kb) * 10)) -le $((memory * 11))
	FLOOD_ANSWERED=$(($(flood_answered) - answered))
	check "$kind: $FLOOD_BYTES bytes get no more back: $FLOOD_ANSWERED" test "$FLOOD_ANSWERED" -le "$FLOOD_BYTES"
}

# dataplane_with ASAN_OPTIONS
dataplane_with() {
	lab_daemon_stop dataplane && ASAN_OPTIONS=$1 lab_daemon_start dataplane && lab_until 15 lab_reaches branch-lan 192.168.20.10 1
}

# what was freed stays in memory for a while, so that its use is seen: for this test a short while
at_end dataplane_with "${ASAN_OPTIONS:-}"
check "a dataplane whose memory can be measured" dataplane_with \
	"${ASAN_OPTIONS:-}:quarantine_size_mb=4:thread_local_quarantine_size_kb=16"
check "there is something to replay" flood_prepare acme
flood junk 3000 6 drop_wg_length drop_wg_type
flood bad-mac1 3000 6 drop_handshake_mac1 drop_handshake_under_load
flood replay-data 3000 6 drop_wg_replay
flood replay-initiation 10000 14 drop_handshake_old_timestamp drop_handshake_flood drop_handshake_under_load cookie_replies_sent
check "answers to a replay are seen" test "$FLOOD_ANSWERED" -gt 0
before=$(counter cookie_replies_sent)
flood initiation 10000 14 drop_handshake_unknown_peer drop_handshake_under_load cookie_replies_sent
check "strangers were asked for a cookie" counter_passes cookie_replies_sent "$before"
check "which is seen" test "$FLOOD_ANSWERED" -gt 0
check "the replayed client lives on" lab_reaches laptop 192.168.10.10 10
