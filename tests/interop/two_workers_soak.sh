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
before=$(counter handshakes_completed)
steady_begin laptop 192.168.20.10
check "the keys of both ends are renewed" lab_until 150 counter_passes handshakes_completed $((before + 1))
check "no ping is lost" steady_lossless 5000
before=$(counter handshakes_completed)
lab_in depot-lan iperf3 -s -1 -D --pidfile "$LAB_DIR/iperf3.pid" --logfile "$LAB_DIR/iperf3.log"
lab_until 5 lab_in depot-lan bash -c 'ss -ltn | grep -q :5201'
check "130 s of TCP both ways" lab_in laptop iperf3 -c 192.168.20.10 -t 130 -b 20M --bidir
check "over a rekey" counter_passes handshakes_completed "$before"
check "nothing is dropped between the workers" test "$(counter drop_handoff_full)" = 0
