# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # LAB_UP is read by interop.sh
# What the cases of WireGuard's own netns test start with: a hub in a lab of its own, stand-alone, so that
# wg configures it as it does its peers. Its nave-node finds no nave-control and mirrors the network only.
#
#   a, b, ... -- inet -- hub    nave1: 10.99.0.1 fd99::1    nave2: 10.98.0.1 fd98::1, MTU 1299
#
# Peer number N of nave1 has 10.99.0.N and fd99::N; wireguard-go runs in its namespace.

unset NAVE_LAB_DIR NAVE_LAB_NUMBER
LAB_UP=netns_up

netns_up() {
	lab_configure
	cat >>"$LAB_DIR/etc/dataplane.conf" <<-END
		uapi_dir = "$LAB_RUN/wireguard";
		instances = ( { number = 1; addresses = [ "10.99.0.1/24", "fd99::1/64" ]; },
			{ number = 2; addresses = [ "10.98.0.1/24", "fd98::1/64" ]; mtu = 1299; } );
	END
	mkdir "$LAB_DIR/keys"
	lab_internet_up && lab_member_add a 1 && lab_member_add b 2 &&
		lab_daemon_start dataplane --stand-alone && lab_daemon_start node || return
	lab_until 10 lab_reaches inet "$LAB_HUB4" 1 && lab_until 10 lab_reaches inet "$LAB_HUB6" 1 || return
	hub_wg set nave1 listen-port 51820 private-key "$(private_key hub)"
}

# netns_down: nothing had ended by itself, nothing leaked
netns_down() {
	lab_daemons_stop && lab_sanitizer_reports
}

# case_is ID WHAT: of the table in tests/README.md
case_is() {
	echo "== $1: $2"
}

# private_key NAME, psk NAME: the file; made when it is first asked for
private_key() {
	[ -e "$LAB_DIR/keys/$1" ] || (umask 077 && wg genkey >"$LAB_DIR/keys/$1")
	echo "$LAB_DIR/keys/$1"
}

psk() {
	[ -e "$LAB_DIR/keys/$1.psk" ] || (umask 077 && wg genpsk >"$LAB_DIR/keys/$1.psk")
	echo "$LAB_DIR/keys/$1.psk"
}

public_key() {
	wg pubkey <"$(private_key "$1")"
}

# peer_wg MACHINE WORD ARGUMENTS...: wg there, about its only interface
peer_wg() {
	local machine=$1 word=$2
	shift 2
	lab_in "$machine" wg "$word" "$(lab_tunnel "$machine")" "$@"
}

# peer_up MACHINE NUMBER [ENDPOINT [INSTANCE MTU]]: wireguard-go there, and known to the hub
peer_up() {
	local machine=$1 number=$2 endpoint=${3:-$LAB_HUB4:51820} instance=${4:-1} mtu=${5:-1420} net device
	net=$((100 - instance))
	device=$(lab_tunnel "$machine")
	lab_in "$machine" env LOG_LEVEL=error wireguard-go "$device" >>"$LAB_DIR/logs/wireguard-go.$machine" 2>&1 || return
	lab_ip "$machine" address add "10.$net.0.$number/24" dev "$device"
	lab_ip "$machine" address add "fd$net::$number/64" dev "$device" nodad
	lab_ip "$machine" link set "$device" mtu "$mtu" up
	peer_wg "$machine" set private-key "$(private_key "$machine")" peer "$(public_key "hub")" \
		preshared-key "$(psk "$machine")" endpoint "$endpoint" allowed-ips "10.$net.0.0/24,fd$net::/64" || return
	hub_wg set "nave$instance" peer "$(public_key "$machine")" preshared-key "$(psk "$machine")" \
		allowed-ips "10.$net.0.$number/32,fd$net::$number/128"
}

# peer_trusts MACHINE HUB_KEY [ENDPOINT]: its hub is the one with that key, and no other; sessions end
peer_trusts() {
	local key
	peer_wg "$1" show peers | while read -r key; do
		peer_wg "$1" set peer "$key" remove
	done
	peer_wg "$1" set peer "$(public_key "$2")" preshared-key "$(psk "$1")" endpoint "${3:-$LAB_HUB4:51820}" \
		allowed-ips 10.99.0.0/24,fd99::/64
}

# of_hub INSTANCE WHAT PEER: that column of wg show, for that peer
of_hub() {
	hub_wg show "nave$1" "$2" | awk -v key="$(public_key "$3")" '$1 == key { $1 = ""; print substr($0, 2) }'
}

# of_peer MACHINE WHAT: what it shows of the hub
of_peer() {
	peer_wg "$1" show "$2" | awk '{ $1 = ""; print substr($0, 2) }'
}

# hub_sent: packets, on its cable
hub_sent() {
	lab_in inet cat /sys/class/net/to-hub/statistics/rx_packets
}

# transfers_mirror MACHINE: each byte that one sent the other received
transfers_mirror() {
	local hub peer
	hub=$(of_hub 1 transfer "$1")
	peer=$(of_peer "$1" transfer)
	[ "$hub" = "${peer#* } ${peer% *}" ] || { echo "hub received, sent: $hub; $1: $peer" && false; }
}

# flood MACHINE ADDRESS: 300 pings as fast as they are answered; all are
flood() {
	local said
	said=$(lab_in "$1" ping -q -f -n -c 300 -w 10 "$2")
	grep -q ', 300 received' <<<"$said" || { echo "$said" && false; }
}

# iperf FROM TO ADDRESS [OPTIONS...]: one second of it, something arrives
iperf() {
	local from=$1 to=$2 address=$3 server result=$LAB_DIR/iperf.json bytes
	shift 3
	rm -f "$LAB_DIR/iperf.pid"
	lab_in "$to" iperf3 -s -1 -D -B "$address" -I "$LAB_DIR/iperf.pid" || return
	lab_until 3 lab_in "$to" sh -c 'ss -ltnH "sport = 5201" | grep -q .' || return
	timeout 10 ip netns exec "$(lab_ns "$from")" iperf3 -c "$address" -t 1 -J "$@" >"$result" || {
		server=$(tr -d '\0' <"$LAB_DIR/iperf.pid") && kill "$server"
		return 1
	}
	bytes=$(jq '.end.sum_received.bytes // .end.sum.bytes' "$result")
	echo "iperf3 $*: $((${bytes%.*} / 125000)) Mbit"
	[ "${bytes%.*}" -gt 100000 ]
}

# shellcheck source=interop.sh
. "$(dirname "${BASH_SOURCE[0]}")/interop.sh"

explain() {
	local log
	hub_wg show
	for log in node dataplane; do
		echo "--- $log"
		tail -n 8 "$LAB_DIR/logs/$log"
	done
}
