// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/push.h"

#include "dataplane/api/check.h"

#include <string.h>

size_t dp_push_set_size(const struct dp_push_set *set)
{
	return offsetof(struct dp_push_set, route) + set->route_count * sizeof(struct ip_prefix);
}

/* They end up in a client's configuration, so they hold nothing that means anything there. */
static int check_domains(const struct dp_push_set *m, const char **ret_reason)
{
	bool ended = false;

	for (unsigned int n = 0; n < DP_PUSH_DOMAINS_MAX; n++) {
		bool is_none = check_bytes_zero(m->domain[n], DP_PUSH_DOMAIN_LEN);
		if (!is_none
			&& (ended || m->domain[n][DP_PUSH_DOMAIN_LEN - 1] != 0
				|| !check_is_name(m->domain[n], DP_PUSH_DOMAIN_LEN)))
			return check_refuse(
				ret_reason, "domain is not a name, or not the next one");
		ended = is_none;
	}
	return 0;
}

static int check_dns(const struct dp_push_set *m, const char **ret_reason)
{
	bool ended = false;

	for (unsigned int n = 0; n < DP_PUSH_DNS_MAX; n++) {
		bool is_none = check_bytes_zero(&m->dns[n], sizeof(m->dns[n]));
		if (!is_none && (ended || !check_is_unicast(&m->dns[n])))
			return check_refuse(ret_reason,
				"dns is not the address of a host, or not the next one");
		ended = is_none;
	}
	return 0;
}

int dp_push_set_check(const uint8_t *payload, size_t len, const char **ret_reason)
{
	struct dp_push_set m = {0};

	memcpy(&m, payload, len);
	if (uuid_is_zero(&m.instance))
		return check_refuse(ret_reason, "instance is zero");
	if (!check_bytes_zero(m.pad, sizeof(m.pad)))
		return check_refuse(ret_reason, "pad is not zero");
	if (m.route_count > DP_PUSH_ROUTES_MAX || len != dp_push_set_size(&m))
		return check_refuse(ret_reason, "route_count does not fit the length");
	for (unsigned int n = 0; n < m.route_count; n++) {
		if (!ip_prefix_is_canonical(&m.route[n]))
			return check_refuse(
				ret_reason, "route has a prefix with host bits or a wrong length");
	}
	int r = check_dns(&m, ret_reason);
	return r == 0 ? check_domains(&m, ret_reason) : r;
}
