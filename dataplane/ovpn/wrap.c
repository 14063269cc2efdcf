// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/wrap.h"

#include "dataplane/ovpn/tls_crypt_v2.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

enum {
	STAMP_LEN = 8, /* id, time */
	HMAC_MAX = STATIC_KEY_SLOT_LEN,
	PLAIN_MIN = CONTROL_HEAD_LEN + 1,
	TLS_CRYPT_CLEAR = CONTROL_HEAD_LEN + STAMP_LEN, /* authenticated, in front of the tag */
};

static const struct {
	const char *name;
	size_t len;
} digests[] = {
	[WRAP_SHA1] = {"SHA1", 20},
	[WRAP_SHA256] = {"SHA256", 32},
	[WRAP_SHA512] = {"SHA512", 64},
};

/* The direction says which of the two keys sends; none means one key for both ways, so a packet of
 * one's own that comes back is authentic: its session id tells. */
static int init_tls_auth(struct wrap *w, const struct wrap_config *c)
{
	if ((unsigned int)c->digest > WRAP_SHA512 || (unsigned int)c->direction > KEY_DIRECTION_1)
		return -EINVAL;
	unsigned int sends = c->direction == KEY_DIRECTION_1 ? 1 : 0;
	unsigned int receives = c->direction == KEY_DIRECTION_0 ? 1 : 0;
	const char *name = digests[c->digest].name;
	w->hmac_len = digests[c->digest].len;
	w->send_hmac = hmac_new(name, static_key_hmac(c->key, sends), w->hmac_len);
	w->receive_hmac = hmac_new(name, static_key_hmac(c->key, receives), w->hmac_len);
	if (w->send_hmac != NULL && w->receive_hmac != NULL)
		return 0;
	wrap_fini(w);
	return -ENOMEM;
}

static int init_tls_crypt(struct wrap *w, const struct static_key *key)
{
	unsigned int sends = w->is_client ? 1 : 0, receives = 1 - sends;
	int err = tls_crypt_init(
		&w->send, static_key_cipher(key, sends), static_key_hmac(key, sends));
	if (err != 0)
		return err;
	err = tls_crypt_init(
		&w->receive, static_key_cipher(key, receives), static_key_hmac(key, receives));
	if (err != 0)
		wrap_fini(w);
	return err;
}

int wrap_init(struct wrap *w, const struct wrap_config *c)
{
	*w = (struct wrap){.mode = c->mode, .is_client = c->is_client};
	switch (c->mode) {
	case WRAP_NONE:
		return 0;
	case WRAP_TLS_AUTH:
		return init_tls_auth(w, c);
	case WRAP_TLS_CRYPT:
	case WRAP_TLS_CRYPT_V2:
		return init_tls_crypt(w, c->key);
	default:
		return -EINVAL;
	}
}

int wrap_set_key(struct wrap *w, const struct static_key *key)
{
	if (w->mode != WRAP_TLS_CRYPT && w->mode != WRAP_TLS_CRYPT_V2)
		return -EINVAL;
	unsigned int sends = w->is_client ? 1 : 0, receives = 1 - sends;
	int err = tls_crypt_set_keys(
		&w->send, static_key_cipher(key, sends), static_key_hmac(key, sends));
	if (err != 0)
		return err;
	return tls_crypt_set_keys(
		&w->receive, static_key_cipher(key, receives), static_key_hmac(key, receives));
}

void wrap_fini(struct wrap *w)
{
	EVP_MAC_CTX_free(w->send_hmac);
	EVP_MAC_CTX_free(w->receive_hmac);
	tls_crypt_fini(&w->send);
	tls_crypt_fini(&w->receive);
	*w = (struct wrap){0};
}

size_t wrap_overhead(const struct wrap *w)
{
	switch (w->mode) {
	case WRAP_TLS_AUTH:
		return w->hmac_len + STAMP_LEN;
	case WRAP_TLS_CRYPT:
	case WRAP_TLS_CRYPT_V2:
		return STAMP_LEN + TLS_CRYPT_TAG_LEN;
	case WRAP_NONE:
	default:
		return 0;
	}
}

static void write_stamp(uint8_t at[STAMP_LEN], const struct wrap_stamp *stamp)
{
	write_be32(at, stamp->id);
	write_be32(at + 4, stamp->time);
}

static struct wrap_stamp read_stamp(const uint8_t at[STAMP_LEN])
{
	return (struct wrap_stamp){.id = read_be32(at), .time = read_be32(at + 4)};
}

/* The HMAC of tls-auth: over the stamp, then the packet as if it were not wrapped. */
static bool compute_tls_auth(
	EVP_MAC_CTX *hmac, const uint8_t *stamp, const uint8_t *plain, size_t len, uint8_t *ret)
{
	struct tls_crypt_text in = {stamp, STAMP_LEN, plain, len};
	return hmac_compute(hmac, &in, ret, EVP_MAC_CTX_get_mac_size(hmac));
}

/* Wire: head, HMAC, stamp, rest. */
static int seal_tls_auth(struct wrap *w, const struct wrap_stamp *stamp, const uint8_t *plain,
	size_t len, uint8_t *wire)
{
	uint8_t *hmac = wire + CONTROL_HEAD_LEN, *stamp_at = hmac + w->hmac_len;
	write_stamp(stamp_at, stamp);
	memcpy(wire, plain, CONTROL_HEAD_LEN);
	memcpy(stamp_at + STAMP_LEN, plain + CONTROL_HEAD_LEN, len - CONTROL_HEAD_LEN);
	return compute_tls_auth(w->send_hmac, stamp_at, plain, len, hmac) ? 0 : -EIO;
}

/* Wire: head, stamp, tag, rest in cipher. */
static int seal_tls_crypt(struct wrap *w, const struct wrap_stamp *stamp, const uint8_t *plain,
	size_t len, uint8_t *wire)
{
	uint8_t *tag = wire + TLS_CRYPT_CLEAR;
	struct tls_crypt_text in = {
		wire, TLS_CRYPT_CLEAR, plain + CONTROL_HEAD_LEN, len - CONTROL_HEAD_LEN};
	memcpy(wire, plain, CONTROL_HEAD_LEN);
	write_stamp(wire + CONTROL_HEAD_LEN, stamp);
	return tls_crypt_seal(&w->send, &in, tag, tag + TLS_CRYPT_TAG_LEN);
}

ssize_t wrap_seal(struct wrap *w, const struct wrap_stamp *stamp, const uint8_t *plain, size_t len,
	uint8_t *wire, size_t size)
{
	int err = 0;
	size_t overhead = wrap_overhead(w);
	if (len < PLAIN_MIN)
		return -EBADMSG;
	if (size < overhead || len > size - overhead)
		return -ENOSPC;
	if (w->mode == WRAP_NONE)
		memcpy(wire, plain, len);
	else if (w->mode == WRAP_TLS_AUTH)
		err = seal_tls_auth(w, stamp, plain, len, wire);
	else
		err = seal_tls_crypt(w, stamp, plain, len, wire);
	return err != 0 ? err : (ssize_t)(len + overhead);
}

static int open_tls_auth(
	struct wrap *w, const uint8_t *wire, size_t plain_len, struct wrap_opened *ret)
{
	uint8_t wanted[HMAC_MAX];
	const uint8_t *hmac = wire + CONTROL_HEAD_LEN, *stamp = hmac + w->hmac_len;
	memcpy(ret->plain, wire, CONTROL_HEAD_LEN);
	memcpy(ret->plain + CONTROL_HEAD_LEN, stamp + STAMP_LEN, plain_len - CONTROL_HEAD_LEN);
	ret->stamp = read_stamp(stamp);
	bool ok = compute_tls_auth(w->receive_hmac, stamp, ret->plain, plain_len, wanted)
		&& CRYPTO_memcmp(wanted, hmac, w->hmac_len) == 0;
	explicit_bzero(wanted, sizeof(wanted)); /* would forge this packet */
	return ok ? 0 : -EBADMSG;
}

static int open_tls_crypt(
	struct wrap *w, const uint8_t *wire, size_t plain_len, struct wrap_opened *ret)
{
	const uint8_t *tag = wire + TLS_CRYPT_CLEAR;
	struct tls_crypt_text in = {
		wire, TLS_CRYPT_CLEAR, tag + TLS_CRYPT_TAG_LEN, plain_len - CONTROL_HEAD_LEN};
	memcpy(ret->plain, wire, CONTROL_HEAD_LEN);
	ret->stamp = read_stamp(wire + CONTROL_HEAD_LEN);
	return tls_crypt_open(&w->receive, &in, tag, ret->plain + CONTROL_HEAD_LEN);
}

/* A reset of version 3 belongs to tls-crypt-v2, and one of version 2 to everything else. */
static bool opcode_fits(enum wrap_mode mode, unsigned int opcode)
{
	switch (opcode) {
	case P_CONTROL_HARD_RESET_CLIENT_V2:
		return mode != WRAP_TLS_CRYPT_V2;
	case P_CONTROL_HARD_RESET_CLIENT_V3:
	case P_CONTROL_WKC_V1:
		return mode == WRAP_TLS_CRYPT_V2;
	default:
		return opcode_is_control(opcode);
	}
}

/* Bytes of the wrapped packet alone, or -EBADMSG. */
static ssize_t packet_len(const struct wrap *w, const uint8_t *wire, size_t len)
{
	if (len < PLAIN_MIN || len > CONTROL_PACKET_MAX)
		return -EBADMSG;
	unsigned int opcode = first_byte_opcode(wire[0]);
	if (!opcode_fits(w->mode, opcode))
		return -EBADMSG;
	if (opcode == P_CONTROL_HARD_RESET_CLIENT_V3 || opcode == P_CONTROL_WKC_V1) {
		ssize_t wkc_len = tls_crypt_v2_wkc_len(wire, len);
		if (wkc_len < 0)
			return wkc_len;
		len -= (size_t)wkc_len;
	}
	return len < PLAIN_MIN + wrap_overhead(w) ? -EBADMSG : (ssize_t)len;
}

int wrap_open(struct wrap *w, struct wrap_replay *replay, const uint8_t *wire, size_t len,
	struct wrap_opened *ret)
{
	int err = 0;
	ssize_t n = packet_len(w, wire, len);
	ret->stamp = (struct wrap_stamp){0};
	ret->len = 0;
	if (n < 0)
		return (int)n;
	size_t plain_len = (size_t)n - wrap_overhead(w);
	if (w->mode == WRAP_NONE)
		memcpy(ret->plain, wire, plain_len);
	else if (w->mode == WRAP_TLS_AUTH)
		err = open_tls_auth(w, wire, plain_len, ret);
	else
		err = open_tls_crypt(w, wire, plain_len, ret);
	if (err != 0)
		return err;
	if (replay != NULL && w->mode != WRAP_NONE && !wrap_replay_accept(replay, &ret->stamp))
		return -EALREADY;
	ret->len = plain_len;
	return 0;
}

int wrap_stamp_next(struct wrap_stamp *last, uint32_t now_s)
{
	bool used_up = last->id == UINT32_MAX;
	if (used_up && now_s <= last->time)
		return -EOVERFLOW;
	if (last->id == 0 || used_up)
		*last = (struct wrap_stamp){.time = now_s};
	last->id++;
	return 0;
}

bool wrap_replay_accept(struct wrap_replay *r, const struct wrap_stamp *stamp)
{
	if (stamp->id == 0 || stamp->time < r->greatest.time)
		return false;
	if (stamp->time > r->greatest.time)
		*r = (struct wrap_replay){.greatest.time = stamp->time};
	if (stamp->id > r->greatest.id) {
		uint32_t ahead = stamp->id - r->greatest.id;
		r->seen = ahead < WRAP_REPLAY_WINDOW ? r->seen << ahead : 0;
		r->greatest.id = stamp->id;
	}
	uint32_t behind = r->greatest.id - stamp->id;
	uint64_t bit = 1ULL << (behind % WRAP_REPLAY_WINDOW);
	if (behind >= WRAP_REPLAY_WINDOW || (r->seen & bit) != 0)
		return false;
	r->seen |= bit;
	return true;
}
