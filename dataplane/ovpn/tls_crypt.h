/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_TLS_CRYPT_H
#define DATAPLANE_OVPN_TLS_CRYPT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The cipher of tls-crypt and of the wrapped client key of tls-crypt-v2 (reference/
 * openvpn-protocol.md, section 1.2): tag = HMAC-SHA256(Ka, clear | plaintext), then
 * AES-256-CTR(Ke) from the first 16 bytes of the tag. One direction, one owner thread.
 */
enum {
	TLS_CRYPT_KEY_LEN = 32,
	TLS_CRYPT_TAG_LEN = 32,
};

struct tls_crypt {
	EVP_MAC_CTX *mac; /* keyed */
	EVP_CIPHER_CTX *ctr; /* keyed; the IV comes with each packet */
};

/* cipher_key and hmac_key: 32 bytes. 0 or -ENOMEM, then there is nothing to free. */
int tls_crypt_init(struct tls_crypt *t, const uint8_t *cipher_key, const uint8_t *hmac_key);
/* Other keys for the same object. 0 or -ENOMEM. */
int tls_crypt_set_keys(struct tls_crypt *t, const uint8_t *cipher_key, const uint8_t *hmac_key);
/* Wipes the keys. Also for zeros. */
void tls_crypt_fini(struct tls_crypt *t);

/* What is authenticated, of which text is encrypted too. */
struct tls_crypt_text {
	const uint8_t *clear;
	size_t clear_len;
	const uint8_t *text;
	size_t text_len;
};

/* Writes text_len bytes to out, which may not overlap. 0, or -EIO when the library fails. */
int tls_crypt_seal(struct tls_crypt *t, const struct tls_crypt_text *in,
	uint8_t tag[TLS_CRYPT_TAG_LEN], uint8_t *out);
/*
 * Writes text_len bytes to out. 0, or -EBADMSG: not authentic, and out is zeros. The tag is over
 * the plaintext, so it is compared only after decryption; in constant time.
 */
int tls_crypt_open(struct tls_crypt *t, const struct tls_crypt_text *in,
	const uint8_t tag[TLS_CRYPT_TAG_LEN], uint8_t *out);

/* A keyed HMAC over two pieces, for whoever has only that. digest: as OpenSSL names it. NULL when
 * there is no memory; EVP_MAC_CTX_free() frees it and wipes the key. */
EVP_MAC_CTX *hmac_new(const char *digest, const uint8_t *key, size_t key_len);
/* Writes exactly mac_len bytes, which is what the digest has. false: the library fails. */
bool hmac_compute(EVP_MAC_CTX *mac, const struct tls_crypt_text *in, uint8_t *ret, size_t mac_len);

#endif
