/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_DNS_UPDATE_H
#define CONTROL_DNS_UPDATE_H

#include "control/dns/key.h"
#include "control/dns/result.h"
#include "dataplane/base/ip.h"

#include <stddef.h>
#include <stdint.h>

enum {
	DNS_MAC_MAX = 2 + 64, /* SHA-512's, with its length in front */
};

/* What a name is to have: all its A and AAAA records; none: it has neither. */
struct dns_records {
	const char *zone, *name; /* without the last dot */
	uint32_t ttl;
	const struct ip_addr *addresses;
	size_t count;
};

struct dns_request {
	uint8_t *wire; /* owned */
	size_t len;
	uint16_t id;
	uint8_t mac[DNS_MAC_MAX];
	size_t mac_len;
};

/*
 * One update (RFC 2136) that puts the records in place of those that are there, whatever they are:
 * saying it twice is saying it once. Signed (RFC 8945) with the time of now. 0 or -errno.
 */
int dns_update_build(
	const struct dns_records *records, const struct dns_key *key, struct dns_request *ret);
void dns_request_fini(struct dns_request *rq);
/* The answer to it. Only what the server has signed is DNS_DONE. */
void dns_update_read(const struct dns_request *rq, const struct dns_key *key, const uint8_t *wire,
	size_t len, struct dns_outcome *ret);

#endif
