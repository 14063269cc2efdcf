#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever address a client gives itself, the hub takes only packets from the ones its peer record has.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5
check "its own address is taken" lab_reaches visitor 192.168.10.10
before=$(counter drop_spoofed_source)
for address in 192.168.20.10 "$(lab_inner acme laptop 4)" 8.8.8.8; do
	lab_address visitor "$(lab_tunnel visitor)" "$address/32"
	check "$address is refused" lab_refused visitor 192.168.10.10 -I "$address"
done
lab_address visitor "$(lab_tunnel visitor)" fd00:20::10/128
check "fd00:20::10 is refused" lab_refused visitor fd00:10::10 -I fd00:20::10
check "that was counted" counted drop_spoofed_source "$((before + 3))"

lab_address branch lan0 172.16.5.1/24
check "a site's source outside its subnets is refused" lab_refused branch 192.168.20.10 -I 172.16.5.1
check "its own address is still taken" lab_reaches visitor 192.168.10.10 1
