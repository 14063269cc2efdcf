#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Malformed packets of every WireGuard type, from somebody without a key, over both families: each is counted
# with its reason, none is answered.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

# what tests/lib/malformed.py sends to one address
declare -A SENT=([drop_wg_length]=23 [drop_wg_type]=8 [drop_handshake_mac1]=2 [drop_wg_unknown_index]=3
	[drop_cookie_reply]=1)
declare -A before

port=$(lab_instance acme .endpoints.wireguard.port)
for address in "$LAB_HUB4" "$LAB_HUB6"; do
	for reason in "${!SENT[@]}"; do
		before[$reason]=$(counter "$reason")
	done
	# prints how many answers came to all of it
	check "no answers from $address" same 0 lab_in web python3 -B "$ROOT/tests/lib/malformed.py" "$address" "$port"
	for reason in "${!SENT[@]}"; do
		check "$address: ${SENT[$reason]} times $reason" counted "$reason" "$((before[$reason] + SENT[$reason] - 1))"
	done
done
check "sessions live on" lab_reaches laptop 192.168.10.10 2
