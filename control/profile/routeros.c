// SPDX-License-Identifier: Apache-2.0
/*
 * A script that makes a RouterOS router a site: OpenVPN over TCP with a cipher in CBC mode, the only
 * way that version 6 and 7 have in common. Words that one of them does not know would make it refuse
 * the script as a whole, so such a command is a string that is parsed where it runs, and the plainer
 * one follows when it fails. Certificates are imported from files: there is no other way. Values are
 * letters, digits, hyphens and addresses; names of people's choice stand in comments only.
 */
#include "control/profile/profile.h"
#include "control/profile/routes.h"
#include "control/profile/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIXED_TEXT = 8192,
	ROUTE_TEXT = 128,
	/* each line break of a certificate takes a character more */
	INLINE_TEXT = 2 * (2 * CERTIFICATE_TEXT + CERTIFICATE_KEY_TEXT),
};

struct cipher_name {
	enum openvpn_cipher cipher;
	const char *plain; /* up to 7.7 */
	const char *modern; /* from 7.8 */
};

static const struct cipher_name cipher_names[] = {
	{OPENVPN_AES_256_CBC, "aes256", "aes256-cbc"},
	{OPENVPN_AES_192_CBC, "aes192", "aes192-cbc"},
	{OPENVPN_AES_128_CBC, "aes128", "aes128-cbc"},
};

static const char *const digest_names[OPENVPN_DIGEST__COUNT] = {"sha1", "sha256", "sha512"};

/* NULL: the listener allows none that every RouterOS has. */
static const struct cipher_name *find_cipher(const struct openvpn_listener *l)
{
	for (size_t n = 0; n < sizeof(cipher_names) / sizeof(cipher_names[0]); n++) {
		for (size_t i = 0; i < l->cipher_count; i++) {
			if (l->ciphers[i] == cipher_names[n].cipher)
				return &cipher_names[n];
		}
	}
	return NULL;
}

/* A text with line breaks as a string of RouterOS. PEM has nothing else to escape. */
static void print_quoted(struct text *t, const char *content)
{
	text_print(t, "\"");
	for (; content != NULL && *content != '\0'; content++) {
		if (*content == '\n')
			text_print(t, "\\n");
		else
			text_print(t, "%c", *content);
	}
	text_print(t, "\"");
}

static void print_head(struct text *t, const struct profile *p)
{
	const char *name = p->instance->hostname;
	text_print(t, "# ");
	text_print_name(t, p->peer->name);
	text_print(t, " at ");
	text_print_name(t, p->fqdn);
	text_print(t,
		": OpenVPN for RouterOS 6 and 7. Import it as a file:\n"
		"#   /import file-name=nave-%s.rsc\n"
		"# Its clock must be right, or no certificate is valid. It may be imported again.\n",
		name);
	if (p->password == NULL)
		text_print(t,
			"# The password and the private key are BLANK: reveal this profile first.\n");
	text_print(t,
		":do { /interface ovpn-client remove [find name=\"nave-%s\"] } on-error={}\n"
		":do { /ip route remove [find comment=\"nave-%s\"] } on-error={}\n"
		":do { /ppp profile remove [find name=\"nave-%s\"] } on-error={}\n"
		":do { /certificate remove [find common-name=\"Nave %s\" name~\"^nave-\"] } on-error={}\n"
		":do { /certificate remove [find common-name=\"%s\" name~\"^nave-\"] } on-error={}\n",
		name, name, name, name, p->peer->username);
}

static void print_certificates(
	struct text *t, const struct profile *p, const struct openvpn_listener *l)
{
	const char *name = p->instance->hostname;
	text_print(t,
		":local take do={\n"
		"\t/file print file=$stem\n"
		"\t:delay 2s\n"
		"\t/file set ($stem . \".txt\") contents=$content\n"
		"\t:delay 1s\n"
		"\t/certificate import file-name=($stem . \".txt\") passphrase=\"\"\n"
		"\t:delay 1s\n"
		"\t/file remove ($stem . \".txt\")\n"
		"}\n"
		"$take stem=\"nave-%s-ca\" content=",
		name);
	print_quoted(t, p->authority);
	text_print(t, "\n");
	if (!l->requires_certificate) {
		text_print(t, ":local own \"none\"\n");
		return;
	}
	text_print(t, "$take stem=\"nave-%s\" content=", name);
	print_quoted(t, p->certificate);
	text_print(t, "\n$take stem=\"nave-%s-key\" content=", name);
	print_quoted(t, p->certificate_key);
	text_print(t, "\n:local own [/certificate get [find common-name=\"%s\"] name]\n",
		p->peer->username);
}

/* An address before the name: version 6 takes nothing else, and both are in the certificate. */
static void print_connect_to(struct text *t, const struct profile *p)
{
	char addr[IP_ADDR_TEXT];
	for (size_t i = 0; i < p->address_count; i++) {
		if (ip_addr_is_v4(&p->addresses[i])) {
			text_print(t, "%s", ip_addr_format(&p->addresses[i], addr));
			return;
		}
	}
	text_print(t, "%s", p->fqdn);
}

static void print_client(struct text *t, const struct profile *p, const struct openvpn_listener *l,
	const char *cipher, const char *more)
{
	text_print(t,
		"[:parse \"/interface ovpn-client add name=nave-%s profile=nave-%s connect-to=",
		p->instance->hostname, p->instance->hostname);
	print_connect_to(t, p);
	text_print(t, " port=%u user=%s password=", (unsigned int)l->port, p->peer->username);
	text_print(t, "%s", p->password != NULL ? p->password : "\\\"\\\"");
	text_print(t,
		" certificate=\\$own cipher=%s auth=%s mode=ip max-mtu=%u add-default-route=no%s"
		" disabled=no\"]",
		cipher, digest_names[l->digest], (unsigned int)p->instance->mtu, more);
}

static void print_interface(struct text *t, const struct profile *p,
	const struct openvpn_listener *l, const struct cipher_name *cipher)
{
	text_print(t,
		"/ppp profile add name=\"nave-%s\" change-tcp-mss=yes only-one=yes"
		" use-compression=no\n"
		":do {\n\t:local add ",
		p->instance->hostname);
	print_client(t, p, l, cipher->modern,
		" protocol=tcp route-nopull=yes use-peer-dns=no tls-version=only-1.2"
		" verify-server-certificate=yes");
	/* version 6 does not know those words; whoever imports it must hear what that costs */
	text_print(t,
		"\n\t$add own=$own\n} on-error={\n\t:put \"nave: this RouterOS is not told to verify the"
		" hub's certificate; version 7 is\"\n\t:local add ");
	print_client(t, p, l, cipher->plain, "");
	text_print(t, "\n\t$add own=$own\n}\n");
}

/* IPv4 only: in mode=ip RouterOS has nothing else. */
static void print_routes(
	struct text *t, const struct profile *p, const struct ip_prefix *routes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char prefix[IP_PREFIX_TEXT];
		if (ip_prefix_is_v4(&routes[i]))
			text_print(t,
				"/ip route add dst-address=%s gateway=\"nave-%s\" comment=\"nave-%s\"\n",
				ip_prefix_format(&routes[i], prefix), p->instance->hostname,
				p->instance->hostname);
	}
}

int profile_routeros(const struct profile *p, char **ret)
{
	const struct openvpn_listener *l = &p->instance->openvpn[OPENVPN_TCP];
	const struct cipher_name *cipher = find_cipher(l);
	struct ip_prefix *routes = NULL;
	size_t count = 0;
	struct text t;
	if (cipher == NULL || l->wrap != OPENVPN_WRAP_NONE || l->tls_minimum == OPENVPN_TLS_1_3)
		return -EPROTONOSUPPORT;
	if (profile_routes(p, &routes, &count) != 0)
		return -ENOMEM;
	int rc = text_init(&t, FIXED_TEXT + INLINE_TEXT + count * ROUTE_TEXT);
	if (rc == 0) {
		print_head(&t, p);
		print_certificates(&t, p, l);
		print_interface(&t, p, l, cipher);
		print_routes(&t, p, routes, count);
		*ret = t.start;
	}
	free(routes);
	return rc;
}
