/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PROFILE_SOURCE_H
#define CONTROL_HTTP_PROFILE_SOURCE_H

#include "control/config.h"
#include "control/profile/profile.h"
#include "control/store/hub.h"

struct api;

/* Gathers what the profiles of one instance are made of, without secrets. */
struct profile_source {
	struct profile profile; /* points into this struct and at its instance and peer */
	char fqdn[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT];
	struct profile_source_row *rows; /* owned: what is advertised, and by whom */
	size_t count, room;
	struct ip_prefix *advertised; /* owned, with room for count */
	struct ip_addr addresses[HUB_ADDRESSES_MAX];
	bool is_loaded;
};

/*
 * Inside a transaction; s is zeroed, and borrows i until fini. 0, -EAGAIN: the instance has no keys
 * or its hub no address yet; or -errno.
 */
int profile_source_init(struct profile_source *s, struct api *api, const struct instance *i);
/* The same without endpoints, for whoever wants routes only. 0 or -errno. */
int profile_source_init_routes(struct profile_source *s, struct api *api, const struct instance *i);
/* Makes s->profile the one of this peer, which is borrowed. */
void profile_source_choose(struct profile_source *s, const struct peer *p);
/* Also for one that is zeroed, or whose init has failed. */
void profile_source_fini(struct profile_source *s);

#endif
