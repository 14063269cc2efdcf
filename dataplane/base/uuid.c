// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/uuid.h"

#include "dataplane/base/hex.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <string.h>

/* Bytes a group, as RFC 9562 writes them. */
static const unsigned int groups[] = {4, 2, 2, 2, 6};

int uuid_generate(struct uuid *ret)
{
	struct uuid u;
	int err = random_bytes(u.bytes, sizeof(u.bytes));
	if (err != 0)
		return err;
	u.bytes[6] = (uint8_t)((u.bytes[6] & 0x0f) | 0x40);
	u.bytes[8] = (uint8_t)((u.bytes[8] & 0x3f) | 0x80);
	*ret = u;
	return 0;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool uuid_is_zero(const struct uuid *u)
{
	static const struct uuid zero;
	return uuid_equal(u, &zero);
}

int uuid_parse(const char *text, struct uuid *ret)
{
	struct uuid u;
	if (strnlen(text, UUID_TEXT) != UUID_TEXT - 1)
		return -EINVAL;
	unsigned int at = 0;
	for (unsigned int g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		if (g > 0 && *text++ != '-')
			return -EINVAL;
		if (hex_decode(text, 2UL * groups[g], u.bytes + at, groups[g]) != groups[g])
			return -EINVAL;
		at += groups[g];
		text += 2UL * groups[g];
	}
	*ret = u;
	return 0;
}

char *uuid_format(const struct uuid *u, char buf[UUID_TEXT])
{
	unsigned int at = 0;
	char *out = buf;
	for (unsigned int g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		if (g > 0)
			*out++ = '-';
		hex_encode(u->bytes + at, groups[g], out);
		at += groups[g];
		out += 2UL * groups[g];
	}
	return buf;
}
