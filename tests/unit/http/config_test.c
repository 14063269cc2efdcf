// SPDX-License-Identifier: Apache-2.0
#include "control/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NEEDED \
	"vpn_domain = \"vpn.example.net\"; regions = ( { id = \"local\"; name = \"Here\"; } );\n"

#define DNS "dns = { server = \"192.0.2.53:53\"; key_name = \"nave\"; key_file = \"/k\";\n"

static struct control_config config;

static int parse(const char *text, char error[CONFIG_ERROR_TEXT])
{
	return control_config_parse(text, strlen(text), "f", &config, error);
}

static void accepts_the_needed_and_fills_in_the_rest(void **)
{
	char error[CONFIG_ERROR_TEXT] = "";
	char text[IP_ENDPOINT_TEXT];
	assert_int_equal(parse(NEEDED, error), 0);
	assert_string_equal(config.vpn_domain, "vpn.example.net");
	assert_int_equal(config.region_count, 1);
	assert_string_equal(config.regions[0].id, "local");
	assert_string_equal(ip_endpoint_format(&config.listen, text), "127.0.0.1:8480");
	assert_string_equal(config.socket, "/run/nave/control.sock");
	assert_string_equal(config.public_url, "http://127.0.0.1:8480");
	assert_int_equal(config.wireguard_ports.first, 51820);
	assert_int_equal(config.wireguard_ports.last, 52819);
	assert_string_equal(ip_prefix_format(&config.inner_pool, text), "10.192.0.0/10");
	assert_int_equal(config.hub_address_count, 0);
}

static void accepts_every_setting(void **)
{
	char error[CONFIG_ERROR_TEXT] = "";
	assert_int_equal(
		parse(NEEDED
			"listen = \"[::1]:9000\"; socket = \"/tmp/s\";\n"
			"state_dir = \"/tmp/d\"; wireguard_ports = [1, 2];\n"
			"openvpn_ports = [3, 3]; public_url = \"https://[2001:db8::1]:8443\"; inner_pool = \"172.16.0.0/12\";\n"
			"hub_addresses = [ \"203.0.113.1\", \"2001:db8::1\" ];\n"
			"dns = { server = \"[2001:db8::53]:5353\"; key_name = \"a.b\";"
			" key_file = \"/k\"; zone = \"example.net\"; ttl = 300;"
			" key_algorithm = \"hmac-sha512\"; };\n",
			error),
		0);
	assert_int_equal(config.listen.port, 9000);
	assert_string_equal(config.public_url, "https://[2001:db8::1]:8443");
	assert_int_equal(config.openvpn_ports.last, 3);
	assert_int_equal(config.hub_address_count, 2);
	assert_int_equal(config.dns.server.port, 5353);
	assert_string_equal(config.dns.zone, "example.net");
	assert_int_equal(config.dns.ttl, 300);
	assert_int_equal(parse(NEEDED DNS "};\n", error), 0);
	assert_string_equal(config.dns.zone, "vpn.example.net");
	assert_string_equal(config.dns.key_algorithm, "hmac-sha256");
}

struct refusal {
	const char *text;
	const char *error;
};

static void is_refused(const struct refusal *r)
{
	char error[CONFIG_ERROR_TEXT] = "";
	assert_int_equal(parse(r->text, error), -EINVAL);
	assert_string_equal(error, r->error);
}

static void refuses_with_line_and_reason(void **)
{
	static const struct refusal cases[] = {
		{"", "f:1: vpn_domain is missing"},
		{"vpn_domain = \"a.b\";\n", "f:1: regions is missing"},
		{NEEDED "\ncolour = 1;\n", "f:3: unknown setting colour"},
		{NEEDED "vpn_domain = \"x.y\";\n", "f:2: duplicate setting name"},
		{NEEDED "listen = 8480;\n", "f:2: listen must be a string"},
		{NEEDED "listen = \"\";\n", "f:2: listen must not be empty"},
		{NEEDED "listen = \"0.0.0.0:1\";\n",
			"f:2: listen must be a loopback address: this port has no TLS; see tls_listen"},
		{NEEDED "tls_listen = \"0.0.0.0\";\n",
			"f:2: tls_listen must be ADDRESS:PORT, as in \"0.0.0.0:9443\""},
		{NEEDED "tls_listen = \"0.0.0.0:9443\";\n",
			"f:2: tls_listen needs certificate and certificate_key"},
		{NEEDED "certificate = \"tls.pem\";\n",
			"f:2: certificate must be an absolute path"},
		{NEEDED "\ncertificate_key = \"/tls.key\";\n",
			"f:3: certificate and certificate_key go together"},
		{NEEDED "listen = \"127.0.0.1:65536\";\n",
			"f:2: listen must be ADDRESS:PORT, as in \"127.0.0.1:8480\""},
		{NEEDED "listen = \"127.0.0.1:0\";\n",
			"f:2: listen must be ADDRESS:PORT, as in \"127.0.0.1:8480\""},
		{NEEDED "socket = \"here\";\n", "f:2: socket must be an absolute path"},
		{"vpn_domain = \"Vpn.example\";\n",
			"f:1: vpn_domain must be a lower-case DNS name, as in \"vpn.example.net\""},
		{NEEDED "wireguard_ports = [2, 1];\n",
			"f:2: wireguard_ports: the first port is above the last"},
		{NEEDED "wireguard_ports = [0, 1];\n",
			"f:2: wireguard_ports: port 0 is not within 1 to 65535"},
		{NEEDED "wireguard_ports = [1, 65536];\n",
			"f:2: wireguard_ports: port 65536 is not within 1 to 65535"},
		{NEEDED "wireguard_ports = [1];\n",
			"f:2: wireguard_ports must be an array of two ports: [first, last]"},
		{NEEDED "wireguard_ports = [1.5, 2.5];\n",
			"f:2: wireguard_ports: a port must be a number"},
		{NEEDED "inner_pool = \"10.192.0.1/10\";\n",
			"f:2: inner_pool has host bits: did you mean \"10.192.0.0/10\"?"},
		{NEEDED "inner_pool = \"10.0.0.0/33\";\n",
			"f:2: inner_pool must be an IPv4 prefix, as in \"10.192.0.0/10\""},
		{NEEDED "inner_pool = \"fd00::/8\";\n",
			"f:2: inner_pool must be an IPv4 prefix, as in \"10.192.0.0/10\""},
		{NEEDED "hub_addresses = [ \"127.0.0.1\" ];\n",
			"f:2: hub_addresses: 127.0.0.1 is not a host's address"},
		{NEEDED "hub_addresses = [ 1 ];\n",
			"f:2: hub_addresses: entry 1 is not an IP address"},
		{"vpn_domain = \"a.b\";\nregions = ( { id = \"x\"; name = \"X\"; colour = 1; } );\n",
			"f:2: unknown setting colour in a region"},
		{"vpn_domain = \"a.b\";\nregions = ( { id = \"x\"; } );\n",
			"f:2: a region needs id and name"},
		{"vpn_domain = \"a.b\";\nregions = ();\n",
			"f:2: regions must have 1 to 64 entries"},
		{"@include \"/etc/passwd\"\n", "f:1: @include is not supported"},
		{"\xef\xbb\xbf" NEEDED, "f:1: the file begins with a byte order mark"},
		{NEEDED "a = ;\n", "f:2: syntax error"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_refused(&cases[i]);
}

static void refuses_settings_of_dns(void **)
{
	static const struct refusal cases[] = {
		{NEEDED "dns = 1;\n", "f:2: dns must be a group: { server = \"...\"; ... }"},
		{NEEDED "\ndns = { ttl = 60; };\n", "f:3: dns needs server, key_name and key_file"},
		{NEEDED DNS "colour = 1; };\n", "f:3: unknown setting colour in dns"},
		{NEEDED DNS "ttl = 0; };\n", "f:3: dns.ttl must be 1 to 86400 seconds"},
		{NEEDED DNS "ttl = \"60\"; };\n", "f:3: dns.ttl must be 1 to 86400 seconds"},
		{NEEDED DNS "key_algorithm = \"hmac-md5\"; };\n",
			"f:3: dns.key_algorithm must be hmac-sha256, hmac-sha384 or hmac-sha512"},
		{NEEDED DNS "zone = \"Example.net\"; };\n",
			"f:3: dns.zone must be a lower-case DNS name"},
		{NEEDED DNS "zone = \"n.example.net\"; };\n",
			"f:3: dns.zone: vpn.example.net is not within n.example.net"},
		{NEEDED "dns = { server = \"192.0.2.53\"; };\n",
			"f:2: dns.server must be ADDRESS:PORT, as in \"192.0.2.53:53\""},
		{NEEDED "dns = { server = \"0.0.0.0:53\"; };\n",
			"f:2: dns.server must be ADDRESS:PORT, as in \"192.0.2.53:53\""},
		{NEEDED "dns = { key_file = \"k\"; };\n", "f:2: key_file must be an absolute path"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is_refused(&cases[i]);
}

static void refuses_what_is_no_root_of_pages(void **)
{
	static const char *const urls[] = {"vpn.example.net", "https://", "https://:8443",
		"ftp://a.b", "https://a.b/vpn", "https://a.b/", "https://a b", "https://u@a.b",
		"https://a\\\"b"};
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		char error[CONFIG_ERROR_TEXT] = "", text[256];
		(void)snprintf(text, sizeof(text), NEEDED "public_url = \"%s\";\n", urls[i]);
		assert_int_equal(
			control_config_parse(text, strlen(text), "f", &config, error), -EINVAL);
		assert_string_equal(error,
			"f:2: public_url must be a scheme and a host, as in \"https://vpn.example.net\"");
	}
}

static void refuses_a_region_twice(void **)
{
	char error[CONFIG_ERROR_TEXT] = "";
	assert_int_equal(parse("vpn_domain = \"a.b\";\nregions = ( { id = \"x\"; name = \"X\"; },\n"
			       "{ id = \"x\"; name = \"Y\"; } );\n",
				 error),
		-EINVAL);
	assert_string_equal(error, "f:3: region id \"x\" is there twice");
}

static void leaves_the_old_settings_when_it_refuses(void **)
{
	char error[CONFIG_ERROR_TEXT] = "";
	assert_int_equal(parse(NEEDED, error), 0);
	assert_int_equal(parse("vpn_domain = \"x.y\"; nonsense = 1;", error), -EINVAL);
	assert_string_equal(config.vpn_domain, "vpn.example.net");
}

static void refuses_nul_bytes(void **)
{
	char error[CONFIG_ERROR_TEXT] = "";
	static const char text[] = NEEDED "\n\0\n";
	assert_int_equal(
		control_config_parse(text, sizeof(text) - 1, "f", &config, error), -EINVAL);
	assert_string_equal(error, "f:3: the file has a NUL byte");
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void loads_only_files_that_can_be_trusted(void **)
{
	char dir[] = "/tmp/nave-config-test.XXXXXX";
	char path[64];
	char error[CONFIG_ERROR_TEXT] = "";
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/c", dir);
	assert_int_equal(control_config_load(path, &config, error), -ENOENT);
	write_file(path, NEEDED, 0644);
	assert_int_equal(control_config_load(path, &config, error), 0);
	write_file(path, NEEDED, 0646);
	assert_int_equal(control_config_load(path, &config, error), -EINVAL);
	assert_non_null(strstr(error, ":1: everybody may write this file"));
	/* and so with the secret that it names */
	write_file(path, NEEDED "\n" DNS "};\n", 0644);
	assert_int_equal(control_config_load(path, &config, error), -EINVAL);
	assert_non_null(strstr(error, "c:3: dns.key_file: /k: No such file"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(control_config_load(path, &config, error), -EINVAL);
	assert_non_null(strstr(error, "not a regular file"));
	assert_int_equal(control_config_load(dir, &config, error), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_needed_and_fills_in_the_rest),
		cmocka_unit_test(accepts_every_setting),
		cmocka_unit_test(refuses_with_line_and_reason),
		cmocka_unit_test(refuses_what_is_no_root_of_pages),
		cmocka_unit_test(refuses_settings_of_dns),
		cmocka_unit_test(refuses_a_region_twice),
		cmocka_unit_test(leaves_the_old_settings_when_it_refuses),
		cmocka_unit_test(refuses_nul_bytes),
		cmocka_unit_test(loads_only_files_that_can_be_trusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
