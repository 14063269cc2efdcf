/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_TLS_H
#define CONTROL_HTTP_TLS_H

#include <gnutls/abstract.h>

/*
 * The certificate that the public listener shows: a chain and its key, from two PEM files, read again
 * while connections go on. One a process, because GnuTLS asks for it without saying for whom.
 */
struct tls;

/* Both paths must outlive it. 0, or -errno after a line in the log that names the file. */
int tls_new(const char *certificate, const char *key, struct tls **ret);
/* NULL is nothing. No handshake may be open. */
void tls_free(struct tls *t);

/*
 * Reads the files again. When they are no pair (an ACME client may have written one of them so far)
 * or cannot be read, the log says so and what was shown is shown on. Any thread.
 */
void tls_reload(struct tls *t);
/* The same when one of them has changed since; cheap. */
void tls_follow(struct tls *t);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK: what the newest tls has. */
int tls_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain,
	unsigned int *ret_len, gnutls_privkey_t *ret_key);

#endif
