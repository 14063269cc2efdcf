/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_ETAG_H
#define CONTROL_HTTP_ETAG_H

#include <stdint.h>

enum {
	ETAG_TEXT = 24, /* "v18446744073709551615" with quotes and NUL */
};

enum etag_verdict {
	ETAG_MATCHES,
	ETAG_DIFFERS,
	ETAG_MALFORMED,
};

/* Strong entity tag (RFC 9110 section 8.8.3) of a row's version. */
char *etag_format(uint64_t version, char buf[ETAG_TEXT]);
/* An If-Match value ("*", or a list of tags; weak ones never match) against a version. */
enum etag_verdict etag_match(const char *if_match, uint64_t version);

#endif
