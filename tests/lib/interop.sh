# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are read by configs/lab
# What an interop test starts with: the lab that tests/run brought up, or one of its own when it is run
# by hand (the programs are then taken from build/asan, or from $NAVE_LAB_BUILD).
#
# The network "acme": sites branch (LAN 192.168.10.0/24, fd00:10::/64) and depot (LAN 192.168.20.0/24,
# fd00:20::/64), split-tunnel client laptop, route-all client roadie. A test that changes a client makes
# its own with guest().

set -u
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OWN_LAB=
if [ -z "${NAVE_LAB_DIR:-}" ]; then
	NAVE_LAB_DIR=$(mktemp -d /tmp/nave-lab.XXXXXX)
	OWN_LAB=1
fi

# two labs on one machine must not meet: names and port follow from the lane's number, which is 500 to
# 999, or from the folder
number=${NAVE_LAB_NUMBER:-$(($(printf '%s' "$NAVE_LAB_DIR" | cksum | cut -d' ' -f1) % 500))}
LAB_PREFIX=$(printf 'n%03d' "$number")
LAB_LISTEN=127.0.0.1:$((20000 + number))
LAB_DIR=$NAVE_LAB_DIR
LAB_BUILD=${NAVE_LAB_BUILD:-$ROOT/build/asan}
LAB_RUN=$LAB_DIR/run
LAB_STATE=$LAB_DIR/state
LAB_NODE_STATE=$LAB_DIR/node-state
# shellcheck source=../../configs/lab/lab.sh
. "$ROOT/configs/lab/lab.sh"

AT_END=()

# at_end COMMAND...: undone in reverse order when the test is over, however it ends
at_end() {
	AT_END+=("$(printf '%q ' "$@")")
}

end_test() {
	local code=$? i
	for ((i = ${#AT_END[@]} - 1; i >= 0; i--)); do
		eval "${AT_END[i]}"
	done
	if [ -n "$OWN_LAB" ]; then
		lab_down
		rm -rf "$LAB_DIR"
	fi
	exit "$code"
}
trap end_test EXIT
trap 'exit 143' TERM INT HUP

# check WHAT COMMAND...: the test ends at the first thing that is not as it must be
check() {
	local what=$1
	shift
	if "$@"; then
		echo "ok: $what"
	else
		echo "NOT SO: $what    ($*)"
		explain
		exit 1
	fi
}

# check_not WHAT COMMAND...
check_not() {
	local what=$1
	shift
	check "$what" not "$@"
}

not() {
	! "$@"
}

# explain: what one wants to see when a check failed
explain() {
	local log
	echo "--- counters"
	"$LAB_BUILD/tests/lib/counters" "$LAB_RUN/dataplane.sock" | grep -E 'drop|handshake' | grep -v ' 0$'
	for log in control node dataplane; do
		echo "--- $log"
		tail -n 8 "$LAB_DIR/logs/$log"
	done
}

# counter NAME: of the hub, as it is now
counter() {
	"$LAB_BUILD/tests/lib/counters" "$LAB_RUN/dataplane.sock" | awk -v name="$1" '$1 == name { print $2 }'
}

# counter_passes NAME VALUE: is it over that now
counter_passes() {
	[ "$(counter "$1")" -gt "$2" ]
}

# counted NAME BEFORE
counted() {
	lab_until 2 counter_passes "$1" "$2"
}

# handshake_of MACHINE: the second of its last one, as it has it
handshake_of() {
	lab_in "$1" wg show "$(lab_tunnel "$1")" latest-handshakes | cut -f2
}

# shook_hands_after MACHINE SECOND
shook_hands_after() {
	[ "$(handshake_of "$1")" -gt "$2" ]
}

# iperf3_serves MACHINE: one client
iperf3_serves() {
	lab_in "$1" iperf3 -s -1 -D --pidfile "$LAB_DIR/iperf3.pid" --logfile "$LAB_DIR/iperf3.log"
	lab_until 5 lab_in "$1" bash -c 'ss -ltn | grep -q :5201'
}

# same WANTED COMMAND...: the command prints just that
same() {
	local wanted=$1
	shift
	[ "$("$@")" = "$wanted" ]
}

lines_at_least() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# connected_from PEER: the outer address at which the hub sees a peer of acme
connected_from() {
	lab_peer acme "$1" '.connected_from // "" | sub(":[0-9]+$"; "") | ltrimstr("[") | rtrimstr("]")'
}

# steady_begin MACHINE ADDRESS: a ping each 10 ms, until steady_end or steady_lossless
steady_begin() {
	STEADY=$LAB_DIR/steady
	# what a script starts in the background ignores INT, at which ping writes its last lines
	ip netns exec "$(lab_ns "$1")" env --default-signal=INT ping -n -i 0.01 "$2" >"$STEADY" 2>&1 &
	STEADY_PID=$!
	at_end steady_abandon
}

steady_abandon() {
	[ -z "$STEADY_PID" ] || kill "$STEADY_PID"
}

# steady_end: STEADY_SENT and STEADY_ANSWERED; what was sent in the last 0.2 s may still be on its way
steady_end() {
	kill -INT "$STEADY_PID" && wait "$STEADY_PID"
	STEADY_PID=
	read -r STEADY_SENT STEADY_ANSWERED < <(sed -n 's/.* bytes from .* icmp_seq=\([0-9]*\) .*/\1/p' "$STEADY" | sort -nu |
		awk -v all="$(sed -n 's/ packets transmitted.*//p' "$STEADY")" \
			'{ last = $1 } END { print (last > all - 20 ? last : all - 20) + 0, NR }')
	echo "$STEADY_SENT pings, $STEADY_ANSWERED answers"
	sed -n 's/.* bytes from .* icmp_seq=\([0-9]*\) .*/\1/p' "$STEADY" | sort -nu |
		awk '$1 > last + 1 { print "lost: " last + 1 " to " $1 - 1 } { last = $1 }' | head -n 20
}

# steady_lossless LEAST: there were so many at least, each answered
steady_lossless() {
	steady_end
	[ "$STEADY_SENT" -ge "$1" ] && [ "$STEADY_ANSWERED" -eq "$STEADY_SENT" ]
}

# now: as the API writes it
now() {
	date -u +%FT%TZ
}

# hub_reported_after TIME: a report of that second may be of before it
hub_reported_after() {
	local seen
	seen=$(lab_rest GET /v1/hubs 2>/dev/null | jq -r '.items[0].last_seen_at') && [[ $seen > $1 ]]
}

# daemon_again NAME: started, unless it runs
daemon_again() {
	lab_daemon_pid "$1" >/dev/null || lab_daemon_start "$1"
}

# hub_state: what the node has made of the hub's Linux, each device with its number; counters are left out
hub_state() {
	lab_in hub ip -o address
	lab_in hub ip rule
	lab_in hub ip -6 rule
	lab_in hub ip route show table all
	lab_in hub ip -6 route show table all
	# each by itself: in which order they were made says nothing
	lab_in hub nft list tables | sort | while read -r _ family table; do
		lab_in hub nft --stateless list table "$family" "$table" </dev/null
	done
}

# hub_wg ARGUMENTS...: wg(8) on the hub. It looks for sockets in one place only: there it is given the lab's.
hub_wg() {
	# shellcheck disable=SC2016 # expanded by that shell, in a mount namespace of its own
	lab_in hub sh -c 'mount --bind "$0" /var/run/wireguard && exec wg "$@"' "$LAB_RUN/wireguard" "$@"
}

# cut_within_1s MACHINE ADDRESS: what still gets through in the second after now; then nothing more
cut_within_1s() {
	sleep 1
	lab_refused "$1" "$2"
}

# guest MACHINE NUMBER [true|false [SED_SCRIPT]]: a client of acme for this test only; its profile can be edited
guest() {
	at_end lab_machine_del "$1"
	lab_member_add "$1" "$2" || return
	at_end lab_peer_del acme "$1"
	lab_client_connect acme "$1" "${3:-false}" "${4:-}" && lab_reaches "$1" "$(lab_hub_inner acme 4)" 5
}

# ovpn_guest MACHINE NUMBER udp|tcp [OPTION...]: a client of acme by Debian's openvpn, for this test only
ovpn_guest() {
	local machine=$1 number=$2
	at_end lab_machine_del "$machine"
	lab_member_add "$machine" "$number" || return
	at_end lab_peer_del acme "$machine"
	at_end lab_openvpn_down "$machine"
	shift 2
	lab_openvpn_connect acme "$machine" "$@"
}

if [ -n "$OWN_LAB" ]; then
	"${LAB_UP:-lab_standard_up}" || exit 1
fi
