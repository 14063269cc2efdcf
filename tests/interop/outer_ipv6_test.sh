#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tunnel itself over IPv6, both families inside, and moving between IPv4 and IPv6 outside.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

port=$(lab_instance acme .endpoints.wireguard.port)
guest visitor 5 true "s|^Endpoint.*|Endpoint = [$LAB_HUB6]:$port|"
check "the branch" lab_reaches visitor 192.168.10.10
check "the branch, IPv6" lab_reaches visitor fd00:10::10
check "the internet" lab_reaches visitor "$LAB_WEB4"
check "seen at its IPv6 address" lab_until 3 same "$(lab_member6 5)" connected_from visitor
check "large packets too" lab_reaches visitor 192.168.10.10 3 -s 1392 -M "do"

key=$(lab_instance acme .endpoints.wireguard.public_key)
lab_in visitor wg set "$(lab_tunnel visitor)" peer "$key" endpoint "$LAB_HUB4:$port"
check "over IPv4 from now on" lab_reaches visitor 192.168.10.10
check "seen at its IPv4 address" lab_until 3 same "$(lab_member4 5)" connected_from visitor
