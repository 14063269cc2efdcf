// SPDX-License-Identifier: Apache-2.0
#include "control/http/etag.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

char *etag_format(uint64_t version, char buf[ETAG_TEXT])
{
	(void)snprintf(buf, ETAG_TEXT, "\"v%" PRIu64 "\"", version);
	return buf;
}

/* RFC 9110 section 8.8.3: etagc. */
static bool is_etag_character(unsigned char c)
{
	return c == 0x21 || (c >= 0x23 && c != 0x7f);
}

enum etag_verdict etag_match(const char *if_match, uint64_t version)
{
	char current[ETAG_TEXT];
	const char *s = if_match + strspn(if_match, " \t");
	bool found = false;
	if (s[0] == '*' && s[1 + strspn(s + 1, " \t")] == '\0')
		return ETAG_MATCHES;
	size_t current_len = strlen(etag_format(version, current));
	for (;;) {
		bool weak = strncmp(s, "W/", 2) == 0;
		const char *tag = weak ? s + 2 : s;
		if (*tag != '"')
			return ETAG_MALFORMED;
		const char *end = tag + 1;
		while (is_etag_character((unsigned char)*end))
			end++;
		if (*end != '"')
			return ETAG_MALFORMED;
		end++;
		if (!weak && (size_t)(end - tag) == current_len
			&& memcmp(tag, current, current_len) == 0)
			found = true;
		end += strspn(end, " \t");
		if (*end == '\0')
			return found ? ETAG_MATCHES : ETAG_DIFFERS;
		if (*end != ',')
			return ETAG_MALFORMED;
		s = end + 1 + strspn(end + 1, " \t");
	}
}
