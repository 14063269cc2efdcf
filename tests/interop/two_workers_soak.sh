#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two workers through a real rekey, after the 120 s that a key lives: no ping is lost, and TCP keeps running both
# ways. Takes 3 minutes: only tests/run --long comes here.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/workers.sh
. "$ROOT/tests/lib/workers.sh"

at_end hub_as_before
check "two workers" hub_as 2
laptop=$(handshake_of laptop) depot=$(handshake_of depot)
steady_begin laptop 192.168.20.10
check "the laptop's key is renewed" lab_until 150 shook_hands_after laptop "$laptop"
check "and the depot's" lab_until 150 shook_hands_after depot "$depot"
check "no ping is lost" steady_lossless 5000
laptop=$(handshake_of laptop) depot=$(handshake_of depot)
iperf3_serves depot-lan
check "130 s of TCP both ways" lab_in laptop iperf3 -c 192.168.20.10 -t 130 -b 20M --bidir
check "over a rekey of the laptop" shook_hands_after laptop "$laptop"
check "and of the depot" shook_hands_after depot "$depot"
check "nothing is dropped between the workers" test "$(counter drop_handoff_full)" = 0
