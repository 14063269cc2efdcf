#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's wg shows the hub's instances, and what it shows is what the clients and the REST API say.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# client MACHINE WHAT: of wireguard-go, without the column of the hub's key
client() {
	lab_in "$1" wg show "$(lab_tunnel "$1")" "$2" | cut -f2-
}

# shown WHAT: of the instance, the line of laptop
shown() {
	hub_wg show "$device" "$1" | grep -F "$(lab_in laptop wg show "$(lab_tunnel laptop)" public-key)"
}

# missing: what one sent and the other did not receive, both ways; the lab's clients remember more than
# one run of the hub
missing() {
	local hub laptop
	read -ra hub < <(shown transfer | cut -f2,3)
	read -ra laptop < <(lab_in laptop wg show "$(lab_tunnel laptop)" transfer | cut -f2,3)
	echo "$((laptop[1] - hub[0])) $((hub[1] - laptop[0]))"
}

# sockets: how many there are
sockets() {
	find "$LAB_RUN/wireguard" -name '*.sock' | wc -l
}

device=$(hub_wg show all peers | grep -F "$(lab_in laptop wg show "$(lab_tunnel laptop)" public-key)" | cut -f1)
check "the instance is listed" test "$(hub_wg show interfaces)" = "$device"
check "wg show" hub_wg show
check "every peer" test "$(hub_wg show "$device" peers | sort -u | wc -l)" -eq \
	"$(lab_rest_list "$(lab_instance_path acme)/peers" | wc -l)"
check "the hub's public key is the clients' peer" \
	test "$(hub_wg show "$device" public-key)" = "$(lab_in laptop wg show "$(lab_tunnel laptop)" peers)"
check "its port" test "$(hub_wg show "$device" listen-port)" = "$(client laptop endpoints | sed 's/.*://')"
check "a preshared key" test "$(shown preshared-keys | cut -f2)" = "$(client laptop preshared-keys)"
check "an endpoint" test "$(shown endpoints | cut -f2 | sed 's/:[0-9]*$//')" = "$(lab_member4 3)"
check "allowed addresses" grep -qwF "$(lab_inner acme laptop 4)/32" <<<"$(shown allowed-ips)"
check "a keepalive" test "$(shown persistent-keepalive | cut -f2)" = 25
check "a fresh handshake" test "$(($(date +%s) - $(shown latest-handshakes | cut -f2)))" -lt 180
check "a dump of everything" test "$(hub_wg show all dump | awk -v d="$device" '$1 == d' | wc -l)" -eq \
	"$(($(hub_wg show "$device" peers | wc -l) + 1))"
check "a configuration that wg takes" grep -q '^PrivateKey = ' <<<"$(hub_wg showconf "$device")"

before=$(missing)
received=$(shown transfer | cut -f2)
check "laptop reaches the hub" lab_reaches laptop "$(lab_hub_inner acme 4)"
check "bytes are counted" test "$(shown transfer | cut -f2)" -gt "$received"
check "each byte that one sent the other received" lab_until 5 same "$before" missing

refusal=$(hub_wg set "$device" listen-port 1024 2>&1)
check_not "a change is refused" hub_wg set "$device" listen-port 1024
check "and wg says why: $refusal" grep -q 'Operation not permitted' <<<"$refusal"
check_not "another instance is not known" hub_wg show nave65535

# another program where the next instance's socket would be: no instance is worse for it
python3 - "$LAB_RUN/wireguard" "${device#nave}" <<-'END' &
	import signal, socket, sys
	sockets = [socket.socket(socket.AF_UNIX) for _ in range(8)]
	for n, s in enumerate(sockets, 1):
	    s.bind(f"{sys.argv[1]}/nave{int(sys.argv[2]) + n}.sock")
	    s.listen()
	signal.pause()
END
other=$!
at_end end_other
end_other() {
	[ -z "$other" ] || kill "$other"
	other=
}
check "another program has the names" lab_until 5 same 9 sockets
check "an instance without a socket is ready" lab_instance_create second
end_other
check "another instance is shown" lab_until 5 same 2 eval 'hub_wg show interfaces | wc -w'
lab_instance_del second
check "and gone with it" lab_until 5 same "$device" hub_wg show interfaces
check "without a trace" lab_until 5 test "$(ls "$LAB_RUN/wireguard")" = "$device.sock"
check "the socket is root's alone" test "$(stat -c %a "$LAB_RUN/wireguard" "$LAB_RUN/wireguard/$device.sock" | tr '\n' ' ')" = "700 600 "
