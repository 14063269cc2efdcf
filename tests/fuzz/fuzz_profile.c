// SPDX-License-Identifier: Apache-2.0
/*
 * Everything that people type and that comes out in a profile. Fields end with a NUL: name,
 * hostname, two search domains, two prefixes, a key, labels as JSON. Printed unchecked, no field
 * adds a line or a section; what the model accepts is no address in a domain's clothes either.
 */
#include "control/model/instance.h"
#include "control/model/peer.h"
#include "control/model/wireguard_key.h"
#include "control/profile/profile.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FIELDS = 8,
	FIELD_TEXT = 400,
};

struct fields {
	char text[FIELDS][FIELD_TEXT];
};

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void split(const uint8_t *data, size_t size, struct fields *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (size_t f = 0, at = 0, len = 0; at < size && f < FIELDS; at++) {
		if (data[at] == '\0') {
			f++;
			len = 0;
		} else if (len < FIELD_TEXT - 1) {
			ret->text[f][len++] = (char)data[at];
		}
	}
}

/* The lines that there are, each once, in their order; the first is a comment. */
static void check_lines(const char *text)
{
	static const char *const starts[] = {"# ", "[Interface]\n",
		"PrivateKey = ", "Address = ", "DNS = ", "MTU = ", "\n", "[Peer]\n", "PublicKey = ",
		"PresharedKey = ", "Endpoint = ", "AllowedIPs = ", "PersistentKeepalive = "};
	size_t next = 0;
	while (*text != '\0') {
		while (next < sizeof(starts) / sizeof(starts[0])
			&& strncmp(text, starts[next], strlen(starts[next])) != 0)
			next++;
		require(next < sizeof(starts) / sizeof(starts[0]));
		next++;
		for (; *text != '\n'; text++)
			require((unsigned char)*text >= 0x20 && *text != 0x7f);
		text++;
	}
	require(next == sizeof(starts) / sizeof(starts[0]));
}

/* wg-quick takes what has only digits and dots, or a colon, for a server. */
static void check_domains(const struct instance_dns *dns)
{
	for (size_t i = 0; i < dns->domain_count; i++) {
		const char *d = dns->domains[i];
		require(strspn(d, "0123456789.") != strlen(d));
		require(strpbrk(d, ":, \t#;=[]") == NULL);
	}
}

static void check_prefix(const char *text, struct subnets *ret)
{
	struct model_errors errors = {0};
	struct ip_prefix p, back;
	char formatted[IP_PREFIX_TEXT];
	if (!subnet_parse(text, "/subnets/0", &p, &errors)) {
		require(errors.count == 1);
		return;
	}
	require(ip_prefix_is_canonical(&p));
	require(ip_prefix_parse(ip_prefix_format(&p, formatted), &back) == 0);
	require(ip_prefix_equal(&p, &back));
	ret->list[ret->count++] = p;
}

/* What is too long is cut, as a request that is too long never comes this far. */
static void copy_text(char *ret, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);
	memcpy(ret, text, len);
	ret[len] = '\0';
}

static void read_instance(const struct fields *f, struct instance *i)
{
	instance_init(i);
	(void)ip_prefix_parse("10.200.0.0/20", &i->networks[0]);
	(void)ip_prefix_parse("fd12::/64", &i->networks[1]);
	(void)ip_addr_parse("10.200.0.1", &i->dns.servers[0]);
	i->dns.server_count = 1;
	copy_text(i->name, sizeof(i->name), f->text[0]);
	copy_text(i->hostname, sizeof(i->hostname), f->text[1]);
	for (size_t n = 0; n < 2; n++)
		if (f->text[2 + n][0] != '\0')
			copy_text(i->dns.domains[i->dns.domain_count++], DNS_DOMAIN_TEXT,
				f->text[2 + n]);
}

static void read_peer(const struct fields *f, const struct instance *i, struct peer *p)
{
	json_t *labels = json_loads(f->text[7], 0, NULL);
	peer_init(p);
	p->type = PEER_SITE;
	copy_text(p->name, sizeof(p->name), f->text[0]);
	for (size_t n = 0; n < 2; n++) {
		check_prefix(f->text[4 + n], &p->subnets);
		p->addresses[n] = ip_prefix_host(&i->networks[n], 2);
	}
	if (key_from_base64(f->text[6], &p->public_key) < 0)
		p->key_is_ours = true;
	if (json_is_object(labels))
		(void)json_object_update(p->labels, labels);
	json_decref(labels);
}

static void print_profile(const struct fields *f, const struct instance *i, const struct peer *p)
{
	static const struct key secret = {.bytes = {1}};
	const struct profile profile = {
		.instance = i,
		.peer = p,
		.fqdn = f->text[1],
		.endpoint = {.addr = i->dns.servers[0], .port = 51820},
		.advertised = p->subnets.list,
		.advertised_count = p->subnets.count,
		.has_preshared_key = true,
		.private_key = &secret,
		.preshared_key = &secret,
	};
	char *text = NULL;
	require(profile_wireguard(&profile, &text) == 0);
	check_lines(text);
	profile_text_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fields f;
	static struct instance i;
	static struct peer p;
	struct model_errors errors = {0};
	split(data, size, &f);
	read_instance(&f, &i);
	read_peer(&f, &i, &p);
	print_profile(&f, &i, &p);
	instance_check(&i, &errors);
	if (errors.count == 0)
		check_domains(&i.dns);
	peer_check(&p, &i, &errors);
	require(errors.has_invalid == (errors.count > 0));
	instance_fini(&i);
	peer_fini(&p);
	return 0;
}
