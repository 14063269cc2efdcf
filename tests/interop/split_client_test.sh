#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A split-tunnel client that routes everything into its tunnel by hand gets its networks and no more.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

guest visitor 5 false 's|^AllowedIPs.*|AllowedIPs = 0.0.0.0/0, ::/0|'
check "the branch" lab_reaches visitor 192.168.10.10
before=$(counter drop_access_internet)
check "the internet through the hub is refused" lab_refused visitor "$LAB_WEB4"
check "the internet through the hub is refused, IPv6" lab_refused visitor "$LAB_WEB6"
check_not "HTTP neither" lab_in visitor curl -s -m 1 "http://$LAB_WEB4/"
check "that was counted" counted drop_access_internet "$before"
check "laptop, as issued, reaches the internet by itself" test \
	"$(lab_in laptop curl -s -m 3 "http://$LAB_WEB4/")" = "$(lab_member4 3)"
