/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_DNS_KEY_H
#define CONTROL_DNS_KEY_H

#include <stdbool.h>

enum {
	DNS_NAME_TEXT = 254, /* RFC 1035 section 2.3.4, and the NUL */
	DNS_ALGORITHM_TEXT = 16,
	DNS_SECRET_TEXT = 173, /* base64 of up to 128 bytes, and the NUL */
	DNS_SECRET_MIN =
		16, /* bytes: RFC 8945 section 8 asks for as many as the digest has, at best */
};

/* By what the server knows us: RFC 8945. */
struct dns_key {
	char name[DNS_NAME_TEXT];
	char algorithm[DNS_ALGORITHM_TEXT];
	char secret[DNS_SECRET_TEXT]; /* base64; the caller wipes */
};

bool dns_algorithm_is_known(const char *name);
/* The secret of a file that its owner alone may read: base64, one line. NULL, or why not. */
const char *dns_key_read(const char *path, char ret[DNS_SECRET_TEXT]);

#endif
