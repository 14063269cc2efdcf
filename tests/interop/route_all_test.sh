#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A route-all client reaches the internet through the hub, from the hub's address, over both families.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

check "ping" lab_reaches roadie "$LAB_WEB4" 5
check "ping, IPv6" lab_reaches roadie "$LAB_WEB6" 5
check "the internet sees the hub's address" test \
	"$(lab_in roadie curl -s -m 3 "http://$LAB_WEB4/")" = "$LAB_HUB4"
check "the internet sees the hub's address, IPv6" test \
	"$(lab_in roadie curl -s -m 3 "http://[$LAB_WEB6]/")" = "$LAB_HUB6"
check "a megabyte arrives whole" test \
	"$(lab_in roadie curl -s -m 20 "http://$LAB_WEB4/bytes/1000000" | wc -c)" = 1000000
check "a megabyte leaves whole" test "$(head -c 1000000 /dev/zero |
	lab_in roadie curl -s -m 20 --data-binary @- "http://[$LAB_WEB6]/")" = 1000000
check "the sites are still reached inside" lab_reaches roadie 192.168.10.10

# the hub's own outer address is not the internet: its answers would go round (W-39)
before=$(counter drop_recursive)
check "not the hub's outer address" lab_refused roadie "$LAB_HUB4"
check "which is counted" counted drop_recursive "$before"

# somebody on the hub's own network has a route to the inside
for family in 4 6; do
	inner=$(lab_inner acme roadie "$family")
	hub=LAB_HUB$family
	lab_ip inet "-$family" route add "$inner" via "${!hub}"
	at_end lab_ip inet "-$family" route del "$inner"
	lab_arrivals_watch hub
	lab_arrivals_watch roadie
	check "from outside to the client, IPv$family" lab_refused web "$inner" -s "$LAB_MARK"
	check "was sent to the hub" test "$(lab_arrivals hub marked "$family")" -gt 0
	check "and ended there" same 0 lab_arrivals roadie marked "$family"
done
