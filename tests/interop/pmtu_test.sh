#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TCP finds its size inside the tunnel: a narrow link behind a site is told by ICMP, which passes the hub; the tunnel's
# own MTU is met by nobody, even where ICMP is blocked, because the hub writes it into the SYNs.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

lab_in branch-lan python3 -B "$LAB_SCRIPTS/internet.py" &
at_end kill $!
check "the branch serves" lab_until 15 lab_in laptop curl -s -m 2 -o /dev/null http://192.168.10.10/

# upload ADDRESS: 2 MB, all of them
upload() {
	[ "$(head -c 2000000 /dev/zero | lab_in laptop curl -s -m 20 --data-binary @- "http://$1/")" = 2000000 ]
}

# no end of the connection knows of this link: MSS is 1380, and 1300 is all that fits
narrow_lan() {
	lab_ip branch link set lan0 mtu "$1"
	lab_in laptop ip route flush cache
	lab_in laptop ip -6 route flush cache
}
knows() {
	lab_in laptop ip route get "$1" | grep -q "mtu $2"
}
at_end narrow_lan 1500
narrow_lan 1300
check "2 MB over a narrow link behind the site" upload 192.168.10.10
check "because its router has said so, through the hub" knows 192.168.10.10 1300
check "and over IPv6" upload "[fd00:10::10]"
check "likewise" knows fd00:10::10 1300
narrow_lan 1500

# a tunnel that is smaller than its clients believe, and nobody hears of it
blocked() {
	lab_in laptop nft -f - <<-END
		table inet blocked {
			chain input {
				type filter hook input priority 0;
				icmp type destination-unreachable drop
				icmpv6 type packet-too-big drop
			}
		}
	END
}
at_end lab_in laptop nft delete table inet blocked
check "ICMP is blocked" blocked
at_end lab_instance_update acme '{"mtu": 1420}'
check "a tunnel of 1300 bytes" lab_instance_update acme '{"mtu": 1300}'
check "what is larger is lost" lab_until 20 lab_refused laptop 192.168.10.10 -s 1372 -M "do"
check "2 MB all the same" upload 192.168.10.10
check "and over IPv6" upload "[fd00:10::10]"
check "and what may be cut is cut, by the hub" lab_reaches laptop 192.168.10.10 3 -s 1372 -M dont
