// SPDX-License-Identifier: Apache-2.0
/*
 * Reads like section 5.4 of the WireGuard paper: C is the chaining key, H the hash, kappa the
 * key of the next AEAD. A handshake works on a copy of its state and is written back whole when
 * the last check has passed, so a forged message leaves nothing behind.
 */
#include "dataplane/wg/noise.h"

#include "dataplane/crypto/blake2s.h"
#include "dataplane/crypto/chacha20poly1305.h"
#include "dataplane/crypto/x25519.h"

#include <errno.h>
#include <string.h>

static const char construction[] = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
static const char identifier[] = "WireGuard v1 zx2c4 Jason@zx2c4.com";

enum {
	TAI64N_NANOSECONDS = 8, /* where they begin */
};

/* TAI64 label of 1970-01-01 (10 leap seconds before). */
#define TAI64_EPOCH 0x400000000000000aULL
/* Nanoseconds lose their low 24 bits (16.8 ms): a timestamp tells little about the sender's clock,
 * and two that are a flood gate apart still differ. */
#define TAI64N_WHITEN (1U << 24)

struct symmetric {
	struct key chaining_key;
	uint8_t hash[32];
};

static void mix_hash(uint8_t hash[32], const void *data, size_t len)
{
	blake2s_hash(hash, hash, 32, data, len);
}

/* C := KDF1(C, data). */
static void mix_key(struct key *chaining_key, const void *data, size_t len)
{
	blake2s_kdf(chaining_key->bytes, NULL, NULL, chaining_key->bytes, data, len);
}

/* (C, kappa) := KDF2(C, secret). */
static void mix_secret(struct key *chaining_key, struct key *kappa, const struct key *secret)
{
	blake2s_kdf(chaining_key->bytes, kappa->bytes, NULL, chaining_key->bytes, secret->bytes,
		KEY_LEN);
}

/* (C, kappa) := KDF2(C, DH(private, public)); false for a result of zero. */
static bool mix_dh(struct key *chaining_key, struct key *kappa, const struct key *private_key,
	const struct key *public_key)
{
	struct key shared;
	if (!x25519_shared(private_key, public_key, &shared))
		return false;
	mix_secret(chaining_key, kappa, &shared);
	key_wipe(&shared);
	return true;
}

/* H := HASH(H || ephemeral), C := KDF1(C, ephemeral). */
static void mix_ephemeral(struct symmetric *s, const struct key *ephemeral)
{
	mix_hash(s->hash, ephemeral->bytes, KEY_LEN);
	mix_key(&s->chaining_key, ephemeral->bytes, KEY_LEN);
}

/* (C, tau, kappa) := KDF3(C, Q), H := HASH(H || tau). */
static void mix_preshared_key(
	struct symmetric *s, struct key *kappa, const struct key *preshared_key)
{
	struct key tau;
	blake2s_kdf(s->chaining_key.bytes, tau.bytes, kappa->bytes, s->chaining_key.bytes,
		preshared_key->bytes, KEY_LEN);
	mix_hash(s->hash, tau.bytes, KEY_LEN);
	key_wipe(&tau);
}

/* Writes len + 16 bytes and mixes them in. */
static bool encrypt_and_hash(
	struct symmetric *s, const struct key *kappa, const void *text, size_t len, uint8_t *ret)
{
	struct chacha20poly1305_data d = {text, len, s->hash, sizeof(s->hash)};
	if (!chacha20poly1305_seal(ret, &d, 0, kappa))
		return false;
	mix_hash(s->hash, ret, len + NOISE_AUTHTAG_LEN);
	return true;
}

static bool decrypt_and_hash(
	struct symmetric *s, const struct key *kappa, const void *text, size_t len, uint8_t *ret)
{
	struct chacha20poly1305_data d = {text, len, s->hash, sizeof(s->hash)};
	if (!chacha20poly1305_open(ret, &d, 0, kappa))
		return false;
	mix_hash(s->hash, text, len);
	return true;
}

/* C := HASH(construction); H := HASH(HASH(C || identifier) || responder's static public key). */
static void start(struct symmetric *s, const struct key *responder)
{
	blake2s_hash(s->chaining_key.bytes, construction, sizeof(construction) - 1, NULL, 0);
	blake2s_hash(s->hash, s->chaining_key.bytes, KEY_LEN, identifier, sizeof(identifier) - 1);
	mix_hash(s->hash, responder->bytes, KEY_LEN);
}

int noise_identity_init(struct noise_identity *i, const struct key *private_key)
{
	struct symmetric s;
	memset(i, 0, sizeof(*i));
	i->private_key = *private_key;
	x25519_clamp(&i->private_key);
	if (x25519_public(&i->private_key, &i->public_key) != 0) {
		noise_identity_fini(i);
		return -EIO;
	}
	start(&s, &i->public_key);
	memcpy(i->hash, s.hash, sizeof(i->hash));
	return 0;
}

void noise_identity_fini(struct noise_identity *i)
{
	explicit_bzero(i, sizeof(*i));
}

void noise_remote_init(
	struct noise_remote *r, const struct key *public_key, const struct key *preshared_key)
{
	memset(r, 0, sizeof(*r));
	r->public_key = *public_key;
	noise_remote_set_preshared_key(r, preshared_key);
}

void noise_remote_set_preshared_key(struct noise_remote *r, const struct key *preshared_key)
{
	r->preshared_key = *preshared_key;
}

void noise_remote_forget_identity(struct noise_remote *r)
{
	key_wipe(&r->static_static);
	r->has_static_static = false;
	noise_handshake_clear(&r->initiation);
}

void noise_remote_fini(struct noise_remote *r)
{
	explicit_bzero(r, sizeof(*r));
}

void noise_handshake_clear(struct noise_handshake *h)
{
	explicit_bzero(h, sizeof(*h)); /* NOISE_STATE_NONE, and no index */
}

/* DH(own static, their static) is the same for every handshake, and half of its cost. */
static bool compute_static_static(const struct noise_identity *i, struct noise_remote *r)
{
	if (!r->has_static_static)
		r->has_static_static =
			x25519_shared(&i->private_key, &r->public_key, &r->static_static);
	return r->has_static_static;
}

void noise_timestamp_of_second(uint64_t unix_s, uint8_t ret[NOISE_TIMESTAMP_LEN])
{
	uint64_t seconds = TAI64_EPOCH + unix_s;
	memset(ret, 0, NOISE_TIMESTAMP_LEN);
	for (unsigned int b = 0; b < 8; b++)
		ret[b] = (uint8_t)(seconds >> (56 - 8 * b));
}

static void write_timestamp(uint8_t ret[NOISE_TIMESTAMP_LEN], uint64_t realtime_ns)
{
	uint32_t nanoseconds = (uint32_t)(realtime_ns % NS_PER_SEC) & ~(TAI64N_WHITEN - 1);
	noise_timestamp_of_second(realtime_ns / NS_PER_SEC, ret);
	for (unsigned int b = 0; b < 4; b++)
		ret[TAI64N_NANOSECONDS + b] = (uint8_t)(nanoseconds >> (24 - 8 * b));
}

/* A clock that stood still or went back must not make the responder refuse us. */
static void next_timestamp(struct noise_remote *r, uint64_t realtime_ns)
{
	uint8_t now[NOISE_TIMESTAMP_LEN];
	write_timestamp(now, realtime_ns);
	if (memcmp(now, r->sent_timestamp, sizeof(now)) > 0) {
		memcpy(r->sent_timestamp, now, sizeof(now));
		return;
	}
	for (unsigned int b = NOISE_TIMESTAMP_LEN; b-- > 0;) {
		if (++r->sent_timestamp[b] != 0)
			return;
	}
}

static int fresh_ephemeral(struct key *private_key, struct key *public_key)
{
	int err = x25519_generate(private_key);
	return err == 0 ? x25519_public(private_key, public_key) : err;
}

static int create_initiation(const struct noise_identity *i, struct noise_remote *r,
	struct symmetric *s, struct key *ephemeral, struct message_handshake_initiation *m)
{
	struct key public, kappa;
	int err = fresh_ephemeral(ephemeral, &public);
	if (err != 0)
		return err;
	start(s, &r->public_key);
	mix_ephemeral(s, &public);
	memcpy(m->unencrypted_ephemeral, public.bytes, KEY_LEN);
	err = -EKEYREJECTED;
	if (!mix_dh(&s->chaining_key, &kappa, ephemeral, &r->public_key))
		goto wipe;
	err = -EIO;
	if (!encrypt_and_hash(s, &kappa, i->public_key.bytes, KEY_LEN, m->encrypted_static))
		goto wipe;
	mix_secret(&s->chaining_key, &kappa, &r->static_static);
	if (encrypt_and_hash(
		    s, &kappa, r->sent_timestamp, NOISE_TIMESTAMP_LEN, m->encrypted_timestamp))
		err = 0;
wipe:
	key_wipe(&kappa);
	return err;
}

int noise_initiation_create(const struct noise_identity *i, struct noise_remote *r,
	uint32_t local_index, uint64_t realtime_ns, struct message_handshake_initiation *ret)
{
	struct message_handshake_initiation m = {.type = {MESSAGE_HANDSHAKE_INITIATION}};
	struct noise_handshake *h = &r->initiation;
	struct symmetric s;
	struct key ephemeral;
	if (!compute_static_static(i, r))
		return -EKEYREJECTED;
	next_timestamp(r, realtime_ns);
	int err = create_initiation(i, r, &s, &ephemeral, &m);
	if (err == 0) {
		noise_handshake_clear(h);
		message_write_le32(m.sender_index, local_index);
		h->ephemeral_private = ephemeral;
		h->chaining_key = s.chaining_key;
		memcpy(h->hash, s.hash, sizeof(h->hash));
		h->local_index = local_index;
		h->state = NOISE_STATE_CREATED_INITIATION;
		*ret = m;
	}
	key_wipe(&ephemeral);
	explicit_bzero(&s, sizeof(s));
	return err;
}

int noise_initiation_open(const struct noise_identity *i,
	const struct message_handshake_initiation *m, struct noise_initiation *ret_opened)
{
	struct symmetric s;
	struct key ephemeral, kappa, remote_static;
	blake2s_hash(s.chaining_key.bytes, construction, sizeof(construction) - 1, NULL, 0);
	memcpy(s.hash, i->hash, sizeof(s.hash));
	memcpy(ephemeral.bytes, m->unencrypted_ephemeral, KEY_LEN);
	mix_ephemeral(&s, &ephemeral);
	int err = -EKEYREJECTED;
	if (!mix_dh(&s.chaining_key, &kappa, &i->private_key, &ephemeral))
		goto wipe;
	err = -EBADMSG;
	if (!decrypt_and_hash(&s, &kappa, m->encrypted_static, sizeof(m->encrypted_static),
		    remote_static.bytes))
		goto wipe;
	ret_opened->remote_static = remote_static;
	ret_opened->chaining_key = s.chaining_key;
	ret_opened->ephemeral = ephemeral;
	memcpy(ret_opened->hash, s.hash, sizeof(s.hash));
	memcpy(ret_opened->encrypted_timestamp, m->encrypted_timestamp,
		sizeof(m->encrypted_timestamp));
	ret_opened->sender_index = message_read_le32(m->sender_index);
	err = 0;
wipe:
	key_wipe(&kappa);
	explicit_bzero(&s, sizeof(s));
	return err;
}

int noise_initiation_accept(const struct noise_identity *i, struct noise_remote *r,
	struct noise_initiation *opened, uint64_t now_ns, struct noise_handshake *ret)
{
	struct symmetric s = {.chaining_key = opened->chaining_key};
	struct key kappa;
	const uint8_t *timestamp = opened->timestamp;
	memcpy(s.hash, opened->hash, sizeof(s.hash));
	int err = -EKEYREJECTED;
	if (!compute_static_static(i, r))
		goto wipe;
	mix_secret(&s.chaining_key, &kappa, &r->static_static);
	err = -EBADMSG;
	if (!decrypt_and_hash(&s, &kappa, opened->encrypted_timestamp,
		    sizeof(opened->encrypted_timestamp), opened->timestamp))
		goto wipe;
	err = -ESTALE;
	if (memcmp(timestamp, r->latest_timestamp, NOISE_TIMESTAMP_LEN) <= 0)
		goto wipe;
	err = -EAGAIN;
	if (r->last_consumed_ns != 0
		&& now_ns - r->last_consumed_ns < NS_PER_SEC / INITIATIONS_PER_SECOND)
		goto wipe;
	memcpy(r->latest_timestamp, timestamp, NOISE_TIMESTAMP_LEN);
	r->last_consumed_ns = now_ns;
	*ret = (struct noise_handshake){
		.state = NOISE_STATE_CONSUMED_INITIATION,
		.remote_index = opened->sender_index,
		.remote_ephemeral = opened->ephemeral,
		.chaining_key = s.chaining_key,
	};
	memcpy(ret->hash, s.hash, sizeof(ret->hash));
	err = 0;
wipe:
	key_wipe(&kappa);
	explicit_bzero(&s, sizeof(s));
	return err;
}

int noise_response_create(const struct noise_remote *r, struct noise_handshake *h,
	uint32_t local_index, struct message_handshake_response *ret)
{
	if (h->state != NOISE_STATE_CONSUMED_INITIATION)
		return -EPROTO;
	struct message_handshake_response m = {.type = {MESSAGE_HANDSHAKE_RESPONSE}};
	struct symmetric s = {.chaining_key = h->chaining_key};
	struct key ephemeral, public, kappa;
	memcpy(s.hash, h->hash, sizeof(s.hash));
	int err = fresh_ephemeral(&ephemeral, &public);
	if (err != 0)
		goto wipe;
	mix_ephemeral(&s, &public);
	memcpy(m.unencrypted_ephemeral, public.bytes, KEY_LEN);
	err = -EKEYREJECTED;
	if (!mix_dh(&s.chaining_key, &kappa, &ephemeral, &h->remote_ephemeral)
		|| !mix_dh(&s.chaining_key, &kappa, &ephemeral, &r->public_key))
		goto wipe;
	mix_preshared_key(&s, &kappa, &r->preshared_key);
	err = -EIO;
	if (!encrypt_and_hash(&s, &kappa, NULL, 0, m.encrypted_nothing))
		goto wipe;
	message_write_le32(m.sender_index, local_index);
	message_write_le32(m.receiver_index, h->remote_index);
	h->chaining_key = s.chaining_key;
	memcpy(h->hash, s.hash, sizeof(h->hash));
	h->local_index = local_index;
	h->state = NOISE_STATE_CREATED_RESPONSE;
	*ret = m;
	err = 0;
wipe:
	key_wipe(&ephemeral);
	key_wipe(&kappa);
	explicit_bzero(&s, sizeof(s));
	return err;
}

int noise_response_consume(const struct noise_identity *i, struct noise_remote *r,
	const struct message_handshake_response *m)
{
	struct noise_handshake *h = &r->initiation;
	if (h->state != NOISE_STATE_CREATED_INITIATION
		|| message_read_le32(m->receiver_index) != h->local_index)
		return -EPROTO;
	struct symmetric s = {.chaining_key = h->chaining_key};
	struct key ephemeral, kappa;
	uint8_t nothing[1];
	memcpy(s.hash, h->hash, sizeof(s.hash));
	memcpy(ephemeral.bytes, m->unencrypted_ephemeral, KEY_LEN);
	mix_ephemeral(&s, &ephemeral);
	int err = -EKEYREJECTED;
	if (!mix_dh(&s.chaining_key, &kappa, &h->ephemeral_private, &ephemeral)
		|| !mix_dh(&s.chaining_key, &kappa, &i->private_key, &ephemeral))
		goto wipe;
	mix_preshared_key(&s, &kappa, &r->preshared_key);
	err = -EBADMSG;
	if (!decrypt_and_hash(
		    &s, &kappa, m->encrypted_nothing, sizeof(m->encrypted_nothing), nothing))
		goto wipe;
	h->chaining_key = s.chaining_key;
	memcpy(h->hash, s.hash, sizeof(h->hash));
	h->remote_index = message_read_le32(m->sender_index);
	h->state = NOISE_STATE_CONSUMED_RESPONSE;
	err = 0;
wipe:
	key_wipe(&kappa);
	explicit_bzero(&s, sizeof(s));
	return err;
}

int noise_session_begin(struct noise_handshake *h, uint64_t now_ns, struct keypair *ret)
{
	bool initiator = h->state == NOISE_STATE_CONSUMED_RESPONSE;
	if (!initiator && h->state != NOISE_STATE_CREATED_RESPONSE)
		return -EPROTO;
	struct key *first = initiator ? &ret->send_key : &ret->receive_key;
	struct key *second = initiator ? &ret->receive_key : &ret->send_key;
	blake2s_kdf(first->bytes, second->bytes, NULL, h->chaining_key.bytes, NULL, 0);
	ret->local_index = h->local_index;
	ret->remote_index = h->remote_index;
	ret->birth_ns = now_ns;
	ret->is_initiator = initiator;
	ret->send_counter = 0;
	replay_init(&ret->replay);
	noise_handshake_clear(h);
	return 0;
}

int64_t noise_timestamp_seconds(const uint8_t timestamp[NOISE_TIMESTAMP_LEN])
{
	uint64_t seconds = 0;
	for (unsigned int b = 0; b < TAI64N_NANOSECONDS; b++)
		seconds = seconds << 8 | timestamp[b];
	return (int64_t)(seconds - TAI64_EPOCH);
}
