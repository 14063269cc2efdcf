#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nave-dataplane killed: started again it is given everything, and the clients come back by themselves; who has
# nothing to say is called by the hub.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest silent 5 false '/^PersistentKeepalive/d'
silent=$(lab_inner acme silent 4)
check "before" lab_reaches laptop 192.168.10.10 5
check "the endpoint of the silent one is known" lab_until 12 same "$(lab_member4 5)" connected_from silent
at_end lab_hub_wait
at_end daemon_again dataplane
handshake=$(handshake_of silent)
lab_daemon_stop dataplane KILL
check "nothing flows" lab_refused laptop 192.168.10.10
lab_daemon_start dataplane
check "the hub calls one that is silent itself" lab_until 15 shook_hands_after silent "$handshake"
check "and reaches it" lab_reaches branch-lan "$silent" 5
check "a client is back" lab_reaches laptop 192.168.10.10 15
check "the sites too" lab_reaches branch-lan 192.168.20.10 15
check "the internet too" lab_reaches roadie "$LAB_WEB4" 15
check "over IPv6" lab_reaches roadie "$LAB_WEB6" 5
check "what was refused still is" lab_refused laptop "$(lab_inner acme roadie 4)"
check "TERM stops it cleanly" lab_daemon_stop dataplane TERM
lab_daemon_start dataplane
check "and back again" lab_reaches laptop 192.168.10.10 15
check "the sites too" lab_reaches branch-lan 192.168.20.10 15
