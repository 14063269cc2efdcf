// SPDX-License-Identifier: Apache-2.0
#include "dataplane/wg/cookie.h"

#include "dataplane/base/random.h"
#include "dataplane/crypto/blake2s.h"
#include "dataplane/crypto/chacha20poly1305.h"

#include <string.h>

enum {
	LABEL_LEN = 8,
};

static const char mac1_label[] = "mac1----";
static const char cookie_label[] = "cookie--";

static void derive_keys(uint8_t mac1_key[32], struct key *cookie_key, const struct key *public_key)
{
	blake2s_hash(mac1_key, mac1_label, LABEL_LEN, public_key->bytes, KEY_LEN);
	blake2s_hash(cookie_key->bytes, cookie_label, LABEL_LEN, public_key->bytes, KEY_LEN);
}

static bool equal(const uint8_t a[COOKIE_LEN], const uint8_t b[COOKIE_LEN])
{
	unsigned int difference = 0;
	for (unsigned int i = 0; i < COOKIE_LEN; i++)
		difference |= (unsigned int)(a[i] ^ b[i]);
	return difference == 0;
}

void cookie_checker_init(struct cookie_checker *c, const struct key *own_public)
{
	memset(c, 0, sizeof(*c));
	derive_keys(c->mac1_key, &c->cookie_key, own_public);
}

void cookie_checker_fini(struct cookie_checker *c)
{
	explicit_bzero(c, sizeof(*c));
}

/* tau := MAC(secret, address || port): bound to the port too, or one host behind a NAT could use
 * the cookie of another. */
static void write_cookie(
	const struct cookie_checker *c, const struct ip_endpoint *source, uint8_t ret[COOKIE_LEN])
{
	uint8_t bound[sizeof(source->addr.bytes) + 2];
	memcpy(bound, source->addr.bytes, sizeof(source->addr.bytes));
	bound[sizeof(bound) - 2] = (uint8_t)(source->port >> 8);
	bound[sizeof(bound) - 1] = (uint8_t)source->port;
	blake2s_mac(ret, c->secret, sizeof(c->secret), bound, sizeof(bound));
}

static bool secret_is_fresh(const struct cookie_checker *c, uint64_t now_ns)
{
	return c->has_secret && now_ns - c->secret_birth_ns < COOKIE_SECRET_MAX_AGE;
}

enum cookie_verdict cookie_check(struct cookie_checker *c, const void *message, size_t len,
	const struct ip_endpoint *source, uint64_t now_ns)
{
	uint8_t mac[COOKIE_LEN], cookie[COOKIE_LEN];
	const uint8_t *bytes = message;
	size_t covered = len - sizeof(struct message_macs);
	struct message_macs macs;
	memcpy(&macs, bytes + covered, sizeof(macs));
	blake2s_mac(mac, c->mac1_key, sizeof(c->mac1_key), bytes, covered);
	if (!equal(mac, macs.mac1))
		return COOKIE_MAC_INVALID;
	if (!secret_is_fresh(c, now_ns))
		return COOKIE_MAC1_VALID;
	write_cookie(c, source, cookie);
	blake2s_mac(mac, cookie, sizeof(cookie), bytes, covered + COOKIE_LEN);
	return equal(mac, macs.mac2) ? COOKIE_MAC2_VALID : COOKIE_MAC1_VALID;
}

int cookie_reply_create(struct cookie_checker *c, const void *message, size_t len,
	const struct ip_endpoint *source, uint64_t now_ns, struct message_handshake_cookie *ret)
{
	struct message_handshake_cookie m = {.type = {MESSAGE_HANDSHAKE_COOKIE}};
	uint8_t cookie[COOKIE_LEN];
	const uint8_t *bytes = message;
	int err = 0;
	if (!secret_is_fresh(c, now_ns)) {
		err = random_bytes(c->secret, sizeof(c->secret));
		c->has_secret = err == 0;
		c->secret_birth_ns = now_ns;
	}
	if (err == 0)
		err = random_bytes(m.nonce, sizeof(m.nonce));
	if (err != 0)
		return err;
	write_cookie(c, source, cookie);
	const uint8_t *mac1 = bytes + len - sizeof(struct message_macs);
	struct chacha20poly1305_data d = {cookie, sizeof(cookie), mac1, COOKIE_LEN};
	(void)xchacha20poly1305_seal(m.encrypted_cookie, &d, m.nonce, &c->cookie_key);
	memcpy(m.receiver_index, bytes + 4, sizeof(m.receiver_index)); /* their sender index */
	*ret = m;
	return 0;
}

void cookie_maker_init(struct cookie_maker *m, const struct key *remote_public)
{
	memset(m, 0, sizeof(*m));
	derive_keys(m->mac1_key, &m->cookie_key, remote_public);
}

void cookie_maker_fini(struct cookie_maker *m)
{
	explicit_bzero(m, sizeof(*m));
}

void cookie_macs_add(struct cookie_maker *m, void *message, size_t len, uint64_t now_ns)
{
	uint8_t *bytes = message;
	size_t covered = len - sizeof(struct message_macs);
	struct message_macs macs = {0};
	blake2s_mac(macs.mac1, m->mac1_key, sizeof(m->mac1_key), bytes, covered);
	memcpy(bytes + covered, macs.mac1, COOKIE_LEN);
	memcpy(m->last_mac1, macs.mac1, COOKIE_LEN);
	m->sent_mac1 = true;
	uint64_t life = COOKIE_SECRET_MAX_AGE - COOKIE_SECRET_LATENCY;
	if (m->has_cookie && now_ns - m->cookie_birth_ns < life)
		blake2s_mac(macs.mac2, m->cookie, sizeof(m->cookie), bytes, covered + COOKIE_LEN);
	memcpy(bytes + covered + COOKIE_LEN, macs.mac2, COOKIE_LEN);
}

bool cookie_reply_consume(
	struct cookie_maker *m, const struct message_handshake_cookie *reply, uint64_t now_ns)
{
	uint8_t cookie[COOKIE_LEN];
	struct chacha20poly1305_data d = {
		reply->encrypted_cookie, sizeof(reply->encrypted_cookie), m->last_mac1, COOKIE_LEN};
	if (!m->sent_mac1 || !xchacha20poly1305_open(cookie, &d, reply->nonce, &m->cookie_key))
		return false;
	memcpy(m->cookie, cookie, sizeof(cookie));
	m->cookie_birth_ns = now_ns;
	m->has_cookie = true;
	m->sent_mac1 = false; /* one reply a MAC1 */
	return true;
}
