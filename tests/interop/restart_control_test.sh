#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nave-control killed: traffic flows, nothing that it acknowledged is lost, and it goes on where it was.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

check "before" lab_reaches laptop 192.168.10.10 5
guest visitor 5

# writes until the very moment of the kill; every name that was answered with 201 is kept
written=$LAB_DIR/written
number=0
while answer=$(lab_rest POST /v1/users "{\"name\":\"user $number\"}" 2>/dev/null); do
	jq -r .name <<<"$answer"
	number=$((number + 1))
done >"$written" &
writer=$!
check "writes go through" lab_until 30 lines_at_least "$written" 20
state=$(hub_state)
steady_begin laptop 192.168.10.10
killed=$(now)
at_end lab_hub_wait
at_end daemon_again control
lab_daemon_stop control KILL
wait "$writer"

check "traffic flows without it" lab_reaches laptop 192.168.10.10 1
check "new sessions too" lab_tunnel_again visitor
check "and carry" lab_reaches visitor 192.168.10.10
lab_daemon_start control
check "it is back" lab_control_wait
lab_rest_list /v1/users | jq -r .name | sort >"$written.kept"
check "no acknowledged write is lost" test -z "$(sort "$written" | comm -23 - "$written.kept")"
check "the hub reports again" lab_until 20 hub_reported_after "$killed"
check "not one packet was lost" steady_lossless 20
check "nothing changed in the hub" same "$state" hub_state
check "and takes orders again" lab_peer_action acme visitor suspend
check "which are followed" cut_within_1s visitor 192.168.10.10
