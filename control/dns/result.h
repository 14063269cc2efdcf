/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_DNS_RESULT_H
#define CONTROL_DNS_RESULT_H

#include "control/dns/key.h"
#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of an update: how it is told to people is in result.c. */
enum dns_result {
	DNS_DONE,
	DNS_UNREACHABLE, /* no connection */
	DNS_TIMEOUT,
	DNS_BAD_ANSWER, /* not an answer to our update, or not signed by the server */
	DNS_NOT_AUTH,
	DNS_BAD_KEY,
	DNS_BAD_SIGNATURE,
	DNS_BAD_TIME,
	DNS_REFUSED,
	DNS_NOT_ZONE,
	DNS_SERVER_FAILURE,
	DNS_OTHER, /* another response code */
	DNS_NO_SECRET, /* key_file cannot be read */
	DNS__COUNT,
};

struct dns_outcome {
	enum dns_result result;
	int error; /* of DNS_UNREACHABLE: errno */
	unsigned int rcode; /* of DNS_OTHER and DNS_SERVER_FAILURE */
	int64_t skew_s; /* of DNS_BAD_TIME: how far the server's clock is ahead of ours */
	const char *detail; /* of DNS_NO_SECRET: why */
};

/* Who was asked for what: for messages. */
struct dns_asked {
	const struct ip_endpoint *server;
	const char *zone, *name, *key_file;
	const struct dns_key *key;
};

/* One word for scripts. */
const char *dns_result_reason(enum dns_result result);
/* Would any other name fare the same? */
bool dns_result_is_of_server(enum dns_result result);
/* A sentence for people, with what to do. */
void dns_outcome_describe(
	const struct dns_outcome *o, const struct dns_asked *asked, char *ret, size_t size);

#endif
