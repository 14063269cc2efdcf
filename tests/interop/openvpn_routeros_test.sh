#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A client with RouterOS' habits over TCP, name and password only: each way to begin, each cipher that versions 6 and 7
# have, both versions of TLS; from a WireGuard LAN it is reached.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

# router [OPTION...]: connects, and pings branch LAN with small and large packets
router() {
	lab_in mikro timeout 20 "$ROOT/tests/lib/routeros_client.py" "$PROFILE" 192.168.10.10 "$@" \
		>"$LAB_DIR/router" 2>"$LAB_DIR/router.push" || {
		cat "$LAB_DIR/router" "$LAB_DIR/router.push"
		return 1
	}
}

at_end lab_machine_del mikro
lab_member_add mikro 7
at_end lab_peer_del acme mikro
check "a router's record" lab_peer_create acme '{"type":"client","protocol":"openvpn","name":"mikro","route_all":false}'
check "name and password only" listeners '{}' '{"requires_certificate":false,"requires_password":true}'
PROFILE=$(lab_openvpn_profile acme mikro tcp)
check_not "it has no certificate" grep -q '^<cert>' "$PROFILE"

for cipher in AES-128-CBC AES-192-CBC AES-256-CBC AES-256-GCM; do
	check "$cipher, two resets" router --cipher "$cipher"
done
for cipher in AES-256-CBC AES-128-GCM; do
	check "$cipher, P_DATA_V2, one reset" router --cipher "$cipher" --peer-info IV_PROTO=2 --single-reset
done
check "early hello behind one reset" router --single-reset --early-hello
check "early hello behind two" router --early-hello --peer-info IV_PROTO=2
check "TLS 1.3" router --tls 1.3
check "TLS 1.3, GCM, early hello" router --tls 1.3 --early-hello --cipher AES-256-GCM
check "that was TLS 1.3" grep -q 'TLSv1.3' "$LAB_DIR/router"

# blowfish is where RouterOS begins: the hub's owner is told what to choose
check_not "another cipher than is allowed" router --cipher AES-512-CBC
said_of() {
	[[ $(lab_peer acme mikro '.last_failure.reason // ""') == *"$1"* ]]
}
check "REST says why" lab_until 12 said_of cipher

router --serve 5 &
server=$!
inner=$(lab_inner acme mikro 4)
check "from branch LAN" lab_reaches branch-lan "$inner" 5
check "1400 bytes" lab_reaches branch-lan "$inner" 3 -s 1372 -M "do"
check "an address of nobody" lab_refused branch-lan "$(lab_inner_nobody acme)"
check "it has had each packet in order" wait "$server"
