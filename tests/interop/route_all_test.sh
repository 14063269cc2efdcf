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
check_not "nothing from outside reaches the client" lab_in web ping -q -c 2 -i 0.2 -w 1 "$(lab_inner acme roadie 4)"
