/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PROFILE_MAKE_H
#define CONTROL_HTTP_PROFILE_MAKE_H

#include "control/model/instance.h"
#include "control/model/openvpn.h"
#include "control/model/peer.h"

#include <stdbool.h>

struct api;

enum profile_format {
	PROFILE_WIREGUARD,
	PROFILE_OPENVPN,
	PROFILE_ROUTEROS,
	PROFILE_QR, /* of WireGuard's, for a terminal */
	PROFILE__FORMATS,
};

bool profile_is_openvpn(enum profile_format format);
/* The peer has one of this format. */
bool profile_suits(const struct peer *p, enum profile_format format);
/*
 * Inside a transaction that writes: notes what was handed out last. Secrets are blank unless a
 * reveal is open. 0 with a text for profile_text_free, or -EAGAIN: the instance is not ready for it;
 * -EPROTONOSUPPORT: RouterOS cannot; -E2BIG: too long for a QR code; or another -errno.
 */
int profile_make(struct api *api, const struct instance *i, struct peer *p,
	enum profile_format format, enum openvpn_transport transport, char **ret);
/* All formats that the peer has can be made now, with what was made here for them. */
bool profile_is_ready(struct api *api, const struct instance *i, const struct peer *p);
/* Nobody has seen yet what was made here; true also where nothing was. */
bool profile_is_unrevealed(const struct instance *i, const struct peer *p);

#endif
