/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_NL_ADDR_H
#define KERNEL_NL_ADDR_H

#include "dataplane/base/ip.h"

#include <stdbool.h>

struct nl_addr;

/* Between our addresses and libnl's. NULL: no memory. */
struct nl_addr *nl_addr_from_ip(const struct ip_addr *a);
struct nl_addr *nl_addr_from_prefix(const struct ip_prefix *p);
/* false: neither IPv4 nor IPv6. family tells what an empty default route is of. */
bool nl_addr_to_prefix(const struct nl_addr *n, int family, struct ip_prefix *ret);

#endif
