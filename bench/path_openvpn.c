// SPDX-License-Identifier: Apache-2.0
#include "bench/path_subject.h"
#include "dataplane/ovpn/cipher.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

static struct rte_mbuf *make_frame(
	struct subject *t, unsigned int from, const uint8_t *inner, uint16_t len)
{
	return t->openvpn.tunnel[from] != NULL ? openvpn_hub_frame(&t->openvpn, from, inner, len)
					       : memory_hub_frame(t->hub, from, inner, len);
}

static uint64_t in_bursts(struct cipher_engine *e, struct cipher_job *jobs,
	void (*work)(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count))
{
	uint64_t start = rte_rdtsc_precise();
	for (unsigned int n = 0; n < PATH_VECTOR; n += CIPHER_BURST)
		work(e, jobs + n, CIPHER_BURST);
	return rte_rdtsc_precise() - start;
}

/* Opened with the hub's own keys, and sealed with those that go back to the sender. */
static bool measure(struct subject *t, uint16_t size, struct rte_mbuf *const *frames,
	uint64_t *ret_open, uint64_t *ret_seal)
{
	static struct cipher_job job[PATH_VECTOR];
	static struct data_key *key[PATH_VECTOR];
	struct cipher_engine *e = t->hub->path.cipher;
	bool good = true;
	for (unsigned int n = 0; n < PATH_VECTOR; n++) {
		uint8_t *packet = rte_pktmbuf_mtod_offset(frames[n], uint8_t *, MEMORY_HUB_OUTER);
		uint32_t len = (uint32_t)frames[n]->data_len - MEMORY_HUB_OUTER;
		struct data_header h = {0};
		good = good && data_header_read(packet, len, &h) == 0;
		key[n] = tunnel_lookup(t->hub->tables->tunnels, h.peer_id)->send;
		good = good && data_open_prepare(&key[n]->receive, &h, packet, len, &job[n]) == 0;
	}
	*ret_open = in_bursts(e, job, cipher_open);
	for (unsigned int n = 0; n < PATH_VECTOR; n++) {
		struct data_span span;
		good = good && data_open_finish(&key[n]->receive, &job[n], &span) == 0
			&& data_seal_prepare(&key[n]->send, &span, &job[n]) == 0;
	}
	*ret_seal = in_bursts(e, job, cipher_seal);
	for (unsigned int n = 0; n < PATH_VECTOR; n++)
		good = good && job[n].ok;
	return good;
}

/* There is no one cipher: an open of the one and a seal of the other stand in the other rows. */
static bool measure_nothing(struct subject *t, uint16_t size, struct rte_mbuf *const *frames,
	uint64_t *ret_open, uint64_t *ret_seal)
{
	*ret_open = 0;
	*ret_seal = 0;
	return true;
}

static void write_names(struct subject *t, const char *cipher)
{
	(void)snprintf(t->cipher, sizeof(t->cipher), "%s", cipher);
	for (char *c = t->cipher; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	(void)snprintf(t->suffix, sizeof(t->suffix), ".%s", t->cipher);
}

int subject_openvpn(struct subject *t, const char *cipher)
{
	bool is_mixed = strcmp(cipher, "mixed") == 0;
	const char *name = is_mixed ? "AES-256-GCM" : cipher;
	const struct data_cipher *c = data_cipher_find(name, strlen(name));
	if (c == NULL)
		return -EINVAL;
	struct cipher_suite suite = {.algorithm = c->algorithm,
		.digest = cipher_is_aead(c->algorithm) ? CIPHER_NO_DIGEST : CIPHER_HMAC_SHA1};
	t->frame = make_frame;
	t->crypto = is_mixed ? measure_nothing : measure;
	t->step = is_mixed ? 2 : 1;
	write_names(t, cipher);
	static char protocol[48];
	(void)snprintf(protocol, sizeof(protocol), "openvpn.%s", t->cipher);
	t->protocol = protocol;
	return openvpn_hub_new(&t->openvpn, t->hub, &suite, is_mixed ? 1 : 0, t->step);
}

void subject_openvpn_end(struct subject *t)
{
	openvpn_hub_free(&t->openvpn);
}
