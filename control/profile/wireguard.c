// SPDX-License-Identifier: Apache-2.0
/*
 * The WireGuard profile. Names go into comments only, and only printable bytes of them: no name
 * can add a line of its own.
 */
#include "control/profile/profile.h"
#include "control/profile/routes.h"
#include "control/profile/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIXED_TEXT = 2048, /* every line but AllowedIPs and DNS's domains, with room */
};

/* The line stays where its secret is not shown: whoever has the key knows where to put it. */
static void print_key(struct text *t, const char *what, const struct key *k)
{
	char base64[KEY_BASE64_TEXT] = "";
	if (k != NULL)
		key_to_base64(k, base64);
	text_print(t, "%s = %s\n", what, base64);
	explicit_bzero(base64, sizeof(base64));
}

static void print_addresses(struct text *t, const struct peer *p)
{
	const char *separator = "Address = ";
	for (unsigned int n = 0; n < 2; n++) {
		if (ip_addr_is_zero(&p->addresses[n]))
			continue;
		char addr[IP_ADDR_TEXT];
		text_print(t, "%s%s/%d", separator, ip_addr_format(&p->addresses[n], addr),
			ip_addr_is_v4(&p->addresses[n]) ? 32 : 128);
		separator = ", ";
	}
	text_print(t, "\n");
}

/* wg-quick takes search domains on the same line. Domains were checked by the model. */
static void print_dns(struct text *t, const struct instance_dns *dns)
{
	if (dns->server_count == 0)
		return;
	const char *separator = "DNS = ";
	for (size_t i = 0; i < dns->server_count; i++) {
		char addr[IP_ADDR_TEXT];
		text_print(t, "%s%s", separator, ip_addr_format(&dns->servers[i], addr));
		separator = ", ";
	}
	for (size_t i = 0; i < dns->domain_count; i++) {
		text_print(t, ", ");
		text_print_name(t, dns->domains[i]);
	}
	text_print(t, "\n");
}

static void print_interface(struct text *t, const struct profile *p)
{
	text_print(t, "# ");
	text_print_name(t, p->peer->name);
	text_print(t, " at ");
	text_print_name(t, p->fqdn);
	text_print(t, "\n[Interface]\n");
	print_key(t, "PrivateKey", p->private_key);
	print_addresses(t, p->peer);
	print_dns(t, &p->instance->dns);
	text_print(t, "MTU = %u\n", (unsigned int)p->instance->mtu);
}

static void print_peer(
	struct text *t, const struct profile *p, const struct ip_prefix *routes, size_t count)
{
	char endpoint[IP_ENDPOINT_TEXT];
	text_print(t, "\n[Peer]\n");
	print_key(t, "PublicKey", &p->instance->public_key);
	if (p->has_preshared_key)
		print_key(t, "PresharedKey", p->preshared_key);
	text_print(t, "Endpoint = %s\n", ip_endpoint_format(&p->endpoint, endpoint));
	const char *separator = "AllowedIPs = ";
	for (size_t i = 0; i < count; i++) {
		char prefix[IP_PREFIX_TEXT];
		text_print(t, "%s%s", separator, ip_prefix_format(&routes[i], prefix));
		separator = ", ";
	}
	if (count > 0)
		text_print(t, "\n");
	if (p->peer->keepalive != 0)
		text_print(t, "PersistentKeepalive = %u\n", (unsigned int)p->peer->keepalive);
}

int profile_wireguard(const struct profile *p, char **ret)
{
	struct ip_prefix *routes = NULL;
	size_t count = 0;
	if (profile_routes(p, &routes, &count) != 0)
		return -ENOMEM;
	struct text t;
	int rc = text_init(&t,
		FIXED_TEXT + (size_t)DNS_DOMAINS_MAX * DNS_DOMAIN_TEXT
			+ count * (IP_PREFIX_TEXT + 2));
	if (rc < 0) {
		free(routes);
		return rc;
	}
	print_interface(&t, p);
	print_peer(&t, p, routes, count);
	free(routes);
	*ret = t.start;
	return 0;
}
