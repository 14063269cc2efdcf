#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A client's key lives 120 s: two real rekeys under a steady ping, and no packet is
# lost. Takes 250 s: only tests/run --long comes here.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5
steady_begin visitor 192.168.10.10
for round in 1 2; do
	before=$(handshake_of visitor)
	check "rekey $round" lab_until 130 shook_hands_after visitor "$before"
	after=$(handshake_of visitor)
	check "after $((after - before)) s, when the key was 120 s old" test $((after - before)) -ge 119
done
check "not one packet was lost" steady_lossless 10000
