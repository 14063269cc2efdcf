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
