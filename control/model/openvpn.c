// SPDX-License-Identifier: Apache-2.0
#include "control/model/openvpn.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static const char *const wraps[OPENVPN_WRAP__COUNT] = {
	"none", "tls-auth", "tls-crypt", "tls-crypt-v2"};
static const char *const versions[OPENVPN_TLS__COUNT] = {"1.0", "1.2", "1.3"};
static const char *const ciphers[OPENVPN_CIPHER__COUNT] = {"AES-256-GCM", "AES-128-GCM",
	"CHACHA20-POLY1305", "AES-256-CBC", "AES-192-CBC", "AES-128-CBC"};
static const char *const digests[OPENVPN_DIGEST__COUNT] = {"SHA1", "SHA256", "SHA512"};

/* RouterOS has no wrapping, old ones only CBC, and all of them always send name and password. */
void openvpn_listener_init(struct openvpn_listener *l, enum openvpn_transport transport)
{
	bool is_tcp = transport == OPENVPN_TCP;
	memset(l, 0, sizeof(*l));
	l->wrap = is_tcp ? OPENVPN_WRAP_NONE : OPENVPN_WRAP_TLS_CRYPT;
	l->tls_minimum = OPENVPN_TLS_1_2;
	l->security_level = 1;
	l->renegotiate_s = OPENVPN_RENEGOTIATE_DEFAULT_S;
	/* those before the first CBC are AEAD */
	l->cipher_count = is_tcp ? OPENVPN_CIPHER__COUNT : OPENVPN_AES_256_CBC;
	for (size_t i = 0; i < l->cipher_count; i++)
		l->ciphers[i] = (enum openvpn_cipher)i;
	l->digest = OPENVPN_SHA1;
	l->requires_certificate = true;
	l->requires_password = is_tcp;
}

static void refuse(
	const char *pointer, const char *field, const char *reason, struct model_errors *errors)
{
	char whole[MODEL_POINTER_TEXT];
	(void)snprintf(whole, sizeof(whole), "%s/%s", pointer, field);
	model_error_add(errors, whole, "%s", reason);
}

static bool has_twice(const struct openvpn_listener *l)
{
	unsigned int seen = 0;
	for (size_t i = 0; i < l->cipher_count; i++) {
		unsigned int bit = 1u << (unsigned int)l->ciphers[i];
		if ((seen & bit) != 0)
			return true;
		seen |= bit;
	}
	return false;
}

void openvpn_listener_check(
	const struct openvpn_listener *l, const char *pointer, struct model_errors *errors)
{
	if (l->security_level > OPENVPN_SECURITY_LEVEL_MAX)
		refuse(pointer, "security_level", "must be 0 to 5", errors);
	if (l->renegotiate_s != 0
		&& (l->renegotiate_s < OPENVPN_RENEGOTIATE_MIN_S
			|| l->renegotiate_s > OPENVPN_RENEGOTIATE_MAX_S))
		refuse(pointer, "renegotiate_seconds", "must be 10 to 604800, or 0 for never",
			errors);
	if (l->cipher_count == 0)
		refuse(pointer, "ciphers", "must name at least one", errors);
	if (has_twice(l))
		refuse(pointer, "ciphers", "names one twice", errors);
	if (!l->requires_certificate && !l->requires_password)
		refuse(pointer, "requires_certificate",
			"must be true where no password is required: else anybody could come in",
			errors);
}

const char *openvpn_transport_text(enum openvpn_transport transport)
{
	return transport == OPENVPN_TCP ? "tcp" : "udp";
}

const char *openvpn_wrap_text(enum openvpn_wrap wrap)
{
	return wraps[wrap];
}

const char *openvpn_tls_text(enum openvpn_tls version)
{
	return versions[version];
}

const char *openvpn_cipher_text(enum openvpn_cipher cipher)
{
	return ciphers[cipher];
}

const char *openvpn_digest_text(enum openvpn_digest digest)
{
	return digests[digest];
}

/* The word's place in its list; count: it is not there. */
static size_t find_word(const char *const *words, size_t count, const char *text)
{
	size_t i = 0;
	while (i < count && strcmp(words[i], text) != 0)
		i++;
	return i;
}

bool openvpn_wrap_parse(const char *text, enum openvpn_wrap *ret)
{
	*ret = (enum openvpn_wrap)find_word(wraps, OPENVPN_WRAP__COUNT, text);
	return *ret < OPENVPN_WRAP__COUNT;
}

bool openvpn_tls_parse(const char *text, enum openvpn_tls *ret)
{
	*ret = (enum openvpn_tls)find_word(versions, OPENVPN_TLS__COUNT, text);
	return *ret < OPENVPN_TLS__COUNT;
}

bool openvpn_cipher_parse(const char *text, enum openvpn_cipher *ret)
{
	*ret = (enum openvpn_cipher)find_word(ciphers, OPENVPN_CIPHER__COUNT, text);
	return *ret < OPENVPN_CIPHER__COUNT;
}

bool openvpn_digest_parse(const char *text, enum openvpn_digest *ret)
{
	*ret = (enum openvpn_digest)find_word(digests, OPENVPN_DIGEST__COUNT, text);
	return *ret < OPENVPN_DIGEST__COUNT;
}

static bool is_letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

void openvpn_username_make(const char *name, unsigned int number, char ret[OPENVPN_USERNAME_TEXT])
{
	char tail[12] = "";
	size_t len = 0;
	if (number > 1)
		(void)snprintf(tail, sizeof(tail), "-%u", number);
	size_t room = OPENVPN_USERNAME_TEXT - 1 - strlen(tail);
	for (; *name != '\0' && len < room; name++) {
		char c = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
		if (is_letter_or_digit(c))
			ret[len++] = c;
		else if (len > 0 && ret[len - 1] != '-')
			ret[len++] = '-';
	}
	while (len > 0 && ret[len - 1] == '-')
		len--;
	if (len == 0) /* nothing of the name can be kept */
		len = (size_t)snprintf(ret, OPENVPN_USERNAME_TEXT, "peer");
	memcpy(ret + len, tail, strlen(tail) + 1);
}

const char *openvpn_username_check(const char *username)
{
	size_t len = strlen(username);
	if (len == 0 || len >= OPENVPN_USERNAME_TEXT)
		return "must have 1 to 27 characters";
	for (size_t i = 0; i < len; i++) {
		if (!is_letter_or_digit(username[i]) && (username[i] != '-' || i == 0))
			return "must be of a-z, 0-9 and -, and begin with a letter or digit";
	}
	return NULL;
}

int openvpn_password_make(char ret[OPENVPN_PASSWORD_TEXT])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const size_t count = sizeof(digits) - 1;
	size_t len = 0;
	while (len < OPENVPN_PASSWORD_CHARACTERS) {
		uint8_t byte;
		int rc = random_bytes(&byte, 1);
		if (rc < 0)
			return rc;
		/* the highest values would make some characters likelier than others */
		if (byte < 256 / count * count)
			ret[len++] = digits[byte % count];
	}
	ret[len] = '\0';
	return 0;
}

int openvpn_password_hash(
	const uint8_t salt[OPENVPN_SALT_LEN], const char *password, uint8_t ret[OPENVPN_HASH_LEN])
{
	unsigned int len = OPENVPN_HASH_LEN;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
		&& EVP_DigestUpdate(ctx, salt, OPENVPN_SALT_LEN) == 1
		&& EVP_DigestUpdate(ctx, password, strlen(password)) == 1
		&& EVP_DigestFinal_ex(ctx, ret, &len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -EIO;
}
