// SPDX-License-Identifier: Apache-2.0
/*
 * List cursors: where the next page begins, in a form that clients can only hand back. In hex:
 * key id 4 | issued at 8 | scope hash 16 | length 1 | position | MAC 16 (HMAC-SHA256, cut). The
 * MAC is checked before anything else is believed, except the key id, which tells a cursor of an
 * earlier run (gone: 410) from a forged one (400).
 */
#include "control/http/cursor.h"

#include "dataplane/base/hex.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
	ID_LEN = 4,
	SCOPE_LEN = 16,
	MAC_LEN = 16,
	HEAD_LEN = ID_LEN + 8 + SCOPE_LEN + 1,
};

int cursor_key_init(struct cursor_key *key)
{
	int rc = random_bytes(key->secret, sizeof(key->secret));
	return rc < 0 ? rc : random_bytes(key->id, sizeof(key->id));
}

void cursor_key_fini(struct cursor_key *key)
{
	explicit_bzero(key, sizeof(*key));
}

static int hash_scope(const char *scope, uint8_t ret[SCOPE_LEN])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	if (EVP_Digest(scope, strlen(scope), digest, NULL, EVP_sha256(), NULL) != 1)
		return -EIO;
	memcpy(ret, digest, SCOPE_LEN);
	return 0;
}

static int make_mac(
	const struct cursor_key *key, const uint8_t *data, size_t len, uint8_t ret[MAC_LEN])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	if (HMAC(EVP_sha256(), key->secret, sizeof(key->secret), data, len, digest, NULL) == NULL)
		return -EIO;
	memcpy(ret, digest, MAC_LEN);
	return 0;
}

int cursor_format(const struct cursor_key *key, const char *scope, uint64_t now_s,
	const char *position, char ret[CURSOR_TEXT])
{
	uint8_t raw[CURSOR_TEXT / 2];
	size_t len = strlen(position);
	if (len > CURSOR_POSITION_MAX)
		return -EMSGSIZE;
	memcpy(raw, key->id, ID_LEN);
	for (unsigned int i = 0; i < 8; i++)
		raw[ID_LEN + i] = (uint8_t)(now_s >> (8 * i));
	int rc = hash_scope(scope, raw + ID_LEN + 8);
	if (rc < 0)
		return rc;
	raw[HEAD_LEN - 1] = (uint8_t)len;
	/* Its length stands in front. NOLINTNEXTLINE(bugprone-not-null-terminated-result) */
	memcpy(raw + HEAD_LEN, position, len);
	rc = make_mac(key, raw, HEAD_LEN + len, raw + HEAD_LEN + len);
	if (rc == 0)
		hex_encode(raw, HEAD_LEN + len + MAC_LEN, ret);
	return rc;
}

int cursor_parse(const struct cursor_key *key, const char *scope, uint64_t now_s, const char *text,
	char ret_position[CURSOR_POSITION_MAX + 1])
{
	uint8_t raw[CURSOR_TEXT / 2];
	uint8_t mac[MAC_LEN];
	uint8_t expected_scope[SCOPE_LEN];
	ssize_t n = hex_decode(text, strlen(text), raw, sizeof(raw));
	if (n < HEAD_LEN + MAC_LEN)
		return -EINVAL;
	size_t len = (size_t)n - HEAD_LEN - MAC_LEN;
	if (raw[HEAD_LEN - 1] != len || len > CURSOR_POSITION_MAX)
		return -EINVAL;
	if (memcmp(raw, key->id, ID_LEN) != 0)
		return -ESTALE;
	if (make_mac(key, raw, HEAD_LEN + len, mac) < 0
		|| CRYPTO_memcmp(mac, raw + HEAD_LEN + len, MAC_LEN) != 0)
		return -EINVAL;
	if (hash_scope(scope, expected_scope) < 0
		|| memcmp(expected_scope, raw + ID_LEN + 8, SCOPE_LEN) != 0)
		return -EINVAL;
	uint64_t issued = 0;
	for (unsigned int i = 0; i < 8; i++)
		issued |= (uint64_t)raw[ID_LEN + i] << (8 * i);
	if (now_s > issued + CURSOR_LIFE_S)
		return -ESTALE;
	memcpy(ret_position, raw + HEAD_LEN, len);
	ret_position[len] = '\0';
	return 0;
}
