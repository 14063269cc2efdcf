// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/key.h"

#include "dataplane/base/base64.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <string.h>

void key_wipe(struct key *k)
{
	explicit_bzero(k, sizeof(*k));
}

bool key_equal(const struct key *a, const struct key *b)
{
	unsigned int difference = 0;
	for (unsigned int i = 0; i < KEY_LEN; i++)
		difference |= (unsigned int)(a->bytes[i] ^ b->bytes[i]);
	return difference == 0;
}

bool key_is_zero(const struct key *k)
{
	unsigned int any = 0;
	for (unsigned int i = 0; i < KEY_LEN; i++)
		any |= k->bytes[i];
	return any == 0;
}

int key_generate(struct key *ret)
{
	return random_bytes(ret->bytes, sizeof(ret->bytes));
}

int key_from_base64(const char *text, struct key *ret)
{
	struct key k;
	if (strnlen(text, KEY_BASE64_TEXT) != KEY_BASE64_TEXT - 1)
		return -EINVAL;
	int err =
		base64_decode(text, KEY_BASE64_TEXT - 1, k.bytes, KEY_LEN) == KEY_LEN ? 0 : -EINVAL;
	if (err == 0)
		*ret = k;
	key_wipe(&k);
	return err;
}

char *key_to_base64(const struct key *k, char buf[KEY_BASE64_TEXT])
{
	base64_encode(k->bytes, KEY_LEN, buf);
	return buf;
}
