#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The hub is one host on its network: every question has one answer, and the kernel never answers for tunnels.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

capture=$LAB_DIR/underlay.pcap
lab_in inet tcpdump -q -U --immediate-mode -i to-hub -w "$capture" 2>"$capture.log" &
tcpdump=$!
at_end rm -f "$capture" "$capture.log"
lab_until 5 grep -q listening "$capture.log"

for address in "$LAB_HUB4" "$LAB_HUB6"; do
	answers=$(lab_in web ping -n -c 5 -i 0.2 -w 4 "$address")
	check "$address answers 5 of 5" grep -q '5 received' <<<"$answers"
	check_not "$address answers once" grep -qE 'DUP|duplicates' <<<"$answers"
done
answers=$(lab_in laptop ping -n -c 5 -i 0.2 -w 4 192.168.10.10)
check "through the tunnel: 5 of 5" grep -q '5 received' <<<"$answers"
check_not "through the tunnel: once" grep -qE 'DUP|duplicates' <<<"$answers"
port=$(lab_instance acme .endpoints.wireguard.port)
lab_in laptop bash -c "echo x >/dev/udp/$LAB_HUB4/$port"
lab_reaches web "$LAB_HUB4"

kill "$tcpdump" # not INT: a shell's background ignores it
wait "$tcpdump"
seen() {
	tcpdump -n -r "$capture" "$@" 2>/dev/null | wc -l
}
check "Linux holds the port, so that no program takes it" test -n "$(lab_in hub ss -Hlun "sport = :$port")"
check "something was captured" test "$(seen)" -gt 40
check "no unreachable from the hub" test "$(seen "icmp[0] == 3 and src host $LAB_HUB4")" -eq 0
check "no unreachable from the hub, IPv6" test "$(seen "icmp6 and ip6[40] == 1 and src host $LAB_HUB6")" -eq 0
check "frames come from one MAC address" test "$(tcpdump -n -e -r "$capture" "src host $LAB_HUB4 or src host $LAB_HUB6" \
	2>/dev/null | awk '{ print $2 }' | sort -u | wc -l)" -eq 1
