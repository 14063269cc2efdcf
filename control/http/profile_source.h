/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PROFILE_SOURCE_H
#define CONTROL_HTTP_PROFILE_SOURCE_H

#include "control/config.h"
#include "control/profile/profile.h"

struct api;

/* Gathers what a profile is made of, without secrets. */
struct profile_source {
	struct profile profile; /* points into this struct and at its instance and peer */
	char fqdn[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT];
	struct ip_prefix *advertised; /* owned */
	size_t count, room;
};

/*
 * Inside a transaction; borrows i and p until fini. 0, -EAGAIN: the instance has no keys or its hub
 * no address yet; or -errno.
 */
int profile_source_init(
	struct profile_source *s, struct api *api, const struct instance *i, const struct peer *p);
void profile_source_fini(struct profile_source *s);

#endif
