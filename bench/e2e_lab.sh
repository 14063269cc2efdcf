# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the end-to-end benches share: a lab of their own, and one stream through one of two hubs on the same links,
# of which the other stands still. Whoever sources this has set ROOT, BUILD and LENGTH (seconds).
: "${ROOT:?}" "${BUILD:?}" "${LENGTH:?}"
# whoever else works on this machine may have any fixed port
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# shellcheck disable=SC2034 # read by configs/lab
{
	LAB_PREFIX=nb LAB_LISTEN=127.0.0.1:$PORT LAB_BUILD=$BUILD LAB_DIR=$(mktemp -d /tmp/nave-bench.XXXXXX)
	LAB_RUN=$LAB_DIR/run LAB_STATE=$LAB_DIR/state LAB_NODE_STATE=$LAB_DIR/node-state
}
# shellcheck source=../configs/lab/lab.sh
. "$ROOT/configs/lab/lab.sh"
RIVAL_PIDS=() HUB_PID=''

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
	[ "${#RIVAL_PIDS[@]}" -eq 0 ] || kill "${RIVAL_PIDS[@]}" 2>/dev/null
	lab_down
	rm -rf "$LAB_DIR"
}
trap end_bench EXIT
trap 'exit 130' INT TERM HUP

fail() {
	echo "$0: $*" >&2
	exit 1
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

# measure PROTOCOL HUB_NAME PID MACHINE DEVICE SERVER_ADDRESS tcp|udp
measure() {
	local protocol=$1 name=$2 pid=$3 machine=$4 device=$5 address=$6 kind=$7 options=() ticks seen answer others
	[ "$kind" = tcp ] || options=(-u -b 400M -l 1300)
	hub_pause
	others=$(others_percent)
	[ "$name" != nave ] || hub_resume
	lab_until 10 lab_reaches laptop "$address" || fail "no way through $name"
	ticks=$(cpu_ticks "$pid") seen=$(packets "$machine" "$device")
	answer=$(lab_in laptop iperf3 -J -c "$address" -t "$LENGTH" "${options[@]}") || fail "iperf3 through $name: $answer"
	ticks=$(($(cpu_ticks "$pid") - ticks)) seen=$(($(packets "$machine" "$device") - seen))
	hub_resume
	jq -ce --arg name "e2e.$protocol.$name.$kind" --argjson ticks "$ticks" --argjson packets "$seen" \
		--argjson seconds "$LENGTH" --argjson others "$others" \
		'(.end | .sum_received // .sum) as $got | select($packets > 0 and $got.bytes > 0) |
		 {name: $name, gbps: ($got.bits_per_second / 1e9), loss_percent: (.end.sum.lost_percent // 0),
		  packets_per_second: ($packets / $seconds), cpu_ns_per_packet: ($ticks * 1e7 / $packets),
		  cpu_seconds_per_gigabyte: ($ticks * 1e7 / $got.bytes), others_percent: $others}' \
		<<<"$answer" || fail "nothing came through $name: $seen packets, $(jq -c .end.sum_received <<<"$answer")"
}

serve_streams() {
	lab_in roadie iperf3 -s -D --pidfile "$LAB_DIR/iperf3.pid" >/dev/null || fail "no iperf3"
	lab_until 5 lab_in roadie bash -c 'ss -ltn | grep -q :5201'
}

serve_no_streams() {
	kill "$(tr -d '\0' <"$LAB_DIR/iperf3.pid")"
}
