/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_PREFIXES_H
#define CONTROL_STORE_PREFIXES_H

#include "control/model/subnet.h"

/* Lists of prefixes as JSON text in a column. The text is the caller's; NULL without memory. */
char *prefixes_format(const struct subnets *list);
/* What cannot be read is left out: it was checked when it was written. */
void prefixes_parse(const char *text, struct subnets *ret);
/* First and last address of a prefix. */
void prefix_range(const struct ip_prefix *p, struct ip_addr *ret_lo, struct ip_addr *ret_hi);

#endif
