// SPDX-License-Identifier: Apache-2.0
/* Instances, peers and keys: each row of a table breaks one thing of an object that is well. */
#include "control/model/instance.h"
#include "control/model/peer.h"
#include "control/model/wireguard_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static void make_instance(struct instance *i)
{
	instance_init(i);
	(void)snprintf(i->name, sizeof(i->name), "Acme HQ");
	(void)snprintf(i->hostname, sizeof(i->hostname), "Acme");
	i->networks[0] = prefix("10.200.0.0/20");
	i->networks[1] = prefix("fd12::/64");
	i->dns.server_count = 1;
	i->dns.servers[0] = prefix("10.200.0.1/32").addr;
	i->dns.domain_count = 1;
	(void)snprintf(i->dns.domains[0], DNS_DOMAIN_TEXT, "corp.example.net");
}

static const char *instance_refusal(struct instance *i)
{
	static struct model_errors errors;
	memset(&errors, 0, sizeof(errors));
	instance_check(i, &errors);
	instance_fini(i);
	return errors.count > 0 ? errors.list[0].pointer : "";
}

static void a_good_instance_is_folded(void **)
{
	struct instance i;
	make_instance(&i);
	assert_string_equal(instance_refusal(&i), "");
	assert_string_equal(i.hostname, "acme");
	struct ip_addr hub = instance_hub_address(&i, 0);
	char text[IP_ADDR_TEXT];
	assert_string_equal(ip_addr_format(&hub, text), "10.200.0.1");
	hub = instance_hub_address(&i, 1);
	assert_string_equal(ip_addr_format(&hub, text), "fd12::1");
}

static void instances_are_refused_at_the_field(void **)
{
	struct instance i;
	make_instance(&i);
	i.name[0] = '\0';
	assert_string_equal(instance_refusal(&i), "/name");
	make_instance(&i);
	(void)snprintf(i.hostname, sizeof(i.hostname), "www");
	assert_string_equal(instance_refusal(&i), "/hostname");
	make_instance(&i);
	i.mtu = INSTANCE_MTU_MIN - 1;
	assert_string_equal(instance_refusal(&i), "/mtu");
	make_instance(&i);
	i.mtu = INSTANCE_MTU_MAX + 1;
	assert_string_equal(instance_refusal(&i), "/mtu");
	make_instance(&i);
	i.networks[0] = prefix("10.0.0.0/8");
	assert_string_equal(instance_refusal(&i), "/networks/ipv4");
	make_instance(&i);
	i.networks[1] = prefix("2001:db8::/64");
	assert_string_equal(instance_refusal(&i), "/networks/ipv6");
	make_instance(&i);
	i.client_routes = CLIENT_ROUTES_LIST;
	assert_string_equal(instance_refusal(&i), "/routing/client_routes");
	make_instance(&i);
	i.dns.servers[0] = prefix("127.0.0.53/32").addr;
	assert_string_equal(instance_refusal(&i), "/dns/servers/0");
	make_instance(&i);
	i.dns.servers[0] = prefix("0.0.0.0/32").addr;
	assert_string_equal(instance_refusal(&i), "/dns/servers/0");
}

static void search_domains_are_names(void **)
{
	static const struct {
		const char *domain;
		bool is_good;
	} table[] = {
		{"example.net", true},
		{"local", true},
		{"_tcp.example.net", true},
		{"a-b.c", true},
		{"10.example", true},
		{"", false},
		{".", false},
		{"example.net.", false},
		{".example", false},
		{"a..b", false},
		{"-a.b", false},
		{"a-.b", false},
		{"a.b-", false},
		{"a b", false},
		{"a,b", false},
		{"a\nDNS = 6.6.6.6", false},
		{"a#b", false},
		{"b\303\274ro.de", false},
		/* wg-quick would take these for servers */
		{"1.2.3.4", false},
		{"example.123", false},
		{"1", false},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", true},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b", false},
	};
	for (size_t n = 0; n < sizeof(table) / sizeof(table[0]); n++) {
		struct instance i;
		make_instance(&i);
		(void)snprintf(i.dns.domains[0], DNS_DOMAIN_TEXT, "%s", table[n].domain);
		assert_string_equal(
			instance_refusal(&i), table[n].is_good ? "" : "/dns/search_domains/0");
	}
}

static struct key some_key(void)
{
	struct key private_key, public_key;
	assert_int_equal(wireguard_key_generate(&private_key, &public_key), 0);
	key_wipe(&private_key);
	return public_key;
}

static void make_peer(struct peer *p, enum peer_type type)
{
	peer_init(p);
	p->type = type;
	p->public_key = some_key();
	(void)snprintf(p->name, sizeof(p->name), "Branch 1");
	if (type == PEER_SITE) {
		p->subnets.list[0] = prefix("192.168.10.0/24");
		p->subnets.count = 1;
	}
}

static const char *peer_refusal(struct peer *p)
{
	static struct model_errors errors;
	struct instance i;
	make_instance(&i);
	memset(&i.public_key, 7, sizeof(i.public_key));
	memset(&errors, 0, sizeof(errors));
	peer_check(p, &i, &errors);
	instance_fini(&i);
	peer_fini(p);
	return errors.count > 0 ? errors.list[0].pointer : "";
}

static void sites_are_refused_at_the_field(void **)
{
	struct peer p;
	make_peer(&p, PEER_SITE);
	assert_string_equal(peer_refusal(&p), "");
	make_peer(&p, PEER_SITE);
	p.protocol = PROTOCOL_ANY;
	assert_string_equal(peer_refusal(&p), "/protocol");
	make_peer(&p, PEER_SITE);
	p.user_id.bytes[0] = 1;
	assert_string_equal(peer_refusal(&p), "/user_id");
	make_peer(&p, PEER_SITE);
	p.route_all = true;
	assert_string_equal(peer_refusal(&p), "/route_all");
	make_peer(&p, PEER_SITE);
	p.subnets.count = 0;
	assert_string_equal(peer_refusal(&p), "/subnets");
	make_peer(&p, PEER_SITE);
	p.subnets.list[0] = prefix("10.200.3.0/24");
	assert_string_equal(peer_refusal(&p), "/subnets/0");
	make_peer(&p, PEER_SITE);
	p.keepalive = KEEPALIVE_MAX_S + 1;
	assert_string_equal(peer_refusal(&p), "/keepalive");
	make_peer(&p, PEER_SITE);
	memset(&p.public_key, 7, sizeof(p.public_key));
	assert_string_equal(peer_refusal(&p), "/public_key");
}

static void clients_are_refused_at_the_field(void **)
{
	struct peer p;
	make_peer(&p, PEER_CLIENT);
	p.protocol = PROTOCOL_ANY;
	p.route_all = true;
	p.user_id.bytes[0] = 1;
	p.keepalive = 0;
	assert_string_equal(peer_refusal(&p), "");
	make_peer(&p, PEER_CLIENT);
	p.site_id.bytes[0] = 1;
	assert_string_equal(peer_refusal(&p), "/site_id");
	make_peer(&p, PEER_CLIENT);
	p.subnets.count = 1;
	p.subnets.list[0] = prefix("192.168.1.0/24");
	assert_string_equal(peer_refusal(&p), "/subnets");
	make_peer(&p, PEER_CLIENT);
	p.allow_broad_routes = true;
	assert_string_equal(peer_refusal(&p), "/allow_broad_routes");
	make_peer(&p, PEER_CLIENT);
	memset(&p.public_key, 0, sizeof(p.public_key));
	assert_string_equal(peer_refusal(&p), "/public_key");
	make_peer(&p, PEER_CLIENT);
	(void)snprintf(p.name, sizeof(p.name), "a\n[Peer]");
	assert_string_equal(peer_refusal(&p), "/name");
}

static void state_follows_time_and_people(void **)
{
	struct peer p;
	make_peer(&p, PEER_CLIENT);
	assert_int_equal(peer_state_at(&p, 1000), PEER_ACTIVE);
	p.expires_at = 1000;
	assert_int_equal(peer_state_at(&p, 999), PEER_ACTIVE);
	assert_int_equal(peer_state_at(&p, 1000), PEER_EXPIRED);
	p.user_is_suspended = true;
	assert_int_equal(peer_state_at(&p, 1), PEER_SUSPENDED);
	p.user_is_suspended = false;
	p.is_suspended = true;
	assert_int_equal(peer_state_at(&p, 1), PEER_SUSPENDED);
	p.is_suspended = false;
	p.expires_at = 0;
	assert_false(peer_is_connected(&p, 1000)); /* never seen */
	p.status.last_seen_at = 1000;
	assert_true(peer_is_connected(&p, 1180));
	assert_false(peer_is_connected(&p, 1181));
	p.keepalive = 100;
	assert_true(peer_is_connected(&p, 1300));
	assert_false(peer_is_connected(&p, 1301));
	p.is_suspended = true;
	assert_false(peer_is_connected(&p, 1000));
	peer_fini(&p);
}

/* Points of small order, RFC 7748 section 6 and the customary list: no secret with any of them. */
static void weak_keys_are_refused(void **)
{
	static const char *const weak[] = {
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
		"X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
		"7P///////////////////////////////////////38=",
		"7f///////////////////////////////////////38=",
		"7v///////////////////////////////////////38=",
	};
	for (size_t i = 0; i < sizeof(weak) / sizeof(weak[0]); i++) {
		struct key k;
		assert_int_equal(key_from_base64(weak[i], &k), 0);
		assert_non_null(wireguard_public_key_check(&k));
	}
	const struct key good = some_key();
	assert_null(wireguard_public_key_check(&good));
}

static void generated_keys_are_clamped_pairs(void **)
{
	struct key a, a_public, b, b_public;
	assert_int_equal(wireguard_key_generate(&a, &a_public), 0);
	assert_int_equal(wireguard_key_generate(&b, &b_public), 0);
	assert_int_equal(a.bytes[0] & 7, 0);
	assert_int_equal(a.bytes[31] & 0xc0, 0x40);
	assert_false(key_equal(&a, &b));
	assert_false(key_equal(&a_public, &b_public));
	assert_false(key_equal(&a, &a_public));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_instance_is_folded),
		cmocka_unit_test(instances_are_refused_at_the_field),
		cmocka_unit_test(search_domains_are_names),
		cmocka_unit_test(sites_are_refused_at_the_field),
		cmocka_unit_test(clients_are_refused_at_the_field),
		cmocka_unit_test(state_follows_time_and_people),
		cmocka_unit_test(weak_keys_are_refused),
		cmocka_unit_test(generated_keys_are_clamped_pairs),
	};
	return cmocka_run_group_tests_name("model/object", tests, NULL, NULL);
}
