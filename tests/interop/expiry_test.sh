#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An expiry date is kept by the hub itself: also with the control daemon down.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5
check "before" lab_reaches visitor 192.168.10.10
check "expires in 6 s" lab_peer_update acme visitor "{\"expires_at\":\"$(date -u -d '+6 seconds' +%FT%TZ)\"}"
check "still there" lab_reaches visitor 192.168.10.10 1
at_end lab_control_wait
at_end daemon_again control
lab_daemon_stop control KILL
check "cut when the time comes" lab_until 10 lab_refused visitor 192.168.10.10
check "the others are not" lab_reaches laptop 192.168.10.10 2
