#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real rekey of Linux' own WireGuard, after the 120 s that a key lives, under a steady ping: no packet is lost.
# Takes 150 s: only tests/run --long comes here.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/kernel_guest.sh
. "$(dirname "$0")/../lib/kernel_guest.sh"

check "Debian's kernel boots" vm_boot 10
vm_tunnel_up || exit 1
check "the guest reaches a site" vm_reaches 192.168.10.10
before=$(vm_handshake)
check "steady traffic" vm "ping -q -i 0.2 192.168.10.10 >/dev/null &"
steady_begin branch-lan "$(lab_inner acme kernel 4)"
check "rekey" lab_until 140 vm_shook_hands_after "$before"
after=$(vm_handshake)
check "after $((after - before)) s, when the key was 120 s old" test $((after - before)) -ge 119
check "not one packet was lost" steady_lossless 1000
