#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A deleted instance leaves nothing behind: no device, rule, route or filter in Linux, no listener, no row.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# traces NUMBER PORT: what the kernel of the hub knows of instance NUMBER; nothing when it is gone
traces() {
	lab_in hub ip -o link show "nave$1" 2>/dev/null
	lab_in hub ip rule | grep "lookup $((10000 + $1))\$"
	lab_in hub ip -6 rule | grep "lookup $((10000 + $1))\$"
	lab_in hub ip route show table $((10000 + $1)) 2>/dev/null
	lab_in hub ip -6 route show table $((10000 + $1)) 2>/dev/null
	lab_in hub nft list ruleset | grep "\"nave$1\""
	lab_in hub ss -Hlun "sport = :$2"
}

gone() {
	[ -z "$(traces "$1" "$2")" ]
}

not_listed() {
	[ "$(lab_rest GET "/v1/instances?hostname=$1" | jq '.items | length')" = 0 ]
}

at_end lab_instance_del passing
check "an instance" lab_instance_create passing
number=$(lab_in hub ip -o link | grep -o 'nave[0-9]*' | sort -V | tail -n 1 | tr -d nave)
port=$(lab_instance passing .endpoints.wireguard.port)
check "with a client" lab_nave peers create passing --client somebody
check "its device" lab_in hub ip link show "nave$number"
for family in 4 6; do
	check "its rule, IPv$family" test -n "$(lab_in hub ip "-$family" rule | grep "lookup $((10000 + number))\$")"
	check "its routes, IPv$family" test -n "$(lab_in hub ip "-$family" route show table "$((10000 + number))")"
done
check "its filter" test -n "$(lab_in hub nft list ruleset | grep "\"nave$number\"")"
check "its listener" test -n "$(lab_in hub ss -Hlun "sport = :$port")"
check "deleted, and waited for" lab_nave instances delete passing --wait
check "nothing is left of nave$number and port $port" lab_until 3 gone "$number" "$port"
check "nor a row" not_listed passing
check "its name is free for its own workspace" test "$(lab_rest GET /v1/hostnames/passing | jq .available)" = true
check "the others do not notice" lab_reaches laptop 192.168.10.10 1
