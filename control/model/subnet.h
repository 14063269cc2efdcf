/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_SUBNET_H
#define CONTROL_MODEL_SUBNET_H

#include "control/model/error.h"
#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	SUBNET_PRIVATE_COUNT = 3,
	SUBNETS_MAX = 64, /* prefixes a peer may advertise, or be allowed to reach */
};

/* RFC 1918. */
extern const char *const subnet_private[SUBNET_PRIVATE_COUNT];

struct subnets {
	struct ip_prefix list[SUBNETS_MAX];
	size_t count;
};

/* "/subnets/3" and so on. */
void subnet_pointer(char ret[MODEL_POINTER_TEXT], const char *field, size_t index);
/* Canonical text into ret; otherwise says what is wrong, and the canonical form. */
bool subnet_parse(
	const char *text, const char *pointer, struct ip_prefix *ret, struct model_errors *errors);
/* The same prefixes in the same order. */
bool subnets_equal(const struct subnets *a, const struct subnets *b);
/* What a site may advertise into an instance with these networks. */
void subnets_check(const struct subnets *subnets, const struct ip_prefix networks[2],
	bool allow_broad, struct model_errors *errors);
/* An instance's own inner networks: /16 to /28, and an RFC 4193 /64. */
void network_check_v4(const struct ip_prefix *p, struct model_errors *errors);
void network_check_v6(const struct ip_prefix *p, struct model_errors *errors);

#endif
