#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The daemons go and come with OpenVPN clients connected: without control or node not a packet is lost and new sessions
# begin; when the dataplane was away the clients come back by themselves, over TCP because the stream ended, over UDP
# because nothing is heard.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

# silence of 4 s instead of the minute that the hub asks for
QUICK=(--pull-filter ignore ping --ping 1 --ping-restart 4 --connect-retry 1 1 --hand-window 10)

# talks_begin MACHINE: 50 pings a second until talks_lossless or talks_end
talks_begin() {
	ip netns exec "$(lab_ns "$1")" env --default-signal=INT ping -n -i 0.02 192.168.10.10 >"$LAB_DIR/talks.$1" 2>&1 &
	TALKS[$1]=$!
	at_end talks_end "$1"
}
declare -A TALKS=()

talks_end() {
	[ -z "${TALKS[$1]:-}" ] || { kill -INT "${TALKS[$1]}" && wait "${TALKS[$1]}"; }
	TALKS[$1]=
}

# talks_lossless MACHINE: what was sent in the last moment may still be under way
talks_lossless() {
	local sent answered
	talks_end "$1"
	read -r sent _ _ answered _ < <(grep 'packets transmitted' "$LAB_DIR/talks.$1")
	echo "$1: $sent pings, $answered answers"
	[ "$sent" -gt 50 ] && [ $((sent - answered)) -le 2 ]
}

check "over UDP" ovpn_guest udpa 7 udp
check "over TCP" ovpn_guest tcpa 8 tcp
check "one that comes and goes" ovpn_guest newa 9 udp
for machine in udpa tcpa; do
	check "$machine: before" lab_reaches "$machine" 192.168.10.10 5
	talks_begin "$machine"
done
at_end lab_hub_wait
for daemon in control node; do
	at_end daemon_again "$daemon"
	killed=$(now)
	lab_daemon_stop "$daemon" KILL
	check "without $daemon a session begins" reconnect newa
	check "and carries" lab_reaches newa 192.168.10.10 2
	lab_daemon_start "$daemon"
	check "the hub reports again" lab_until 20 hub_reported_after "$killed"
done
for machine in udpa tcpa; do
	check "$machine: not one packet was lost" talks_lossless "$machine"
	check_not "$machine: one session all the time" lab_openvpn_says "$machine" SIGUSR1
done

for machine in udpa tcpa; do
	check "$machine: impatient" reconnect "$machine" "${QUICK[@]}"
	ip netns exec "$(lab_ns "$machine")" ping -n -i 0.2 192.168.10.10 >/dev/null 2>&1 & # else silence alone would end them
	at_end kill $!
done
lab_openvpn_down newa KILL
at_end daemon_again dataplane
for signal in KILL TERM; do
	check "dataplane: $signal" lab_daemon_stop dataplane "$signal"
	check "nothing flows" lab_refused udpa 192.168.10.10
	lab_daemon_start dataplane
	check "over TCP it is back" lab_reaches tcpa 192.168.10.10 15
	check "over UDP too" lab_reaches udpa 192.168.10.10 15
	check "towards them too" lab_reaches branch-lan "$(inner4 udpa)" 3
	check "WireGuard's laptop too" lab_reaches laptop 192.168.10.10 15
done
