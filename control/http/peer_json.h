/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PEER_JSON_H
#define CONTROL_HTTP_PEER_JSON_H

#include "control/http/profile_source.h"
#include "control/model/error.h"
#include "control/model/instance.h"
#include "control/model/peer.h"

#include <jansson.h>
#include <stdbool.h>

struct api;
struct request;

/* What is the same for all peers of one instance that are shown. Inside a transaction. */
struct peer_view {
	struct api *api;
	const struct instance *instance; /* borrowed */
	bool hub_is_connected;
	struct profile_source source; /* loaded when a peer needs it */
};

int peer_view_init(struct peer_view *v, struct api *api, const struct instance *i);
void peer_view_fini(struct peer_view *v);
/* The peer that a path names. false with the answer, or with *ret_rc; true: peer_fini is due. */
bool peer_of_path(struct request *rq, struct peer *ret, int *ret_rc);
/* What a GET shows: no secrets. New reference or NULL. */
json_t *peer_json(struct peer_view *v, const struct peer *p);
/* Takes what people may change, by the shape that a GET shows; what is absent is the default. */
void peer_read(struct peer *p, const json_t *json, struct model_errors *errors);

#endif
