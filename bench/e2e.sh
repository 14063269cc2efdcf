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
# whoever else works on this machine may have any fixed port
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# shellcheck disable=SC2034 # read by configs/lab
{
	LAB_PREFIX=nb LAB_LISTEN=127.0.0.1:$PORT LAB_BUILD=$BUILD LAB_DIR=$(mktemp -d /tmp/nave-bench.XXXXXX)
	LAB_RUN=$LAB_DIR/run LAB_STATE=$LAB_DIR/state LAB_NODE_STATE=$LAB_DIR/node-state
}
# shellcheck source=../configs/lab/lab.sh
. "$ROOT/configs/lab/lab.sh"
RIVAL_PID='' HUB_PID=''

# an idle Nave hub still polls its port (about a fifth of a core): it must not take that from the rival
hub_pause() {
	[ -z "$HUB_PID" ] || kill -STOP "$HUB_PID"
}

hub_resume() {
	[ -z "$HUB_PID" ] || kill -CONT "$HUB_PID" 2>/dev/null
}

end_bench() {
	trap '' INT TERM HUP # once begun it is finished
	hub_resume # what is stopped does not end
	[ -z "$RIVAL_PID" ] || kill "$RIVAL_PID" 2>/dev/null
	lab_down
	rm -rf "$LAB_DIR"
}
trap end_bench EXIT
trap 'exit 130' INT TERM HUP

fail() {
	echo "bench/e2e: $*" >&2
	exit 1
}

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
	RIVAL_PID=$(pgrep -f '^wireguard-go nbr1$')
	lab_in rival sysctl -qw net.ipv4.ip_forward=1 &&
		lab_in rival wg set nbr1 listen-port 51820 peer "$a" allowed-ips 10.99.0.2/32 \
			peer "$b" allowed-ips 10.99.0.3/32 || return
	lab_in laptop wg set nbr2 peer "$hub" endpoint "$(lab_member4 7):51820" allowed-ips 10.99.0.0/24 \
		persistent-keepalive 25 &&
		lab_in roadie wg set nbr3 peer "$hub" endpoint "$(lab_member4 7):51820" allowed-ips 10.99.0.0/24 \
			persistent-keepalive 25
}

# cpu_ticks PID: user and system, of all its threads, in 1/100 s
cpu_ticks() {
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

# packets MACHINE DEVICE: received by its outer interface
packets() {
	lab_in "$1" cat "/sys/class/net/$2/statistics/rx_packets"
}

# machine_ticks: busy and all, of all cores
machine_ticks() {
	awk '/^cpu / { all = $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9; print all - $5 - $6, all }' /proc/stat
}

# others_percent: how busy this machine is while neither hub works
others_percent() {
	local busy all busy2 all2
	read -r busy all < <(machine_ticks)
	sleep 0.5
	read -r busy2 all2 < <(machine_ticks)
	echo $((all2 > all ? (busy2 - busy) * 100 / (all2 - all) : 0))
}

# measure HUB_NAME PID MACHINE DEVICE SERVER_ADDRESS tcp|udp
measure() {
	local name=$1 pid=$2 machine=$3 device=$4 address=$5 kind=$6 options=() ticks seen answer others
	[ "$kind" = tcp ] || options=(-u -b 400M -l 1300)
	hub_pause
	others=$(others_percent)
	[ "$name" != nave ] || hub_resume
	lab_until 10 lab_reaches laptop "$address" || fail "no way through $name"
	ticks=$(cpu_ticks "$pid") seen=$(packets "$machine" "$device")
	answer=$(lab_in laptop iperf3 -J -c "$address" -t "$LENGTH" "${options[@]}") || fail "iperf3 through $name: $answer"
	ticks=$(($(cpu_ticks "$pid") - ticks)) seen=$(($(packets "$machine" "$device") - seen))
	hub_resume
	jq -ce --arg name "e2e.wireguard.$name.$kind" --argjson ticks "$ticks" --argjson packets "$seen" \
		--argjson seconds "$LENGTH" --argjson others "$others" \
		'(.end | .sum_received // .sum) as $got | select($packets > 0 and $got.bytes > 0) |
		 {name: $name, gbps: ($got.bits_per_second / 1e9), loss_percent: (.end.sum.lost_percent // 0),
		  packets_per_second: ($packets / $seconds), cpu_ns_per_packet: ($ticks * 1e7 / $packets),
		  cpu_seconds_per_gigabyte: ($ticks * 1e7 / $got.bytes), others_percent: $others}' \
		<<<"$answer" || fail "nothing came through $name"
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
	lab_in roadie iperf3 -s -D --pidfile "$LAB_DIR/iperf3.pid" >/dev/null || fail "no iperf3"
	lab_until 5 lab_in roadie bash -c 'ss -ltn | grep -q :5201'
	for ((round = 0; round < ROUNDS; round++)); do
		for kind in tcp udp; do
			measure nave "$HUB_PID" hub hub0 "$server" "$kind"
			measure wireguard-go "$RIVAL_PID" rival wan0 10.99.0.3 "$kind"
		done
	done
	kill "$(tr -d '\0' <"$LAB_DIR/iperf3.pid")"
}

main
