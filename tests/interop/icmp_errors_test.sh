#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What cannot be forwarded is told to the sender: time exceeded, too big, and from whom.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

check "before" lab_reaches laptop 192.168.10.10 5
hub4=$(lab_hub_inner acme 4)
hub6=$(lab_hub_inner acme 6)
answer=$(lab_in laptop ping -n -c 1 -W 2 -t 1 192.168.10.10)
check "TTL 1: time exceeded from the hub" grep -qi "from $hub4.*time to live exceeded" <<<"$answer"
answer=$(lab_in laptop ping -n -c 1 -W 2 -t 1 fd00:10::10)
check "hop limit 1: time exceeded from the hub" grep -qi "from $hub6.*time exceeded" <<<"$answer"
answer=$(lab_in laptop ping -n -c 1 -W 2 -t 2 192.168.10.10)
branch=$(lab_inner acme branch 4)
check "TTL 2 ends at the branch router, whose error comes back" \
	grep -qiE "from ($branch|192\.168\.10\.1) .*time to live exceeded" <<<"$answer"

# a site that believes in a larger tunnel is told the hub's MTU, by the hub
lab_ip branch link set "$(lab_tunnel branch)" mtu 1440
at_end lab_ip branch link set "$(lab_tunnel branch)" mtu 1420
at_end lab_in branch-lan ip route flush cache
answer=$(lab_in branch-lan ping -n -c 2 -i 0.3 -W 2 -M "do" -s 1400 192.168.20.10 2>&1)
check "too big: the hub tells the MTU" grep -qiE "from $hub4 .*frag needed.*\(mtu = 1420\)" <<<"$answer"
answer=$(lab_in branch-lan ping -n -c 2 -i 0.3 -W 2 -M "do" -s 1380 fd00:20::10 2>&1)
check "too big: the hub tells the MTU, IPv6" grep -qiE "from $hub6 .*packet too big.*mtu=1420" <<<"$answer"
check "what fits goes on" lab_reaches branch-lan 192.168.20.10 3 -s 1392 -M "do"
check "what fits goes on, IPv6" lab_reaches branch-lan fd00:20::10 3 -s 1372 -M "do"
