// SPDX-License-Identifier: Apache-2.0
/*
 * What there is to do is read from the store: the row of a name was written before the server hears
 * of it and is changed after the server has answered, so a kill in between says it once more. One
 * update says all that a name is to have; one thread says them in turn.
 */
#include "control/provision/publisher.h"

#include "control/dns/exchange.h"
#include "control/dns/result.h"
#include "control/dns/update.h"
#include "control/provision/dns.h"
#include "control/provision/step.h"
#include "control/store/dns_name.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
	LOOK_MS = 500,
};

struct publisher {
	const struct control_config *config; /* borrowed */
	struct store *store; /* borrowed */
	pthread_t thread;
	int ends_fd; /* readable: the end */
	bool is_begun; /* the thread's own; so below */
	char told[MESSAGE_TEXT]; /* the failure in the log; "": all is well */
	bool complained; /* of the store */
};

static int begin_write(struct store *store)
{
	static const struct store_actor actor = {.type = "system", .name = "publishing"};
	int rc = store_begin(store, STORE_WRITE);
	if (rc == 0)
		store_set_actor(store, &actor);
	return rc;
}

/* -ENOENT: nothing is due. */
static int take_next(struct publisher *p, struct dns_name *ret)
{
	int rc = begin_write(p->store);
	if (rc < 0)
		return rc;
	rc = p->is_begun ? 0 : dns_names_begin(p->store);
	int dropped = rc == 0 ? dns_names_drop(p->store, p->config->vpn_domain) : rc;
	rc = dropped < 0 ? dropped : dns_name_due(p->store, ret);
	bool writes = !p->is_begun || dropped > 0 || (rc == 0 && !ret->is_published);
	if (rc == 0)
		rc = dns_name_begin(p->store, ret);
	bool is_good = rc == 0 || rc == -ENOENT;
	int ended = store_end(p->store, is_good && writes);
	p->is_begun |= is_good && ended == 0;
	return ended < 0 ? ended : rc;
}

static int ask(struct publisher *p, const struct dns_name *n, const struct dns_key *key,
	struct dns_outcome *ret)
{
	struct ip_addr list[HUB_ADDRESSES_MAX];
	struct dns_records records = {
		.zone = p->config->dns.zone, .name = n->name, .addresses = list};
	struct dns_request rq;
	uint8_t answer[DNS_ANSWER_MAX];
	records.count = dns_wanted_read(n->wanted, &records.ttl, list);
	int rc = dns_update_build(&records, key, &rq);
	if (rc < 0)
		return rc;
	ssize_t len = dns_exchange(&p->config->dns.server, p->ends_fd, rq.wire, rq.len, answer);
	if (len >= 0)
		dns_update_read(&rq, key, answer, (size_t)len, ret);
	else
		*ret = (struct dns_outcome){
			.result = len == -ETIMEDOUT ? DNS_TIMEOUT
				: len == -EPROTO    ? DNS_BAD_ANSWER
						    : DNS_UNREACHABLE,
			.error = (int)-len,
		};
	dns_request_fini(&rq);
	return len == -ECANCELED ? -ECANCELED : 0;
}

/* 0 with what came of it, or -errno when nothing can be said. */
static int try_name(struct publisher *p, const struct dns_name *n, struct dns_outcome *ret,
	char message[MESSAGE_TEXT])
{
	const struct config_dns *dns = &p->config->dns;
	struct dns_key key;
	int rc = 0;
	(void)snprintf(key.name, sizeof(key.name), "%s", dns->key_name);
	memcpy(key.algorithm, dns->key_algorithm, sizeof(key.algorithm));
	/* each time: whoever puts another secret there need not start us anew */
	const char *reason = dns_key_read(dns->key_file, key.secret);
	if (reason != NULL)
		*ret = (struct dns_outcome){.result = DNS_NO_SECRET, .detail = reason};
	else
		rc = ask(p, n, &key, ret);
	const struct dns_asked asked = {.server = &dns->server,
		.zone = dns->zone,
		.name = n->name,
		.key_file = dns->key_file,
		.key = &key};
	if (rc == 0)
		dns_outcome_describe(ret, &asked, message, MESSAGE_TEXT);
	explicit_bzero(&key, sizeof(key));
	return rc;
}

/* Once a reason, and once when it is over. */
static void tell(struct publisher *p, const struct dns_outcome *o, const char *message)
{
	if (o->result == DNS_DONE && p->told[0] != '\0')
		log_info("DNS: names are published again");
	if (o->result == DNS_DONE)
		p->told[0] = '\0';
	else if (strcmp(p->told, message) != 0)
		log_warning("DNS: %s Trying again.", message);
	if (o->result != DNS_DONE)
		(void)snprintf(p->told, sizeof(p->told), "%s", message);
}

static int record(struct publisher *p, const struct dns_name *n, const struct dns_outcome *o,
	const char *message)
{
	struct instance i;
	int rc = begin_write(p->store);
	if (rc < 0)
		return rc;
	rc = o->result == DNS_DONE ? dns_name_confirm(p->store, n)
				   : dns_name_fail(p->store, n, dns_result_reason(o->result),
					   message, dns_result_is_of_server(o->result));
	int found = rc == 0 ? dns_name_instance(p->store, n->hostname, &i) : rc;
	if (found == 0) {
		/* it may have been made a moment ago, for the name that its predecessor had */
		if (!uuid_is_zero(&i.hub_id))
			rc = step_dns(p->store, p->config, &i);
		instance_fini(&i);
	}
	int ended = store_end(p->store, rc >= 0);
	return rc < 0 ? rc : ended;
}

/* Until nothing is due, or the end. */
static int do_round(struct publisher *p)
{
	for (;;) {
		struct dns_name n;
		struct dns_outcome outcome = {0};
		char message[MESSAGE_TEXT];
		int rc = take_next(p, &n);
		if (rc == 0)
			rc = try_name(p, &n, &outcome, message);
		if (rc < 0)
			return rc == -ENOENT || rc == -ECANCELED ? 0 : rc;
		tell(p, &outcome, message);
		rc = record(p, &n, &outcome, message);
		if (rc < 0)
			return rc;
	}
}

static void *run(void *arg)
{
	struct publisher *p = arg;
	struct pollfd end = {.fd = p->ends_fd, .events = POLLIN};
	do {
		int rc = do_round(p);
		if (rc < 0 && !p->complained)
			log_error("publishing names: %s; trying again", strerrordesc_np(-rc));
		p->complained = rc < 0;
	} while (poll(&end, 1, LOOK_MS) <= 0);
	return NULL;
}

int publisher_start(
	const struct control_config *config, struct store *store, struct publisher **ret)
{
	struct publisher *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return -ENOMEM;
	p->config = config;
	p->store = store;
	p->ends_fd = eventfd(0, EFD_CLOEXEC);
	int rc = p->ends_fd < 0 ? -errno : -pthread_create(&p->thread, NULL, run, p);
	if (rc == 0) {
		*ret = p;
		return 0;
	}
	if (p->ends_fd >= 0)
		(void)close(p->ends_fd);
	free(p);
	return rc;
}

void publisher_free(struct publisher *p)
{
	if (p == NULL)
		return;
	(void)eventfd_write(p->ends_fd, 1);
	(void)pthread_join(p->thread, NULL);
	(void)close(p->ends_fd);
	free(p);
}
