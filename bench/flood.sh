#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a flood costs the hub's peers: one TCP stream between two sites through a Nave hub, while a flood goes at the
# hub, and while the same flood goes at an address on the hub's cable that nobody has, in turns. Prints one line of
# JSON a measurement; bench/run makes the table.   bench/flood.sh BUILD_FOLDER [ROUNDS [SECONDS [RATE]]]
set -u
ROOT=$(cd "$(dirname "$0")/.." && pwd)
ROUNDS=${2:-3}
LENGTH=${3:-3}
RATE=${4:-20000}
# a lab of its own, from the given build
export NAVE_LAB_BUILD=${1:?the build folder}
unset NAVE_LAB_DIR
# shellcheck source=../tests/lib/interop.sh
. "$ROOT/tests/lib/interop.sh"
# shellcheck source=../tests/lib/flood.sh
. "$ROOT/tests/lib/flood.sh"

fail() {
	echo "bench/flood: $*" >&2
	exit 1
}

# measure KIND hub|hole: the stream is over before the flood is
measure() {
	local answer
	flood_begin "$1" "$RATE" $((LENGTH + 2)) "$2"
	answer=$(lab_in branch-lan iperf3 -J -c 192.168.20.10 -t "$LENGTH") || fail "iperf3 during $1: $answer"
	flood_is_on || fail "$1 was over too early"
	flood_end || fail "$1 did not go out"
	jq -ce --arg kind "$1" --arg aim "$2" --argjson frames "$FLOOD_FRAMES" --argjson seconds "$((LENGTH + 2))" \
		'{kind: $kind, aim: $aim, gbps: (.end.sum_received.bits_per_second / 1e9), rate: ($frames / $seconds)}' <<<"$answer" ||
		fail "nothing came through during $1"
}

flood_prepare acme || fail "there is nothing to replay"
lab_in depot-lan iperf3 -s -D --pidfile "$LAB_DIR/iperf3.pid" >/dev/null || fail "no iperf3"
lab_until 5 lab_in depot-lan bash -c 'ss -ltn | grep -q :5201'
for ((round = 0; round < ROUNDS; round++)); do
	for kind in junk bad-mac1 initiation replay-initiation replay-data; do
		# who is first changes: what goes on elsewhere on this machine meets both
		if ((round % 2)); then
			measure "$kind" hub && measure "$kind" hole
		else
			measure "$kind" hole && measure "$kind" hub
		fi
	done
done
