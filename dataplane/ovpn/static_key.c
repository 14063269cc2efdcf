// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/static_key.h"

#include "dataplane/base/hex.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
	LINE_BYTES = 16, /* as OpenVPN writes them */
	DIGITS = 2 * STATIC_KEY_LEN,
};

static const char begin_line[] = "-----BEGIN OpenVPN Static key V1-----";
static const char end_line[] = "-----END OpenVPN Static key V1-----";

int static_key_generate(struct static_key *ret)
{
	return random_bytes(ret->bytes, sizeof(ret->bytes));
}

void static_key_wipe(struct static_key *k)
{
	explicit_bzero(k, sizeof(*k));
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Exactly DIGITS of what is no white space. */
static bool collect_digits(const char *at, const char *end, char digits[DIGITS])
{
	size_t n = 0;
	for (; at < end; at++) {
		if (is_space(*at))
			continue;
		if (n == DIGITS)
			return false;
		digits[n++] = *at;
	}
	return n == DIGITS;
}

int static_key_from_text(const char *text, size_t len, struct static_key *ret)
{
	char digits[DIGITS];
	struct static_key k;
	const char *begin = memmem(text, len, begin_line, sizeof(begin_line) - 1);
	if (begin == NULL)
		return -EINVAL;
	begin += sizeof(begin_line) - 1;
	const char *end =
		memmem(begin, (size_t)(text + len - begin), end_line, sizeof(end_line) - 1);
	if (end == NULL)
		return -EINVAL;
	bool ok = collect_digits(begin, end, digits)
		&& hex_decode(digits, DIGITS, k.bytes, sizeof(k.bytes)) == STATIC_KEY_LEN;
	if (ok)
		*ret = k;
	explicit_bzero(digits, sizeof(digits));
	static_key_wipe(&k);
	return ok ? 0 : -EINVAL;
}

char *static_key_to_text(const struct static_key *k, char buf[STATIC_KEY_TEXT])
{
	char *at = stpcpy(stpcpy(buf, begin_line), "\n");
	for (size_t i = 0; i < STATIC_KEY_LEN; i += LINE_BYTES) {
		hex_encode(k->bytes + i, LINE_BYTES, at);
		at = stpcpy(at + (size_t)2 * LINE_BYTES, "\n");
	}
	(void)stpcpy(stpcpy(at, end_line), "\n");
	return buf;
}

const uint8_t *static_key_cipher(const struct static_key *k, unsigned int which)
{
	return k->bytes + (which == 0 ? 0 : (size_t)2 * STATIC_KEY_SLOT_LEN);
}

const uint8_t *static_key_hmac(const struct static_key *k, unsigned int which)
{
	return static_key_cipher(k, which) + STATIC_KEY_SLOT_LEN;
}
