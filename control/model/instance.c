// SPDX-License-Identifier: Apache-2.0
#include "control/model/instance.h"

#include <string.h>

void instance_init(struct instance *i)
{
	memset(i, 0, sizeof(*i));
	i->mtu = INSTANCE_MTU_DEFAULT;
	i->access = (struct instance_access){.site_to_site = true, .client_to_site = true};
	for (int t = 0; t < OPENVPN__TRANSPORTS; t++)
		openvpn_listener_init(&i->openvpn[t], (enum openvpn_transport)t);
	i->labels = json_object();
}

void instance_fini(struct instance *i)
{
	json_decref(i->labels);
	i->labels = NULL;
}

/* With a last label of digits it could be an address, and would be taken for a server's. */
static bool domain_is_valid(const char *domain)
{
	size_t label = 0;
	bool has_letter = false; /* in this label */
	for (const char *c = domain; *c != '\0'; c++) {
		bool alnum = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')
			|| (*c >= '0' && *c <= '9');
		if (*c == '.' && label > 0 && c[-1] != '-') {
			label = 0;
			has_letter = false;
		} else if ((alnum || *c == '_' || (*c == '-' && label > 0)) && label < 63) {
			label++;
			has_letter |= *c < '0' || *c > '9';
		} else {
			return false;
		}
	}
	return label > 0 && has_letter && strlen(domain) <= 253
		&& domain[strlen(domain) - 1] != '-';
}

static void check_dns(const struct instance_dns *dns, struct model_errors *errors)
{
	char pointer[MODEL_POINTER_TEXT];
	for (size_t i = 0; i < dns->server_count; i++) {
		const struct ip_addr *a = &dns->servers[i];
		subnet_pointer(pointer, "dns/servers", i);
		if (ip_addr_is_zero(a) || ip_addr_is_multicast(a) || ip_addr_is_loopback(a)
			|| ip_addr_is_link_local(a))
			model_error_add(errors, pointer, "is not an address that clients can ask");
	}
	for (size_t i = 0; i < dns->domain_count; i++) {
		subnet_pointer(pointer, "dns/search_domains", i);
		if (!domain_is_valid(dns->domains[i]))
			model_error_add(errors, pointer, "is not a domain name");
	}
}

void instance_check(struct instance *i, struct model_errors *errors)
{
	char folded[HOSTNAME_TEXT] = "";
	name_check(i->name, "/name", errors);
	const char *reason = hostname_check(i->hostname, folded);
	if (reason != NULL)
		model_error_add(errors, "/hostname", "%s", reason);
	else
		memcpy(i->hostname, folded, sizeof(folded));
	if (i->mtu < INSTANCE_MTU_MIN || i->mtu > INSTANCE_MTU_MAX)
		model_error_add(
			errors, "/mtu", "must be %d to %d", INSTANCE_MTU_MIN, INSTANCE_MTU_MAX);
	if (i->networks[0].len > 0)
		network_check_v4(&i->networks[0], errors);
	if (i->networks[1].len > 0)
		network_check_v6(&i->networks[1], errors);
	if (i->client_routes == CLIENT_ROUTES_LIST && i->route_list.count == 0)
		model_error_add(errors, "/routing/client_routes", "must not be an empty list");
	check_dns(&i->dns, errors);
	openvpn_listener_check(&i->openvpn[OPENVPN_UDP], "/openvpn/udp", errors);
	openvpn_listener_check(&i->openvpn[OPENVPN_TCP], "/openvpn/tcp", errors);
	labels_check(i->labels, errors);
}

const char *instance_state_text(enum instance_state state)
{
	switch (state) {
	case INSTANCE_PROVISIONING:
		return "provisioning";
	case INSTANCE_READY:
		return "ready";
	case INSTANCE_DEGRADED:
		return "degraded";
	case INSTANCE_FAILED:
		return "failed";
	case INSTANCE_DELETING:
		return "deleting";
	}
	return "failed";
}

const char *instance_condition_text(enum instance_condition condition)
{
	switch (condition) {
	case CONDITION_ALLOCATED:
		return "Allocated";
	case CONDITION_KEYS_READY:
		return "KeysReady";
	case CONDITION_CERTIFICATES_READY:
		return "CertificatesReady";
	case CONDITION_DNS_PUBLISHED:
		return "DnsPublished";
	case CONDITION_DATAPLANE_READY:
		return "DataplaneReady";
	case CONDITION__COUNT:
		break;
	}
	return "";
}

struct ip_addr instance_hub_address(const struct instance *i, unsigned int network)
{
	return ip_prefix_host(&i->networks[network], 1);
}

static bool is_private(const struct ip_prefix *p)
{
	for (size_t n = 0; n < SUBNET_PRIVATE_COUNT; n++) {
		struct ip_prefix whole;
		if (ip_prefix_parse(subnet_private[n], &whole) == 0 && ip_prefix_is_v4(p)
			&& p->len >= whole.len && ip_prefix_contains(&whole, &p->addr))
			return true;
	}
	return false;
}

bool instance_routes_depend_on(const struct instance *i, const struct subnets *advertised)
{
	for (size_t n = 0; n < advertised->count; n++) {
		const struct ip_prefix *p = &advertised->list[n];
		if (ip_prefix_len(p) == 0 || i->client_routes == CLIENT_ROUTES_LIST)
			continue;
		if (i->client_routes == CLIENT_ROUTES_ADVERTISED || !is_private(p))
			return true;
	}
	return false;
}
