/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_CERTIFICATE_H
#define CONTROL_MODEL_CERTIFICATE_H

#include "dataplane/base/ip.h"

#include <stddef.h>
#include <stdint.h>

enum {
	CERTIFICATE_TEXT = 4096, /* PEM of one: far less, even with many names */
	CERTIFICATE_KEY_TEXT = 512, /* PEM of its P-256 key, PKCS #8 */
	CERTIFICATE_NAME_TEXT = 65, /* X.520: a common name has at most 64 characters */
	CERTIFICATE_HASH_LEN = 32,
	CERTIFICATE_AUTHORITY_DAYS = 20 * 365 + 5,
	CERTIFICATE_SERVER_DAYS = 365,
	CERTIFICATE_CLIENT_DAYS = 10 * 365 + 2,
};

/* A certificate with its private key, both PEM. The holder wipes it. */
struct certificate {
	char text[CERTIFICATE_TEXT];
	char private_key[CERTIFICATE_KEY_TEXT];
};

/* What a server certificate is for: names that clients may have connected to. */
struct certificate_names {
	const char *host; /* NULL: none */
	const struct ip_addr *addresses;
	size_t address_count;
};

/* All: a fresh P-256 pair, valid from a day before now (clocks differ). 0, -ENOMEM or -EIO. */
int certificate_make_authority(const char *name, int64_t now, struct certificate *ret);
int certificate_make_server(const struct certificate *authority, const char *name,
	const struct certificate_names *names, int64_t now, struct certificate *ret);
int certificate_make_client(const struct certificate *authority, const char *name, int64_t now,
	struct certificate *ret);
/* SHA-256 of its DER, by which the hub knows a client. 0 or -EINVAL. */
int certificate_hash(const char *text, uint8_t ret[CERTIFICATE_HASH_LEN]);

#endif
