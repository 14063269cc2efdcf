#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Linux' own WireGuard as a peer: Debian's kernel in an emulated machine. Handshakes from either side, traffic both
# ways over both families, large packets, and roaming.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/kernel_guest.sh
. "$(dirname "$0")/../lib/kernel_guest.sh"

check "Debian's kernel boots" vm_boot 10
echo "$(vm uname -r) after $SECONDS s"
vm_tunnel_up || exit 1
check "the module is the kernel's" same wireguard vm "lsmod | sed -n 's/^\(wireguard\) .*/\1/p'"

check "the guest reaches the hub" vm_reaches "$(lab_hub_inner acme 4)"
check "it has a handshake" vm_shook_hands_after 0
check "it reaches a site" vm_reaches 192.168.10.10
check "it reaches a site, IPv6" vm_reaches fd00:10::10
check "a site reaches it" lab_reaches branch-lan "$(lab_inner acme kernel 4)"
check "a site reaches it, IPv6" lab_reaches branch-lan "$(lab_inner acme kernel 6)"
check "the largest that fits" vm_reaches 192.168.10.10 -s 1392
check "the largest that fits, from the site" lab_reaches branch-lan "$(lab_inner acme kernel 4)" 3 -s 1392 -M "do"
ip netns exec "$(lab_ns branch-lan)" python3 -B "$LAB_SCRIPTS/internet.py" &
at_end kill $!
check "the branch serves" lab_until 15 lab_in laptop curl -s -m 2 -o /dev/null http://192.168.10.10/
check "a megabyte of TCP" same 1000000 vm "wget -q -O - http://192.168.10.10/bytes/1000000 | wc -c"
check "seen at its address" lab_until 3 same "$(lab_member4 10)" connected_from kernel

handshake=$(vm_handshake)
vm_address 11
check "at another address" vm_reaches 192.168.10.10
check "seen there" lab_until 3 same "$(lab_member4 11)" connected_from kernel
check "towards the guest too" lab_reaches branch-lan "$(lab_inner acme kernel 4)" 2
vm "wg set wg0 listen-port 40123"
check "at another port" vm_reaches 192.168.10.10
check "seen there" lab_until 3 same "$(lab_member4 11):40123" lab_peer acme kernel .connected_from
check "towards the guest too" lab_reaches branch-lan "$(lab_inner acme kernel 4)" 2
check "the same session all the time" same "$handshake" vm_handshake

lab_until 2 test "$(date +%s)" -gt "$handshake"
initiations=$(counter handshake_initiations_received)
check "the guest forgets its keys" vm_forgets
check "and shakes hands anew" vm_reaches 192.168.10.10
check "which shows there" vm_shook_hands_after "$handshake"
check "from its side" counter_passes handshake_initiations_received "$initiations"
handshake=$(vm_handshake)
lab_until 2 test "$(date +%s)" -gt "$handshake"
at_end lab_hub_wait
lab_daemon_stop dataplane KILL
lab_daemon_start dataplane
check "the hub forgets its keys and calls" lab_until 15 vm_shook_hands_after "$handshake"
check "the guest is reached" lab_reaches branch-lan "$(lab_inner acme kernel 4)" 5
