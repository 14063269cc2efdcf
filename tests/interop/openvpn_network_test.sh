#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenVPN among the others: sites with it reach each other and a site with WireGuard, a change of routes drops nobody,
# a route-all client has the internet, and a client that may come with either protocol has the newest session.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

# site MACHINE NUMBER LAN: the place; who it is at the hub comes later, a profile lists what there is
site() {
	at_end lab_machine_del "$1" "$1-lan"
	lab_site_add "$1" "$2" "$3"
	at_end lab_peer_del acme "$1"
}

# openvpn_site MACHINE LAN
openvpn_site() {
	check "$1" lab_peer_create acme "{\"type\":\"site\",\"protocol\":\"openvpn\",\"name\":\"$1\",
		\"subnets\":[\"192.168.$2.0/24\",\"fd00:$2::/64\"]}"
	at_end lab_openvpn_down "$1" KILL
}

site mill 7 30
site quarry 8 40
site farm 9 50
openvpn_site mill 30
openvpn_site quarry 40
check "farm" lab_site_create acme farm 192.168.50.0/24 fd00:50::/64
check "farm is WireGuard's" lab_site_import acme farm
check "mill over UDP" again mill udp
check "quarry over TCP" again quarry tcp
for pair in mill:40 quarry:30 mill:50 farm:30 quarry:50 farm:40; do
	check "${pair%:*} LAN to LAN ${pair#*:}" lab_reaches "${pair%:*}-lan" "192.168.${pair#*:}.10" 5
	check "the same, IPv6" lab_reaches "${pair%:*}-lan" "fd00:${pair#*:}::10" 5
done
check "4000 bytes" lab_reaches mill-lan 192.168.40.10 3 -s 3972
check "an address that is nobody's" lab_refused mill-lan "$(lab_inner_nobody acme)"
check "a network that is nobody's" lab_refused mill-lan 192.168.99.1
at_end lab_ip mill address del 192.168.77.7/32 dev lo
lab_ip mill address add 192.168.77.7/32 dev lo
check "mill does not send as somebody else" lab_refused mill 192.168.40.10 -I 192.168.77.7

# another network behind mill
lab_ip mill address add 192.168.31.1/24 dev lan0
check "not told yet" lab_refused laptop 192.168.31.1
steady_begin quarry-lan 192.168.30.10
check "told" lab_peer_update acme mill '{"subnets":["192.168.30.0/24","fd00:30::/64","192.168.31.0/24"]}'
check "the hub forwards at once" lab_reaches laptop 192.168.31.1 3
check "not one packet was lost" steady_lossless 50
for machine in mill quarry; do
	check_not "$machine was not dropped" lab_openvpn_says "$machine" SIGUSR1
	lab_openvpn_down "$machine" KILL
done

# the whole internet
at_end lab_machine_del rover
lab_member_add rover 10
at_end lab_peer_del acme rover
at_end lab_openvpn_down rover KILL
check "rover" lab_peer_create acme '{"type":"client","protocol":"openvpn","name":"rover","route_all":true}'
check "connected" again rover udp
check "the internet sees the hub" same "$LAB_HUB4" lab_in rover curl -s -m 5 "http://$LAB_WEB4/"
check "the internet sees the hub, IPv6" same "$LAB_HUB6" lab_in rover curl -s -m 5 "http://[$LAB_WEB6]/"
check "a megabyte arrives whole" test \
	"$(lab_in rover curl -s -m 20 "http://$LAB_WEB4/bytes/1000000" | wc -c)" = 1000000
check "the sites inside" lab_reaches rover 192.168.10.10
check "not the hub's outer address" lab_refused rover "$LAB_HUB4" -I "$(lab_tunnel rover)"
lab_openvpn_down rover KILL

# one client, either protocol: on two machines, so that each goes on as long as it likes
for machine in onyx:11 amber:13; do
	at_end lab_machine_del "${machine%:*}"
	lab_member_add "${machine%:*}" "${machine#*:}"
done
at_end lab_peer_del acme amber
at_end lab_openvpn_down onyx KILL
check "amber" lab_peer_create acme '{"type":"client","protocol":"any","name":"amber","route_all":false}'
inner=$(lab_inner acme amber 4)
openvpn=$(lab_openvpn_profile acme amber udp)
check "by WireGuard" lab_tunnel_up amber "$(lab_peer_profile acme amber)"
check "it reaches" lab_reaches amber 192.168.10.10 5
check "OpenVPN takes over" lab_openvpn_up onyx "$openvpn"
check "at once" lab_reaches onyx 192.168.10.10 1
lab_arrivals_watch onyx
check "towards it too" lab_reaches branch-lan "$inner" 2
check "it was there" test "$(lab_arrivals onyx all 4)" -gt 0
check "REST says so" lab_until 12 same openvpn lab_peer acme amber .protocol_in_use
check "WireGuard's session is over" lab_refused amber 192.168.10.10
check "and a new one is not begun" lab_refused amber 192.168.10.10
check "OpenVPN's goes on" lab_reaches onyx 192.168.10.10 1
lab_openvpn_down onyx KILL
began=$EPOCHSECONDS
check "WireGuard is back when OpenVPN is silent" lab_reaches amber 192.168.10.10 25
check "after 10 s, not before" test $((EPOCHSECONDS - began)) -ge 9
check "towards it too" lab_reaches branch-lan "$inner" 2
check "OpenVPN takes over again" lab_openvpn_up onyx "$openvpn"
check "at once" lab_reaches onyx 192.168.10.10 1
