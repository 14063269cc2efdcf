/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_OPENVPN_JSON_H
#define CONTROL_MODEL_OPENVPN_JSON_H

#include "control/model/error.h"
#include "control/model/openvpn.h"

#include <jansson.h>

/* The settings of a listener as people see them, and as the store keeps them. New or NULL. */
json_t *openvpn_listener_json(const struct openvpn_listener *l);
/*
 * Takes the settings; what is absent gets its default. Id and port stay. Members have the types that
 * openvpn_listener_json gives them; a word that does not exist is an error below pointer.
 */
void openvpn_listener_read(struct openvpn_listener *l, enum openvpn_transport transport,
	const json_t *json, const char *pointer, struct model_errors *errors);

#endif
