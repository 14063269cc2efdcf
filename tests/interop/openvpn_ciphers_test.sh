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
	reconnect tcpa --data-ciphers "$@" &
	tcp=$!
	reconnect udpa --data-ciphers "$@"
	check "$*: over UDP" test $? -eq 0
	wait "$tcp"
	check "$*: over TCP" test $? -eq 0
	for machine in udpa tcpa; do
		check "$machine: it is $cipher" lab_openvpn_says "$machine" "cipher '$cipher'"
		both_ways "$machine"
	done
}

check "the listeners offer all" listeners "{\"ciphers\":$ALL}" "{\"ciphers\":$ALL}"
check "over UDP" ovpn_guest udpa 7 udp
check "over TCP" ovpn_guest tcpa 8 tcp
for cipher in AES-256-GCM AES-128-GCM CHACHA20-POLY1305; do
	with "$cipher"
done
for digest in SHA1 SHA256 SHA512; do
	for bits in 256 192 128; do
		with "AES-$bits-CBC" --auth "$digest"
	done
done
check "the listener offers one only" listeners '{"ciphers":["AES-256-GCM"]}'
check "a client that knows another is told why not" start_refused udpa AUTH_FAILED --data-ciphers AES-128-CBC
