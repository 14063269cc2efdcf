// SPDX-License-Identifier: Apache-2.0
/*
 * Who an OpenVPN client is. A certificate counts by its fingerprint, after TLS has verified it, so a
 * certificate that was given anew cuts the older one. A client must show all that its listener asks for,
 * of one and the same peer. Passwords are long and random (nave-control makes them), so that one
 * salted SHA-256 is enough, and nobody is helped by a slow one.
 */
#include "dataplane/keying/openvpn_private.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct keying_credential *credential_of(struct hash_entry *e, size_t offset)
{
	return (struct keying_credential *)((char *)e - offset);
}

static struct peer *find_certificate(
	const struct keying_instance *ki, const uint8_t fingerprint[TLS_FINGERPRINT_LEN])
{
	const struct hash *h = &ki->peer_by_certificate;
	struct hash_entry *e = hash_first(h, hash_of(h, fingerprint, TLS_FINGERPRINT_LEN));
	for (; e != NULL; e = hash_next(e)) {
		const struct keying_credential *c =
			credential_of(e, offsetof(struct keying_credential, by_certificate));
		if (memcmp(c->certificate, fingerprint, TLS_FINGERPRINT_LEN) == 0)
			return c->peer;
	}
	return NULL;
}

static struct peer *find_username(const struct keying_instance *ki, const char *username)
{
	const struct hash *h = &ki->peer_by_username;
	struct hash_entry *e = hash_first(h, hash_of(h, username, strlen(username)));
	for (; e != NULL; e = hash_next(e)) {
		const struct keying_credential *c =
			credential_of(e, offsetof(struct keying_credential, by_username));
		if (strcmp(c->username, username) == 0)
			return c->peer;
	}
	return NULL;
}

static bool password_is_right(const struct keying_credential *c, const char *password)
{
	uint8_t hash[SHA256_LEN];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool done = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1
		&& EVP_DigestUpdate(md, c->salt, sizeof(c->salt)) == 1
		&& EVP_DigestUpdate(md, password, strlen(password)) == 1
		&& EVP_DigestFinal_ex(md, hash, NULL) == 1;
	EVP_MD_CTX_free(md);
	return done && CRYPTO_memcmp(hash, c->password, sizeof(hash)) == 0;
}

/* Of the peer that the client says it is. */
static enum ovpn_session_failure compare(const struct ovpn_session_config *config,
	const struct keying_credential *c, const struct ovpn_credentials *said)
{
	bool certificate_is_right = said->has_certificate && c->has_certificate
		&& memcmp(c->certificate, said->fingerprint, sizeof(c->certificate)) == 0;
	if (config->requires_certificate || said->has_certificate) {
		if (!certificate_is_right)
			return OVPN_FAILURE_CERTIFICATE;
	}
	if (config->requires_password) {
		if (c->username[0] == 0 || strcmp(c->username, said->username) != 0
			|| !password_is_right(c, said->password))
			return OVPN_FAILURE_PASSWORD;
	}
	return OVPN_FAILURE_NONE;
}

struct peer *keying_credential_owner(const struct client *c, const struct ovpn_credentials *said)
{
	const struct keying_instance *ki = c->instance->keying;
	struct peer *p = NULL;
	if (said->has_certificate)
		p = find_certificate(ki, said->fingerprint);
	else if (said->username[0] != 0)
		p = find_username(ki, said->username);
	return p != NULL && p->expired == 0 ? p : NULL;
}

struct peer *keying_credential_owner_anywhere(
	const struct keying *k, const struct ovpn_credentials *said)
{
	struct peer *p = NULL;
	if (!said->has_certificate)
		return NULL;
	for (const struct keying_instance *ki = k->instances; ki != NULL && p == NULL;
		ki = ki->next)
		p = find_certificate(ki, said->fingerprint);
	return p != NULL && p->expired == 0 ? p : NULL;
}

struct peer *keying_credential_check(const struct client *c, const struct ovpn_credentials *said,
	enum ovpn_session_failure *ret_why)
{
	struct peer *p = keying_credential_owner(c, said);
	*ret_why = said->has_certificate ? OVPN_FAILURE_CERTIFICATE : OVPN_FAILURE_PASSWORD;
	if (p != NULL)
		*ret_why = compare(&c->listener->config, p->credential, said);
	return *ret_why == OVPN_FAILURE_NONE ? p : NULL;
}

static void unlink_credential(struct keying_instance *ki, struct keying_credential *c)
{
	if (c->has_certificate)
		hash_del(&ki->peer_by_certificate, &c->by_certificate);
	if (c->username[0] != 0)
		hash_del(&ki->peer_by_username, &c->by_username);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

static void link_credential(struct keying_instance *ki, struct keying_credential *c)
{
	struct hash *h = &ki->peer_by_certificate;
	if (c->has_certificate)
		hash_add(h, &c->by_certificate, hash_of(h, c->certificate, sizeof(c->certificate)));
	h = &ki->peer_by_username;
	if (c->username[0] != 0)
		hash_add(h, &c->by_username, hash_of(h, c->username, strlen(c->username)));
}

static bool says_the_same(const struct keying_credential *a, const struct keying_credential *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return memcmp(&a->has_certificate, &b->has_certificate,
		       offsetof(struct keying_credential, peer)
			       - offsetof(struct keying_credential, has_certificate))
		== 0;
}

void keying_credential_set(struct keying *k, struct peer *p, struct keying_credential *c)
{
	struct keying_instance *ki = p->instance->keying;
	if (says_the_same(p->credential, c)) {
		free(c);
		return;
	}
	keying_clients_end(k, (struct client_filter){.peer = p});
	if (p->credential != NULL)
		unlink_credential(ki, p->credential);
	p->credential = c;
	if (c == NULL)
		return;
	c->peer = p;
	link_credential(ki, c);
}
