#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Suspending a peer or its user, and removing it, ends its live session within a second; resuming brings it back.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5
check "before" lab_reaches visitor 192.168.10.10
check "suspend" lab_peer_action acme visitor suspend
check "cut within a second" cut_within_1s visitor 192.168.10.10
check "it connects anew" lab_tunnel_again visitor
check_not "not even a new handshake helps" lab_reaches visitor 192.168.10.10 2
check "resume" lab_peer_action acme visitor resume
check "back" lab_reaches visitor 192.168.10.10 8

user=$(lab_rest POST /v1/users '{"name":"Visitor"}' | jq -r .id)
at_end lab_rest DELETE "/v1/users/$user"
check "the client is somebody's" lab_peer_update acme visitor "{\"user_id\":\"$user\"}"
check "which cuts nothing" lab_reaches visitor 192.168.10.10 1
check "suspend the user" lab_rest POST "/v1/users/$user/suspend"
check "cut within a second" cut_within_1s visitor 192.168.10.10
check "it connects anew" lab_tunnel_again visitor
check_not "not even a new handshake helps" lab_reaches visitor 192.168.10.10 2
check "resume the user" lab_rest POST "/v1/users/$user/resume"
check "back" lab_reaches visitor 192.168.10.10 8
check "nobody's again" lab_peer_update acme visitor '{"user_id":null}'

check "remove" lab_peer_del acme visitor
check "cut within a second" cut_within_1s visitor 192.168.10.10
before=$(counter drop_handshake_unknown_peer)
check "it connects anew" lab_tunnel_again visitor
check "its handshakes are refused and counted" counted drop_handshake_unknown_peer "$before"
check "the others do not notice" lab_reaches laptop 192.168.10.10 1
