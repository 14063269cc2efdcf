/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROFILE_ROUTES_H
#define CONTROL_PROFILE_ROUTES_H

#include "control/profile/profile.h"

/*
 * What the holder of a profile sends into the tunnel (AllowedIPs): sorted, IPv4 first, and nothing
 * that another entry contains. *ret is malloced. 0 or -ENOMEM.
 */
int profile_routes(const struct profile *p, struct ip_prefix **ret, size_t *ret_count);

#endif
