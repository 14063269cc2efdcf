#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A port by AF_XDP, which has one queue here (DPDK finds no second one on a veth): one of two workers receives and
# sends for both.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/workers.sh
. "$ROOT/tests/lib/workers.sh"

# the program that takes the frames outlives the dataplane, which may not remove it any more
at_end hub_as_before
at_end lab_in hub ip link set hub0 xdp off
at_end lab_daemon_stop dataplane
check "two workers, one queue" hub_as 2 net_af_xdp0,iface=hub0
everybody_is_served
check "handed over" counter_passes handed_over_packets 0
check "it stops cleanly" lab_daemon_stop dataplane
