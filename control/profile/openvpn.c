// SPDX-License-Identifier: Apache-2.0
/*
 * The OpenVPN profile: one file with everything inline, nothing that runs a program. The hub tells
 * clients their routes when they connect, so that a new branch needs no new profile; a site takes
 * exactly those of its profile, because wider ones would take its other private networks away.
 */
#include "control/profile/openvpn_wrap.h"
#include "control/profile/profile.h"
#include "control/profile/routes.h"
#include "control/profile/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIXED_TEXT = 4096, /* every line but those below, with room */
	ROUTE_TEXT = 80,
	REMOTE_TEXT = 64,
	INLINE_TEXT = 2 * CERTIFICATE_TEXT + CERTIFICATE_KEY_TEXT + OPENVPN_WRAP_TEXT,
	CONNECT_S = 20, /* then the next address */
};

/* Addresses before the name: they need no resolver, and the first try is the usual one. */
static void print_remotes(struct text *t, const struct profile *p, unsigned int port)
{
	for (size_t i = 0; i < p->address_count; i++) {
		char addr[IP_ADDR_TEXT];
		text_print(t, "remote %s %u\n", ip_addr_format(&p->addresses[i], addr), port);
	}
	text_print(t, "remote %s %u\n", p->fqdn, port);
}

static void print_ciphers(struct text *t, const struct openvpn_listener *l)
{
	for (size_t i = 0; i < l->cipher_count; i++)
		text_print(t, "%s%s", i == 0 ? "data-ciphers " : ":",
			openvpn_cipher_text(l->ciphers[i]));
	text_print(t, "\nauth %s\n", openvpn_digest_text(l->digest));
}

static void print_route(struct text *t, const struct ip_prefix *route)
{
	char addr[IP_PREFIX_TEXT], mask_text[IP_ADDR_TEXT];
	if (!ip_prefix_is_v4(route)) {
		text_print(t, "route-ipv6 %s\n", ip_prefix_format(route, addr));
		return;
	}
	unsigned int len = ip_prefix_len(route);
	uint32_t bits = len == 0 ? 0 : UINT32_MAX << (32 - len);
	const uint8_t be[4] = {
		(uint8_t)(bits >> 24), (uint8_t)(bits >> 16), (uint8_t)(bits >> 8), (uint8_t)bits};
	struct ip_addr mask = ip_addr_from_v4(be);
	text_print(t, "route %s %s\n", ip_addr_format(&route->addr, addr),
		ip_addr_format(&mask, mask_text));
}

static void print_routes(
	struct text *t, const struct profile *p, const struct ip_prefix *routes, size_t count)
{
	if (p->peer->type == PEER_CLIENT && p->peer->route_all) {
		text_print(t, "redirect-gateway def1 ipv6\n");
		return;
	}
	if (p->peer->type == PEER_CLIENT) {
		text_print(t, "# the hub tells the networks of this split tunnel\n");
		return;
	}
	text_print(t, "route-nopull\n");
	for (size_t i = 0; i < count; i++)
		print_route(t, &routes[i]);
}

static void print_block(struct text *t, const char *name, const char *content)
{
	text_print(t, "<%s>\n%s</%s>\n", name, content != NULL ? content : "", name);
}

/* Blank where the secret is not shown: OpenVPN asks for the password then. */
static void print_secrets(struct text *t, const struct profile *p, const struct openvpn_listener *l)
{
	char wrap[OPENVPN_WRAP_TEXT] = "";
	print_block(t, "ca", p->authority);
	if (l->requires_certificate) {
		print_block(t, "cert", p->certificate);
		print_block(t, "key", p->certificate_key);
	}
	if (l->requires_password && p->password != NULL)
		text_print(t, "<auth-user-pass>\n%s\n%s\n</auth-user-pass>\n", p->peer->username,
			p->password);
	else if (l->requires_password)
		text_print(t, "auth-user-pass\n");
	if (l->wrap == OPENVPN_WRAP_NONE)
		return;
	if (p->wrap_keys != NULL)
		openvpn_wrap_format(l->wrap, p->wrap_keys, p->peer, wrap);
	if (l->wrap == OPENVPN_WRAP_TLS_AUTH)
		text_print(t, "key-direction 1\n");
	print_block(t, openvpn_wrap_text(l->wrap), wrap);
	explicit_bzero(wrap, sizeof(wrap));
}

static void print_all(
	struct text *t, const struct profile *p, const struct ip_prefix *routes, size_t count)
{
	const struct openvpn_listener *l = &p->instance->openvpn[p->transport];
	text_print(t, "# ");
	text_print_name(t, p->peer->name);
	text_print(t, " at ");
	text_print_name(t, p->fqdn);
	text_print(t, "\nclient\ndev tun\nproto %s\n", openvpn_transport_text(p->transport));
	print_remotes(t, p, l->port);
	text_print(t,
		"connect-timeout %d\nnobind\npersist-key\npersist-tun\ntun-mtu %u\n"
		"remote-cert-tls server\nverify-x509-name %s name\ntls-version-min %s\n",
		CONNECT_S, (unsigned int)p->instance->mtu, p->instance->hostname,
		openvpn_tls_text(
			l->tls_minimum == OPENVPN_TLS_1_0 ? OPENVPN_TLS_1_2 : l->tls_minimum));
	print_ciphers(t, l);
	if (l->renegotiate_s == 0)
		text_print(t, "reneg-sec 0\n"); /* else the side that waits less begins */
	if (p->transport == OPENVPN_UDP)
		text_print(t, "explicit-exit-notify 1\n");
	text_print(t, "verb 3\n");
	print_routes(t, p, routes, count);
	print_secrets(t, p, l);
}

int profile_openvpn(const struct profile *p, char **ret)
{
	struct ip_prefix *routes = NULL;
	size_t count = 0;
	struct text t;
	if (profile_routes(p, &routes, &count) != 0)
		return -ENOMEM;
	int rc = text_init(
		&t, FIXED_TEXT + INLINE_TEXT + count * ROUTE_TEXT + p->address_count * REMOTE_TEXT);
	if (rc == 0) {
		print_all(&t, p, routes, count);
		*ret = t.start;
	}
	free(routes);
	return rc;
}
