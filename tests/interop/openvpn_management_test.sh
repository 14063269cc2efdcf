#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tools for OpenVPN's management interface see who is there and end a session, whose client comes back; nave-control's
# metrics say the same under the names of openvpn_exporter.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# ask COMMAND...: what the management socket of acme answers to each, as openvpn-monitor reads it
ask() {
	python3 "$ROOT/tests/lib/management.py" "$socket" "$@"
}

# column NAME: of ophelia's line in status 2, by the header
column() {
	ask 'status 2' | awk -F, -v name="$1" -v who="$username" '
		$1 == "HEADER" && $2 == "CLIENT_LIST" { for (n = 3; n <= NF; n++) at[$n] = n - 1 }
		$1 == "CLIENT_LIST" && $2 == who { print $at[name] }'
}

# listed HOW_MANY: so many lines does status 3 have of her, and load-stats so many clients
listed() {
	[ "$(ask 'status 3' | grep -c "^CLIENT_LIST	$username	")" -eq "$1" ] &&
		ask load-stats | grep -q "^SUCCESS: nclients=$1,"
}

# bytes_in: of load-stats
bytes_in() {
	ask load-stats | sed 's/.*bytesin=\([0-9]*\).*/\1/'
}

# is_another_session NUMBER: she is there with another client ID
is_another_session() {
	local number
	number=$(column 'Client ID') && [ -n "$number" ] && [ "$number" -gt "$1" ]
}

has_counted() {
	[ "$(column 'Bytes Received')" -gt "$1" ] && [ "$(column 'Bytes Sent')" -gt "$1" ]
}

# kills COMMAND SUCCESS: her session ends, and she comes back by herself
kills() {
	local number answer
	number=$(column 'Client ID')
	answer=$(ask "${1//CID/$number}")
	[ "$answer" = "$2" ] || { echo "$answer" && return 1; }
	lab_until 25 is_another_session "$number" &&
		lab_until 10 lab_reaches ophelia 192.168.10.10 1
}

# whatever the modes of file and folder let in: the dataplane asks who it is
is_refused_to_others() {
	python3 "$ROOT/tests/lib/management.py" --as 65534 "$socket" version
	[ $? -eq 3 ]
}

metric() {
	lab_rest GET /metrics | grep -F "openvpn_server_client_received_bytes_total{" | grep -qF "common_name=\"$username\""
}

# find_socket: the one that knows acme's own address
find_socket() {
	local hub
	hub=$(lab_hub_inner acme 4)
	for socket in "$LAB_RUN"/openvpn/nave*.sock; do
		ask state | grep -qF ",CONNECTED,SUCCESS,$hub," && echo "$socket" && return
	done
}

# name_of MACHINE: by which the interface calls it
name_of() {
	lab_peer acme "$1" '.username // .id'
}

check "over UDP" ovpn_guest ophelia 7 udp
username=$(name_of ophelia)
socket=$(find_socket)
check "there is a socket" test -S "$socket"
check "its file is root's" test "$(stat -c '%a %u' "$socket")" = "600 0"
check "nobody else is let in" is_refused_to_others
check "version" grep -q '^OpenVPN Version: OpenVPN 2\.' <(ask version)
check "state" grep -q ',CONNECTED,SUCCESS,' <(ask state)
check "she is listed" listed 1
check "traffic" lab_reaches ophelia 192.168.10.10 5 -s 1000
check "is counted" lab_until 3 has_counted 1000
check "where she is" test "$(column 'Real Address' | sed 's/:[0-9]*$//')" = "$(lab_member4 7)"
check "her address" test "$(column 'Virtual Address')" = "$(lab_inner acme ophelia 4)"
check "her other address" test "$(column 'Virtual IPv6 Address')" = "$(lab_inner acme ophelia 6)"
check "the cipher" test "$(column 'Data Channel Cipher')" = AES-256-GCM
check "load-stats has her bytes" grep -qE 'bytesin=[1-9][0-9]{3,},bytesout=[1-9][0-9]{3,}' <(ask load-stats)
check "a route" grep -q "^ROUTING_TABLE,$(lab_inner acme ophelia 4),$username," <(ask 'status 2')
check "version 1" grep -q "^$username,$(lab_member4 7):" <(ask 'status 1')
check "metrics name her" lab_until 25 metric
check "over TCP, too" ovpn_guest polonius 8 tcp
other=$(name_of polonius)
check "he is listed" grep -q "^CLIENT_LIST,$other,$(lab_member4 8):" <(ask 'status 2')
bystander=$(username=$other column 'Client ID')
before=$(bytes_in)
check "kill by name" kills "kill $username" "SUCCESS: common name '$username' found, 1 client(s) killed"
check "client-kill" kills "client-kill CID" "SUCCESS: client-kill command succeeded"
check "kill by address" kills "kill $(column 'Real Address')" \
	"SUCCESS: 1 client(s) at address $(column 'Real Address') killed"
check "load-stats did not go back" test "$(bytes_in)" -gt "$before"
check "she was told to come back" lab_openvpn_says ophelia 'Connection reset command was pushed by server'
check "nobody of that name" test "$(ask 'kill nobody')" = "ERROR: common name 'nobody' not found"
check "he was not meant" test "$(username=$other column 'Client ID')" = "$bystander"
