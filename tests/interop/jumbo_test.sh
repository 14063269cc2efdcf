#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A tunnel of 9000 bytes over a link of 9200, with a real client; and a tunnel larger than the link, in fragments. What
# is larger than everything is dropped, and the hub goes on.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

links() {
	local link
	for link in "inet to-hub" "hub hub0" "inet to-laptop" "laptop wan0" "inet to-branch" "branch wan0"; do
		# shellcheck disable=SC2086 # machine and interface
		set -- "$1" $link
		lab_ip "$2" link set "$3" mtu "$1"
	done
}

tunnels() {
	local client
	for client in laptop branch; do
		lab_ip "$client" link set "$(lab_tunnel "$client")" mtu "$1"
	done
	lab_ip branch link set lan0 mtu "$1" && lab_ip branch-lan link set eth0 mtu "$1"
}

# hub_port DEVARGS [MTU]: the hub again, on another port ("": the lab's own); its links stand for it
hub_port() {
	lab_daemon_stop dataplane || return
	links "${2:-1500}"
	# a pool that was used is given back page by page, which takes its time
	NAVE_LAB_PORT=$1 NAVE_LAB_PORT_MTU=${2:-} NAVE_LAB_PACKETS=${1:+8192} lab_configure
	lab_daemon_start dataplane
	lab_reaches laptop 192.168.10.10 20 && lab_reaches branch-lan 192.168.20.10 20
}

tunnel_mtu() {
	lab_instance_update acme "{\"mtu\": $1}"
}

restore() {
	tunnel_mtu 1420
	tunnels 1420
	lab_ip branch link set lan0 mtu 1500
	lab_ip branch-lan link set eth0 mtu 1500
	hub_port ''
}

# passes ADDRESS BYTES: now, whatever was said of a path's MTU before
passes() {
	lab_in laptop ip route flush cache
	lab_reaches laptop "$1" 2 -s "$2" -M "do"
}

at_end restore
check "a hub with a jumbo port" hub_port \
	"net_af_packet0,iface=hub0,qdisc_bypass=1,blocksz=20480,framesz=10240,framecnt=512" 9200
check "a tunnel of 9000 bytes" tunnel_mtu 9000
tunnels 9000
check "9000 bytes through it" lab_until 20 passes 192.168.10.10 8972
check "and back" lab_reaches branch-lan "$(lab_inner acme laptop 4)" 3 -s 8972 -M "do"
check "and over IPv6 inside" lab_reaches laptop fd00:10::10 3 -s 8952 -M "do"
hub4=$(lab_hub_inner acme 4)
check "the hub answers as large" lab_reaches laptop "$hub4" 3 -s 8972 -M "do"
before=$(counter drop_frame_truncated)
lab_ip laptop link set "$(lab_tunnel laptop)" mtu 12000
check "a larger one does not pass" lab_refused laptop "$hub4" -s 11000 -M "do"
check "it was dropped" counter_passes drop_frame_truncated "$before"
lab_ip laptop link set "$(lab_tunnel laptop)" mtu 9000
check "and the hub goes on" lab_reaches laptop 192.168.10.10 3 -s 8972 -M "do"
