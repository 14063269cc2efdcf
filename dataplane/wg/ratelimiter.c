// SPDX-License-Identifier: Apache-2.0
/*
 * A chained hash over a fixed array of sources: no allocation after birth. The hash is keyed, or a
 * botnet could choose addresses that all meet in one chain.
 */
#include "dataplane/wg/ratelimiter.h"

#include "dataplane/base/clock.h"
#include "dataplane/base/random.h"
#include "dataplane/crypto/blake2s.h"
#include "dataplane/wg/bucket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHAINS = RATELIMITER_SOURCES_MAX,
	NETWORK_LEN_V6 = 8, /* bytes: a /64 is one source */
};

#define INTERVAL_NS (NS_PER_SEC / RATELIMITER_PER_SECOND)

/* Links are indices into source[] plus one; 0 ends a chain. */
struct source {
	struct ip_addr addr;
	struct bucket bucket;
	uint64_t last_ns;
	uint32_t next;
};

struct ratelimiter {
	uint8_t key[32];
	uint64_t collected_ns;
	unsigned int count;
	uint32_t unused; /* chain of sources that were given back */
	uint32_t untouched; /* source[] from here on was never used */
	uint32_t chain[CHAINS];
	struct source source[RATELIMITER_SOURCES_MAX];
};

int ratelimiter_new(struct ratelimiter **ret)
{
	struct ratelimiter *r = calloc(1, sizeof(*r)); /* pages come when they are touched */
	if (r == NULL)
		return -ENOMEM;
	int err = random_bytes(r->key, sizeof(r->key));
	if (err != 0) {
		free(r);
		return err;
	}
	*ret = r;
	return 0;
}

void ratelimiter_free(struct ratelimiter *r)
{
	free(r);
}

static uint32_t *chain_of(struct ratelimiter *r, const struct ip_addr *addr)
{
	uint8_t hash[16];
	uint32_t value;
	blake2s_mac(hash, r->key, sizeof(r->key), addr->bytes, sizeof(addr->bytes));
	memcpy(&value, hash, sizeof(value));
	return &r->chain[value % CHAINS];
}

/* A full bucket is as good as none: what was quiet for a second is forgotten. */
static void collect(struct ratelimiter *r, uint64_t now_ns)
{
	r->collected_ns = now_ns;
	for (unsigned int c = 0; c < CHAINS && r->count > 0; c++) {
		uint32_t *link = &r->chain[c];
		while (*link != 0) {
			struct source *s = &r->source[*link - 1];
			if (now_ns - s->last_ns < NS_PER_SEC) {
				link = &s->next;
				continue;
			}
			uint32_t gone = *link;
			*link = s->next;
			s->next = r->unused;
			r->unused = gone;
			r->count--;
		}
	}
}

static struct source *find_or_add(
	struct ratelimiter *r, const struct ip_addr *addr, uint64_t now_ns)
{
	uint32_t *chain = chain_of(r, addr);
	for (uint32_t at = *chain; at != 0; at = r->source[at - 1].next) {
		if (ip_addr_equal(&r->source[at - 1].addr, addr))
			return &r->source[at - 1];
	}
	uint32_t fresh = r->unused;
	if (fresh != 0)
		r->unused = r->source[fresh - 1].next;
	else if (r->untouched < RATELIMITER_SOURCES_MAX)
		fresh = ++r->untouched;
	else
		return NULL;
	struct source *s = &r->source[fresh - 1];
	*s = (struct source){.addr = *addr, .last_ns = now_ns, .next = *chain};
	*chain = fresh;
	r->count++;
	return s;
}

bool ratelimiter_allow(struct ratelimiter *r, const struct ip_addr *source, uint64_t now_ns)
{
	struct ip_addr network = *source;
	if (!ip_addr_is_v4(source))
		memset(network.bytes + NETWORK_LEN_V6, 0, sizeof(network.bytes) - NETWORK_LEN_V6);
	if (now_ns - r->collected_ns >= NS_PER_SEC)
		collect(r, now_ns);
	struct source *s = find_or_add(r, &network, now_ns);
	if (s == NULL)
		return false;
	s->last_ns = now_ns;
	return bucket_take(&s->bucket, INTERVAL_NS, RATELIMITER_BURST, now_ns);
}

unsigned int ratelimiter_sources(const struct ratelimiter *r)
{
	return r->count;
}
