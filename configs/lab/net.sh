# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source this
# The lab's networks: one namespace a machine, all of them on documentation addresses.
#
#   branch-lan -- branch --+                       +-- hub   203.0.113.1  2001:db8:113::1  (hub0, frames only)
#   depot-lan  -- depot  --+-- inet (a plain router)
#   laptop, roadie, ...  --+                       +-- web   192.0.2.80   2001:db8:80::80
#
# Member number N sits at 198.51.100.(16N+2)/28 and 2001:db8:100:N::2/64; the LAN behind a site with
# number L is 192.168.L.0/24 and fd00:L::/64, its host .10 and ::10.
# Nothing is made outside these namespaces, so removing them removes everything.

LAB_WEB4=192.0.2.80
LAB_WEB6=2001:db8:80::80
LAB_HUB4=203.0.113.1
LAB_HUB6=2001:db8:113::1

lab_ns() {
	echo "$LAB_PREFIX-$1"
}

# lab_in MACHINE COMMAND... : runs a command there
lab_in() {
	local machine=$1
	shift
	ip netns exec "$LAB_PREFIX-$machine" "$@"
}

# lab_ip MACHINE ARGUMENTS... : ip(8) there
lab_ip() {
	local machine=$1
	shift
	ip -n "$LAB_PREFIX-$machine" "$@"
}

lab_machine_add() {
	ip netns add "$LAB_PREFIX-$1" || return
	# addresses are ours and unique: duplicate detection would only cost seconds
	lab_in "$1" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.default.accept_ra=0 net.ipv4.ping_group_range='0 2147483647'
	lab_ip "$1" link set lo up
}

# lab_machine_signal SIGNAL MACHINE...: to everything that runs there; false when nothing does
lab_machine_signal() {
	local signal=$1 machine pids=()
	shift
	for machine; do
		mapfile -t -O "${#pids[@]}" pids < <(ip netns pids "$LAB_PREFIX-$machine" 2>/dev/null)
	done
	[ "${#pids[@]}" -gt 0 ] && kill "-$signal" "${pids[@]}" 2>/dev/null
}

# lab_machine_del MACHINE...: ends what still runs there (wireguard-go takes its socket away only when
# it is asked to end), then removes it with its links
lab_machine_del() {
	local machine
	if lab_machine_signal TERM "$@"; then
		lab_until 3 lab_machines_idle "$@" || lab_machine_signal KILL "$@"
	fi
	for machine; do
		ip netns del "$LAB_PREFIX-$machine"
	done
}

lab_machines_idle() {
	! lab_machine_signal 0 "$@"
}

# lab_machines: the names of all that exist
lab_machines() {
	ip netns list 2>/dev/null | awk -v p="$LAB_PREFIX-" 'index($1, p) == 1 { print substr($1, length(p) + 1) }'
}

lab_routes_between() {
	lab_in "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# lab_link MACHINE INTERFACE OTHER OTHER_INTERFACE: a cable. The sums of sent packets are written by the
# sender: a hub that reads frames would see them unfinished.
lab_link() {
	lab_ip "$1" link add "$2" type veth peer name "$4" netns "$LAB_PREFIX-$3" || return
	lab_in "$1" ethtool -K "$2" tx off >/dev/null
	lab_in "$3" ethtool -K "$4" tx off >/dev/null
	lab_ip "$1" link set "$2" up
	lab_ip "$3" link set "$4" up
}

lab_address() {
	local machine=$1 interface=$2 address
	shift 2
	for address in "$@"; do
		lab_ip "$machine" address add "$address" dev "$interface"
	done
}

lab_default_routes() {
	lab_ip "$1" route replace default via "$2"
	lab_ip "$1" -6 route replace default via "$3"
}

# lab_internet_up: the router, the hub's cable (its addresses are the node's work) and the web host
lab_internet_up() {
	lab_machine_add inet && lab_machine_add hub && lab_machine_add web || return
	lab_routes_between inet
	lab_link inet to-hub hub hub0
	lab_in hub sysctl -qw net.ipv6.conf.hub0.disable_ipv6=1
	lab_address inet to-hub 203.0.113.254/24 2001:db8:113::fe/64
	lab_link inet to-web web wan0
	lab_address inet to-web 192.0.2.254/24 2001:db8:80::fe/64
	lab_address web wan0 "$LAB_WEB4/24" "$LAB_WEB6/64"
	lab_default_routes web 192.0.2.254 2001:db8:80::fe
}

# lab_member_add MACHINE NUMBER: somebody with an internet connection
lab_member_add() {
	lab_machine_add "$1" || return
	lab_link inet "to-$1" "$1" wan0
	lab_member_address "$1" "$2"
}

# lab_member_address MACHINE NUMBER: gives it (another) place on the internet
lab_member_address() {
	lab_ip inet address flush dev "to-$1" scope global
	lab_ip "$1" address flush dev wan0 scope global
	lab_address inet "to-$1" "198.51.100.$(($2 * 16 + 1))/28" "2001:db8:100:$2::1/64"
	lab_address "$1" wan0 "$(lab_member4 "$2")/28" "$(lab_member6 "$2")/64"
	lab_default_routes "$1" "198.51.100.$(($2 * 16 + 1))" "2001:db8:100:$2::1"
}

lab_member4() {
	echo "198.51.100.$(($1 * 16 + 2))"
}

lab_member6() {
	echo "2001:db8:100:$1::2"
}

# lab_site_add MACHINE NUMBER LAN: a router with a network behind it and a host MACHINE-lan in that
lab_site_add() {
	lab_member_add "$1" "$2" && lab_machine_add "$1-lan" || return
	lab_routes_between "$1"
	lab_link "$1" lan0 "$1-lan" eth0
	lab_address "$1" lan0 "192.168.$3.1/24" "fd00:$3::1/64"
	lab_address "$1-lan" eth0 "192.168.$3.10/24" "fd00:$3::10/64"
	lab_default_routes "$1-lan" "192.168.$3.1" "fd00:$3::1"
}

# lab_net_down: every namespace of this lab
lab_net_down() {
	local machines
	mapfile -t machines < <(lab_machines)
	lab_machine_del "${machines[@]}"
}
