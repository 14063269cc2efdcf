/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_PEER_TROUBLE_H
#define CONTROL_MODEL_PEER_TROUBLE_H

#include "control/model/instance.h"
#include "control/model/peer.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	PEER_TROUBLE_TEXT = 256,
};

/*
 * Why a peer is not connected, and what to do about it: one sentence for people, the nearest cause
 * first. false: it is connected, nothing is written.
 */
bool peer_trouble(const struct peer *p, const struct instance *i, bool hub_is_connected,
	int64_t now, char ret[PEER_TROUBLE_TEXT]);

/*
 * What the dataplane calls a failure, in words that help whoever reads it. detail of old_timestamp:
 * by how many seconds the handshake is behind the hub's clock; 0: not told, and below it is ahead.
 */
void peer_failure_describe(const char *reason, int64_t detail, char ret[PEER_FAILURE_TEXT]);

#endif
