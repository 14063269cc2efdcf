// SPDX-License-Identifier: Apache-2.0
/* Golden OpenVPN profiles, and keys that the hub's own code takes. */
#include "control/profile/openvpn_wrap.h"
#include "control/profile/profile.h"
#include "dataplane/ovpn/tls_crypt_v2.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scene {
	struct instance i;
	struct peer p;
	struct profile profile;
	struct ip_prefix advertised[2];
	struct ip_addr addresses[2];
	uint8_t wrap_keys[OPENVPN_WRAP_KEY_LEN + OPENVPN_WRAP_KEY_V2_LEN];
};

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static int setup(void **state)
{
	static struct scene s;
	memset(&s, 0, sizeof(s));
	instance_init(&s.i);
	peer_init(&s.p);
	(void)snprintf(s.i.hostname, sizeof(s.i.hostname), "acme");
	s.i.networks[0] = prefix("10.200.0.0/20");
	s.i.networks[1] = prefix("fd12:3456:789a::/64");
	s.i.openvpn[OPENVPN_UDP].port = 1194;
	s.i.openvpn[OPENVPN_TCP].port = 1195;
	s.p.type = PEER_CLIENT;
	s.p.protocol = PROTOCOL_OPENVPN;
	s.p.id.bytes[0] = 1;
	s.p.created_at = 1700000000;
	(void)snprintf(s.p.name, sizeof(s.p.name), "alice-laptop");
	(void)snprintf(s.p.username, sizeof(s.p.username), "alice");
	s.addresses[0] = prefix("203.0.113.1/32").addr;
	s.addresses[1] = prefix("2001:db8::1/128").addr;
	for (size_t n = 0; n < sizeof(s.wrap_keys); n++)
		s.wrap_keys[n] = (uint8_t)n;
	s.profile = (struct profile){
		.instance = &s.i,
		.peer = &s.p,
		.fqdn = "acme.vpn.example.net",
		.advertised = s.advertised,
		.addresses = s.addresses,
		.address_count = 2,
		.authority = "CA\n",
		.certificate = "CERT\n",
		.certificate_key = "KEY\n",
		.password = "secret",
		.wrap_keys = s.wrap_keys,
	};
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	instance_fini(&s->i);
	peer_fini(&s->p);
	return 0;
}

static char *format(const struct scene *s)
{
	char *text = NULL;
	assert_int_equal(profile_openvpn(&s->profile, &text), 0);
	return text;
}

#define HEAD(proto, port)                          \
	"# alice-laptop at acme.vpn.example.net\n" \
	"client\n"                                 \
	"dev tun\n"                                \
	"proto " proto "\n"                        \
	"remote 203.0.113.1 " port "\n"            \
	"remote 2001:db8::1 " port "\n"            \
	"remote acme.vpn.example.net " port "\n"   \
	"connect-timeout 20\n"                     \
	"nobind\n"                                 \
	"persist-key\n"                            \
	"persist-tun\n"                            \
	"tun-mtu 1420\n"                           \
	"remote-cert-tls server\n"                 \
	"verify-x509-name acme name\n"             \
	"tls-version-min 1.2\n"                    \
	"data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305"

static void a_split_client_over_udp(void **state)
{
	struct scene *s = *state;
	char *text = format(s);
	const char *key = strstr(text, "<tls-crypt>\n");
	assert_non_null(key);
	size_t len = (size_t)(key - text);
	assert_int_equal(len,
		strlen(HEAD("udp",
			"1194") "\nauth SHA1\nexplicit-exit-notify 1\nverb 3\n"
				"# the hub tells the networks of this split tunnel\n"
				"<ca>\nCA\n</ca>\n<cert>\nCERT\n</cert>\n<key>\nKEY\n</key>\n"));
	assert_memory_equal(text,
		HEAD("udp", "1194") "\nauth SHA1\nexplicit-exit-notify 1\nverb 3\n"
				    "# the hub tells the networks of this split tunnel\n"
				    "<ca>\nCA\n</ca>\n<cert>\nCERT\n</cert>\n<key>\nKEY\n</key>\n",
		len);
	assert_non_null(strstr(key,
		"<tls-crypt>\n-----BEGIN OpenVPN Static key V1-----\n"
		"000102030405060708090a0b0c0d0e0f\n101112"));
	assert_non_null(strstr(key,
		"f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff\n-----END OpenVPN Static key V1-----\n</tls-crypt>\n"));
	profile_text_free(text);
}

static void a_site_over_tcp(void **state)
{
	struct scene *s = *state;
	s->p.type = PEER_SITE;
	s->profile.transport = OPENVPN_TCP;
	s->i.openvpn[OPENVPN_TCP].renegotiate_s = 0;
	s->advertised[s->profile.advertised_count++] = prefix("192.168.20.0/23");
	char *text = format(s);
	assert_string_equal(text,
		HEAD("tcp",
			"1195") ":AES-256-CBC:AES-192-CBC:AES-128-CBC\nauth SHA1\nreneg-sec 0\nverb 3\n"
				"route-nopull\n"
				"route 10.200.0.0 255.255.240.0\n"
				"route 192.168.20.0 255.255.254.0\n"
				"route-ipv6 fd12:3456:789a::/64\n"
				"<ca>\nCA\n</ca>\n<cert>\nCERT\n</cert>\n<key>\nKEY\n</key>\n"
				"<auth-user-pass>\nalice\nsecret\n</auth-user-pass>\n");
	profile_text_free(text);
}

static void secrets_are_left_blank(void **state)
{
	struct scene *s = *state;
	s->profile.certificate_key = NULL;
	s->profile.password = NULL;
	s->profile.wrap_keys = NULL;
	s->p.route_all = true;
	s->i.openvpn[OPENVPN_UDP].requires_password = true;
	s->i.openvpn[OPENVPN_UDP].wrap = OPENVPN_WRAP_TLS_AUTH;
	char *text = format(s);
	assert_non_null(strstr(text,
		"\nredirect-gateway def1 ipv6\n<ca>\nCA\n</ca>\n<cert>\nCERT\n</cert>\n<key>\n</key>\n"
		"auth-user-pass\nkey-direction 1\n<tls-auth>\n</tls-auth>\n"));
	profile_text_free(text);
	s->i.openvpn[OPENVPN_UDP].requires_certificate = false;
	text = format(s);
	assert_null(strstr(text, "<cert>"));
	assert_null(strstr(text, "<key>"));
	profile_text_free(text);
}

static void no_name_adds_a_line(void **state)
{
	struct scene *s = *state;
	(void)snprintf(s->p.name, sizeof(s->p.name), "x\nup /bin/sh\r\n\x7f\x1b[2J");
	char *text = format(s);
	assert_null(strstr(text, "\nup "));
	for (const char *c = text; *c != '\0'; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= 0x20);
	profile_text_free(text);
	(void)profile_routeros(&s->profile, &text);
	assert_null(strstr(text, "\nup "));
	profile_text_free(text);
}

/* The whole of a PEM block's base64. */
static size_t decode(const char *text, uint8_t *ret, size_t size)
{
	char base64[1024] = "";
	const char *at = strchr(text, '\n') + 1;
	while (*at != '-') {
		size_t len = strcspn(at, "\n");
		assert_true(len <= 64 && strlen(base64) + len < sizeof(base64));
		(void)strncat(base64, at, len);
		at += len + 1;
	}
	size_t pads = strlen(base64) - strcspn(base64, "=");
	assert_true(strlen(base64) / 4 * 3 <= size);
	int n = EVP_DecodeBlock(ret, (const uint8_t *)base64, (int)strlen(base64));
	assert_true(n > 0);
	return (size_t)n - pads;
}

static void the_hub_unwraps_the_clients_key(void **state)
{
	struct scene *s = *state;
	char text[OPENVPN_WRAP_TEXT], again[OPENVPN_WRAP_TEXT];
	uint8_t data[1024];
	struct tls_crypt_v2_server server;
	struct tls_crypt_v2_server_key key;
	struct tls_crypt_v2_client client;
	int64_t at = 0;
	memcpy(key.bytes, s->wrap_keys + OPENVPN_WRAP_KEY_LEN, sizeof(key.bytes));
	assert_int_equal(tls_crypt_v2_server_init(&server, &key), 0);
	openvpn_wrap_format(OPENVPN_WRAP_TLS_CRYPT_V2, s->wrap_keys, &s->p, text);
	openvpn_wrap_format(OPENVPN_WRAP_TLS_CRYPT_V2, s->wrap_keys, &s->p, again);
	assert_string_equal(text, again);
	size_t len = decode(text, data, sizeof(data));
	assert_true(len > OPENVPN_WRAP_KEY_LEN);
	assert_int_equal(tls_crypt_v2_unwrap(&server, data + OPENVPN_WRAP_KEY_LEN,
				 len - OPENVPN_WRAP_KEY_LEN, &client),
		0);
	assert_memory_equal(&client.key, data, OPENVPN_WRAP_KEY_LEN);
	assert_int_equal(tls_crypt_v2_issued(&client, &at), 0);
	assert_int_equal(at, s->p.created_at);
	/* each peer has its own */
	s->p.id.bytes[0]++;
	openvpn_wrap_format(OPENVPN_WRAP_TLS_CRYPT_V2, s->wrap_keys, &s->p, again);
	assert_string_not_equal(text, again);
	tls_crypt_v2_server_fini(&server);
}

static void the_digest_knows_what_matters(void **state)
{
	struct scene *s = *state;
	char before[PROFILE_DIGEST_TEXT], after[PROFILE_DIGEST_TEXT];
	assert_int_equal(profile_digest(&s->profile, before), 0);
	s->profile.certificate_key = NULL;
	s->profile.authority = NULL;
	s->profile.transport = OPENVPN_TCP;
	assert_int_equal(profile_digest(&s->profile, after), 0);
	assert_string_equal(before, after);
	s->i.openvpn[OPENVPN_TCP].digest = OPENVPN_SHA256; /* that of TCP counts as well */
	assert_int_equal(profile_digest(&s->profile, after), 0);
	assert_string_not_equal(before, after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_split_client_over_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(a_site_over_tcp, setup, teardown),
		cmocka_unit_test_setup_teardown(secrets_are_left_blank, setup, teardown),
		cmocka_unit_test_setup_teardown(no_name_adds_a_line, setup, teardown),
		cmocka_unit_test_setup_teardown(the_hub_unwraps_the_clients_key, setup, teardown),
		cmocka_unit_test_setup_teardown(the_digest_knows_what_matters, setup, teardown),
	};
	return cmocka_run_group_tests_name("profile/openvpn", tests, NULL, NULL);
}
