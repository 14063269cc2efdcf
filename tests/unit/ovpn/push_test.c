// SPDX-License-Identifier: Apache-2.0
/* What clients are pushed, as far as it can be compared with OpenVPN's own (checklist 30, 37, 38). */
#include "dataplane/ovpn/push.h"

#include "dataplane/ovpn/cipher.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BASE                                                                        \
	"PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ping 2,ping-restart 20," \
	"ifconfig 10.8.0.2 255.255.255.0"

static struct push_parts parts;

static struct ip_addr addr(const char *text)
{
	struct ip_addr a;
	assert_int_equal(ip_addr_parse(text, &a), 0);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static struct push plain(void)
{
	return (struct push){
		.address_v4 = prefix("10.8.0.2/24"),
		.gateway_v4 = addr("10.8.0.1"),
		.ping_s = 2,
		.ping_restart_s = 20,
		.tun_mtu = 1500,
		.allows_key_export = true,
		.allows_dyn_tls_crypt = true,
		.allows_epoch = true,
	};
}

static struct peer_info info(const char *text)
{
	struct peer_info p;
	peer_info_parse(text, &p);
	return p;
}

/* As a server would: the cipher chosen by the same peer info. */
static void set_cipher(struct push *p, const struct peer_info *client, const char *occ_cipher)
{
	struct cipher_policy policy = {
		.cipher_count = DATA_CIPHER_COUNT, .digest_count = DATA_DIGEST_COUNT};
	for (size_t i = 0; i < DATA_CIPHER_COUNT; i++)
		policy.ciphers[i] = &data_ciphers[i];
	for (size_t i = 0; i < DATA_DIGEST_COUNT; i++)
		policy.digests[i] = &data_digests[i];
	struct cipher_offer offer = {.iv_ciphers = client->has_ciphers ? client->ciphers : NULL,
		.iv_ncp = client->ncp,
		.occ_cipher = occ_cipher,
		.occ_auth = "SHA1"};
	struct cipher_choice choice;
	assert_int_equal(cipher_choose(&policy, &offer, &choice), CIPHER_CHOSEN);
	p->cipher = choice.is_pushed ? choice.name : NULL;
}

static void must_be_one(const char *text)
{
	assert_int_equal(parts.count, 1);
	assert_string_equal(parts.part[0].text, text);
	assert_int_equal(parts.part[0].len, strlen(text) + 1);
}

static void must_reply(const struct push *p, const char *peer_info, const char *text)
{
	struct peer_info client = info(peer_info);
	assert_int_equal(push_reply_write(p, &client, &parts), 0);
	must_be_one(text);
}

static void each_client(void **state)
{
	static const struct {
		const char *who, *peer_info, *reply;
	} rows[] = {
		{"2.4.12", "IV_NCP=2\nIV_PROTO=2\nIV_CIPHERS=AES-256-GCM:AES-128-GCM:BF-CBC\n",
			BASE ",peer-id 0,cipher AES-256-GCM"},
		{"2.4 ncp-disable", "IV_PROTO=2\n", BASE ",peer-id 0"},
		{"2.5 ncp-disable", "IV_PROTO=6\n", BASE ",peer-id 0"},
		{"2.5.11", "IV_NCP=2\nIV_PROTO=6\nIV_CIPHERS=AES-256-GCM:AES-128-GCM\n",
			BASE ",peer-id 0,cipher AES-256-GCM"},
		{"2.6.14",
			"IV_MTU=1600\nIV_NCP=2\nIV_PROTO=990\n"
			"IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\n",
			BASE ",peer-id 0,cipher AES-256-GCM"
			     ",protocol-flags cc-exit tls-ekm dyn-tls-crypt,tun-mtu 1500"},
		{"2.7.6",
			"IV_MTU=1600\nIV_NCP=2\nIV_PROTO=8094\n"
			"IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\n",
			BASE
			",peer-id 0,cipher AES-256-GCM"
			",protocol-flags cc-exit tls-ekm dyn-tls-crypt aead-epoch,tun-mtu 1500"},
		{"OpenVPN3 3.11.7",
			"IV_MTU=1600\nIV_NCP=2\nIV_PROTO=8094\n"
			"IV_CIPHERS=AES-128-GCM:AES-192-GCM:AES-256-GCM:CHACHA20-POLY1305\n",
			BASE
			",peer-id 0,cipher AES-256-GCM"
			",protocol-flags cc-exit tls-ekm dyn-tls-crypt aead-epoch,tun-mtu 1500"},
		{"RouterOS 7.23.3", "IV_PROTO=2\n", BASE ",peer-id 0"},
		{"RouterOS 6", "", BASE},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct push p = plain();
		struct peer_info client = info(rows[i].peer_info);
		set_cipher(&p, &client, "AES-256-CBC");
		print_message("%s\n", rows[i].who);
		must_reply(&p, rows[i].peer_info, rows[i].reply);
	}
}

static void flags_follow_what_is_allowed(void **state)
{
	struct push p = plain();
	p.cipher = "AES-128-GCM";
	p.allows_dyn_tls_crypt = p.allows_epoch = false;
	must_reply(&p, "IV_PROTO=8094\n",
		BASE ",peer-id 0,cipher AES-128-GCM,protocol-flags cc-exit tls-ekm");
	p.allows_key_export = false;
	p.allows_epoch = true;
	must_reply(
		&p, "IV_PROTO=8094\n", BASE ",peer-id 0,cipher AES-128-GCM,protocol-flags cc-exit");
	p.allows_key_export = true;
	must_reply(
		&p, "IV_PROTO=10\n", BASE ",peer-id 0,cipher AES-128-GCM,key-derivation tls-ekm");
	p.cipher = "AES-128-CBC"; /* epoch is for AEAD */
	must_reply(&p, "IV_PROTO=8094\n",
		BASE ",peer-id 0,cipher AES-128-CBC,protocol-flags cc-exit tls-ekm");
	struct peer_info old = info("IV_PROTO=6\n"), new = info("IV_PROTO=990\n");
	assert_false(push_uses_key_export(&p, &old));
	assert_true(push_uses_key_export(&p, &new));
	p.allows_key_export = false;
	assert_false(push_uses_key_export(&p, &new));
}

static void tun_mtu(void **state)
{
	struct push p = plain();
	must_reply(&p, "IV_MTU=1500\n", BASE ",tun-mtu 1500");
	must_reply(&p, "IV_MTU=1499\n", BASE);
	p.tun_mtu = 0;
	must_reply(&p, "IV_MTU=1500\n", BASE);
}

static void compression(void **state)
{
	static const struct options lzo = {.has_comp_lzo = true}, none;
	struct peer_info stub = info("IV_COMP_STUBv2=1\n"), old = info("");
	struct push p = plain();
	assert_int_equal(push_compression(&none, &stub), PUSH_COMPRESSION_ABSENT);
	p.compression = push_compression(&lzo, &stub);
	must_reply(&p, "", BASE ",compress stub-v2");
	p.compression = push_compression(&lzo, &old);
	must_reply(&p, "", BASE ",comp-lzo no");
}

static void routes_and_names(void **state)
{
	struct ip_prefix routes[] = {prefix("192.168.7.9/24"), prefix("2001:db8:7::/48"),
		prefix("0.0.0.0/0"), prefix("192.0.2.1/32")};
	struct push p = plain();
	p.routes = routes;
	p.route_count = 4;
	p.redirect_v4 = true;
	p.block_ipv6 = true;
	p.exit_notify = 1;
	p.dns[0] = addr("10.8.0.1");
	p.dns[1] = addr("2001:db8::53");
	p.dns_count = 2;
	p.domains[0] = "example.com";
	p.domains[1] = "lab.example";
	p.domain_count = 2;
	/* without an address of IPv6 its routes are none */
	must_reply(&p, "",
		"PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ping 2,ping-restart 20,"
		"explicit-exit-notify 1,route 192.168.7.0 255.255.255.0,route 0.0.0.0 0.0.0.0,"
		"route 192.0.2.1 255.255.255.255,redirect-gateway def1,block-ipv6,"
		"dhcp-option DNS 10.8.0.1,dhcp-option DNS 2001:db8::53,"
		"dhcp-option DOMAIN example.com,dhcp-option DOMAIN-SEARCH lab.example,"
		"ifconfig 10.8.0.2 255.255.255.0");
	p.has_v6 = true;
	p.address_v6 = prefix("fd00:8::2/64");
	p.gateway_v6 = addr("fd00:8::1");
	p.redirect_v6 = true;
	p.block_ipv6 = false;
	p.route_count = 2;
	p.exit_notify = p.ping_s = p.ping_restart_s = 0;
	must_reply(&p, "IV_PROTO=2048\n",
		"PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,"
		"route 192.168.7.0 255.255.255.0,route-ipv6 2001:db8:7::/48,"
		"redirect-gateway def1 ipv6,"
		"dhcp-option DNS 10.8.0.1,dhcp-option DNS 2001:db8::53,"
		"dhcp-option DOMAIN example.com,dhcp-option DOMAIN-SEARCH lab.example,"
		"dns server 0 address 10.8.0.1 2001:db8::53,"
		"dns search-domains example.com lab.example,"
		"tun-ipv6,ifconfig-ipv6 fd00:8::2/64 fd00:8::1,ifconfig 10.8.0.2 255.255.255.0");
}

/* Puts the parts together again as a client does; count is what it read. */
static size_t count_routes(const char *verb)
{
	size_t found = 0;
	for (size_t i = 0; i < parts.count; i++) {
		const char *text = parts.part[i].text;
		const char *end =
			i + 1 < parts.count ? ",push-continuation 2" : ",push-continuation 1";
		size_t len = strlen(text);
		assert_int_equal(parts.part[i].len, len + 1);
		assert_true(len + 1 <= PUSH_PART_MAX);
		assert_int_equal(strncmp(text, verb, strlen(verb)), 0);
		assert_string_equal(text + len - strlen(end), end);
		for (text = strstr(text, ",route 10."); text != NULL;
			text = strstr(text + 1, ",route 10."))
			found++;
	}
	return found;
}

static void continuation(void **state)
{
	enum {
		ROUTES = 400
	};
	static struct ip_prefix routes[1000];
	for (size_t i = 0; i < 1000; i++) {
		char text[IP_PREFIX_TEXT];
		(void)snprintf(text, sizeof(text), "10.%u.%u.0/24", (unsigned int)(i / 250),
			(unsigned int)(i % 250));
		routes[i] = prefix(text);
	}
	struct push p = plain();
	struct peer_info client = info("IV_PROTO=8094\n");
	p.routes = routes;
	for (p.route_count = 24; p.route_count < ROUTES; p.route_count++) {
		assert_int_equal(push_reply_write(&p, &client, &parts), 0);
		if (parts.count > 1)
			assert_int_equal(count_routes("PUSH_REPLY,"), p.route_count);
	}
	assert_true(parts.count > 10);
	assert_int_equal(push_update_write(&p, &client, &parts), 0);
	assert_int_equal(count_routes("PUSH_UPDATE,"), ROUTES);
	p.route_count = 1000;
	assert_int_equal(push_reply_write(&p, &client, &parts), -E2BIG);
	assert_int_equal(parts.count, 0);
}

/* Each shorter route moves what follows by a byte, so that the first part ends at each place, also at
 * the last. */
static void a_part_is_filled_to_its_end(void **state)
{
	static struct ip_prefix routes[60];
	struct push p = plain();
	struct peer_info client = info("IV_PROTO=8094\n");
	bool filled = false;
	for (size_t i = 0; i < 60; i++)
		routes[i] = prefix("10.20.30.0/24");
	p.routes = routes;
	p.route_count = 60;
	for (size_t i = 0; i < 30; i++) {
		routes[i] = prefix("10.2.30.0/24");
		assert_int_equal(push_reply_write(&p, &client, &parts), 0);
		assert_int_equal(count_routes("PUSH_REPLY,"), 60);
		filled = filled || parts.part[0].len == PUSH_PART_MAX;
	}
	assert_true(filled);
}

static void must_be_invalid(const struct push *p)
{
	struct peer_info client = info("IV_PROTO=8094\n");
	assert_int_equal(push_reply_write(p, &client, &parts), -EINVAL);
	assert_int_equal(parts.count, 0);
}

static void no_comma_in_a_value(void **state)
{
	static const char *const bad[] = {
		"a,route 0.0.0.0 0.0.0.0", "a b", "", "a\n", "\"a\"", "a#b"};
	struct push p = plain();
	p.domain_count = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p.domains[0] = bad[i];
		must_be_invalid(&p);
	}
	p.domain_count = 0;
	p.cipher = "AES-256-GCM,route 1.2.3.4";
	must_be_invalid(&p);
	p.cipher = "AES-256-GCM,x";
	must_be_invalid(&p);
	p = plain();
	p.peer_id = PUSH_PEER_ID_DISABLED;
	must_be_invalid(&p);
	p = plain();
	p.dns_count = PUSH_DNS_MAX + 1;
	must_be_invalid(&p);
	p = plain();
	p.address_v4 = prefix("fd00::1/64");
	must_be_invalid(&p);
	p = plain();
	p.has_v6 = true; /* and no address */
	p.address_v6 = p.address_v4;
	must_be_invalid(&p);
}

static void long_names(void **state)
{
	static char name[250];
	memset(name, 'a', sizeof(name) - 1);
	struct push p = plain();
	for (p.domain_count = 0; p.domain_count < 3;)
		p.domains[p.domain_count++] = name;
	struct peer_info client = info("IV_PROTO=2048\n");
	assert_int_equal(push_reply_write(&p, &client, &parts), 0);
	p.domains[p.domain_count++] = name;
	must_be_invalid(&p);
}

static void update(void **state)
{
	struct ip_prefix routes[] = {prefix("192.168.7.0/24")};
	struct peer_info old = info("IV_PROTO=990\n"), new = info("IV_PROTO=8094\n");
	struct push p = plain();
	assert_int_equal(push_update_write(&p, &old, &parts), -EOPNOTSUPP);
	assert_int_equal(parts.count, 0);
	assert_int_equal(push_update_write(&p, &new, &parts), 0);
	must_be_one(
		"PUSH_UPDATE,-route,-route-ipv6,-redirect-gateway,-block-ipv6,-dhcp-option,-dns");
	p.routes = routes;
	p.route_count = 1;
	p.redirect_v4 = true;
	p.dns[0] = addr("10.8.0.1");
	p.dns_count = 1;
	assert_int_equal(push_update_write(&p, &new, &parts), 0);
	must_be_one("PUSH_UPDATE,-route-ipv6,-block-ipv6,route 192.168.7.0 255.255.255.0,"
		    "redirect-gateway def1,dhcp-option DNS 10.8.0.1,dns server 0 address 10.8.0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_client),
		cmocka_unit_test(flags_follow_what_is_allowed),
		cmocka_unit_test(tun_mtu),
		cmocka_unit_test(compression),
		cmocka_unit_test(routes_and_names),
		cmocka_unit_test(continuation),
		cmocka_unit_test(a_part_is_filled_to_its_end),
		cmocka_unit_test(no_comma_in_a_value),
		cmocka_unit_test(long_names),
		cmocka_unit_test(update),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
