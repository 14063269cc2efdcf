/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_VALUE_H
#define CONTROL_HTTP_VALUE_H

#include "control/model/error.h"
#include "control/model/subnet.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Values of the model as JSON, and back. Writers return a new reference, NULL without memory.
 * Readers take what json_check has passed; what cannot be is a model error at pointer, and false.
 */

/* RFC 3339 in UTC; 0 is null. */
json_t *value_time(int64_t unix_seconds);
/* Zero is null. */
json_t *value_uuid(const struct uuid *id);
json_t *value_prefix(const struct ip_prefix *p);
json_t *value_prefixes(const struct subnets *list);
/* "" is null. */
json_t *value_text(const char *text);

/* RFC 3339 with Z or an offset; null is 0. */
bool value_read_time(
	const json_t *v, const char *pointer, int64_t *ret, struct model_errors *errors);
/* null is zero. */
bool value_read_uuid(
	const json_t *v, const char *pointer, struct uuid *ret, struct model_errors *errors);
/* An array of prefixes; field without the slash, for pointers. */
bool value_read_prefixes(
	const json_t *v, const char *field, struct subnets *ret, struct model_errors *errors);
/* Copies a text; one that does not fit is too long for any rule of ours. */
bool value_read_text(
	const json_t *v, const char *pointer, char *ret, size_t size, struct model_errors *errors);

#endif
