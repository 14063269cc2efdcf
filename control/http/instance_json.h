/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_INSTANCE_JSON_H
#define CONTROL_HTTP_INSTANCE_JSON_H

#include "control/model/error.h"
#include "control/model/instance.h"
#include "control/store/hub.h"
#include "dataplane/base/ip.h"

#include <jansson.h>
#include <stdbool.h>

struct api;

/* What a GET shows. Inside a transaction: the address is its hub's. New reference or NULL. */
json_t *instance_json(struct api *api, const struct instance *i);
/* Takes what people may say, by the shape that a GET shows; what is absent gets its default. */
void instance_read(struct instance *i, const json_t *json, struct model_errors *errors);
/* Where clients reach the hub of an instance: IPv4 before IPv6. Their number; 0: not known yet. */
size_t instance_hub_addresses(
	struct api *api, const struct instance *i, struct ip_addr ret[HUB_ADDRESSES_MAX]);
/* The first of them. false: not known yet. */
bool instance_hub_endpoint(struct api *api, const struct instance *i, struct ip_addr *ret);

#endif
