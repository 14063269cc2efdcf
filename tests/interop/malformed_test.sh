#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Malformed packets of every WireGuard type, from somebody without a key: counted, answered by nothing.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

port=$(lab_instance acme .endpoints.wireguard.port)
before=$(counter drop_wg_length) types=$(counter drop_wg_type)
mac1=$(counter drop_handshake_mac1) index=$(counter drop_wg_unknown_index)
cookie=$(counter drop_cookie_reply)
# prints how many answers came to all of it
answers=$(lab_in web python3 -B "$ROOT/tests/lib/malformed.py" "$LAB_HUB4" "$LAB_HUB6" "$port")
check "no answers" test "$answers" = 0
check "wrong lengths are counted" counted drop_wg_length "$((before + 10))"
check "unknown types are counted" counted drop_wg_type "$((types + 2))"
check "handshakes without mac1 are counted" counted drop_handshake_mac1 "$mac1"
check "data for nobody is counted" counted drop_wg_unknown_index "$index"
check "cookie replies to nothing are counted" counted drop_cookie_reply "$cookie"
check "sessions live on" lab_reaches laptop 192.168.10.10 2
