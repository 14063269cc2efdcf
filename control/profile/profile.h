/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROFILE_PROFILE_H
#define CONTROL_PROFILE_PROFILE_H

#include "control/model/instance.h"
#include "control/model/peer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROFILE_DIGEST_TEXT = 65,
};

/* What a client imports is made of. Everything is borrowed. */
struct profile {
	const struct instance *instance;
	const struct peer *peer;
	const char *fqdn; /* of the instance, for the reader */
	struct ip_endpoint endpoint; /* of the hub, outside */
	const struct ip_prefix *advertised; /* by the instance's sites except this one */
	size_t advertised_count;
	bool has_preshared_key;
	const struct key *private_key; /* NULL: left blank; so below */
	const struct key *preshared_key;
	/* For OpenVPN: */
	enum openvpn_transport transport;
	const struct ip_addr *addresses; /* of the hub, outside, in the order to try them */
	size_t address_count;
	const char *authority; /* PEM; NULL: left blank; so below */
	const char *certificate;
	const char *certificate_key;
	const char *password;
	const uint8_t *wrap_keys; /* of the listener, as openvpn_wrap_format takes them */
};

/* The text that wg-quick and the WireGuard apps import. 0 or -ENOMEM; free with profile_text_free. */
int profile_wireguard(const struct profile *p, char **ret);

/* The text that OpenVPN and its apps import, for p->transport. 0 or -ENOMEM, freed the same way. */
int profile_openvpn(const struct profile *p, char **ret);

/*
 * A script that RouterOS 6 and 7 import, over TCP whatever p->transport is. 0, -ENOMEM, or
 * -EPROTONOSUPPORT: the listener is set to what RouterOS does not have. Freed the same way.
 */
int profile_routeros(const struct profile *p, char **ret);

/*
 * A text as a QR code for a terminal: UTF-8 half blocks with a quiet zone, light on dark.
 * 0, -E2BIG when it does not fit into a QR code, or -ENOMEM.
 */
int profile_qr(const char *text, char **ret);
/* The same as an <svg> element of a page. Both are freed with profile_text_free. */
int profile_qr_svg(const char *text, char **ret);

/* SHA-256 in hex of the profile without its secrets: changes when a client should import it again. */
int profile_digest(const struct profile *p, char ret[PROFILE_DIGEST_TEXT]);

/* Wipes it first; takes NULL. */
void profile_text_free(char *text);

#endif
