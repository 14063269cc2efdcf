/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PEER_JSON_H
#define CONTROL_HTTP_PEER_JSON_H

#include "control/model/error.h"
#include "control/model/instance.h"
#include "control/model/peer.h"

#include <jansson.h>

struct api;

struct profile_source;

/* What a GET shows: no secrets. Inside a transaction. New reference or NULL. */
json_t *peer_json(struct api *api, const struct instance *i, const struct peer *p);
/* The same for many peers of one instance: source is zeroed before the first, the caller ends it. */
json_t *peer_json_of_many(struct api *api, const struct instance *i, const struct peer *p,
	struct profile_source *source);
/* Takes what people may change, by the shape that a GET shows; what is absent is the default. */
void peer_read(struct peer *p, const json_t *json, struct model_errors *errors);

#endif
