/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_ADDRESS_H
#define DATAPLANE_API_ADDRESS_H

#include "dataplane/base/ip.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A local address of a port, mirrored from Linux: what is sent to it is ours, and what we send
 * comes from it. Two prefixes with one address are two objects.
 */
struct dp_address_set {
	struct ip_prefix prefix; /* the address with its net's length */
	uint8_t pad;
	uint16_t port;
};
static_assert(sizeof(struct dp_address_set) == 20);

int dp_address_set_check(const uint8_t *payload, size_t len, const char **ret_reason);

#endif
