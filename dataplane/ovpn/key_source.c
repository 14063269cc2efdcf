// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/key_source.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

enum {
	MASTER_LEN = 48,
	SEED_MAX = 128,
};

static const char master_label[] = "OpenVPN master secret";
static const char expansion_label[] = "OpenVPN key expansion";

/* label and seeds, one behind the other, as the PRF takes them */
struct seed {
	uint8_t bytes[SEED_MAX];
	size_t len;
};

int key_source_random_make(struct key_source_random *ret)
{
	return random_bytes(ret, sizeof(*ret));
}

void key_source_random_wipe(struct key_source_random *r)
{
	OPENSSL_cleanse(r, sizeof(*r));
}

void key_source_wipe(struct key_source *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
}

static void seed_add(struct seed *s, const void *data, size_t len)
{
	memcpy(s->bytes + s->len, data, len);
	s->len += len;
}

static void seed_begin(struct seed *s, const char *label)
{
	s->len = 0;
	seed_add(s, label, strlen(label));
}

static int prf(EVP_KDF *kdf, const uint8_t *secret, size_t secret_len, const struct seed *seed,
	uint8_t *ret, size_t len)
{
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	if (ctx == NULL)
		return -ENOMEM;
	char digest[] = "MD5-SHA1";
	/* OpenSSL takes what it only reads without const */
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SECRET, (void *)secret, secret_len),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SEED, (void *)seed->bytes, seed->len),
		OSSL_PARAM_construct_end(),
	};
	int ok = EVP_KDF_derive(ctx, ret, len, params);
	EVP_KDF_CTX_free(ctx);
	return ok == 1 ? 0 : -ENOTSUP;
}

static int derive(EVP_KDF *kdf, const struct key_source *s, const struct session_id *client,
	const struct session_id *server, struct key_block *ret)
{
	uint8_t master[MASTER_LEN];
	struct seed seed;
	seed_begin(&seed, master_label);
	seed_add(&seed, s->client.random1, sizeof(s->client.random1));
	seed_add(&seed, s->server.random1, sizeof(s->server.random1));
	int err = prf(kdf, s->pre_master, sizeof(s->pre_master), &seed, master, sizeof(master));
	if (err == 0) {
		seed_begin(&seed, expansion_label);
		seed_add(&seed, s->client.random2, sizeof(s->client.random2));
		seed_add(&seed, s->server.random2, sizeof(s->server.random2));
		seed_add(&seed, client->bytes, sizeof(client->bytes));
		seed_add(&seed, server->bytes, sizeof(server->bytes));
		err = prf(kdf, master, sizeof(master), &seed, ret->bytes, sizeof(ret->bytes));
	}
	OPENSSL_cleanse(master, sizeof(master));
	OPENSSL_cleanse(&seed, sizeof(seed));
	return err;
}

int key_block_derive(const struct key_source *s, const struct session_id *client,
	const struct session_id *server, struct key_block *ret)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
	if (kdf == NULL)
		return -ENOTSUP;
	int err = derive(kdf, s, client, server, ret);
	EVP_KDF_free(kdf);
	if (err != 0)
		key_block_wipe(ret);
	return err;
}

void key_block_wipe(struct key_block *b)
{
	OPENSSL_cleanse(b, sizeof(*b));
}

const uint8_t *key_block_slots(const struct key_block *b, enum key_block_direction d)
{
	return b->bytes + (d == KEY_BLOCK_CLIENT_TO_SERVER ? 0 : KEY_BLOCK_LEN / 2);
}
