/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_DNS_NAME_H
#define CONTROL_STORE_DNS_NAME_H

#include "control/model/instance.h"
#include "control/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	DNS_NAME_WANTED_TEXT =
		11 + 16 * IP_ADDR_TEXT, /* a TTL, and as many addresses as a hub has */
	DNS_NAME_RETRY_MAX_S = 60,
	DNS_NAME_ASSURE_S = 30, /* a success after a failure is said once more */
	DNS_NAME_REFRESH_S = 3600, /* what somebody else has changed is mended by then */
};

/* One name of the DNS: what it is to have and how far that has come. One row, however many
 * instances have had the name, so that no removal can come behind an addition. */
struct dns_name {
	char name[HOSTNAME_TEXT + DNS_DOMAIN_TEXT];
	char hostname[HOSTNAME_TEXT];
	char wanted[DNS_NAME_WANTED_TEXT]; /* "60 203.0.113.1 2001:db8::1"; "": no records */
	bool is_published; /* the server has confirmed just that */
	char reason[REASON_TEXT]; /* of the last failure; "": none */
	char message[MESSAGE_TEXT];
	int64_t tries;
};

/* What an instance's name is to have. ret is the row then. 1: something else than before, 0, -errno. */
int dns_name_want(struct store *store, const char *name, const char *hostname, const char *wanted,
	struct dns_name *ret);
/* Once in a process: what one before has sent, and heard no answer to, counts as an attempt. */
int dns_names_begin(struct store *store);
/* Names that no living instance in this domain has are to have no records. Their number or -errno. */
int dns_names_drop(struct store *store, const char *domain);
/* The name that waits longest for an attempt. -ENOENT: none is due. */
int dns_name_due(struct store *store, struct dns_name *ret);
/* The server is about to hear of it. */
int dns_name_begin(struct store *store, const struct dns_name *n);
/* The server has confirmed n->wanted, which may not be what is wanted any more. */
int dns_name_confirm(struct store *store, const struct dns_name *n);
/* The attempt failed: again after a while. others: every name that is due now would fare the same. */
int dns_name_fail(struct store *store, const struct dns_name *n, const char *reason,
	const char *message, bool others);
/* Names with records that wait for the server, and names without that wait to be removed. */
int dns_names_count(struct store *store, int64_t *ret_waiting, int64_t *ret_leaving);
/* The living instance of this hostname. -ENOENT: none. */
int dns_name_instance(struct store *store, const char *hostname, struct instance *ret);

#endif
