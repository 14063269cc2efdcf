#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Nave hub against an openvpn hub, in one run: the same two machines with Debian's openvpn send to each other,
# first through the one, then through the other, in turns, over UDP and over TCP, with AES-256-GCM. Prints one line
# of JSON a measurement; bench/run makes the table.   bench/e2e_openvpn.sh BUILD_FOLDER [ROUNDS [SECONDS]]
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${1:?the build folder}
ROUNDS=${2:-3}
LENGTH=${3:-3}
# shellcheck source=e2e_lab.sh
. "$ROOT/bench/e2e_lab.sh"

# rival_certificate NAME CA_OPTION...: a key and a certificate
rival_certificate() {
	local name=$1
	shift
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$name" \
		-keyout "$LAB_DIR/rival.$name.key" -out "$LAB_DIR/rival.$name.crt" "$@" 2>>"$LAB_DIR/logs/rival"
}

# rival_openvpn MACHINE NAME OPTION...: openvpn in it
rival_openvpn() {
	local machine=$1 name=$2
	shift 2
	lab_in "$machine" openvpn --dev "nbr$name" --dev-type tun --topology subnet --data-ciphers AES-256-GCM \
		--ca "$LAB_DIR/rival.ca.crt" --tun-mtu 1420 --log "$LAB_DIR/logs/rival.$machine.$name" --daemon \
		--writepid "$LAB_DIR/rival.$machine.$name.pid" "$@" || return
	lab_until 15 grep -q 'Initialization Sequence Completed' "$LAB_DIR/logs/rival.$machine.$name"
}

# rival_network udp|tcp NETWORK: an openvpn hub, its two clients, and traffic between them inside it
rival_network() {
	local kind=$1 network=$2 machine server=udp client=udp
	[ "$kind" = udp ] || server=tcp-server client=tcp-client
	rival_openvpn rival "$kind" --proto "$server" --port 1194 --server "$network.0" 255.255.255.0 --client-to-client \
		--duplicate-cn --dh none --cert "$LAB_DIR/rival.hub.crt" --key "$LAB_DIR/rival.hub.key" || return
	for machine in roadie laptop; do # in this order they get .2 and .3
		rival_openvpn "$machine" "$kind" --client --nobind --proto "$client" --remote "$(lab_member4 7)" 1194 \
			--cert "$LAB_DIR/rival.client.crt" --key "$LAB_DIR/rival.client.key" || return
	done
}

rival_up() {
	lab_member_add rival 7 && rival_certificate ca || return
	for name in hub client; do
		rival_certificate "$name" -CA "$LAB_DIR/rival.ca.crt" -CAkey "$LAB_DIR/rival.ca.key" || return
	done
	rival_network udp 10.99.0 && rival_network tcp 10.98.0
	mapfile -t RIVAL_PIDS < <(cat "$LAB_DIR"/rival.*.pid)
}

# nave_connect udp|tcp: both machines to the Nave hub
nave_connect() {
	local machine
	for machine in laptop roadie; do
		lab_openvpn_down "$machine"
		lab_openvpn_up "$machine" "$(lab_openvpn_profile acme "$machine" "$1")" || return
	done
}

main() {
	local round transport address
	declare -A rival=([udp]=10.99.0.2 [tcp]=10.98.0.2)
	lab_configure
	{ lab_internet_up && lab_member_add laptop 3 && lab_member_add roadie 4; } || fail "no namespaces"
	{ lab_daemons_start && lab_instance_create acme; } || fail "no hub"
	lab_instance_update acme '{"access":{"client_to_client":true}}' || fail "no access"
	for machine in laptop roadie; do
		lab_peer_create acme "{\"type\":\"client\",\"protocol\":\"openvpn\",\"name\":\"$machine\",\"route_all\":false}" ||
			fail "no peers"
	done
	rival_up || fail "no rival"
	HUB_PID=$(lab_daemon_pid dataplane) || fail "no dataplane"
	address=$(lab_inner acme roadie 4)
	serve_streams
	for transport in udp tcp; do
		hub_resume
		nave_connect "$transport" || fail "no clients over $transport"
		for ((round = 0; round < ROUNDS; round++)); do
			measure "openvpn-$transport" nave "$HUB_PID" hub hub0 "$address" tcp
			measure "openvpn-$transport" openvpn "$(cat "$LAB_DIR/rival.rival.$transport.pid")" rival wan0 \
				"${rival[$transport]}" tcp
		done
	done
	serve_no_streams
	lab_openvpn_down laptop
	lab_openvpn_down roadie
}

main
