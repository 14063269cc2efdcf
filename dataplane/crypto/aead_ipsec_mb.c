// SPDX-License-Identifier: Apache-2.0
/*
 * Bursts by Intel's multi-buffer library, its burst API: 32 jobs a call, each with its own key.
 * The tag is computed into a separate place also when opening, and compared here in constant
 * time: the library only computes.
 */
#include "dataplane/crypto/aead_private.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct aead_ipsec_mb {
	struct aead aead; /* first */
	IMB_MGR *manager;
	IMB_JOB *burst[AEAD_BURST];
	uint8_t tag[AEAD_BURST][AEAD_TAG_LEN];
};

static void free_ipsec_mb(struct aead *a)
{
	struct aead_ipsec_mb *m = (struct aead_ipsec_mb *)a;
	if (m->manager != NULL)
		free_mb_mgr(m->manager);
	free(m);
}

static void fill_job(
	IMB_JOB *to, const struct aead_job *job, uint8_t *tag, IMB_CIPHER_DIRECTION direction)
{
	to->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	to->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	to->cipher_direction = direction;
	to->chain_order =
		direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	to->enc_keys = job->key->bytes;
	to->dec_keys = job->key->bytes;
	to->key_len_in_bytes = KEY_LEN;
	to->iv = job->nonce;
	to->iv_len_in_bytes = AEAD_NONCE_LEN;
	to->src = job->data;
	to->dst = job->data;
	to->cipher_start_src_offset_in_bytes = 0;
	to->hash_start_src_offset_in_bytes = 0;
	to->msg_len_to_cipher_in_bytes = job->len;
	to->msg_len_to_hash_in_bytes = job->len;
	to->u.CHACHA20_POLY1305.aad = job->data; /* of length 0, but not NULL */
	to->u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
	to->auth_tag_output = tag;
	to->auth_tag_output_len_in_bytes = AEAD_TAG_LEN;
}

/* false: the library took none; jobs are untouched. AEAD jobs complete in the call. */
static bool run_burst(struct aead_ipsec_mb *m, struct aead_job *jobs, unsigned int count,
	IMB_CIPHER_DIRECTION direction)
{
	if (IMB_GET_NEXT_BURST(m->manager, count, m->burst) < count)
		return false;
	for (unsigned int i = 0; i < count; i++) {
		bool sealing = direction == IMB_DIR_ENCRYPT;
		uint8_t *tag = sealing ? jobs[i].data + jobs[i].len : m->tag[i];
		fill_job(m->burst[i], &jobs[i], tag, direction);
	}
	return IMB_SUBMIT_BURST_NOCHECK(m->manager, count, m->burst) == count;
}

static bool tags_equal(const uint8_t *a, const uint8_t *b)
{
	uint64_t a0, a1, b0, b1;
	memcpy(&a0, a, 8);
	memcpy(&a1, a + 8, 8);
	memcpy(&b0, b, 8);
	memcpy(&b1, b + 8, 8);
	return ((a0 ^ b0) | (a1 ^ b1)) == 0;
}

static void seal_ipsec_mb(struct aead *a, struct aead_job *jobs, unsigned int count)
{
	for (unsigned int at = 0; at < count; at += AEAD_BURST) {
		unsigned int n = count - at < AEAD_BURST ? count - at : AEAD_BURST;
		bool done = run_burst((struct aead_ipsec_mb *)a, jobs + at, n, IMB_DIR_ENCRYPT);
		for (unsigned int i = 0; i < n; i++)
			jobs[at + i].ok = done;
	}
}

static void open_ipsec_mb(struct aead *a, struct aead_job *jobs, unsigned int count)
{
	struct aead_ipsec_mb *m = (struct aead_ipsec_mb *)a;
	for (unsigned int at = 0; at < count; at += AEAD_BURST) {
		unsigned int n = count - at < AEAD_BURST ? count - at : AEAD_BURST;
		bool done = run_burst(m, jobs + at, n, IMB_DIR_DECRYPT);
		for (unsigned int i = 0; i < n; i++) {
			struct aead_job *job = &jobs[at + i];
			job->ok = done && tags_equal(m->tag[i], job->data + job->len);
		}
	}
}

int aead_ipsec_mb_new(struct aead **ret)
{
	struct aead_ipsec_mb *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->aead = (struct aead){"ipsec-mb", seal_ipsec_mb, open_ipsec_mb, free_ipsec_mb};
	m->manager = alloc_mb_mgr(0);
	if (m->manager != NULL)
		init_mb_mgr_auto(m->manager, NULL);
	if (m->manager == NULL || imb_get_errno(m->manager) != 0) {
		free_ipsec_mb(&m->aead);
		return -ENOTSUP;
	}
	*ret = &m->aead;
	return 0;
}
