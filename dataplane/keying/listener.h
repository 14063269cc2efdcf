/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_KEYING_LISTENER_H
#define DATAPLANE_KEYING_LISTENER_H

#include "dataplane/base/ip.h"
#include "dataplane/base/uuid.h"
#include "dataplane/ovpn/cipher.h"
#include "dataplane/ovpn/static_key.h"
#include "dataplane/ovpn/tls.h"
#include "dataplane/ovpn/wrap.h"

#include <stdbool.h>
#include <stdint.h>

struct instance;
struct keying;

/* What the server thread tells of OpenVPN, beside instances and peers (keying.h). */

struct keying_listener;

struct keying_listener_settings {
	struct uuid id;
	uint16_t port; /* host byte order */
	bool is_tcp;
	bool requires_certificate, requires_password;
	enum wrap_mode wrap;
	enum wrap_digest digest;
	struct static_key wrap_key; /* of tls-crypt-v2 the first 128 bytes */
	struct tls_config tls; /* borrowed; certificate_required is not read */
	struct cipher_policy ciphers;
	uint32_t renegotiate_s;
	uint16_t tun_mtu;
};

/* Any thread. 0; -EINVAL, and *ret_what names the part that is refused (static); -errno. */
int keying_listener_new(const struct keying_listener_settings *settings,
	struct keying_listener **ret, const char **ret_what);
/* One that was never given to keying. */
void keying_listener_free(struct keying_listener *l);
/* Server thread; both take effect in order with all else that was told. -ENOMEM: l is freed. */
int keying_listener_set(struct keying *k, struct instance *i, struct keying_listener *l);
/* Takes the listening socket over, which does not block. */
int keying_listener_socket_set(struct keying *k, struct instance *i, const struct uuid *id, int fd);
int keying_listener_del(struct keying *k, struct instance *i, const struct uuid *id);
/* How many are up. Server thread, after keying_settle() and before it tells anything else. */
uint32_t keying_listener_sessions(const struct instance *i, const struct uuid *id);

enum {
	KEYING_PUSH_DNS_MAX = 8,
	KEYING_PUSH_DOMAINS_MAX = 8,
	KEYING_PUSH_DOMAIN_LEN = 128,
};

/* What clients are told of their instance's network; immutable. */
struct keying_push {
	unsigned int dns_count, domain_count, route_count;
	struct ip_addr dns[KEYING_PUSH_DNS_MAX];
	char domain[KEYING_PUSH_DOMAINS_MAX][KEYING_PUSH_DOMAIN_LEN];
	struct ip_prefix route[];
};

/* Takes push over, which malloc() gave. -ENOMEM: it is freed. */
int keying_push_set(struct keying *k, struct instance *i, struct keying_push *push);

#endif
