#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A Nave hub against a wireguard-go hub, in one run: the same two wireguard-go clients on the same veth
# links send to each other, first through the one, then through the other, in turns. Prints one line of
# JSON a measurement; bench/run makes the table.   bench/e2e.sh BUILD_FOLDER [ROUNDS [SECONDS]]
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
BUILD=${1:?the build folder}
ROUNDS=${2:-3}
LENGTH=${3:-3}
# shellcheck source=e2e_lab.sh
. "$ROOT/bench/e2e_lab.sh"

# rival_key MACHINE: for the wireguard-go hub's network
rival_key() {
	(umask 077 && wg genkey >"$LAB_DIR/rival.$1")
	wg pubkey <"$LAB_DIR/rival.$1"
}

# rival_tunnel MACHINE NUMBER: an interface of wireguard-go in it, 10.99.0.NUMBER
rival_tunnel() {
	LOG_LEVEL=error lab_in "$1" wireguard-go "nbr$2" </dev/null >>"$LAB_DIR/logs/rival" 2>&1 &&
		lab_in "$1" wg set "nbr$2" private-key "$LAB_DIR/rival.$1" &&
		lab_in "$1" ip address add "10.99.0.$2/24" dev "nbr$2" &&
		lab_in "$1" ip link set "nbr$2" mtu 1420 up
}

# a hub as one makes it with wireguard-go: an interface, its peers, and Linux that forwards
rival_up() {
	local hub a b
	lab_member_add rival 7 || return
	hub=$(rival_key rival) a=$(rival_key laptop) b=$(rival_key roadie)
	rival_tunnel rival 1 && rival_tunnel laptop 2 && rival_tunnel roadie 3 || return
	RIVAL_PIDS=("$(pgrep -f '^wireguard-go nbr1$')")
	lab_in rival sysctl -qw net.ipv4.ip_forward=1 &&
		lab_in rival wg set nbr1 listen-port 51820 peer "$a" allowed-ips 10.99.0.2/32 \
			peer "$b" allowed-ips 10.99.0.3/32 || return
	lab_in laptop wg set nbr2 peer "$hub" endpoint "$(lab_member4 7):51820" allowed-ips 10.99.0.0/24 \
		persistent-keepalive 25 &&
		lab_in roadie wg set nbr3 peer "$hub" endpoint "$(lab_member4 7):51820" allowed-ips 10.99.0.0/24 \
			persistent-keepalive 25
}

main() {
	local round kind server
	lab_configure
	{ lab_internet_up && lab_member_add laptop 3 && lab_member_add roadie 4; } || fail "no namespaces"
	{ lab_daemons_start && lab_instance_create acme; } || fail "no hub"
	lab_instance_update acme '{"access":{"client_to_client":true}}' || fail "no access"
	{ lab_client_connect acme laptop false && lab_client_connect acme roadie false; } || fail "no clients"
	rival_up || fail "no rival"
	HUB_PID=$(lab_daemon_pid dataplane) || fail "no dataplane"
	server=$(lab_inner acme roadie 4)
	lab_until 10 lab_reaches laptop "$server" || fail "no way through Nave"
	lab_until 10 lab_reaches laptop 10.99.0.3 || fail "no way through wireguard-go"
	serve_streams
	for ((round = 0; round < ROUNDS; round++)); do
		for kind in tcp udp; do
			measure wireguard nave "$HUB_PID" hub hub0 "$server" "$kind"
			measure wireguard wireguard-go "${RIVAL_PIDS[0]}" rival wan0 10.99.0.3 "$kind"
		done
	done
	serve_no_streams
}

main
