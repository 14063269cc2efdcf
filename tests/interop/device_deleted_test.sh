#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Somebody deletes the hub's devices, or its rules: they come back by themselves, and with them the traffic.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

number=$(lab_in hub nft list table inet nave | grep -o '"nave[1-9][0-9]*"' | tr -d '"' | sort -V | head -n 1)
check "before" lab_reaches roadie "$LAB_WEB4" 5
check "the TUN of the instance goes" lab_in hub ip link del "$number"
# ping ends at a refusal, so it is asked again and again
check "the internet is back" lab_until 8 lab_reaches roadie "$LAB_WEB4" 1
check "over IPv6 too" lab_reaches roadie "$LAB_WEB6" 5
check "the TAP of the port goes" lab_in hub ip link del nave0
check "the sites are back" lab_until 8 lab_reaches branch-lan 192.168.20.10 1
check "the internet too" lab_until 8 lab_reaches roadie "$LAB_WEB4" 1
check "and the hub itself" lab_until 8 lab_reaches web "$LAB_HUB4" 1
