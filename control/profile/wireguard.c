// SPDX-License-Identifier: Apache-2.0
/*
 * The WireGuard profile. The size is known before the first byte is written, so no second copy of
 * a key is left behind by a buffer that grew. Names go into comments only, and only printable
 * bytes of them: no name can add a line of its own.
 */
#include "control/profile/profile.h"
#include "control/profile/routes.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIXED_TEXT = 2048, /* every line but AllowedIPs and DNS's domains, with room */
};

struct text {
	char *start;
	size_t size;
	size_t len;
};

static void print(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->start + t->len, t->size - t->len, format, args);
	va_end(args);
	if (n > 0)
		t->len += (size_t)n < t->size - t->len ? (size_t)n : t->size - t->len - 1;
}

static void print_name(struct text *t, const char *name)
{
	for (; *name != '\0'; name++)
		print(t, "%c", (unsigned char)*name < 0x20 || *name == 0x7f ? '?' : *name);
}

/* The line stays where its secret is not shown: whoever has the key knows where to put it. */
static void print_key(struct text *t, const char *what, const struct key *k)
{
	char base64[KEY_BASE64_TEXT] = "";
	if (k != NULL)
		key_to_base64(k, base64);
	print(t, "%s = %s\n", what, base64);
	explicit_bzero(base64, sizeof(base64));
}

static void print_addresses(struct text *t, const struct peer *p)
{
	const char *separator = "Address = ";
	for (unsigned int n = 0; n < 2; n++) {
		if (ip_addr_is_zero(&p->addresses[n]))
			continue;
		char addr[IP_ADDR_TEXT];
		print(t, "%s%s/%d", separator, ip_addr_format(&p->addresses[n], addr),
			ip_addr_is_v4(&p->addresses[n]) ? 32 : 128);
		separator = ", ";
	}
	print(t, "\n");
}

/* wg-quick takes search domains on the same line. Domains were checked by the model. */
static void print_dns(struct text *t, const struct instance_dns *dns)
{
	if (dns->server_count == 0)
		return;
	const char *separator = "DNS = ";
	for (size_t i = 0; i < dns->server_count; i++) {
		char addr[IP_ADDR_TEXT];
		print(t, "%s%s", separator, ip_addr_format(&dns->servers[i], addr));
		separator = ", ";
	}
	for (size_t i = 0; i < dns->domain_count; i++) {
		print(t, ", ");
		print_name(t, dns->domains[i]);
	}
	print(t, "\n");
}

static void print_interface(struct text *t, const struct profile *p)
{
	print(t, "# ");
	print_name(t, p->peer->name);
	print(t, " at ");
	print_name(t, p->fqdn);
	print(t, "\n[Interface]\n");
	print_key(t, "PrivateKey", p->private_key);
	print_addresses(t, p->peer);
	print_dns(t, &p->instance->dns);
	print(t, "MTU = %u\n", (unsigned int)p->instance->mtu);
}

static void print_peer(
	struct text *t, const struct profile *p, const struct ip_prefix *routes, size_t count)
{
	char endpoint[IP_ENDPOINT_TEXT];
	print(t, "\n[Peer]\n");
	print_key(t, "PublicKey", &p->instance->public_key);
	if (p->has_preshared_key)
		print_key(t, "PresharedKey", p->preshared_key);
	print(t, "Endpoint = %s\n", ip_endpoint_format(&p->endpoint, endpoint));
	const char *separator = "AllowedIPs = ";
	for (size_t i = 0; i < count; i++) {
		char prefix[IP_PREFIX_TEXT];
		print(t, "%s%s", separator, ip_prefix_format(&routes[i], prefix));
		separator = ", ";
	}
	if (count > 0)
		print(t, "\n");
	if (p->peer->keepalive != 0)
		print(t, "PersistentKeepalive = %u\n", (unsigned int)p->peer->keepalive);
}

int profile_wireguard(const struct profile *p, char **ret)
{
	struct ip_prefix *routes = NULL;
	size_t count = 0;
	if (profile_routes(p, &routes, &count) != 0)
		return -ENOMEM;
	struct text t = {
		.size = FIXED_TEXT + (size_t)DNS_DOMAINS_MAX * DNS_DOMAIN_TEXT
			+ count * (IP_PREFIX_TEXT + 2),
	};
	t.start = calloc(1, t.size);
	if (t.start == NULL) {
		free(routes);
		return -ENOMEM;
	}
	print_interface(&t, p);
	print_peer(&t, p, routes, count);
	free(routes);
	*ret = t.start;
	return 0;
}

int profile_digest(const struct profile *p, char ret[PROFILE_DIGEST_TEXT])
{
	struct profile bare = *p;
	bare.private_key = NULL;
	bare.preshared_key = NULL;
	char *text = NULL;
	if (profile_wireguard(&bare, &text) != 0)
		return -ENOMEM;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	int ok = EVP_Digest(text, strlen(text), digest, &len, EVP_sha256(), NULL);
	profile_text_free(text);
	if (ok != 1 || 2 * len + 1 != PROFILE_DIGEST_TEXT)
		return -ENOMEM;
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[digest[i] >> 4];
		ret[2 * i + 1] = digits[digest[i] & 15];
	}
	ret[PROFILE_DIGEST_TEXT - 1] = '\0';
	return 0;
}

void profile_text_free(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}
