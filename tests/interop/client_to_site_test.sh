#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients reach the hosts behind the sites, and are answered when asked from there.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

for client in laptop roadie; do
	check "$client to branch LAN" lab_reaches "$client" 192.168.10.10 5
	check "$client to depot LAN" lab_reaches "$client" 192.168.20.10
	check "$client to branch LAN, IPv6" lab_reaches "$client" fd00:10::10
	check "$client to depot LAN, IPv6" lab_reaches "$client" fd00:20::10
done

guest visitor 5
check "a new client, at once" lab_reaches visitor 192.168.10.10
check "one destination is allowed" lab_peer_update acme visitor \
	'{"allowed_destinations":["192.168.10.0/24"]}'
check "the other is refused within a second" lab_until 1 lab_refused visitor 192.168.20.10
check "the allowed one is still there" lab_reaches visitor 192.168.10.10
