// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum {
	INTERMEDIATES_MAX = 2, /* between a client's certificate and the CA */
};

struct tls_context {
	SSL_CTX *ssl;
};

struct tls {
	SSL *ssl;
	BIO *in, *out; /* the SSL object's */
	const char *failure;
	bool failed;
	bool certificate_refused;
	bool has_refused; /* the certificate itself, with this fingerprint */
	uint8_t refused[TLS_FINGERPRINT_LEN];
};

static const char label[] = "EXPORTER-OpenVPN-datakeys";

static BIO *text_bio(const char *text)
{
	return BIO_new_mem_buf(text, -1);
}

/* OpenSSL forgets a certificate that it refuses; people want to know whose it was. */
static int note_refused(int is_right, X509_STORE_CTX *store)
{
	unsigned int len = 0;
	if (is_right == 1)
		return 1;
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = ssl != NULL ? SSL_get_app_data(ssl) : NULL;
	const X509 *x = X509_STORE_CTX_get0_cert(store);
	if (t != NULL && x != NULL)
		t->has_refused = X509_digest(x, EVP_sha256(), t->refused, &len) == 1;
	return 0;
}

/* The server's own first, then what leads to its CA. */
static bool use_certificate(SSL_CTX *ssl, const char *pem)
{
	BIO *b = text_bio(pem);
	X509 *x = b != NULL ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
	bool ok = x != NULL && SSL_CTX_use_certificate(ssl, x) == 1;
	X509_free(x);
	while (ok && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		ok = SSL_CTX_add0_chain_cert(ssl, x) == 1;
		if (!ok)
			X509_free(x);
	}
	BIO_free(b);
	return ok;
}

static bool use_private_key(SSL_CTX *ssl, const char *pem)
{
	BIO *b = text_bio(pem);
	EVP_PKEY *key = b != NULL ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	/* use also refuses one that is not the certificate's */
	bool ok = key != NULL && SSL_CTX_use_PrivateKey(ssl, key) == 1;
	EVP_PKEY_free(key);
	BIO_free(b);
	return ok;
}

static bool use_ca(SSL_CTX *ssl, const char *pem, bool required)
{
	unsigned int taken = 0;
	BIO *b = text_bio(pem);
	X509 *x;
	while (b != NULL && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL) {
		if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl), x) == 1
			&& SSL_CTX_add_client_CA(ssl, x) == 1)
			taken++;
		X509_free(x);
	}
	BIO_free(b);
	SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
		note_refused);
	SSL_CTX_set_verify_depth(ssl, INTERMEDIATES_MAX);
	return taken > 0;
}

static bool use_versions(SSL_CTX *ssl, const struct tls_config *c)
{
	static const int min[] = {
		[TLS_VERSION_1_0] = TLS1_VERSION,
		[TLS_VERSION_1_2] = TLS1_2_VERSION,
		[TLS_VERSION_1_3] = TLS1_3_VERSION,
	};
	if ((unsigned int)c->min > TLS_VERSION_1_3 || c->security_level < 0
		|| c->security_level > 5)
		return false;
	SSL_CTX_set_security_level(ssl, c->security_level);
	return SSL_CTX_set_min_proto_version(ssl, min[c->min]) == 1;
}

/* NULL: all taken. */
static const char *configure(SSL_CTX *ssl, const struct tls_config *c)
{
	if (!use_versions(ssl, c))
		return "TLS version or security level";
	if (c->ciphers != NULL && SSL_CTX_set_cipher_list(ssl, c->ciphers) != 1)
		return "TLS ciphers";
	if (c->certificate == NULL || !use_certificate(ssl, c->certificate))
		return "certificate";
	if (c->private_key == NULL || !use_private_key(ssl, c->private_key))
		return "private key";
	if (c->ca != NULL && !use_ca(ssl, c->ca, c->certificate_required))
		return "CA";
	return c->ca == NULL && c->certificate_required ? "CA" : NULL;
}

/* A session that was resumed would not have shown its certificate. */
static void forbid_resumption(SSL_CTX *ssl)
{
	(void)SSL_CTX_set_options(
		ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	(void)SSL_CTX_set_num_tickets(ssl, 0);
	(void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_dh_auto(ssl, 1);
	(void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
}

int tls_context_new(
	const struct tls_config *config, struct tls_context **ret, const char **ret_what)
{
	struct tls_context *c = calloc(1, sizeof(*c));
	SSL_CTX *ssl = c != NULL ? SSL_CTX_new(TLS_server_method()) : NULL;
	if (ssl == NULL) {
		free(c);
		return -ENOMEM;
	}
	c->ssl = ssl;
	forbid_resumption(ssl);
	const char *what = configure(ssl, config);
	ERR_clear_error();
	if (what != NULL) {
		*ret_what = what;
		tls_context_free(c);
		return -EINVAL;
	}
	*ret = c;
	return 0;
}

void tls_context_free(struct tls_context *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ssl);
	free(c);
}

int tls_new(struct tls_context *c, struct tls **ret)
{
	struct tls *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->failure = "";
	t->ssl = SSL_new(c->ssl);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (t->ssl == NULL || t->in == NULL || t->out == NULL) {
		BIO_free(t->in);
		BIO_free(t->out);
		SSL_free(t->ssl);
		free(t);
		return -ENOMEM;
	}
	SSL_set_bio(t->ssl, t->in, t->out);
	(void)SSL_set_app_data(t->ssl, t);
	SSL_set_accept_state(t->ssl);
	*ret = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}

int tls_receive(struct tls *t, const uint8_t *data, size_t len)
{
	if (len > TLS_PENDING_MAX || BIO_ctrl_pending(t->in) > TLS_PENDING_MAX - len)
		return -ENOBUFS;
	return len == 0 || BIO_write(t->in, data, (int)len) == (int)len ? 0 : -ENOMEM;
}

size_t tls_take(struct tls *t, uint8_t *buf, size_t size)
{
	int n = BIO_read(t->out, buf, size < INT_MAX ? (int)size : INT_MAX);
	return n > 0 ? (size_t)n : 0;
}

size_t tls_pending(const struct tls *t)
{
	return BIO_ctrl_pending(t->out);
}

/* What the certificate lacks says more than that there was an alert. */
static const char *why(const SSL *ssl)
{
	long verified = SSL_get_verify_result(ssl);
	if (verified != X509_V_OK)
		return X509_verify_cert_error_string(verified);
	const char *reason = ERR_reason_error_string(ERR_peek_error());
	return reason != NULL ? reason : "TLS failed";
}

/* Of a call that did not do all it was asked. */
static int error_of(struct tls *t, int returned)
{
	int err = SSL_get_error(t->ssl, returned);
	if (err == SSL_ERROR_WANT_READ)
		return -EAGAIN;
	if (err == SSL_ERROR_ZERO_RETURN)
		return -EPIPE;
	t->failure = why(t->ssl);
	t->failed = true;
	t->certificate_refused = SSL_get_verify_result(t->ssl) != X509_V_OK
		|| ERR_GET_REASON(ERR_peek_error()) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
	ERR_clear_error();
	return -EPROTO;
}

int tls_handshake(struct tls *t)
{
	if (t->failed)
		return -EPROTO;
	ERR_clear_error();
	int n = SSL_do_handshake(t->ssl);
	if (n == 1)
		return 0;
	int err = error_of(t, n);
	return err == -EPIPE ? -EPROTO : err;
}

ssize_t tls_read(struct tls *t, uint8_t *buf, size_t size)
{
	if (t->failed || SSL_is_init_finished(t->ssl) == 0)
		return t->failed ? -EPROTO : -EAGAIN;
	ERR_clear_error();
	int n = SSL_read(t->ssl, buf, size < INT_MAX ? (int)size : INT_MAX);
	if (n <= 0)
		return error_of(t, n);
	if (SSL_pending(t->ssl) == 0)
		return n;
	explicit_bzero(buf, (size_t)n);
	t->failure = "a message is too long";
	t->failed = true; /* where the next one begins is no longer known */
	return -EMSGSIZE;
}

int tls_write(struct tls *t, const uint8_t *data, size_t len)
{
	size_t written;
	if (t->failed)
		return -EPROTO;
	if (SSL_is_init_finished(t->ssl) == 0)
		return -ENOTCONN;
	ERR_clear_error();
	int n = SSL_write_ex(t->ssl, data, len, &written); /* memory takes all */
	return n == 1 ? 0 : error_of(t, n);
}

int tls_export(struct tls *t, struct key_block *ret)
{
	if (SSL_is_init_finished(t->ssl) == 0
		|| SSL_export_keying_material(t->ssl, ret->bytes, sizeof(ret->bytes), label,
			   sizeof(label) - 1, NULL, 0, 0)
			!= 1)
		return -ENOTCONN;
	return 0;
}

int tls_peer_name(const struct tls *t, char ret[TLS_NAME_MAX + 1])
{
	const X509 *x = SSL_get0_peer_certificate(t->ssl);
	const X509_NAME *subject = x != NULL ? X509_get_subject_name(x) : NULL;
	int at = subject != NULL ? X509_NAME_get_index_by_NID(subject, NID_commonName, -1) : -1;
	if (at < 0)
		return -ENOENT;
	const ASN1_STRING *name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	unsigned char *text = NULL;
	int len = ASN1_STRING_to_UTF8(&text, name);
	bool ok = len > 0 && len <= TLS_NAME_MAX && memchr(text, '\0', (size_t)len) == NULL;
	if (ok) {
		memcpy(ret, text, (size_t)len);
		ret[len] = '\0';
	}
	OPENSSL_free(text);
	return ok ? 0 : -EINVAL;
}

int tls_peer_fingerprint(const struct tls *t, uint8_t ret[TLS_FINGERPRINT_LEN])
{
	unsigned int len = 0;
	const X509 *x = SSL_get0_peer_certificate(t->ssl);
	return x != NULL && X509_digest(x, EVP_sha256(), ret, &len) == 1 ? 0 : -ENOENT;
}

int tls_refused_fingerprint(const struct tls *t, uint8_t ret[TLS_FINGERPRINT_LEN])
{
	if (!t->has_refused)
		return -ENOENT;
	memcpy(ret, t->refused, TLS_FINGERPRINT_LEN);
	return 0;
}

const char *tls_failure(const struct tls *t)
{
	return t->failure;
}

bool tls_refused_certificate(const struct tls *t)
{
	return t->certificate_refused;
}
