#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nave-node killed: traffic flows, also to the internet; started again it does what was ordered meanwhile.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5
check "before" lab_reaches visitor 192.168.10.10
state=$(hub_state)
steady_begin laptop 192.168.10.10
killed=$(now)
at_end lab_hub_wait
at_end daemon_again node
lab_daemon_stop node KILL
check "traffic flows without it" lab_reaches visitor 192.168.10.10 1
check "and to the internet" lab_reaches roadie "$LAB_WEB4" 2
check "ordered meanwhile" lab_peer_action acme visitor suspend
check "not yet followed" lab_reaches visitor 192.168.10.10 1
lab_daemon_start node
check "followed once it is back" lab_until 5 lab_refused visitor 192.168.10.10
check "the hub reports again" lab_until 20 hub_reported_after "$killed"
check "not one packet was lost" steady_lossless 20
unchanged() {
	diff <(echo "$state") <(hub_state)
}
check "nothing changed in the hub" lab_until 5 unchanged
check "and to the internet" lab_reaches roadie "$LAB_WEB4" 2
check "the hub answers on its address" lab_reaches web "$LAB_HUB4" 2
