// SPDX-License-Identifier: Apache-2.0
/* What the name of an instance is to have in public DNS, and how that is told. */
#include "control/provision/dns.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t dns_addresses(const struct control_config *config, const struct hub *h,
	struct ip_addr ret[HUB_ADDRESSES_MAX])
{
	/* behind a NAT the hub does not know: the operator says */
	bool is_said = config->hub_address_count > 0;
	const struct ip_addr *list = is_said ? config->hub_addresses : h->addresses;
	size_t count = is_said ? config->hub_address_count : h->address_count;
	size_t taken = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < count && taken < HUB_ADDRESSES_MAX; i++) {
			if (ip_addr_is_v4(&list[i]) == (pass == 0))
				ret[taken++] = list[i];
		}
	}
	return taken;
}

static int compare(const void *a, const void *b)
{
	return ip_addr_compare(a, b);
}

/* Sorted, each once: a hub that tells them in another order has told nothing new. */
static size_t list_records(const struct control_config *config, const struct hub *h,
	struct ip_addr ret[HUB_ADDRESSES_MAX])
{
	size_t count = dns_addresses(config, h, ret);
	size_t kept = 0;
	qsort(ret, count, sizeof(ret[0]), compare);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || !ip_addr_equal(&ret[i], &ret[kept - 1]))
			ret[kept++] = ret[i];
	}
	return kept;
}

static void write_wanted(
	uint32_t ttl, const struct ip_addr *list, size_t count, char ret[DNS_NAME_WANTED_TEXT])
{
	size_t len = (size_t)snprintf(ret, DNS_NAME_WANTED_TEXT, "%" PRIu32, ttl);
	for (size_t i = 0; i < count; i++) {
		char text[IP_ADDR_TEXT];
		len += (size_t)snprintf(ret + len, DNS_NAME_WANTED_TEXT - len, " %s",
			ip_addr_format(&list[i], text));
	}
}

size_t dns_wanted_read(const char *wanted, uint32_t *ret_ttl, struct ip_addr ret[HUB_ADDRESSES_MAX])
{
	size_t count = 0;
	char *end;
	*ret_ttl = (uint32_t)strtoul(wanted, &end, 10);
	while (*end == ' ' && count < HUB_ADDRESSES_MAX) {
		char text[IP_ADDR_TEXT];
		size_t len = strcspn(++end, " ");
		(void)snprintf(text, sizeof(text), "%.*s", (int)len, end);
		if (ip_addr_parse(text, &ret[count]) == 0)
			count++;
		end += len;
	}
	return count;
}

/* "NAME. 60 IN A 203.0.113.1; …" behind what is there; "and N more" where there is no room. */
static void write_records(const char *name, uint32_t ttl, const struct ip_addr *list, size_t count,
	char ret[MESSAGE_TEXT])
{
	enum {
		MORE = sizeof("; and 18446744073709551615 more")
	};
	size_t len = strlen(ret);
	for (size_t i = 0; i < count; i++) {
		char text[IP_ADDR_TEXT];
		size_t room = MESSAGE_TEXT - len - MORE;
		int n = snprintf(ret + len, room, "%s%s. %" PRIu32 " IN %s %s", i > 0 ? "; " : "",
			name, ttl, ip_addr_is_v4(&list[i]) ? "A" : "AAAA",
			ip_addr_format(&list[i], text));
		if ((size_t)n >= room) {
			(void)snprintf(
				ret + len, MORE, "%sand %zu more", i > 0 ? "; " : "", count - i);
			return;
		}
		len += (size_t)n;
	}
}

static void describe_row(
	const struct dns_name *n, char reason[REASON_TEXT], char message[MESSAGE_TEXT])
{
	if (n->reason[0] != '\0' && !n->is_published) {
		(void)snprintf(reason, REASON_TEXT, "%s", n->reason);
		(void)snprintf(message, MESSAGE_TEXT, "%s", n->message);
		return;
	}
	/* a failure to say again what is there already is the log's and the metrics' */
	(void)snprintf(reason, REASON_TEXT, "%s", n->is_published ? "Done" : "Publishing");
	(void)snprintf(message, MESSAGE_TEXT, "%s",
		n->is_published ? "" : "Waiting for the DNS server to take ");
}

int dns_condition(struct store *store, const struct control_config *config,
	const struct instance *i, const struct hub *h, char ret_reason[REASON_TEXT],
	char ret_message[MESSAGE_TEXT])
{
	struct ip_addr list[HUB_ADDRESSES_MAX];
	char name[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT], wanted[DNS_NAME_WANTED_TEXT];
	struct dns_name n = {0};
	int rc = 0;
	size_t count = list_records(config, h, list);
	(void)snprintf(name, sizeof(name), "%s.%s", i->hostname, config->vpn_domain);
	if (count == 0) {
		(void)snprintf(ret_reason, REASON_TEXT, "NoAddress");
		(void)snprintf(ret_message, MESSAGE_TEXT,
			"The hub has told no address yet: start its nave-node, or set hub_addresses.");
		return 0;
	}
	if (config->dns.server.port == 0) {
		(void)snprintf(ret_reason, REASON_TEXT, "NotConfigured");
		(void)snprintf(ret_message, MESSAGE_TEXT, "Add to your DNS: ");
	} else {
		write_wanted(config->dns.ttl, list, count, wanted);
		rc = dns_name_want(store, name, i->hostname, wanted, &n);
		if (rc < 0)
			return rc;
		describe_row(&n, ret_reason, ret_message);
	}
	if (config->dns.server.port == 0 || n.is_published || n.reason[0] == '\0')
		write_records(name, config->dns.ttl, list, count, ret_message);
	return rc;
}
