// SPDX-License-Identifier: Apache-2.0
/*
 * Secrets at rest. Keys are sealed with AES-256-GCM under the key encryption key (a file that no
 * backup takes); place and row id are authenticated. Random 96-bit nonces: a store would have to
 * seal 2^32 boxes before one is likely to repeat. Tokens have 256 random bits, so a keyed hash
 * needs no salt and no stretching, and is found by the hash itself.
 */
#include "control/store/internal.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

static int set_place(EVP_CIPHER_CTX *ctx, const char *place, const struct uuid *id)
{
	int n;
	return EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)place, (int)strlen(place)) == 1
		&& EVP_CipherUpdate(ctx, NULL, &n, id->bytes, sizeof(id->bytes)) == 1;
}

int box_seal(struct store *store, const char *place, const struct uuid *id, const void *data,
	size_t len, uint8_t *box)
{
	int n;
	int rc = random_bytes(box, BOX_NONCE_LEN);
	if (rc < 0)
		return rc;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t *out = box + BOX_NONCE_LEN;
	bool ok = ctx != NULL
		&& EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, store->secret.bytes, box, 1) == 1
		&& set_place(ctx, place, id) && EVP_CipherUpdate(ctx, out, &n, data, (int)len) == 1
		&& EVP_CipherFinal_ex(ctx, out + n, &n) == 1
		&& EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, BOX_TAG_LEN, out + len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : -EIO;
}

int box_open(struct store *store, const char *place, const struct uuid *id, const uint8_t *box,
	size_t len, void *data)
{
	uint8_t tag[BOX_TAG_LEN];
	int n;
	if (box == NULL || len < BOX_OVERHEAD)
		return -EUCLEAN;
	size_t data_len = len - BOX_OVERHEAD;
	memcpy(tag, box + len - BOX_TAG_LEN, BOX_TAG_LEN);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool ok = ctx != NULL
		&& EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, store->secret.bytes, box, 0) == 1
		&& set_place(ctx, place, id)
		&& EVP_CipherUpdate(ctx, data, &n, box + BOX_NONCE_LEN, (int)data_len) == 1
		&& EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, BOX_TAG_LEN, tag) == 1
		&& EVP_CipherFinal_ex(ctx, (uint8_t *)data + n, &n) == 1;
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		explicit_bzero(data, data_len);
	return ok ? 0 : -EUCLEAN;
}

ssize_t box_open_bytes(struct store *store, const char *place, const char *sql,
	const struct uuid *id, void *ret, size_t size)
{
	sqlite3_stmt *stmt;
	size_t len = 0;
	int rc = sql_prepare(store, &stmt, sql, "u", id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0 && sqlite3_column_type(stmt, 0) == SQLITE_NULL)
		rc = -ENOENT;
	if (rc == 0) {
		const uint8_t *box = sqlite3_column_blob(stmt, 0);
		len = (size_t)sqlite3_column_bytes(stmt, 0);
		rc = len >= BOX_OVERHEAD && len - BOX_OVERHEAD <= size
			? box_open(store, place, id, box, len, ret)
			: -EUCLEAN;
	}
	sql_done(stmt);
	return rc < 0 ? rc : (ssize_t)(len - BOX_OVERHEAD);
}

int box_open_key(struct store *store, const char *place, const char *sql, const struct uuid *id,
	struct key *ret)
{
	ssize_t len = box_open_bytes(store, place, sql, id, ret->bytes, KEY_LEN);
	if (len < 0)
		return (int)len;
	return len == KEY_LEN ? 0 : -EUCLEAN;
}

void token_hash(struct store *store, const char *token, uint8_t ret[TOKEN_HASH_LEN])
{
	unsigned int len = TOKEN_HASH_LEN;
	memset(ret, 0, TOKEN_HASH_LEN);
	(void)HMAC(EVP_sha256(), store->token_key.bytes, KEY_LEN, (const uint8_t *)token,
		strlen(token), ret, &len);
}

int token_make(const char *prefix, char *ret, size_t size)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t raw[44] = {0};
	size_t n = strlen(prefix);
	if (size < n + 43 + 1)
		return -ENOSPC;
	/* 43 characters of 6 bits each, taken from as many bytes: 258 bits. */
	int rc = random_bytes(raw, 43);
	if (rc < 0)
		return rc;
	memcpy(ret, prefix, n);
	for (size_t i = 0; i < 43; i++)
		ret[n + i] = digits[raw[i] & 63];
	ret[n + 43] = '\0';
	explicit_bzero(raw, sizeof(raw));
	return 0;
}
