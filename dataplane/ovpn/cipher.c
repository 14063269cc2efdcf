// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/cipher.h"

#include <string.h>
#include <strings.h>

const struct data_cipher data_ciphers[DATA_CIPHER_COUNT] = {
	{"AES-256-GCM", CIPHER_AES_256_GCM},
	{"AES-192-GCM", CIPHER_AES_192_GCM},
	{"AES-128-GCM", CIPHER_AES_128_GCM},
	{"CHACHA20-POLY1305", CIPHER_CHACHA20_POLY1305},
	{"AES-256-CBC", CIPHER_AES_256_CBC},
	{"AES-192-CBC", CIPHER_AES_192_CBC},
	{"AES-128-CBC", CIPHER_AES_128_CBC},
};

const struct data_digest data_digests[DATA_DIGEST_COUNT] = {
	{"SHA512", CIPHER_HMAC_SHA512},
	{"SHA256", CIPHER_HMAC_SHA256},
	{"SHA1", CIPHER_HMAC_SHA1},
};

static const char default_auth[] = "SHA1";
static const char ncp2_ciphers[] = "AES-256-GCM:AES-128-GCM";

static bool same_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && strncasecmp(name, text, len) == 0;
}

const struct data_cipher *data_cipher_find(const char *name, size_t len)
{
	for (size_t i = 0; i < DATA_CIPHER_COUNT; i++)
		if (same_name(data_ciphers[i].name, name, len))
			return &data_ciphers[i];
	return NULL;
}

const struct data_digest *data_digest_find(const char *name, size_t len)
{
	for (size_t i = 0; i < DATA_DIGEST_COUNT; i++)
		if (same_name(data_digests[i].name, name, len))
			return &data_digests[i];
	return NULL;
}

static bool in_list(const char *list, const char *name)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		if (same_name(name, list, len))
			return true;
		list += len;
		if (*list == ':')
			list++;
	}
	return false;
}

static bool client_has(const struct cipher_offer *offer, const char *name)
{
	if (offer->iv_ciphers != NULL)
		return in_list(offer->iv_ciphers, name);
	if (offer->iv_ncp >= 2 && in_list(ncp2_ciphers, name))
		return true;
	return same_name(name, offer->occ_cipher, strlen(offer->occ_cipher));
}

/* NULL: not allowed. */
static const struct data_digest *client_digest(
	const struct cipher_policy *policy, const struct cipher_offer *offer)
{
	const char *auth = offer->occ_auth[0] != '\0' ? offer->occ_auth : default_auth;
	for (size_t i = 0; i < policy->digest_count; i++)
		if (same_name(policy->digests[i]->name, auth, strlen(auth)))
			return policy->digests[i];
	return NULL;
}

static enum cipher_verdict why_none(const struct cipher_offer *offer)
{
	static const char *const small[] = {"BF-", "DES-", "CAST5-", "RC2-", "IDEA-"};
	if (offer->iv_ciphers != NULL || offer->iv_ncp >= 2)
		return CIPHER_NOT_SHARED;
	if (strcasecmp(offer->occ_cipher, "[null-cipher]") == 0
		|| strcasecmp(offer->occ_cipher, "none") == 0)
		return CIPHER_NULL;
	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++)
		if (strncasecmp(offer->occ_cipher, small[i], strlen(small[i])) == 0)
			return CIPHER_SMALL_BLOCK;
	return CIPHER_NOT_SHARED;
}

enum cipher_verdict cipher_choose(const struct cipher_policy *policy,
	const struct cipher_offer *offer, struct cipher_choice *ret)
{
	const struct data_digest *digest = client_digest(policy, offer);
	bool digest_missing = false;
	for (size_t i = 0; i < policy->cipher_count; i++) {
		const struct data_cipher *c = policy->ciphers[i];
		bool is_cbc = !cipher_is_aead(c->algorithm);
		if (!client_has(offer, c->name))
			continue;
		if (is_cbc && digest == NULL) {
			digest_missing = true;
			continue;
		}
		ret->name = c->name;
		ret->suite.algorithm = c->algorithm;
		ret->suite.digest = is_cbc ? digest->digest : CIPHER_NO_DIGEST;
		ret->is_pushed = offer->iv_ciphers != NULL || offer->iv_ncp >= 2;
		return CIPHER_CHOSEN;
	}
	return digest_missing ? CIPHER_AUTH_NOT_ALLOWED : why_none(offer);
}

const char *cipher_reason(enum cipher_verdict v)
{
	switch (v) {
	case CIPHER_CHOSEN:
		return NULL;
	case CIPHER_NULL:
		return "Data channel cipher negotiation failed (cipher none is not allowed)";
	case CIPHER_SMALL_BLOCK:
		return "Data channel cipher negotiation failed (64-bit block cipher, use AES)";
	case CIPHER_AUTH_NOT_ALLOWED:
		return "Data channel cipher negotiation failed (auth digest not allowed)";
	case CIPHER_NOT_SHARED:
	default:
		return "Data channel cipher negotiation failed (no shared cipher)";
	}
}
