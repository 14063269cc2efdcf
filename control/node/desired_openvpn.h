/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_DESIRED_OPENVPN_H
#define CONTROL_NODE_DESIRED_OPENVPN_H

#include "control/node/desired.h"
#include "control/node/read.h"

/*
 * The "openvpn" of an instance and of a peer, missing or null: none, NULL. 0, -EINVAL with the
 * reader's reason, -ENOMEM; what was read until then is in *ret and the caller's to free.
 */
int desired_openvpn_read(const struct reader *r, const json_t *o, struct desired_openvpn **ret);
int desired_credentials_read(const struct reader *r, const json_t *o, struct dp_openvpn **ret);
/* Wipe what is secret. */
void desired_openvpn_free(struct desired_openvpn *o);
void desired_credentials_free(struct dp_openvpn *o);

#endif
