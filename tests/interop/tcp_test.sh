#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TCP through the hub: whole in both directions, both families, and no segment larger than the tunnel.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

iperf3_serves depot-lan
check "a second of TCP from the laptop to the depot" lab_in laptop iperf3 -c 192.168.20.10 -t 1

lab_in branch-lan python3 -B "$LAB_SCRIPTS/internet.py" &
server=$!
at_end kill "$server"
check "the branch serves" lab_until 15 lab_in laptop curl -s -m 2 -o /dev/null http://192.168.10.10/
# what arrives: SYNs at the server, SYN-ACKs at the client
pids=()
for host in branch-lan depot-lan; do
	capture=$LAB_DIR/tcp.$host
	lab_in "$host" tcpdump -q -U --immediate-mode -Q in -i eth0 -w "$capture" tcp or ip6 2>"$capture.log" &
	pids+=($!)
	at_end rm -f "$capture" "$capture.log"
	lab_until 5 grep -q listening "$capture.log"
done

# a sender with a 1500 byte interface all the way: only the hub can tell both ends to send less
for host in 192.168.10.10 '[fd00:10::10]'; do
	check "2 MB down from $host" test "$(lab_in depot-lan curl -s -m 20 "http://$host/bytes/2000000" | wc -c)" = 2000000
	check "2 MB up to $host" test "$(head -c 2000000 /dev/zero |
		lab_in depot-lan curl -s -m 20 --data-binary @- "http://$host/")" = 2000000
done
kill "${pids[@]}" # not INT: a shell's background ignores it
wait "${pids[@]}"

# mss_seen HOST ip|ip6: every segment size that a SYN brought there
mss_seen() {
	tcpdump -n -r "$LAB_DIR/tcp.$1" "$2" 2>/dev/null | grep -o 'mss [0-9]*' | sort -u
}
for host in branch-lan depot-lan; do
	check "MSS that reached $host" same "mss 1380" mss_seen "$host" ip
	check "MSS that reached $host, IPv6" same "mss 1360" mss_seen "$host" ip6
done
