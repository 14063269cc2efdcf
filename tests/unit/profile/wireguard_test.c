// SPDX-License-Identifier: Apache-2.0
/* Golden profiles: to the byte, since people's devices parse them. */
#include "control/profile/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PRIVATE_KEY "GEFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
#define PUBLIC_KEY "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI="
#define PRESHARED_KEY "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M="

struct scene {
	struct instance i;
	struct peer p;
	struct profile profile;
	struct ip_prefix advertised[8];
	struct key private_key, preshared_key;
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
	s.i.networks[0] = prefix("10.200.0.0/20");
	s.i.networks[1] = prefix("fd12:3456:789a::/64");
	s.i.dns.servers[0] = prefix("10.200.0.1/32").addr;
	s.i.dns.server_count = 1;
	assert_int_equal(key_from_base64(PUBLIC_KEY, &s.i.public_key), 0);
	assert_int_equal(key_from_base64(PRIVATE_KEY, &s.private_key), 0);
	assert_int_equal(key_from_base64(PRESHARED_KEY, &s.preshared_key), 0);
	s.p.type = PEER_CLIENT;
	(void)snprintf(s.p.name, sizeof(s.p.name), "alice-laptop");
	s.p.addresses[0] = ip_prefix_host(&s.i.networks[0], 2);
	s.p.addresses[1] = ip_prefix_host(&s.i.networks[1], 2);
	s.profile = (struct profile){
		.instance = &s.i,
		.peer = &s.p,
		.fqdn = "acme.vpn.example.net",
		.advertised = s.advertised,
		.has_preshared_key = true,
		.private_key = &s.private_key,
		.preshared_key = &s.preshared_key,
	};
	assert_int_equal(ip_endpoint_parse("203.0.113.1:51820", &s.profile.endpoint), 0);
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

static void advertise(struct scene *s, const char *text)
{
	s->advertised[s->profile.advertised_count++] = prefix(text);
}

static void expect_text(const struct scene *s, const char *golden)
{
	char *text = NULL;
	assert_int_equal(profile_wireguard(&s->profile, &text), 0);
	assert_string_equal(text, golden);
	profile_text_free(text);
}

static void expect_routes(const struct scene *s, const char *golden)
{
	char *text = NULL;
	assert_int_equal(profile_wireguard(&s->profile, &text), 0);
	const char *at = strstr(text, "AllowedIPs = ");
	assert_non_null(at);
	at += strlen("AllowedIPs = ");
	size_t len = strcspn(at, "\n");
	if (len != strlen(golden) || strncmp(at, golden, len) != 0)
		fail_msg("%.*s\nnot %s", (int)len, at, golden);
	profile_text_free(text);
}

static void a_split_client(void **state)
{
	struct scene *s = *state;
	advertise(s, "192.168.10.0/24");
	advertise(s, "198.51.100.0/24");
	expect_text(s,
		"# alice-laptop at acme.vpn.example.net\n"
		"[Interface]\n"
		"PrivateKey = " PRIVATE_KEY "\n"
		"Address = 10.200.0.2/32, fd12:3456:789a::2/128\n"
		"DNS = 10.200.0.1\n"
		"MTU = 1420\n"
		"\n"
		"[Peer]\n"
		"PublicKey = " PUBLIC_KEY "\n"
		"PresharedKey = " PRESHARED_KEY "\n"
		"Endpoint = 203.0.113.1:51820\n"
		"AllowedIPs = 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 198.51.100.0/24,"
		" fd12:3456:789a::/64\n"
		"PersistentKeepalive = 25\n");
}

static void a_client_whose_key_is_gone(void **state)
{
	struct scene *s = *state;
	s->profile.private_key = NULL;
	s->profile.has_preshared_key = false;
	s->p.route_all = true;
	s->p.keepalive = 0;
	s->i.dns.server_count = 0;
	s->i.mtu = 1280;
	assert_int_equal(ip_endpoint_parse("[2001:db8::1]:443", &s->profile.endpoint), 0);
	expect_text(s,
		"# alice-laptop at acme.vpn.example.net\n"
		"[Interface]\n"
		"PrivateKey = \n"
		"Address = 10.200.0.2/32, fd12:3456:789a::2/128\n"
		"MTU = 1280\n"
		"\n"
		"[Peer]\n"
		"PublicKey = " PUBLIC_KEY "\n"
		"Endpoint = [2001:db8::1]:443\n"
		"AllowedIPs = 0.0.0.0/0, ::/0\n");
}

static void domains_stand_behind_servers(void **state)
{
	struct scene *s = *state;
	s->i.dns.servers[1] = prefix("fd12:3456:789a::1/128").addr;
	s->i.dns.server_count = 2;
	(void)snprintf(s->i.dns.domains[0], DNS_DOMAIN_TEXT, "corp.example.net");
	(void)snprintf(s->i.dns.domains[1], DNS_DOMAIN_TEXT, "lan");
	s->i.dns.domain_count = 2;
	char *text = NULL;
	assert_int_equal(profile_wireguard(&s->profile, &text), 0);
	assert_non_null(
		strstr(text, "\nDNS = 10.200.0.1, fd12:3456:789a::1, corp.example.net, lan\n"));
	profile_text_free(text);
}

static void routes_of_clients(void **state)
{
	struct scene *s = *state;
	advertise(s, "203.0.113.0/24");
	advertise(s, "192.168.10.0/24");
	advertise(s, "0.0.0.0/0"); /* never makes a split tunnel a full one */
	advertise(s, "::/0");
	advertise(s, "2001:db8:7::/48");
	s->i.client_routes = CLIENT_ROUTES_ADVERTISED;
	expect_routes(s,
		"10.200.0.0/20, 192.168.10.0/24, 203.0.113.0/24, 2001:db8:7::/48,"
		" fd12:3456:789a::/64");
	s->i.client_routes = CLIENT_ROUTES_PRIVATE;
	expect_routes(s,
		"10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 203.0.113.0/24, 2001:db8:7::/48,"
		" fd12:3456:789a::/64");
	s->i.client_routes = CLIENT_ROUTES_LIST;
	s->i.route_list.list[0] = prefix("192.168.10.0/24");
	s->i.route_list.list[1] = prefix("10.200.0.1/32");
	s->i.route_list.list[2] = prefix("192.168.10.7/32");
	s->i.route_list.count = 3;
	expect_routes(s, "10.200.0.1/32, 192.168.10.0/24");
	s->p.route_all = true; /* before all */
	expect_routes(s, "0.0.0.0/0, ::/0");
}

static void routes_of_sites_are_exact(void **state)
{
	struct scene *s = *state;
	s->p.type = PEER_SITE;
	advertise(s, "192.168.20.0/24");
	advertise(s, "0.0.0.0/0");
	expect_routes(s, "10.200.0.0/20, 192.168.20.0/24, fd12:3456:789a::/64");
	s->i.client_routes = CLIENT_ROUTES_LIST; /* is for clients */
	s->i.route_list.list[0] = prefix("1.0.0.0/8");
	s->i.route_list.count = 1;
	expect_routes(s, "10.200.0.0/20, 192.168.20.0/24, fd12:3456:789a::/64");
}

static void a_long_profile_is_whole(void **state)
{
	enum {
		MANY = 3000
	};
	struct scene *s = *state;
	struct ip_prefix *many = calloc(MANY, sizeof(*many));
	assert_non_null(many);
	for (size_t n = 0; n < MANY; n++) {
		many[n] = prefix("2001:db8:1234:5678:9abc:def0:1234:5678/128");
		many[n].addr.bytes[12] = (uint8_t)(n >> 8);
		many[n].addr.bytes[13] = (uint8_t)n;
	}
	s->profile.advertised = many;
	s->profile.advertised_count = MANY;
	s->i.dns.domain_count = DNS_DOMAINS_MAX;
	s->i.dns.server_count = DNS_SERVERS_MAX;
	for (size_t n = 0; n < DNS_SERVERS_MAX; n++)
		s->i.dns.servers[n] = many[0].addr;
	for (size_t n = 0; n < DNS_DOMAINS_MAX; n++)
		memset(s->i.dns.domains[n], 'd', DNS_DOMAIN_TEXT - 1);
	memset(s->p.name, 'n', NAME_TEXT - 1);
	char *text = NULL;
	assert_int_equal(profile_wireguard(&s->profile, &text), 0);
	static const char last[] = "\nPersistentKeepalive = 25\n";
	assert_string_equal(text + strlen(text) - strlen(last), last);
	char *drawn = NULL;
	assert_int_equal(profile_qr(text, &drawn), -E2BIG);
	assert_null(drawn);
	profile_text_free(text);
	free(many);
}

static void the_digest_knows_what_matters(void **state)
{
	struct scene *s = *state;
	char first[PROFILE_DIGEST_TEXT], second[PROFILE_DIGEST_TEXT];
	assert_int_equal(profile_digest(&s->profile, first), 0);
	assert_int_equal(strlen(first), PROFILE_DIGEST_TEXT - 1);
	s->profile.private_key = NULL; /* secrets do not */
	s->profile.preshared_key = NULL;
	assert_int_equal(profile_digest(&s->profile, second), 0);
	assert_string_equal(first, second);
	advertise(s, "192.168.77.0/24"); /* a branch in private space needs no new profile */
	assert_int_equal(profile_digest(&s->profile, second), 0);
	assert_string_equal(first, second);
	advertise(s, "198.51.100.0/24");
	assert_int_equal(profile_digest(&s->profile, second), 0);
	assert_string_not_equal(first, second);
	s->profile.advertised_count = 0;
	s->i.mtu = 1400;
	assert_int_equal(profile_digest(&s->profile, second), 0);
	assert_string_not_equal(first, second);
}

/* Whether wg-quick takes it and keeps what is for the kernel. */
static bool is_taken_by_wg_quick(const char *text)
{
	char dir[] = "/tmp/nave-profile-XXXXXX", path[64], command[128], line[512];
	int kept = 0;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/nave0.conf", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
	(void)snprintf(command, sizeof(command), "wg-quick strip %s 2>/dev/null", path);
	FILE *out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out) != NULL)
		kept += strncmp(line, "PrivateKey = " PRIVATE_KEY, 56) == 0
			|| strncmp(line, "AllowedIPs = ", 13) == 0
			|| strncmp(line, "Endpoint = 203.0.113.1:51820", 28) == 0
			|| strncmp(line, "PresharedKey = " PRESHARED_KEY, 58) == 0;
	int status = pclose(out);
	(void)unlink(path);
	(void)rmdir(dir);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 && kept == 4;
}

static void wg_quick_takes_it(void **state)
{
	struct scene *s = *state;
	char *text = NULL;
	(void)snprintf(s->p.name, sizeof(s->p.name), "J\303\274rgen's \"phone\" [Peer] = # $(id)");
	assert_int_equal(profile_wireguard(&s->profile, &text), 0);
	assert_true(is_taken_by_wg_quick(text));
	profile_text_free(text);
}

static void no_name_adds_a_line(void **state)
{
	struct scene *s = *state;
	char *text = NULL;
	(void)snprintf(s->p.name, sizeof(s->p.name), "x\nPostUp = id\r\n\x7f\x1b[2J");
	s->profile.fqdn = "a\nb";
	(void)snprintf(s->i.dns.domains[0], DNS_DOMAIN_TEXT, "a\nPostUp = id");
	s->i.dns.domain_count = 1;
	assert_int_equal(profile_wireguard(&s->profile, &text), 0);
	assert_null(strstr(text, "\nPostUp"));
	for (const char *c = text; *c != '\0'; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= 0x20);
	profile_text_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_split_client, setup, teardown),
		cmocka_unit_test_setup_teardown(a_client_whose_key_is_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(domains_stand_behind_servers, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_of_clients, setup, teardown),
		cmocka_unit_test_setup_teardown(routes_of_sites_are_exact, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_profile_is_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(the_digest_knows_what_matters, setup, teardown),
		cmocka_unit_test_setup_teardown(wg_quick_takes_it, setup, teardown),
		cmocka_unit_test_setup_teardown(no_name_adds_a_line, setup, teardown),
	};
	return cmocka_run_group_tests_name("profile/wireguard", tests, NULL, NULL);
}
