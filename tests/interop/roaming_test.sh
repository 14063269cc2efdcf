#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A client that gets another address, and then another port, goes on without a new handshake by hand.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5
check "before" lab_reaches visitor 192.168.10.10
check "seen at its address" lab_until 3 same "$(lab_member4 5)" connected_from visitor

handshake=$(handshake_of visitor)
check "it has a handshake" test "$handshake" -gt 0
lab_until 2 test "$(date +%s)" -gt "$((handshake + 1))" # another one would show

# wireguard-go sticks to its source address until it binds anew, as the apps do when the network changes
lab_member_address visitor 9
lab_in visitor wg set "$(lab_tunnel visitor)" listen-port 40122
check "at another address, within 2 s" lab_reaches visitor 192.168.10.10 2
check "seen there" lab_until 3 same "$(lab_member4 9)" connected_from visitor
check "towards the client too" lab_reaches branch-lan "$(lab_inner acme visitor 4)" 2

lab_in visitor wg set "$(lab_tunnel visitor)" listen-port 40123
check "at another port, within 2 s" lab_reaches visitor 192.168.10.10 2
check "towards the client too" lab_reaches branch-lan "$(lab_inner acme visitor 4)" 2
check "the same session all the time" same "$handshake" handshake_of visitor
