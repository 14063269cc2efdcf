#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every cipher with Debian's openvpn: the listener offers all, the client asks for one; CBC with each digest, over UDP and TCP.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

ALL='["AES-256-GCM","AES-128-GCM","CHACHA20-POLY1305","AES-256-CBC","AES-192-CBC","AES-128-CBC"]'

# with CIPHER [OPTION...]: both clients, at the same time
with() {
	local cipher=$1 tcp
	again tcpa tcp --data-ciphers "$@" &
	tcp=$!
	again udpa udp --data-ciphers "$@"
	check "$*: over UDP" test $? -eq 0
	wait "$tcp"
	check "$*: over TCP" test $? -eq 0
	for machine in udpa tcpa; do
		check "$machine: it is $cipher" lab_openvpn_says "$machine" "cipher '$cipher'"
		both_ways "$machine"
	done
}

for transport in udp tcp; do
	check "the $transport listener offers all" listener "$transport" "{\"ciphers\":$ALL}"
done
check "over UDP" ovpn_guest udpa 7 udp
check "over TCP" ovpn_guest tcpa 8 tcp
for cipher in AES-256-GCM AES-128-GCM CHACHA20-POLY1305; do
	with "$cipher"
done
for digest in SHA1 SHA256 SHA512; do
	for transport in udp tcp; do
		check "$digest over $transport" listener "$transport" "{\"ciphers\":$ALL,\"tls_auth_digest\":\"$digest\"}"
	done
	for bits in 256 192 128; do
		with "AES-$bits-CBC" --auth "$digest"
	done
done
check "the listener offers one only" listener udp '{"ciphers":["AES-256-GCM"]}'
lab_openvpn_down udpa
profile=$(lab_openvpn_profile acme udpa udp)
check "a client that knows another" lab_openvpn_start udpa "$profile" --data-ciphers AES-128-CBC
check "is told why not" lab_until 5 lab_openvpn_says udpa AUTH_FAILED
