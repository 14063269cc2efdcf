/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_OPENVPN_H
#define CONTROL_STORE_OPENVPN_H

#include "control/model/certificate.h"
#include "control/model/instance.h"
#include "control/model/openvpn.h"
#include "control/store/store.h"

#include <stdint.h>

enum {
	OPENVPN_WRAP_KEYS_LEN = OPENVPN_WRAP_KEY_LEN + OPENVPN_WRAP_KEY_V2_LEN,
};

/* What an instance's listeners need besides their settings. The holder wipes it. */
struct openvpn_keys {
	char authority[CERTIFICATE_TEXT]; /* its certificate only */
	struct certificate server;
	/* first the key of tls-auth and tls-crypt, then the server's of tls-crypt-v2 */
	uint8_t wrap[OPENVPN__TRANSPORTS][OPENVPN_WRAP_KEYS_LEN];
};

/*
 * Ports and wrapping keys of both listeners of an instance that has its hub. -ENOSPC: a port is
 * free for one of them at most.
 */
int openvpn_allocate(struct store *store, struct instance *i, uint16_t first, uint16_t last);
/* 1: there is no server certificate, its time to renew has come, or it is for other names; 0 no. */
int openvpn_needs_certificate(
	struct store *store, const struct instance *i, const struct certificate_names *names);
/*
 * Authority, where there is none, and a fresh server certificate; peers that speak OpenVPN and have
 * waited for the authority get what they lack. The hub hears of it.
 */
int openvpn_make_certificates(
	struct store *store, struct instance *i, const struct certificate_names *names);
/* -ENOENT: they are not made yet. The caller wipes. */
int openvpn_find_keys(
	struct store *store, const struct uuid *instance_id, struct openvpn_keys *ret);
/* With the authority's private key, which never leaves this daemon. -ENOENT, the caller wipes. */
int openvpn_find_authority(
	struct store *store, const struct uuid *instance_id, struct certificate *ret);

#endif
