/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROFILE_OPENVPN_WRAP_H
#define CONTROL_PROFILE_OPENVPN_WRAP_H

#include "control/model/openvpn.h"
#include "control/model/peer.h"

#include <stdint.h>

enum {
	OPENVPN_WRAP_TEXT = 2048, /* of a key in its file format */
};

/*
 * What a peer gets to wrap its control channel with, as a block's content. keys: those of the
 * listener, OPENVPN_WRAP_KEY_LEN bytes of tls-auth and tls-crypt and then the server's key of
 * tls-crypt-v2, from which the peer's own is made: the same each time. "" when that fails.
 */
void openvpn_wrap_format(enum openvpn_wrap wrap, const uint8_t *keys, const struct peer *p,
	char ret[OPENVPN_WRAP_TEXT]);

#endif
