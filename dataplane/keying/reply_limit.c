// SPDX-License-Identifier: Apache-2.0
/*
 * How often strangers are answered: each network (IPv4 /24, IPv6 /48) gets 100 answers a second. The
 * networks share a fixed number of buckets under a random seed, so that a flood of made-up sources takes
 * no memory and uses up nobody's share but that of its own bucket. Who has proved its address, and
 * nothing more, is counted in the same way: one network cannot hold all places for strangers.
 */
#include "dataplane/base/clock.h"
#include "dataplane/keying/openvpn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUCKETS = 65536,
	ANSWERS_PER_SECOND = 100,
	ANSWERS_BURST = 50,
	NETWORK_STRANGERS = 1024,
	NETWORK4_BYTES = 12 + 3, /* of a mapped address */
	NETWORK6_BYTES = 6,
};

struct reply_limit {
	struct hash seed; /* only to mix */
	struct bucket bucket[BUCKETS];
	uint16_t strangers[BUCKETS];
};

int reply_limit_new(struct reply_limit **ret)
{
	struct reply_limit *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	int err = hash_init(&l->seed);
	if (err != 0) {
		free(l);
		return err;
	}
	*ret = l;
	return 0;
}

void reply_limit_free(struct reply_limit *l)
{
	if (l == NULL)
		return;
	hash_fini(&l->seed);
	free(l);
}

static uint32_t bucket_of(const struct reply_limit *l, const struct ip_addr *source)
{
	size_t bytes = ip_addr_is_v4(source) ? NETWORK4_BYTES : NETWORK6_BYTES;
	return (uint32_t)(hash_of(&l->seed, source->bytes, bytes) % BUCKETS);
}

bool reply_limit_allows(struct reply_limit *l, const struct ip_addr *source, uint64_t now_ns)
{
	struct bucket *b = &l->bucket[bucket_of(l, source)];
	return bucket_take(b, NS_PER_SEC / ANSWERS_PER_SECOND, ANSWERS_BURST, now_ns);
}

bool network_enter(struct reply_limit *l, const struct ip_addr *source)
{
	uint16_t *count = &l->strangers[bucket_of(l, source)];
	if (*count >= NETWORK_STRANGERS)
		return false;
	++*count;
	return true;
}

void network_leave(struct reply_limit *l, const struct ip_addr *source)
{
	l->strangers[bucket_of(l, source)]--;
}
