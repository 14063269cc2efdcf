#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two instances with the same inner network and the same LANs: each sees its own, both reach the internet.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

network='{"networks":{"ipv4":"10.201.0.0/20"}}'
for name in twin1 twin2; do
	at_end lab_instance_del "$name"
	check "instance $name" lab_instance_create "$name" "$network"
done
number=6
pids=()
for name in twin1 twin2; do
	at_end lab_machine_del "$name-s-lan" "$name-s" "$name-c"
	lab_site_add "$name-s" "$number" 30
	lab_member_add "$name-c" "$((number + 1))"
	check "site of $name" lab_site_create "$name" "$name-s" 192.168.30.0/24 fd00:30::/64
	check "its tunnel" lab_site_import "$name" "$name-s"
	check "client of $name" lab_client_connect "$name" "$name-c" true
	lab_in "$name-s-lan" python3 -B "$LAB_SCRIPTS/internet.py" "$name" &
	number=$((number + 2))
done
check "the same addresses" test "$(lab_inner twin1 twin1-c 4)" = "$(lab_inner twin2 twin2-c 4)"
for name in twin1 twin2; do
	check "$name reaches its own LAN" lab_reaches "$name-c" 192.168.30.10 5
	check "and that is its own" lab_until 5 same "$name" \
		lab_in "$name-c" curl -s -m 2 http://192.168.30.10/name
	check "and its own over IPv6" same "$name" lab_in "$name-c" curl -s -m 2 "http://[fd00:30::10]/name"
	check "$name reaches the internet" same "$LAB_HUB4" lab_in "$name-c" curl -s -m 3 "http://$LAB_WEB4/"
done
check "acme's LAN is not in twin1" lab_refused twin1-c 192.168.10.10

# both from one source port to one destination: the hub's masquerading has to keep them apart
for name in twin1 twin2; do
	lab_in "$name-c" curl -s -m 8 --local-port 41000 "http://$LAB_WEB4/bytes/3000000" | wc -c >"$LAB_DIR/$name.size" &
	pids+=($!)
done
wait "${pids[@]}"
check "twin1's download is whole" same 3000000 cat "$LAB_DIR/twin1.size"
check "twin2's download is whole" same 3000000 cat "$LAB_DIR/twin2.size"
