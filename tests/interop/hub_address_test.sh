#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The hub answers ping on its inner addresses, for every kind of peer and size.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

for machine in branch depot laptop roadie; do
	for family in 4 6; do
		check "$machine, IPv$family" lab_reaches "$machine" "$(lab_hub_inner acme "$family")" 5
	done
done
check "from the LAN behind a site" lab_reaches branch-lan "$(lab_hub_inner acme 4)"
check "the largest that fits" lab_reaches laptop "$(lab_hub_inner acme 4)" 3 -s 1392 -M "do"
check "the largest that fits, IPv6" lab_reaches laptop "$(lab_hub_inner acme 6)" 3 -s 1372 -M "do"
check "the smallest" lab_reaches laptop "$(lab_hub_inner acme 4)" 3 -s 0
