/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_API_CHECK_H
#define DATAPLANE_API_CHECK_H

#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the *_check() functions of this folder share; not for the users of the API. */

/* Sets *ret_reason and returns -EINVAL. */
int check_refuse(const char **ret_reason, const char *reason);
/* A body that is one UUID and must not be zero. */
int check_id(const uint8_t *payload, const char **ret_reason);
/* Constant time: also used on keys. */
bool check_bytes_zero(const void *bytes, size_t len);
/* An address that one host can have: not zero, multicast or broadcast. Loopback counts as one. */
bool check_is_unicast(const struct ip_addr *addr);
/* A unicast address with the length of its net in the range of its family. */
bool check_is_host_prefix(const struct ip_prefix *prefix);
/* A name in a field of len bytes: [a-zA-Z0-9_.:-]+, then only NULs, at least one. */
bool check_is_name(const char *name, size_t len);

#endif
