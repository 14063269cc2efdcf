#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fragments of outer packets, on a port that gets them as they are (af_xdp: af_packet has the kernel put IPv4 together):
# a client behind a narrow link works over both families, forged ICMP narrows nothing, and what nobody honest sends
# costs neither a session nor a buffer (W-41, W-44, T-WG-20).
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# back_to VALUE: what a port's queue and a thread's cache may hold in between moves a little
back_to() {
	[ "$(counter packets_free_now)" -ge $(($1 - 300)) ]
}

# hub_port [DEVARGS]: the hub again, on another port
hub_port() {
	lab_daemon_stop dataplane
	lab_ip hub link set hub0 xdp off # in its sandbox the dataplane cannot; it limits the MTU
	NAVE_LAB_PORT=${1:-} NAVE_LAB_PACKETS=${1:+16384} lab_configure
	# libxdp leaks, and to look for leaks in all that AF_XDP has mapped takes longer than a stop may
	ASAN_OPTIONS=${ASAN_OPTIONS:-}${1:+:detect_leaks=0} lab_daemon_start dataplane
	lab_reaches laptop 192.168.10.10 20 && lab_reaches branch-lan 192.168.20.10 20
}

at_end hub_port
check "a hub on AF_XDP" hub_port "net_af_xdp0,iface=hub0"
port=$(lab_instance acme .endpoints.wireguard.port)
send() {
	lab_in "$1" python3 -B "$ROOT/tests/lib/fragments.py" "$2" "$3" "$port" "${@:4}"
}

# the way to the laptop is narrow: it sends fragments, and the router makes some of what the hub sends
narrow() {
	lab_ip inet link set to-laptop mtu "$1"
	lab_ip laptop link set wan0 mtu "$1"
}
at_end narrow 1500
narrow 1300
before=$(counter reassembled_datagrams)
check "large pings over a narrow path" lab_reaches laptop 192.168.10.10 5 -s 1392 -M "do"
check "and over IPv6 inside" lab_reaches laptop fd00:10::10 5 -s 1372 -M "do"
check "they came in fragments" counter_passes reassembled_datagrams "$before"
before=$(counter packets_free_now)
iperf3_serves branch-lan
check "a second of TCP in fragments" lab_in laptop iperf3 -c 192.168.10.10 -t 1
check "which are given back" lab_until 6 back_to "$before"
narrow 1500

# forged: the way is as wide as before (W-44)
before=$(counter fragmented_datagrams)
check "ICMP that says the way is narrow" send inet forged "$LAB_HUB4" "$(lab_member4 3)" 51820
check "and ICMPv6" send inet forged "$LAB_HUB6" "$(lab_member6 3)" 51820
check "what is large still passes" lab_reaches laptop 192.168.10.10 3 -s 1392 -M "do"
check "in one piece" same "$before" counter fragmented_datagrams

# what nobody honest sends
check "before" lab_reaches web "$LAB_HUB4" 5
free=$(counter packets_free_now)
for address in "$LAB_HUB4" "$LAB_HUB6"; do
	check "datagrams of many sizes to $address" send web sizes "$address"
	overlap=$(counter drop_fragment_overlap) malformed=$(counter drop_fragment_malformed)
	large=$(counter drop_fragment_too_large)
	check "broken fragments to $address" send web broken "$address"
	check "overlaps were refused" counter_passes drop_fragment_overlap "$overlap"
	check "as were lengths that lie" counter_passes drop_fragment_malformed "$malformed"
	check "and what no buffer holds" counter_passes drop_fragment_too_large "$large"
	check "first fragments without end to $address" send web many "$address"
	# 8 datagrams of one source, of 8 pieces at most
	check "wait in few buffers" back_to $((free - 64))
	check "$address: every buffer comes back" lab_until 6 back_to "$free"
done
check "sessions live on" lab_reaches laptop 192.168.10.10 2
