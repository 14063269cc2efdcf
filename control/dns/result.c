// SPDX-License-Identifier: Apache-2.0
#include "control/dns/result.h"

#include <stdio.h>
#include <string.h>

/* sentence: a letter behind % stands for what word() says. */
static const struct row {
	const char *reason;
	bool is_of_server;
	const char *sentence;
} rows[DNS__COUNT] = {
	[DNS_DONE] = {"Done", false, "%n is published."},
	[DNS_UNREACHABLE] = {"Unreachable", true,
		"The DNS server %s cannot be reached over TCP: %e. Start it, or correct dns.server in"
		" control.conf."},
	[DNS_TIMEOUT] = {"NoAnswer", true, "The DNS server %s does not answer: look at its log."},
	[DNS_BAD_ANSWER] = {"BadAnswer", true,
		"What answers at %s has not signed with key %k: is it the DNS server? See dns.server"
		" in control.conf."},
	[DNS_NOT_AUTH] = {"NotAuth", true,
		"The DNS server %s does not let key %k change zone %z, or is not its primary"
		" (NOTAUTH): allow updates there, or correct dns.server and dns.zone in"
		" control.conf."},
	[DNS_BAD_KEY] = {"BadKey", true,
		"The DNS server %s does not know key %k with %a, or does not let it change zone %z"
		" (BADKEY): make or allow it there, or correct dns.key_name in control.conf."},
	[DNS_BAD_SIGNATURE] = {"BadSignature", true,
		"The DNS server %s has another secret for key %k (BADSIG): put its secret into %f."},
	[DNS_BAD_TIME] = {"BadTime", true,
		"The DNS server %s has a clock that is %t ours (BADTIME): set the wrong one."},
	[DNS_REFUSED] = {"Refused", true,
		"The DNS server %s refuses updates of zone %z with key %k (REFUSED): allow them"
		" there."},
	[DNS_NOT_ZONE] = {"NotZone", false,
		"%n is not within zone %z (NOTZONE): correct dns.zone in control.conf."},
	[DNS_SERVER_FAILURE] = {"ServerFailure", false,
		"The DNS server %s failed to change %n (SERVFAIL): look at its log."},
	[DNS_OTHER] = {"ServerError", false,
		"The DNS server %s answers with code %c for %n: look at its log."},
	[DNS_NO_SECRET] = {"NoSecret", true, "dns.key_file: %f: %d."},
};

const char *dns_result_reason(enum dns_result result)
{
	return rows[result].reason;
}

bool dns_result_is_of_server(enum dns_result result)
{
	return rows[result].is_of_server;
}

/* text: room for what has to be put into words. */
static const char *word(char letter, const struct dns_outcome *o, const struct dns_asked *asked,
	char text[IP_ENDPOINT_TEXT])
{
	switch (letter) {
	case 's':
		return ip_endpoint_format(asked->server, text);
	case 'k':
		return asked->key->name;
	case 'a':
		return asked->key->algorithm;
	case 'f':
		return asked->key_file;
	case 'z':
		return asked->zone;
	case 'n':
		return asked->name;
	case 'd':
		return o->detail;
	case 'e':
		return strerrordesc_np(o->error);
	case 'c':
		(void)snprintf(text, IP_ENDPOINT_TEXT, "%u", o->rcode);
		return text;
	case 't':
		(void)snprintf(text, IP_ENDPOINT_TEXT, "%lld s %s",
			(long long)(o->skew_s < 0 ? -o->skew_s : o->skew_s),
			o->skew_s < 0 ? "behind" : "ahead of");
		return text;
	default:
		return NULL;
	}
}

void dns_outcome_describe(
	const struct dns_outcome *o, const struct dns_asked *asked, char *ret, size_t size)
{
	size_t len = 0;
	ret[0] = '\0';
	for (const char *c = rows[o->result].sentence; *c != '\0' && len + 1 < size; c++) {
		char text[IP_ENDPOINT_TEXT];
		if (*c != '%') {
			ret[len++] = *c;
			ret[len] = '\0';
			continue;
		}
		const char *what = word(*++c, o, asked, text);
		(void)snprintf(ret + len, size - len, "%s", what != NULL ? what : "?");
		len += strlen(ret + len);
	}
}
