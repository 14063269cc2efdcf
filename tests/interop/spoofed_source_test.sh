#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whatever address a client gives itself, the hub takes only packets from the ones its peer record has. That no
# answer comes would say nothing, it goes to the other: what arrives is counted where it would.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# sent_unanswered MACHINE SOURCE DESTINATION: marked, from an address that is not the machine's
sent_unanswered() {
	lab_refused "$1" "$3" -s "$LAB_MARK" -I "$2"
}

guest visitor 5
tunnel=$(lab_tunnel visitor)
lab_arrivals_watch depot-lan
before=$(counter drop_spoofed_source)
for address in 192.168.20.11 192.168.10.10 "$(lab_inner acme laptop 4)" "$(lab_hub_inner acme 4)" 8.8.8.8; do
	lab_address visitor "$tunnel" "$address/32"
	check "$address is sent" sent_unanswered visitor "$address" 192.168.20.10
	lab_ip visitor address del "$address/32" dev "$tunnel"
done
for address in fd00:10::10 "$(lab_inner acme laptop 6)" 2001:db8::8; do
	lab_address visitor "$tunnel" "$address/128"
	check "$address is sent" sent_unanswered visitor "$address" fd00:20::10
	lab_ip visitor address del "$address/128" dev "$tunnel"
done
at_end lab_ip branch address del 172.16.5.1/24 dev lan0
lab_address branch lan0 172.16.5.1/24
check "a site's address outside its subnets is sent" sent_unanswered branch 172.16.5.1 192.168.20.10
check "all nine were counted" counted drop_spoofed_source "$((before + 9 * 3 - 1))"
for family in 4 6; do
	check "nothing arrived, IPv$family" same 0 lab_arrivals depot-lan marked "$family"
done

check "its own address is taken" lab_reaches visitor 192.168.20.10 3 -s "$LAB_MARK"
check "its own address is taken, IPv6" lab_reaches visitor fd00:20::10 3 -s "$LAB_MARK"
for family in 4 6; do
	check "and is what arrives, IPv$family" same 1 lab_arrivals depot-lan marked "$family"
done
