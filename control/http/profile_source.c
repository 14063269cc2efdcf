// SPDX-License-Identifier: Apache-2.0
#include "control/http/profile_source.h"

#include "control/http/api_internal.h"
#include "control/http/instance_json.h"
#include "control/store/peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct profile_source_row {
	struct ip_prefix prefix;
	struct uuid owner;
};

static int add_subnets(void *ctx, const struct peer *p)
{
	struct profile_source *s = ctx;
	if (s->count + p->subnets.count > s->room) {
		size_t room = (s->count + p->subnets.count) * 2;
		struct profile_source_row *new = reallocarray(s->rows, room, sizeof(*new));
		if (new == NULL)
			return -ENOMEM;
		s->rows = new;
		s->room = room;
	}
	for (size_t n = 0; n < p->subnets.count; n++)
		s->rows[s->count++] = (struct profile_source_row){p->subnets.list[n], p->id};
	return 0;
}

int profile_source_init_routes(struct profile_source *s, struct api *api, const struct instance *i)
{
	const struct peer_filter filter = {.instance_id = &i->id};
	memset(s, 0, sizeof(*s));
	(void)snprintf(s->fqdn, sizeof(s->fqdn), "%s.%s", i->hostname, api->config->vpn_domain);
	s->profile = (struct profile){
		.instance = i,
		.fqdn = s->fqdn,
		.has_preshared_key = true, /* every WireGuard peer that is made here has one */
	};
	int rc = peer_list(api->store, &filter, add_subnets, s);
	if (rc == 0) {
		s->advertised = calloc(s->count + 1, sizeof(*s->advertised));
		rc = s->advertised != NULL ? 0 : -ENOMEM;
	}
	if (rc < 0)
		profile_source_fini(s);
	s->is_loaded = rc == 0;
	return rc;
}

int profile_source_init(struct profile_source *s, struct api *api, const struct instance *i)
{
	struct ip_addr addresses[HUB_ADDRESSES_MAX];
	size_t count = instance_hub_addresses(api, i, addresses);
	memset(s, 0, sizeof(*s));
	if (key_is_zero(&i->public_key) || count == 0)
		return -EAGAIN;
	int rc = profile_source_init_routes(s, api, i);
	if (rc < 0)
		return rc;
	memcpy(s->addresses, addresses, count * sizeof(addresses[0]));
	s->profile.addresses = s->addresses;
	s->profile.address_count = count;
	s->profile.endpoint = (struct ip_endpoint){addresses[0], i->wireguard_port};
	return 0;
}

/* What the sites of the instance advertise, except this one's own. */
void profile_source_choose(struct profile_source *s, const struct peer *p)
{
	size_t count = 0;
	for (size_t n = 0; n < s->count; n++) {
		if (!uuid_equal(&s->rows[n].owner, &p->id))
			s->advertised[count++] = s->rows[n].prefix;
	}
	s->profile.peer = p;
	s->profile.advertised = s->advertised;
	s->profile.advertised_count = count;
}

void profile_source_fini(struct profile_source *s)
{
	free(s->rows);
	free(s->advertised);
	memset(s, 0, sizeof(*s));
}
