// SPDX-License-Identifier: Apache-2.0
/*
 * Which handshake messages are worth a Diffie-Hellman while more arrive than the thread can work
 * off. Whether that is so is measured: how long a message waited in the ring, an instance at a
 * time, and it holds for a second. Then there are three lanes, each with its own share, so that no
 * flood of one kind takes the place of another (reliability-and-security 5.1, B5, B6, B22, B32):
 *   known     the source is the endpoint of a peer: no cookie needed
 *   cookie    a valid MAC2: the source owns its address, and has its own limit
 *   stranger  MAC1 only: everybody can make that. When the share is used up, a cookie is sent
 * Strangers of one instance can't use up what those of another have.
 */
#include "dataplane/keying/keying_private.h"

#include <rte_ring.h>

enum {
	HANDSHAKES_PER_SECOND = 4000, /* what one core is good for */
	LANE_BURST = 64,
	STRANGER_BURST = 8,
	COOKIES_PER_SECOND = 10000, /* 640 kB a second */
	COOKIE_BURST = 256, /* a quarter of the inject ring */
	QUEUE_DEPTH_MAX = 512, /* an eighth of the ring */
	QUEUE_DELAY_MAX_US = 5000,
};

#define KNOWN_INTERVAL_NS (NS_PER_SEC / (HANDSHAKES_PER_SECOND / 4))
#define COOKIE_LANE_INTERVAL_NS (NS_PER_SEC / (HANDSHAKES_PER_SECOND / 2))
#define STRANGER_INTERVAL_NS (NS_PER_SEC / (HANDSHAKES_PER_SECOND / 4))
#define COOKIE_INTERVAL_NS (NS_PER_SEC / COOKIES_PER_SECOND)
#define STICKY_NS NS_PER_SEC

/* How many instances were under load in this second or the one before: they share the strangers'
 * lane. */
static unsigned int loaded_instances(const struct admission *a)
{
	unsigned int n = a->loaded > a->loaded_before ? a->loaded : a->loaded_before;
	return n > 0 ? n : 1;
}

static void note_loaded(struct admission *a, struct keying_instance *ki, uint64_t now_ns)
{
	uint64_t second = now_ns / NS_PER_SEC;
	if (second != a->second) {
		a->loaded_before = second == a->second + 1 ? a->loaded : 0;
		a->loaded = 0;
		a->second = second;
	}
	if (ki->loaded_second != second) {
		ki->loaded_second = second;
		a->loaded++;
	}
	ki->under_load_until_ns = now_ns + STICKY_NS;
}

bool keying_is_under_load(
	struct keying *k, struct keying_instance *ki, const struct keying_message *m)
{
	/* a message may be younger than this round's clock */
	int32_t waited_us = (int32_t)(keying_message_time(k->now_ns) - m->queued_us);
	if (waited_us > QUEUE_DELAY_MAX_US || rte_ring_count(k->rings->keying) >= QUEUE_DEPTH_MAX)
		note_loaded(&k->admission, ki, k->now_ns);
	return k->now_ns < ki->under_load_until_ns;
}

static bool take_stranger(struct keying *k, struct keying_instance *ki)
{
	uint64_t interval = STRANGER_INTERVAL_NS * loaded_instances(&k->admission);
	return bucket_take(&ki->strangers, interval, STRANGER_BURST, k->now_ns);
}

enum keying_verdict keying_admit(struct keying *k, struct keying_instance *ki,
	const struct ip_endpoint *source, bool has_cookie)
{
	struct admission *a = &k->admission;
	if (keying_endpoint_is_known(ki, source)
		&& bucket_take(&a->known, KNOWN_INTERVAL_NS, LANE_BURST, k->now_ns))
		return KEYING_ADMIT;
	if (has_cookie) {
		bool allowed = ratelimiter_allow(a->sources, &source->addr, k->now_ns)
			&& bucket_take(&a->cookie, COOKIE_LANE_INTERVAL_NS, LANE_BURST, k->now_ns);
		return allowed ? KEYING_ADMIT : KEYING_REFUSE;
	}
	if (take_stranger(k, ki))
		return KEYING_ADMIT;
	return bucket_take(&a->replies, COOKIE_INTERVAL_NS, COOKIE_BURST, k->now_ns)
		? KEYING_SEND_COOKIE
		: KEYING_REFUSE;
}
