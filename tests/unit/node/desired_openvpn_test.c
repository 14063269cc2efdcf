// SPDX-License-Identifier: Apache-2.0
/* OpenVPN in the control daemon's answer: taken whole or not at all, and what the dataplane is told. */
#include "control/node/desired.h"
#include "control/node/objects.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
#define INSTANCE_ID "11111111-1111-4111-8111-111111111111"
#define PEER_ID "22222222-1111-4111-8111-111111111111"
#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32
#define HEX256 HEX64 HEX64 HEX64 HEX64
#define LISTENER                                                                                \
	"{\"id\":\"44444444-1111-4111-8111-111111111111\",\"transport\":\"udp\",\"port\":1194," \
	"\"wrap\":\"tls-auth\",\"wrap_key\":\"" HEX256 HEX256 "\",\"tls_minimum\":\"1.2\","     \
	"\"security_level\":2,\"renegotiate_seconds\":3600,"                                    \
	"\"ciphers\":[\"AES-256-GCM\",\"AES-128-CBC\"],\"tls_auth_digest\":\"SHA512\","         \
	"\"requires_certificate\":true,\"requires_password\":false}"
#define OPENVPN                                                                                 \
	"{\"ca\":\"the ca\",\"certificate\":\"shown\",\"private_key\":\"hidden\",\"push\":{"    \
	"\"routes\":[\"192.168.10.0/24\",\"fd15::1/64\"],\"dns\":[\"10.192.0.1\",\"fd12::1\"]," \
	"\"domains\":[\"corp.example\"]},\"listeners\":[" LISTENER "]}"
#define CREDENTIALS                                                  \
	"{\"certificate_sha256\":\"" HEX64                           \
	"\",\"username\":\"amber-fox-7\",\"password_salt\":\"" HEX32 \
	"\",\"password_sha256\":\"" HEX64 "\"}"
#define INSTANCE                                                                                    \
	"{\"id\":\"" INSTANCE_ID "\",\"number\":1,\"wireguard\":{\"private_key\":\"" KEY            \
	"\",\"port\":51820},\"addresses\":{\"ipv4\":\"10.200.0.1/20\",\"ipv6\":\"fd12::1/64\"},"    \
	"\"mtu\":1420,\"access\":{\"site_to_site\":true,\"client_to_site\":true,"                   \
	"\"client_to_client\":false},\"egress\":{\"ipv4\":true,\"ipv6\":true},\"openvpn\":" OPENVPN \
	"}"
#define PEER                                                                                   \
	"{\"id\":\"" PEER_ID "\",\"instance_id\":\"" INSTANCE_ID "\",\"type\":\"site\","       \
	"\"protocol\":\"any\",\"public_key\":\"" KEY "\",\"preshared_key\":\"" KEY             \
	"\",\"route_all\":false,\"keepalive\":25,\"addresses\":[\"10.200.0.2\",\"fd12::2\"],"  \
	"\"subnets\":[\"192.168.10.0/24\"],\"allowed_destinations\":null,\"expires_at\":null," \
	"\"endpoint\":\"203.0.113.9:51820\",\"openvpn\":" CREDENTIALS "}"
#define HEAD(generation, full)                                                           \
	"{\"epoch\":\"33333333-1111-4111-8111-111111111111\",\"generation\":" generation \
	",\"full\":" full ",\"instances\":["
#define WHOLE HEAD("5", "true") INSTANCE "],\"peers\":[" PEER "],\"deleted\":[]}"

static int merge(struct desired *d, const char *json)
{
	char error[DESIRED_ERROR_TEXT] = "";
	int err = desired_merge(d, json, strlen(json), error);
	if (err == -EINVAL)
		assert_true(error[0] != '\0'); /* says what */
	return err;
}

/* A text with one piece replaced; owned. */
static char *with(const char *text, const char *what, const char *by)
{
	const char *at = strstr(text, what);
	char *ret;
	if (at == NULL)
		fail_msg("%s is not there", what);
	assert_true(asprintf(&ret, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what)) > 0);
	return ret;
}

static struct objects objects_of(const char *json)
{
	struct desired d = {0};
	struct hub_state hub = {.egress4 = true};
	struct objects o;
	assert_int_equal(merge(&d, json), 0);
	assert_int_equal(objects_from_desired(&d, &hub, &o), 0);
	desired_fini(&d);
	return o;
}

static struct objects objects_with(const char *what, const char *by)
{
	char *text = with(WHOLE, what, by);
	struct objects o = objects_of(text);
	free(text);
	return o;
}

static bool is_addr(const struct ip_addr *addr, const char *text)
{
	struct ip_addr wanted;
	assert_int_equal(ip_addr_parse(text, &wanted), 0);
	return ip_addr_equal(addr, &wanted);
}

/* The dataplane would take all of it. */
static void assert_good(const struct objects *o)
{
	const char *reason = "";
	for (unsigned int n = 0; n < o->listeners; n++)
		assert_int_equal(dp_listener_set_check((const uint8_t *)o->listener[n],
					 dp_listener_set_size(o->listener[n]), &reason),
			0);
	for (unsigned int n = 0; n < o->pushes; n++)
		assert_int_equal(dp_push_set_check((const uint8_t *)o->push[n],
					 dp_push_set_size(o->push[n]), &reason),
			0);
	for (unsigned int n = 0; n < o->peers; n++)
		assert_int_equal(dp_peer_set_check((const uint8_t *)o->peer[n],
					 dp_peer_set_size(o->peer[n]), &reason),
			0);
	for (unsigned int n = 0; n < o->routes; n++)
		assert_int_equal(dp_route_set_check((const uint8_t *)&o->route[n],
					 sizeof(o->route[n]), &reason),
			0);
}

static void a_listener_is_told_whole(void **state)
{
	static const char pem[] = "the ca\0shown\0hidden";
	struct objects o = objects_of(WHOLE);
	assert_good(&o);
	assert_int_equal(o.listeners, 1);
	const struct dp_listener_set *l = o.listener[0];
	assert_int_equal(l->id.bytes[0], 0x44);
	assert_int_equal(l->instance.bytes[0], 0x11);
	assert_int_equal(l->wrap_key[0], 0x01);
	assert_int_equal(l->wrap_key[DP_WRAP_KEY_LEN - 1], 0xef);
	assert_int_equal(l->renegotiate_s, 3600);
	assert_int_equal(l->port, 1194);
	assert_int_equal(l->transport, DP_TRANSPORT_UDP);
	assert_int_equal(l->wrap, DP_WRAP_TLS_AUTH);
	assert_int_equal(l->wrap_digest, DP_DIGEST_SHA512);
	assert_int_equal(l->tls_minimum, DP_TLS_1_2);
	assert_int_equal(l->security_level, 2);
	assert_int_equal(l->flags, DP_LISTENER_CERTIFICATE);
	assert_int_equal(l->cipher[0], DP_CIPHER_AES_256_GCM);
	assert_int_equal(l->cipher[1], DP_CIPHER_AES_128_CBC);
	assert_int_equal(
		dp_listener_set_size(l) - offsetof(struct dp_listener_set, pem), sizeof(pem));
	assert_memory_equal(l->pem, pem, sizeof(pem));
	objects_fini(&o);
}

static void what_clients_are_told(void **state)
{
	struct objects o = objects_of(WHOLE);
	assert_int_equal(o.pushes, 1);
	const struct dp_push_set *p = o.push[0];
	char text[IP_PREFIX_TEXT];
	assert_int_equal(p->instance.bytes[0], 0x11);
	assert_true(is_addr(&p->dns[0], "10.192.0.1"));
	assert_true(is_addr(&p->dns[1], "fd12::1"));
	assert_true(ip_addr_is_zero(&p->dns[2]));
	assert_string_equal(p->domain[0], "corp.example");
	assert_string_equal(p->domain[1], "");
	assert_int_equal(p->route_count, 2);
	assert_string_equal(ip_prefix_format(&p->route[0], text), "192.168.10.0/24");
	assert_string_equal(ip_prefix_format(&p->route[1], text), "fd15::/64"); /* canonical */
	objects_fini(&o);
}

/* What a client cannot be told of is left out, and the rest of the hub goes on. */
static void more_than_is_told(void **state)
{
	static char routes[64 * 600] = "\"routes\":[\"10.9.9.0/24\"";
	size_t len = strlen(routes);
	for (unsigned int n = 0; n < 600; n++)
		len += (size_t)snprintf(routes + len, sizeof(routes) - len, ",\"10.%u.%u.0/24\"%s",
			n / 256, n % 256, n == 599 ? "]" : "");
	struct objects o = objects_with("\"routes\":[\"192.168.10.0/24\",\"fd15::1/64\"]", routes);
	assert_good(&o);
	assert_int_equal(o.push[0]->route_count, DP_PUSH_ROUTES_MAX);
	objects_fini(&o);
	o = objects_with("\"dns\":[",
		"\"dns\":[\"10.0.0.1\",\"10.0.0.2\",\"10.0.0.3\",\"10.0.0.4\",\"10.0.0.5\",\"10.0.0.6\",\"10.0.0.7\",");
	assert_good(&o);
	assert_true(is_addr(&o.push[0]->dns[DP_PUSH_DNS_MAX - 1], "10.192.0.1"));
	objects_fini(&o);
	o = objects_with("\"domains\":[",
		"\"domains\":[\"a.b\",\"c.d\",\"e.f\",\"g.h\",\"i.j\",\"k.l\",\"m.n\",\"o.p\",");
	assert_good(&o);
	assert_string_equal(o.push[0]->domain[DP_PUSH_DOMAINS_MAX - 1], "o.p");
	objects_fini(&o);
}

static void every_word(void **state)
{
	static const struct {
		const char *what, *by;
		size_t offset;
		uint8_t value;
	} words[] = {
#define AT(field) offsetof(struct dp_listener_set, field)
		{"\"udp\"", "\"tcp\"", AT(transport), DP_TRANSPORT_TCP},
		{"\"tls-auth\"", "\"tls-crypt\"", AT(wrap), DP_WRAP_TLS_CRYPT},
		{"\"tls-auth\",\"wrap_key\":\"" HEX256, "\"tls-crypt-v2\",\"wrap_key\":\"",
			AT(wrap), DP_WRAP_TLS_CRYPT_V2},
		{"\"tls-auth\",\"wrap_key\":\"" HEX256 HEX256, "\"none\",\"wrap_key\":\"", AT(wrap),
			DP_WRAP_NONE},
		{"SHA512", "SHA256", AT(wrap_digest), DP_DIGEST_SHA256},
		{"SHA512", "SHA1", AT(wrap_digest), DP_DIGEST_SHA1},
		{"\"1.2\"", "\"1.0\"", AT(tls_minimum), DP_TLS_1_0},
		{"\"1.2\"", "\"1.3\"", AT(tls_minimum), DP_TLS_1_3},
		{"level\":2", "level\":0", AT(security_level), 0},
		{"password\":false", "password\":true", AT(flags), DP_LISTENER_FLAGS_ALL},
		{"AES-256-GCM", "AES-192-GCM", AT(cipher), DP_CIPHER_AES_192_GCM},
		{"AES-256-GCM", "AES-128-GCM", AT(cipher), DP_CIPHER_AES_128_GCM},
		{"AES-256-GCM", "CHACHA20-POLY1305", AT(cipher), DP_CIPHER_CHACHA20_POLY1305},
		{"AES-256-GCM", "AES-256-CBC", AT(cipher), DP_CIPHER_AES_256_CBC},
		{"AES-256-GCM", "AES-192-CBC", AT(cipher), DP_CIPHER_AES_192_CBC},
	};
	for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
		struct objects o = objects_with(words[n].what, words[n].by);
		assert_good(&o);
		assert_int_equal(((const uint8_t *)o.listener[0])[words[n].offset], words[n].value);
		objects_fini(&o);
	}
}

static void refused_whole(void **state)
{
	static const char *const wrong[][2] = {
		{"\"ca\":\"the ca\"", "\"ca\":null"},
		{"\"certificate\":\"shown\",", ""},
		{"\"private_key\":\"hidden\"", "\"private_key\":7"},
		{"192.168.10.0/24\",\"fd15", "hello\",\"fd15"},
		{"\"routes\":", "\"roads\":"},
		{"\"10.192.0.1\"", "\"10.192.0.1/32\""},
		{"\"dns\":", "\"names\":"},
		{"[\"corp.example\"]", "\"corp.example\""},
		{"corp.example", ""},
		{"corp.example", HEX64 HEX64},
		{"\"listeners\":[" LISTENER "]", "\"listeners\":null"},
		{"\"listeners\":[", "\"listeners\":[7,"},
		{"44444444-", "44444444"},
		{"\"udp\"", "\"sctp\""},
		{"\"udp\"", "null"},
		{"1194", "0"},
		{"1194", "65536"},
		{"\"tls-auth\"", "\"tls-crypt-v2\""},
		{"\"tls-auth\"", "\"none\""},
		{"\"tls-auth\"", "\"\""},
		{"\"wrap_key\":\"01", "\"wrap_key\":\""},
		{"\"wrap_key\":\"01", "\"wrap_key\":\"0x"},
		{"\"1.2\"", "\"1.1\""},
		{"level\":2", "level\":6"},
		{"level\":2", "level\":\"2\""},
		{"3600", "-1"},
		{"3600", "4294967296"},
		{"\"AES-256-GCM\",\"AES-128-CBC\"", ""},
		{"AES-256-GCM", "BF-CBC"},
		{"AES-256-GCM", "AES-128-CBC"},
		{"\"AES-256-GCM\"", "1"},
		{"SHA512", "MD5"},
		{"certificate\":true", "certificate\":false"},
		{"certificate\":true", "certificate\":null"},
		{"\"requires_password\":false", "\"requires_password\":0"},
		{"\"protocol\":\"any\"", "\"protocol\":\"ipsec\""},
		{"\"protocol\":\"any\"", "\"protocol\":null"},
		{"\"public_key\":\"" KEY "\"", "\"public_key\":null"}, /* of any */
		{"\"openvpn\":" CREDENTIALS, "\"openvpn\":true"},
		{"certificate_sha256\":\"01", "certificate_sha256\":\""},
		{"certificate_sha256\":\"" HEX64 "\"", "certificate_sha256\":7"},
		{"amber-fox-7", ""},
		{"amber-fox-7", HEX32},
		{"\"amber-fox-7\"", "null"},
		{"\"password_salt\":\"" HEX32 "\"", "\"password_salt\":null"},
		{"\"password_salt\":\"" HEX32, "\"password_salt\":\"" HEX64},
		{"\"password_sha256\":\"" HEX64, "\"password_sha256\":\"" HEX32},
	};
	for (size_t n = 0; n < sizeof(wrong) / sizeof(wrong[0]); n++) {
		struct desired d = {0};
		char *text = with(WHOLE, wrong[n][0], wrong[n][1]);
		if (merge(&d, text) != -EINVAL)
			fail_msg("%s was taken", wrong[n][1]);
		assert_false(d.known);
		free(text);
	}
}

static void texts_that_do_not_fit(void **state)
{
	static char ca[DP_PEM_MAX];
	size_t longest = sizeof(ca) - strlen("shown") - strlen("hidden") - 3;
	memset(ca, 'x', longest);
	struct objects o = objects_with("the ca", ca);
	assert_good(&o);
	assert_int_equal(dp_listener_set_size(o.listener[0]), sizeof(struct dp_listener_set));
	objects_fini(&o);
	struct desired d = {0};
	ca[longest] = 'x';
	char *text = with(WHOLE, "the ca", ca);
	assert_int_equal(merge(&d, text), -EINVAL);
	free(text);
}

/* A change of an instance takes its listeners along; what is told no more is freed. */
static void delta_replaces_and_deletes(void **state)
{
	struct desired d = {0};
	assert_int_equal(merge(&d, WHOLE), 0);
	char *text = with(HEAD("6", "false") INSTANCE "],\"peers\":[" PEER "],\"deleted\":[]}",
		"\"port\":1194", "\"port\":1195");
	assert_int_equal(merge(&d, text), 0);
	free(text);
	assert_int_equal(d.instance[0].openvpn->listener[0].port, 1195);
	assert_int_equal(merge(&d, HEAD("7", "false") "],\"peers\":[],\"deleted\":[]}"), 0);
	assert_int_equal(d.instance[0].openvpn->listeners, 1);
	assert_non_null(d.peer[0].openvpn);
	text = with(HEAD("8", "false") INSTANCE "],\"peers\":[],\"deleted\":[]}", OPENVPN, "null");
	assert_int_equal(merge(&d, text), 0);
	free(text);
	assert_null(d.instance[0].openvpn);
	assert_int_equal(merge(&d, WHOLE), 0);
	assert_int_equal(
		merge(&d,
			HEAD("9", "false") "],\"peers\":[],\"deleted\":[{\"kind\":\"instance\","
					   "\"id\":\"" INSTANCE_ID "\"}]}"),
		0);
	assert_int_equal(d.instances, 0);
	desired_fini(&d);
}

static void a_peer_shows_what_it_has(void **state)
{
	struct objects o = objects_of(WHOLE);
	const struct dp_peer_set *p = o.peer[0];
	assert_good(&o);
	assert_int_equal(p->has_openvpn, 1);
	assert_int_equal(p->openvpn.certificate[31], 0xef);
	assert_string_equal(p->openvpn.username, "amber-fox-7");
	assert_int_equal(p->openvpn.salt[15], 0xef);
	assert_int_equal(p->openvpn.password[1], 0x23);
	assert_true(is_addr(&p->openvpn.address4, "10.200.0.2"));
	assert_true(is_addr(&p->openvpn.address6, "fd12::2"));
	assert_false(key_is_zero(&p->public_key));
	objects_fini(&o);
	o = objects_with("[\"10.200.0.2\",", "[\"10.200.0.3\",\"10.200.0.2\",");
	assert_true(is_addr(&o.peer[0]->openvpn.address4, "10.200.0.3")); /* the first */
	objects_fini(&o);
	o = objects_with("\"certificate_sha256\":\"" HEX64 "\"", "\"certificate_sha256\":null");
	assert_good(&o);
	objects_fini(&o);
	o = objects_with(CREDENTIALS, "{\"certificate_sha256\":\"" HEX64 "\"}");
	assert_good(&o);
	assert_string_equal(o.peer[0]->openvpn.username, "");
	objects_fini(&o);
}

/* What it may not speak it has not, in the eyes of the dataplane. */
static void protocols(void **state)
{
	static const char none[] = "{\"certificate_sha256\":null,\"username\":null,"
				   "\"password_salt\":null,\"password_sha256\":null}";
	static const struct {
		const char *protocol, *key, *credentials;
		bool has_wireguard, has_openvpn;
	} rows[] = {
		{"\"any\"", "\"" KEY "\"", CREDENTIALS, true, true},
		{"\"any\"", "\"" KEY "\"", "null", true, false},
		{"\"any\"", "\"" KEY "\"", none, true, false},
		{"\"wireguard\"", "\"" KEY "\"", CREDENTIALS, true, false},
		{"\"wireguard\"", "\"" KEY "\"", "null", true, false},
		{"\"openvpn\"", "\"" KEY "\"", CREDENTIALS, false, true},
		{"\"openvpn\"", "null", CREDENTIALS, false, true},
		{"\"openvpn\"", "null", "null", false, false},
		{"\"openvpn\"", "\"" KEY "\"", none, false, false},
	};
	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		char *a = with(WHOLE, "\"any\"", rows[n].protocol);
		char *b = with(a, "\"public_key\":\"" KEY "\"", "\"public_key\":KEY");
		char *c = with(b, "KEY", rows[n].key);
		char *text = with(c, CREDENTIALS, rows[n].credentials);
		struct objects o = objects_of(text);
		bool is_there = rows[n].has_wireguard || rows[n].has_openvpn;
		assert_good(&o);
		assert_int_equal(o.peers, is_there ? 1 : 0);
		if (is_there) {
			assert_int_equal(
				!key_is_zero(&o.peer[0]->public_key), rows[n].has_wireguard);
			assert_int_equal(o.peer[0]->has_preshared_key, rows[n].has_wireguard);
			assert_int_equal(o.peer[0]->endpoint.port != 0, rows[n].has_wireguard);
			assert_int_equal(o.peer[0]->has_openvpn, rows[n].has_openvpn);
		}
		/* its networks stay away from the internet either way */
		unsigned int to_peer = 0, dropped = 0;
		for (unsigned int r = 0; r < o.routes; r++) {
			to_peer += o.route[r].target == DP_ROUTE_PEER;
			dropped += o.route[r].target == DP_ROUTE_DROP;
		}
		assert_int_equal(to_peer, is_there ? 3 : 0);
		assert_int_equal(dropped, is_there ? 2 : 5);
		objects_fini(&o);
		free(a);
		free(b);
		free(c);
		free(text);
	}
}

/* A control daemon of before issue 4. */
static void nothing_of_it_is_told(void **state)
{
	char *a = with(WHOLE, "\"openvpn\":" CREDENTIALS, "\"x\":0");
	char *b = with(a, "\"openvpn\":" OPENVPN, "\"x\":0");
	char *text = with(b, "\"protocol\":\"any\",", "");
	struct objects o = objects_of(text);
	assert_good(&o);
	assert_int_equal(o.listeners, 0);
	assert_int_equal(o.pushes, 0);
	assert_int_equal(o.peer[0]->has_openvpn, 0);
	assert_false(key_is_zero(&o.peer[0]->public_key));
	objects_fini(&o);
	free(a);
	free(b);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_is_told_whole),
		cmocka_unit_test(what_clients_are_told),
		cmocka_unit_test(more_than_is_told),
		cmocka_unit_test(every_word),
		cmocka_unit_test(refused_whole),
		cmocka_unit_test(texts_that_do_not_fit),
		cmocka_unit_test(delta_replaces_and_deletes),
		cmocka_unit_test(a_peer_shows_what_it_has),
		cmocka_unit_test(protocols),
		cmocka_unit_test(nothing_of_it_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
