#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody deletes the hub's devices: they come back by themselves with all that hung on them, and the traffic. The
# rules of nft come back with the next change.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

number=$(lab_in hub nft list table inet nave | grep -o '"nave[1-9][0-9]*"' | tr -d '"' | sort -V | head -n 1)

# devices are numbered anew, and ::1 of a new device may be told before or after its network
state() {
	hub_state | sed 's/^[0-9]*: //' | sort
}

changed_and_back() {
	lab_instance_update acme "{\"labels\":{\"changed\":\"$SECONDS\"}}" && lab_in hub nft list table inet nave >/dev/null 2>&1
}

before=$(state)
check "before" lab_reaches roadie "$LAB_WEB4" 5
check "the TUN of the instance goes" lab_in hub ip link del "$number"
# ping ends at a refusal, so it is asked again and again
check "the internet is back" lab_until 8 lab_reaches roadie "$LAB_WEB4" 1
check "over IPv6 too" lab_reaches roadie "$LAB_WEB6" 5
check "its addresses, rules and routes are" lab_until 3 same "$before" state
check "the TAP of the port goes" lab_in hub ip link del nave0
check "the sites are back" lab_until 8 lab_reaches branch-lan 192.168.20.10 1
check "the internet too" lab_until 8 lab_reaches roadie "$LAB_WEB4" 1
check "and the hub itself" lab_until 8 lab_reaches web "$LAB_HUB4" 1
check "all is as it was" lab_until 3 same "$before" state

check "the filter and the masquerading go" lab_in hub nft delete table inet nave
check "they are back with a change" lab_until 15 changed_and_back
check "and are what they were" lab_until 3 same "$before" state
check "the internet is back" lab_until 3 lab_reaches roadie "$LAB_WEB4" 1
