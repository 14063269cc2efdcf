// SPDX-License-Identifier: Apache-2.0
/*
 * Bursts by Intel's multi-buffer library, of mixed algorithms and keys. AEAD jobs complete as they
 * are submitted; CBC with HMAC waits in lanes for others of its kind, comes back out of order and
 * must be flushed. Since a flush costs as much for one lane as for all, a few CBC jobs go through
 * OpenSSL instead.
 */
#include "dataplane/crypto/cipher_private.h"

#include <errno.h>
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>

enum {
	/* below it OpenSSL is the faster: 1420 bytes cost it 5000 cycles each, a flush 12000 */
	CBC_FEW = 3,
	SCHEDULE_LEN = 15 * 16, /* of AES-256 */
	HMAC_STATE_MOST = 64,
	HMAC_BLOCK_MOST = 128,
};

struct cbc_key {
	uint8_t encrypt[SCHEDULE_LEN];
	uint8_t decrypt[SCHEDULE_LEN];
	/* what the digest has come to after the block key ^ ipad and key ^ opad (RFC 2104) */
	uint8_t inner[HMAC_STATE_MOST];
	uint8_t outer[HMAC_STATE_MOST];
};

struct ipsec_mb_key {
	struct cipher_key key; /* first */
	union {
		struct gcm_key_data gcm;
		_Alignas(CIPHER_KEY_ALIGN) struct cbc_key cbc;
	} u;
};

struct cipher_ipsec_mb {
	struct cipher_engine engine; /* first */
	IMB_MGR *manager;
	struct cipher_engine *openssl; /* for a few CBC jobs; reads only what all keys begin with */
	IMB_JOB *burst[CIPHER_BURST];
	uint8_t tag[CIPHER_BURST][CIPHER_TAG_MOST];
};

static void free_ipsec_mb(struct cipher_engine *e)
{
	struct cipher_ipsec_mb *m = (struct cipher_ipsec_mb *)e;
	if (m->manager != NULL)
		free_mb_mgr(m->manager);
	cipher_engine_free(m->openssl);
	free(m);
}

static void hash_block(IMB_MGR *m, enum cipher_digest digest, const uint8_t *block, uint8_t *state)
{
	if (digest == CIPHER_HMAC_SHA1)
		IMB_SHA1_ONE_BLOCK(m, block, state);
	else if (digest == CIPHER_HMAC_SHA256)
		IMB_SHA256_ONE_BLOCK(m, block, state);
	else
		IMB_SHA512_ONE_BLOCK(m, block, state);
}

static void expand_hmac(IMB_MGR *m, const struct cipher_key *k, uint8_t pad, uint8_t *state)
{
	uint8_t block[HMAC_BLOCK_MOST];
	memset(block, pad, sizeof(block));
	for (uint32_t i = 0; i < k->tag_len; i++)
		block[i] ^= k->mac_secret[i];
	hash_block(m, k->suite.digest, block, state);
	explicit_bzero(block, sizeof(block));
}

static void expand_ipsec_mb(struct cipher_engine *e, struct cipher_key *key)
{
	struct ipsec_mb_key *k = (struct ipsec_mb_key *)key;
	IMB_MGR *m = ((struct cipher_ipsec_mb *)e)->manager;
	switch (key->suite.algorithm) {
	case CIPHER_AES_128_GCM:
		IMB_AES128_GCM_PRE(m, key->secret, &k->u.gcm);
		return;
	case CIPHER_AES_192_GCM:
		IMB_AES192_GCM_PRE(m, key->secret, &k->u.gcm);
		return;
	case CIPHER_AES_256_GCM:
		IMB_AES256_GCM_PRE(m, key->secret, &k->u.gcm);
		return;
	case CIPHER_AES_128_CBC:
		IMB_AES_KEYEXP_128(m, key->secret, k->u.cbc.encrypt, k->u.cbc.decrypt);
		break;
	case CIPHER_AES_192_CBC:
		IMB_AES_KEYEXP_192(m, key->secret, k->u.cbc.encrypt, k->u.cbc.decrypt);
		break;
	case CIPHER_AES_256_CBC:
		IMB_AES_KEYEXP_256(m, key->secret, k->u.cbc.encrypt, k->u.cbc.decrypt);
		break;
	case CIPHER_CHACHA20_POLY1305: /* taken as it is */
	case CIPHER_ALGORITHMS:
		return;
	}
	expand_hmac(m, key, 0x36, k->u.cbc.inner);
	expand_hmac(m, key, 0x5c, k->u.cbc.outer);
}

static void fill_cbc(IMB_JOB *to, const struct cipher_job *job)
{
	static const IMB_HASH_ALG hash[CIPHER_DIGESTS] = {
		[CIPHER_HMAC_SHA1] = IMB_AUTH_HMAC_SHA_1,
		[CIPHER_HMAC_SHA256] = IMB_AUTH_HMAC_SHA_256,
		[CIPHER_HMAC_SHA512] = IMB_AUTH_HMAC_SHA_512,
	};
	const struct ipsec_mb_key *k = (const struct ipsec_mb_key *)job->key;
	to->cipher_mode = IMB_CIPHER_CBC;
	to->hash_alg = hash[job->key->suite.digest];
	to->enc_keys = k->u.cbc.encrypt;
	to->dec_keys = k->u.cbc.decrypt;
	to->iv = job->data - CIPHER_BLOCK_LEN;
	to->iv_len_in_bytes = CIPHER_BLOCK_LEN;
	to->src = job->data - CIPHER_BLOCK_LEN;
	to->cipher_start_src_offset_in_bytes = CIPHER_BLOCK_LEN;
	to->msg_len_to_hash_in_bytes = CIPHER_BLOCK_LEN + job->len;
	to->u.HMAC._hashed_auth_key_xor_ipad = k->u.cbc.inner;
	to->u.HMAC._hashed_auth_key_xor_opad = k->u.cbc.outer;
}

static void fill_aead(IMB_JOB *to, const struct cipher_job *job)
{
	const struct ipsec_mb_key *k = (const struct ipsec_mb_key *)job->key;
	const uint8_t *aad = job->aad_len > 0 ? job->aad : job->tag; /* not NULL */
	bool is_gcm = job->key->suite.algorithm != CIPHER_CHACHA20_POLY1305;
	to->cipher_mode = is_gcm ? IMB_CIPHER_GCM : IMB_CIPHER_CHACHA20_POLY1305;
	to->hash_alg = is_gcm ? IMB_AUTH_AES_GMAC : IMB_AUTH_CHACHA20_POLY1305;
	to->enc_keys = is_gcm ? (const void *)&k->u.gcm : job->key->secret;
	to->dec_keys = to->enc_keys;
	to->iv = job->nonce;
	to->iv_len_in_bytes = CIPHER_NONCE_LEN;
	to->src = job->data;
	to->cipher_start_src_offset_in_bytes = 0;
	to->msg_len_to_hash_in_bytes = job->len;
	if (is_gcm) {
		to->u.GCM.aad = aad;
		to->u.GCM.aad_len_in_bytes = job->aad_len;
		return;
	}
	to->u.CHACHA20_POLY1305.aad = aad;
	to->u.CHACHA20_POLY1305.aad_len_in_bytes = job->aad_len;
}

static void fill_job(
	IMB_JOB *to, struct cipher_job *job, uint8_t *tag, IMB_CIPHER_DIRECTION direction)
{
	to->cipher_direction = direction;
	to->chain_order =
		direction == IMB_DIR_ENCRYPT ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	to->key_len_in_bytes = cipher_key_len(job->key->suite.algorithm);
	to->dst = job->data;
	to->msg_len_to_cipher_in_bytes = job->len;
	to->hash_start_src_offset_in_bytes = 0;
	to->auth_tag_output = tag;
	to->auth_tag_output_len_in_bytes = job->key->tag_len;
	to->user_data = job;
	if (job->key->is_aead)
		fill_aead(to, job);
	else
		fill_cbc(to, job);
}

static void mark_completed(struct cipher_ipsec_mb *m, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		((struct cipher_job *)m->burst[i]->user_data)->ok =
			m->burst[i]->status == IMB_STATUS_COMPLETED;
}

/* Sets ok of each job that was done; all others must have been set to false. */
static void run_burst(struct cipher_ipsec_mb *m, struct cipher_job *const *jobs, unsigned int count,
	IMB_CIPHER_DIRECTION direction)
{
	if (count == 0 || IMB_GET_NEXT_BURST(m->manager, count, m->burst) < count)
		return;
	for (unsigned int i = 0; i < count; i++) {
		bool sealing = direction == IMB_DIR_ENCRYPT;
		fill_job(m->burst[i], jobs[i], sealing ? jobs[i]->tag : m->tag[i], direction);
	}
	unsigned int done = IMB_SUBMIT_BURST_NOCHECK(m->manager, count, m->burst);
	mark_completed(m, done);
	while (done < count) {
		unsigned int n = IMB_FLUSH_BURST(m->manager, count - done, m->burst);
		if (n == 0)
			return;
		mark_completed(m, n);
		done += n;
	}
}

/* The jobs of a burst that ipsec-mb shall do; the others are done already, or wrong. */
static unsigned int choose_jobs(struct cipher_ipsec_mb *m, struct cipher_job *jobs,
	unsigned int count, struct cipher_job **ret, IMB_CIPHER_DIRECTION direction)
{
	unsigned int cbc = 0, chosen = 0;
	for (unsigned int i = 0; i < count; i++)
		cbc += !jobs[i].key->is_aead;
	for (unsigned int i = 0; i < count; i++) {
		struct cipher_job *job = &jobs[i];
		job->ok = false;
		if (!cipher_job_is_valid(job))
			continue;
		if (job->key->is_aead || cbc >= CBC_FEW)
			ret[chosen++] = job;
		else if (direction == IMB_DIR_ENCRYPT)
			cipher_seal(m->openssl, job, 1);
		else
			cipher_open(m->openssl, job, 1);
	}
	return chosen;
}

static void seal_ipsec_mb(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count)
{
	struct cipher_ipsec_mb *m = (struct cipher_ipsec_mb *)e;
	for (unsigned int at = 0; at < count; at += CIPHER_BURST) {
		struct cipher_job *chosen[CIPHER_BURST];
		unsigned int n = count - at < CIPHER_BURST ? count - at : CIPHER_BURST;
		n = choose_jobs(m, jobs + at, n, chosen, IMB_DIR_ENCRYPT);
		run_burst(m, chosen, n, IMB_DIR_ENCRYPT);
	}
}

static void open_ipsec_mb(struct cipher_engine *e, struct cipher_job *jobs, unsigned int count)
{
	struct cipher_ipsec_mb *m = (struct cipher_ipsec_mb *)e;
	for (unsigned int at = 0; at < count; at += CIPHER_BURST) {
		struct cipher_job *chosen[CIPHER_BURST];
		unsigned int n = count - at < CIPHER_BURST ? count - at : CIPHER_BURST;
		n = choose_jobs(m, jobs + at, n, chosen, IMB_DIR_DECRYPT);
		run_burst(m, chosen, n, IMB_DIR_DECRYPT);
		for (unsigned int i = 0; i < n; i++) {
			struct cipher_job *job = chosen[i];
			bool equal = cipher_tags_equal(m->tag[i], job->tag, job->key->tag_len);
			job->ok = job->ok && equal;
		}
	}
}

int cipher_engine_ipsec_mb_new(struct cipher_engine **ret)
{
	_Static_assert(sizeof(struct ipsec_mb_key) % CIPHER_KEY_ALIGN == 0, "for aligned_alloc");
	struct cipher_ipsec_mb *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return -ENOMEM;
	m->engine = (struct cipher_engine){
		.name = "ipsec-mb",
		.key_size = sizeof(struct ipsec_mb_key),
		.expand = expand_ipsec_mb,
		.seal = seal_ipsec_mb,
		.open = open_ipsec_mb,
		.free = free_ipsec_mb,
	};
	m->manager = alloc_mb_mgr(0);
	if (m->manager != NULL)
		init_mb_mgr_auto(m->manager, NULL);
	if (m->manager == NULL || imb_get_errno(m->manager) != 0
		|| cipher_engine_openssl_new(&m->openssl) != 0) {
		free_ipsec_mb(&m->engine);
		return -ENOTSUP;
	}
	*ret = &m->engine;
	return 0;
}
