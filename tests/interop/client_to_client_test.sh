#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Clients do not see each other unless the instance says so; saying so, and taking it back, drops nobody.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

check "laptop is connected" lab_reaches laptop "$(lab_hub_inner acme 4)" 5
check "roadie is connected" lab_reaches roadie "$(lab_hub_inner acme 4)" 5
before=$(counter drop_access_client_to_client)
check "laptop to roadie is refused" lab_refused laptop "$(lab_inner acme roadie 4)"
check "roadie to laptop is refused" lab_refused roadie "$(lab_inner acme laptop 4)"
check "laptop to roadie is refused, IPv6" lab_refused laptop "$(lab_inner acme roadie 6)"
check "that was counted" counted drop_access_client_to_client "$before"

at_end lab_instance_update acme '{"access":{"client_to_client":false}}'
check "allow it" lab_instance_update acme '{"access":{"client_to_client":true}}'
check "laptop to roadie" lab_reaches laptop "$(lab_inner acme roadie 4)"
check "laptop to roadie, IPv6" lab_reaches laptop "$(lab_inner acme roadie 6)"
check "forbid it" lab_instance_update acme '{"access":{"client_to_client":false}}'
check "laptop to roadie is refused again" lab_refused laptop "$(lab_inner acme roadie 4)"
check "laptop still reaches the branch" lab_reaches laptop 192.168.10.10 1
