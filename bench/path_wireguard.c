// SPDX-License-Identifier: Apache-2.0
#include "bench/path_subject.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/session.h"
#include "dataplane/wg/messages.h"

#include <string.h>

#include <rte_cycles.h>

static struct rte_mbuf *make_frame(
	struct subject *t, unsigned int from, const uint8_t *inner, uint16_t len)
{
	return memory_hub_frame(t->hub, from, inner, len);
}

/* What the path asks of the AEAD for these frames: an open and a seal each. */
static void fill_jobs(const struct memory_hub *h, uint16_t size, struct rte_mbuf *const *frames,
	struct aead_job *open, struct aead_job *seal)
{
	uint16_t padded = (uint16_t)(size + (-size & (MESSAGE_PADDING - 1)));
	for (unsigned int n = 0; n < PATH_VECTOR; n++) {
		uint8_t *message = rte_pktmbuf_mtod_offset(frames[n], uint8_t *, MEMORY_HUB_OUTER);
		const struct session *s =
			session_lookup(h->tables->sessions, message_read_le32(message + 4));
		open[n] = (struct aead_job){
			.key = &s->keypair.receive_key, .data = message + 16, .len = padded};
		memcpy(open[n].nonce + 4, message + 8, 8);
		seal[n] = open[n];
		seal[n].key = &s->keypair.send_key;
		/* the path pads the inner packet anew, and never past the MTU */
		seal[n].len = padded > h->instance->mtu ? size : padded;
	}
}

static bool measure(struct subject *t, uint16_t size, struct rte_mbuf *const *frames,
	uint64_t *ret_open, uint64_t *ret_seal)
{
	static struct aead_job open[PATH_VECTOR], seal[PATH_VECTOR];
	struct aead *aead = t->hub->path.aead;
	fill_jobs(t->hub, size, frames, open, seal);
	uint64_t start = rte_rdtsc_precise();
	for (unsigned int n = 0; n < PATH_VECTOR; n += AEAD_BURST)
		aead_chacha20_poly1305_open(aead, open + n, AEAD_BURST);
	uint64_t opened = rte_rdtsc_precise();
	for (unsigned int n = 0; n < PATH_VECTOR; n += AEAD_BURST)
		aead_chacha20_poly1305_seal(aead, seal + n, AEAD_BURST);
	*ret_seal = rte_rdtsc_precise() - opened;
	*ret_open = opened - start;
	bool good = true;
	for (unsigned int n = 0; n < PATH_VECTOR; n++)
		good = good && open[n].ok && seal[n].ok;
	return good;
}

struct subject subject_wireguard(struct memory_hub *h)
{
	return (struct subject){.hub = h,
		.protocol = "wireguard",
		.cipher = "chacha20-poly1305",
		.step = 1,
		.frame = make_frame,
		.crypto = measure};
}
