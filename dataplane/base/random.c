// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/random.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

int random_bytes(void *buf, size_t len)
{
	uint8_t *at = buf;
	while (len > 0) {
		ssize_t n = getrandom(at, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int random_word(struct random_words *r, uint32_t *ret)
{
	if (r->left == 0) {
		int err = random_bytes(r->word, sizeof(r->word));
		if (err != 0)
			return err;
		r->left = RANDOM_WORDS;
	}
	*ret = r->word[--r->left];
	return 0;
}
