// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/tls_crypt_v2.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum {
	FILE_MAX = 65536, /* of a key, with what people write around it */
	SERVER_HMAC_KEY_AT = 64, /* the cipher key stands at 0 */
	TIMESTAMP_LEN = 8,
	REPLAY_ID_EARLY_NEG = 0x0f000000,
	TLV_HEAD_LEN = 4,
	TLV_TYPE_EARLY_NEG_FLAGS = 1,
	TLV_FLAGS_LEN = 2,
	/* what a tls-crypt packet has at least: head, stamp, tag, count of acks */
	WRAPPED_MIN = CONTROL_HEAD_LEN + 8 + TLS_CRYPT_TAG_LEN + 1,
};

static const char server_pem[] = "OpenVPN tls-crypt-v2 server key";
static const char client_pem[] = "OpenVPN tls-crypt-v2 client key";

int tls_crypt_v2_server_key_generate(struct tls_crypt_v2_server_key *ret)
{
	return random_bytes(ret->bytes, sizeof(ret->bytes));
}

void tls_crypt_v2_server_key_wipe(struct tls_crypt_v2_server_key *k)
{
	explicit_bzero(k, sizeof(*k));
}

int tls_crypt_v2_server_key_from_text(
	const char *text, size_t len, struct tls_crypt_v2_server_key *ret)
{
	char *name = NULL, *header = NULL;
	uint8_t *data = NULL;
	long data_len = 0;
	if (len == 0 || len > FILE_MAX)
		return -EINVAL;
	BIO *in = BIO_new_mem_buf(text, (int)len);
	if (in == NULL)
		return -ENOMEM;
	bool ok = PEM_read_bio(in, &name, &header, &data, &data_len) == 1
		&& strcmp(name, server_pem) == 0 && header[0] == '\0'
		&& data_len == sizeof(ret->bytes);
	if (ok)
		memcpy(ret->bytes, data, sizeof(ret->bytes));
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_clear_free(data, (size_t)data_len);
	BIO_free(in);
	ERR_clear_error(); /* a TLS session of this thread would take them for its own */
	return ok ? 0 : -EINVAL;
}

static int write_pem(const char *name, const uint8_t *data, size_t len, char *buf, size_t size)
{
	char *text = NULL;
	BIO *out = BIO_new(BIO_s_secmem());
	int err = -ENOMEM;
	if (out != NULL && PEM_write_bio(out, name, "", data, (long)len) > 0) {
		long n = BIO_get_mem_data(out, &text);
		err = n > 0 && (size_t)n < size ? 0 : -ENOMEM;
		if (err == 0) {
			memcpy(buf, text, (size_t)n);
			buf[n] = '\0';
		}
	}
	BIO_free(out);
	return err;
}

int tls_crypt_v2_server_key_to_text(
	const struct tls_crypt_v2_server_key *k, char buf[TLS_CRYPT_V2_SERVER_KEY_TEXT])
{
	return write_pem(server_pem, k->bytes, sizeof(k->bytes), buf, TLS_CRYPT_V2_SERVER_KEY_TEXT);
}

int tls_crypt_v2_client_key_to_text(const struct static_key *key, const uint8_t *wkc,
	size_t wkc_len, char buf[TLS_CRYPT_V2_CLIENT_KEY_TEXT])
{
	uint8_t both[STATIC_KEY_LEN + TLS_CRYPT_V2_WKC_MAX];
	if (wkc_len < TLS_CRYPT_V2_WKC_MIN || wkc_len > TLS_CRYPT_V2_WKC_MAX)
		return -EINVAL;
	memcpy(both, key->bytes, STATIC_KEY_LEN);
	memcpy(both + STATIC_KEY_LEN, wkc, wkc_len);
	int err = write_pem(
		client_pem, both, STATIC_KEY_LEN + wkc_len, buf, TLS_CRYPT_V2_CLIENT_KEY_TEXT);
	explicit_bzero(both, sizeof(both));
	return err;
}

int tls_crypt_v2_server_init(
	struct tls_crypt_v2_server *s, const struct tls_crypt_v2_server_key *key)
{
	return tls_crypt_init(&s->cipher, key->bytes, key->bytes + SERVER_HMAC_KEY_AT);
}

void tls_crypt_v2_server_fini(struct tls_crypt_v2_server *s)
{
	tls_crypt_fini(&s->cipher);
}

int tls_crypt_v2_client_generate(struct tls_crypt_v2_client *ret, int64_t now_s)
{
	memset(ret, 0, sizeof(*ret));
	ret->metadata[0] = METADATA_TYPE_TIMESTAMP;
	write_be64(ret->metadata + 1, (uint64_t)now_s);
	ret->metadata_len = 1 + TIMESTAMP_LEN;
	return static_key_generate(&ret->key);
}

void tls_crypt_v2_client_wipe(struct tls_crypt_v2_client *c)
{
	explicit_bzero(c, sizeof(*c));
}

ssize_t tls_crypt_v2_wrap(struct tls_crypt_v2_server *s, const struct tls_crypt_v2_client *c,
	uint8_t wkc[TLS_CRYPT_V2_WKC_MAX])
{
	uint8_t plain[STATIC_KEY_LEN + TLS_CRYPT_V2_METADATA_MAX];
	uint8_t length[TLS_CRYPT_V2_WKC_LENGTH_LEN];
	if (c->metadata_len == 0 || c->metadata_len > TLS_CRYPT_V2_METADATA_MAX)
		return -EINVAL;
	size_t plain_len = STATIC_KEY_LEN + c->metadata_len;
	size_t len = TLS_CRYPT_TAG_LEN + plain_len + sizeof(length);
	memcpy(plain, c->key.bytes, STATIC_KEY_LEN);
	memcpy(plain + STATIC_KEY_LEN, c->metadata, c->metadata_len);
	write_be16(length, (uint16_t)len);
	struct tls_crypt_text in = {length, sizeof(length), plain, plain_len};
	int err = tls_crypt_seal(&s->cipher, &in, wkc, wkc + TLS_CRYPT_TAG_LEN);
	memcpy(wkc + len - sizeof(length), length, sizeof(length));
	explicit_bzero(plain, sizeof(plain));
	return err != 0 ? err : (ssize_t)len;
}

int tls_crypt_v2_unwrap(struct tls_crypt_v2_server *s, const uint8_t *wkc, size_t len,
	struct tls_crypt_v2_client *ret)
{
	uint8_t plain[STATIC_KEY_LEN + TLS_CRYPT_V2_METADATA_MAX];
	tls_crypt_v2_client_wipe(ret);
	if (len < TLS_CRYPT_V2_WKC_MIN || len > TLS_CRYPT_V2_WKC_MAX)
		return -EBADMSG;
	const uint8_t *length = wkc + len - TLS_CRYPT_V2_WKC_LENGTH_LEN;
	if (read_be16(length) != len)
		return -EBADMSG;
	size_t plain_len = len - TLS_CRYPT_TAG_LEN - TLS_CRYPT_V2_WKC_LENGTH_LEN;
	struct tls_crypt_text in = {
		length, TLS_CRYPT_V2_WKC_LENGTH_LEN, wkc + TLS_CRYPT_TAG_LEN, plain_len};
	int err = tls_crypt_open(&s->cipher, &in, wkc, plain);
	if (err != 0)
		return err;
	memcpy(ret->key.bytes, plain, STATIC_KEY_LEN);
	ret->metadata_len = plain_len - STATIC_KEY_LEN;
	memcpy(ret->metadata, plain + STATIC_KEY_LEN, ret->metadata_len);
	explicit_bzero(plain, sizeof(plain));
	return 0;
}

ssize_t tls_crypt_v2_wkc_len(const uint8_t *wire, size_t len)
{
	if (len < WRAPPED_MIN + TLS_CRYPT_V2_WKC_MIN)
		return -EBADMSG;
	unsigned int opcode = first_byte_opcode(wire[0]);
	if (opcode != P_CONTROL_HARD_RESET_CLIENT_V3 && opcode != P_CONTROL_WKC_V1)
		return -EBADMSG;
	size_t wkc_len = read_be16(wire + len - TLS_CRYPT_V2_WKC_LENGTH_LEN);
	if (wkc_len < TLS_CRYPT_V2_WKC_MIN || wkc_len > TLS_CRYPT_V2_WKC_MAX)
		return -EBADMSG;
	return wkc_len > len - WRAPPED_MIN ? -EBADMSG : (ssize_t)wkc_len;
}

int tls_crypt_v2_issued(const struct tls_crypt_v2_client *c, int64_t *ret_s)
{
	if (c->metadata_len == 0 || c->metadata[0] != METADATA_TYPE_TIMESTAMP)
		return -ENOENT;
	if (c->metadata_len != 1 + TIMESTAMP_LEN)
		return -EBADMSG;
	*ret_s = (int64_t)read_be64(c->metadata + 1);
	return 0;
}

bool early_negotiation_is_supported(uint32_t replay_id)
{
	return (replay_id & 0xff000000U) == REPLAY_ID_EARLY_NEG;
}

void early_negotiation_write(uint8_t payload[EARLY_NEG_LEN], uint16_t flags)
{
	write_be16(payload, TLV_TYPE_EARLY_NEG_FLAGS);
	write_be16(payload + 2, TLV_FLAGS_LEN);
	write_be16(payload + TLV_HEAD_LEN, flags);
}

int early_negotiation_read(const struct control_packet *p, uint16_t *ret_flags)
{
	*ret_flags = 0;
	if (!opcode_is_hard_reset(p->opcode) || p->packet_id != 0)
		return 0;
	uint16_t flags = 0;
	const uint8_t *at = p->payload;
	for (size_t left = p->payload_len; left > 0;) {
		if (left < TLV_HEAD_LEN)
			return -EBADMSG;
		uint16_t type = read_be16(at);
		size_t value_len = read_be16(at + 2);
		if (value_len > left - TLV_HEAD_LEN)
			return -EBADMSG;
		if (type == TLV_TYPE_EARLY_NEG_FLAGS && value_len != TLV_FLAGS_LEN)
			return -EBADMSG;
		if (type == TLV_TYPE_EARLY_NEG_FLAGS)
			flags |= read_be16(at + TLV_HEAD_LEN);
		at += TLV_HEAD_LEN + value_len;
		left -= TLV_HEAD_LEN + value_len;
	}
	*ret_flags = flags;
	return 0;
}
