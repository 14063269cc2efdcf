#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two workers on the two queues of an AF_PACKET port: everybody is served, whatever queue the kernel chose.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/workers.sh
. "$ROOT/tests/lib/workers.sh"

# another port is another flow: sooner or later it comes to the worker that does not own the peer
goes_to_another_worker() {
	lab_in laptop wg set "$(lab_tunnel laptop)" listen-port $((40000 + RANDOM % 20000))
	lab_reaches laptop 192.168.20.10 5
	counter_passes handed_over_packets 0
}

at_end hub_as_before
check "two workers" hub_as 2
check "they hand over" lab_until 30 goes_to_another_worker
everybody_is_served
