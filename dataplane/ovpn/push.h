/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_PUSH_H
#define DATAPLANE_OVPN_PUSH_H

#include "dataplane/base/ip.h"
#include "dataplane/ovpn/options.h"
#include "dataplane/ovpn/peer_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * PUSH_REPLY and PUSH_UPDATE (openvpn-rfc, "Push messages"; OpenVPN's push.c): what a client is told of
 * its network. Each option goes to those clients only that know it, by their peer info.
 */
enum {
	PUSH_PART_MAX = 1000, /* bytes of one command with its NUL */
	PUSH_PARTS_MAX = 16,
	PUSH_DNS_MAX = 8, /* servers; as many names */
	PUSH_PEER_ID_DISABLED = 0xffffff,
};

/* How the client's comp-lzo is met: nothing is ever compressed. */
enum push_compression {
	PUSH_COMPRESSION_ABSENT, /* no framing */
	PUSH_COMPRESSION_STUB_V2, /* "compress stub-v2": 0x50 escapes */
	PUSH_COMPRESSION_LZO_NO, /* "comp-lzo no": a byte 0xfa before each packet */
};

/* All borrowed while it is written. */
struct push {
	struct ip_prefix address_v4; /* the client's; the len is that of its network (subnet) */
	struct ip_addr gateway_v4; /* the server's inner address */
	bool has_v6;
	struct ip_prefix address_v6;
	struct ip_addr gateway_v6;
	const struct ip_prefix *routes; /* both families */
	size_t route_count;
	bool redirect_v4, redirect_v6; /* all traffic (redirect-gateway def1) */
	bool block_ipv6; /* what is not redirected must not go around */
	struct ip_addr dns[PUSH_DNS_MAX];
	size_t dns_count;
	const char *domains[PUSH_DNS_MAX]; /* searched; letters, digits, '-', '.' and '_' */
	size_t domain_count;
	uint32_t ping_s, ping_restart_s; /* 0: not pushed */
	uint32_t exit_notify; /* explicit-exit-notify, UDP only; 0: not pushed */
	uint32_t peer_id; /* below PUSH_PEER_ID_DISABLED */
	const char *cipher; /* NULL: not pushed, the client does not negotiate */
	uint32_t tun_mtu; /* 0: not pushed */
	enum push_compression compression;
	bool allows_key_export; /* data keys from the TLS exporter */
	bool allows_dyn_tls_crypt, allows_epoch;
};

/* Commands of at most PUSH_PART_MAX bytes with the NUL. */
struct push_parts {
	size_t count;
	struct {
		size_t len; /* with the NUL */
		char text[PUSH_PART_MAX];
	} part[PUSH_PARTS_MAX];
};

enum push_compression push_compression(const struct options *o, const struct peer_info *client);
/* The reply says so and the client knows it: the data keys come from the TLS exporter. */
bool push_uses_key_export(const struct push *p, const struct peer_info *client);

/*
 * PUSH_REPLY, in as many parts as it takes, of which all but the last end with push-continuation 2. 0,
 * -EINVAL (a value holds what it must not: a comma, a blank, a peer id out of range) or -E2BIG (more
 * than PUSH_PARTS_MAX parts).
 */
int push_reply_write(const struct push *p, const struct peer_info *client, struct push_parts *ret);
/*
 * PUSH_UPDATE: routes, redirection and names anew to a client that is connected; what is none now is
 * taken back. -EOPNOTSUPP: the client has no IV_PROTO_PUSH_UPDATE; the rest as above.
 */
int push_update_write(const struct push *p, const struct peer_info *client, struct push_parts *ret);

#endif
