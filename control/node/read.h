/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_READ_H
#define CONTROL_NODE_READ_H

#include "control/node/desired.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Fields of an object of the control daemon's answer: 0, or -EINVAL when the field is not there or
 * is something else; then the reader's error says what.
 */
struct reader {
	char *error; /* DESIRED_ERROR_TEXT bytes */
};

/* -EINVAL, with its reason. */
__attribute__((format(printf, 2, 3))) int read_refuse(
	const struct reader *r, const char *format, ...);

int read_text(const struct reader *r, const json_t *o, const char *name, const char **ret);
int read_id(const struct reader *r, const json_t *o, const char *name, struct uuid *ret);
int read_key(const struct reader *r, const json_t *o, const char *name, struct key *ret);
int read_flag(const struct reader *r, const json_t *o, const char *name, bool *ret);
int read_number(
	const struct reader *r, const json_t *o, const char *name, uint64_t max, uint64_t *ret);
int read_number16(const struct reader *r, const json_t *o, const char *name, uint16_t *ret);
int read_prefix(const struct reader *r, const json_t *o, const char *name, struct ip_prefix *ret);
/* Exactly len bytes in hex digits. */
int read_hex(const struct reader *r, const json_t *o, const char *name, uint8_t *ret, size_t len);
/* One of the words; NULL among them is none. */
int read_word(const struct reader *r, const json_t *o, const char *name, const char *const *words,
	uint8_t count, uint8_t *ret);
/* An array of at most max "ADDR/LEN"; a bare address counts as one of full length. Or -ENOMEM. */
int read_prefixes(const struct reader *r, const json_t *list, const char *name, unsigned int max,
	struct desired_prefixes *ret);

#endif
