// SPDX-License-Identifier: Apache-2.0
#include "control/model/subnet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;
	assert_int_equal(ip_prefix_parse(text, &p), 0);
	return p;
}

static void parse_suggests_the_canonical_form(void **)
{
	struct model_errors errors = {0};
	struct ip_prefix p = prefix("203.0.113.0/24");
	assert_false(subnet_parse("192.168.10.7/24", "/subnets/0", &p, &errors));
	assert_string_equal(errors.list[0].pointer, "/subnets/0");
	assert_non_null(strstr(errors.list[0].detail, "192.168.10.0/24"));
	assert_false(subnet_parse("fd00:1::1/64", "/subnets/1", &p, &errors));
	assert_non_null(strstr(errors.list[1].detail, "fd00:1::/64"));
	struct ip_prefix untouched = prefix("203.0.113.0/24");
	assert_true(ip_prefix_equal(&p, &untouched));
}

static void parse_refuses_what_is_no_prefix(void **)
{
	static const char *const table[] = {"", "192.168.10.0", "192.168.10.0/33",
		"192.168.10.0/-1", "192.168.10.0/024", "192.168.10/24", "fd00::/129", "x/24",
		"192.168.10.0/24 ", "::ffff:10.0.0.0/104", "10.0.0.0/8\n"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct model_errors errors = {0};
		struct ip_prefix p;
		assert_false(subnet_parse(table[i], "/x", &p, &errors));
		assert_true(errors.has_invalid);
	}
}

/* What an instance of 10.200.0.0/20 and fd12:3456:789a::/64 says about one subnet; "" nothing. */
static const char *verdict(const char *text, bool allow_broad)
{
	static struct model_errors errors;
	const struct ip_prefix networks[2] = {
		prefix("10.200.0.0/20"), prefix("fd12:3456:789a::/64")};
	const struct subnets list = {.list = {prefix(text)}, .count = 1};
	memset(&errors, 0, sizeof(errors));
	subnets_check(&list, networks, allow_broad, &errors);
	assert_false(errors.has_conflict);
	return errors.count > 0 ? errors.list[0].detail : "";
}

static void sites_may_advertise_what_they_have(void **)
{
	static const char *const table[] = {"192.168.10.0/24", "10.0.0.0/16", "172.16.0.0/12",
		"10.200.16.0/20", "203.0.113.7/32", "fd99::/48", "2001:db8::/32", "fd99::1/128",
		"11.0.0.0/8", "2000::/16", "64:ff9b::/96"};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(verdict(table[i], false), "");
}

static void sites_are_refused_what_they_cannot_have(void **)
{
	static const struct {
		const char *prefix, *reason;
	} table[] = {
		{"224.0.0.0/4", "multicast"},
		{"239.1.2.0/24", "multicast"},
		{"ff02::/16", "multicast"},
		{"127.0.0.0/8", "loopback"},
		{"127.0.0.1/32", "loopback"},
		{"::1/128", "loopback"},
		{"169.254.0.0/16", "link-local"},
		{"169.254.169.254/32", "link-local"},
		{"fe80::/64", "link-local"},
		{"255.255.255.255/32", "reserved"},
		{"0.0.0.0/8", "not for hosts"},
		{"::/128", "not for hosts"},
		{"10.200.0.0/20", "own network 10.200.0.0/20"},
		{"10.200.15.0/24", "own network"},
		{"10.0.0.0/8", "own network"},
		{"fd12:3456:789a::/48", "own network fd12:3456:789a::/64"},
		{"fd12:3456:789a::5/128", "own network"},
		{"0.0.0.0/0", "allow_broad_routes"},
		{"::/0", "allow_broad_routes"},
		{"8.0.0.0/5", "allow_broad_routes"},
		{"2000::/3", "allow_broad_routes"},
		{"::/16", "IPv4"}, /* has the mapped IPv4 addresses in it */
		{"::/80", "IPv4"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_non_null(strstr(verdict(table[i].prefix, false), table[i].reason));
}

static void broad_routes_are_for_those_who_ask(void **)
{
	assert_string_equal(verdict("0.0.0.0/0", true), "");
	assert_string_equal(verdict("::/0", true), "");
	assert_string_equal(verdict("8.0.0.0/5", true), "");
	assert_string_not_equal(verdict("10.0.0.0/8", true), ""); /* has the own network in it */
	assert_string_not_equal(verdict("::/8", true), "");
	assert_string_not_equal(verdict("224.0.0.0/4", true), "");
}

static void one_list_does_not_overlap_itself(void **)
{
	struct model_errors errors = {0};
	const struct ip_prefix networks[2] = {{.len = 0}, {.len = 0}};
	const struct subnets list = {
		.list = {prefix("192.168.0.0/16"), prefix("172.20.0.0/16"),
			prefix("192.168.4.0/24")},
		.count = 3,
	};
	subnets_check(&list, networks, false, &errors);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.list[0].pointer, "/subnets/2");
	assert_non_null(strstr(errors.list[0].detail, "192.168.0.0/16"));
}

static bool network_is_accepted(const char *text, bool is_v6)
{
	struct model_errors errors = {0};
	const struct ip_prefix p = prefix(text);
	(is_v6 ? network_check_v6 : network_check_v4)(&p, &errors);
	return errors.count == 0;
}

static void inner_networks_have_their_sizes(void **)
{
	assert_true(network_is_accepted("10.200.0.0/16", false));
	assert_true(network_is_accepted("10.200.0.0/28", false));
	assert_true(network_is_accepted("203.0.113.0/24", false));
	assert_false(network_is_accepted("10.200.0.0/15", false));
	assert_false(network_is_accepted("10.200.0.0/29", false));
	assert_false(network_is_accepted("224.1.0.0/16", false));
	assert_false(network_is_accepted("127.1.0.0/16", false));
	assert_false(network_is_accepted("fd00::/20", false));
	assert_true(network_is_accepted("fd00:1:2:3::/64", true));
	assert_true(network_is_accepted("fc00::/64", true));
	assert_false(network_is_accepted("fd00::/63", true));
	assert_false(network_is_accepted("fd00::/65", true));
	assert_false(network_is_accepted("2001:db8::/64", true));
	assert_false(network_is_accepted("10.0.0.0/20", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_suggests_the_canonical_form),
		cmocka_unit_test(parse_refuses_what_is_no_prefix),
		cmocka_unit_test(sites_may_advertise_what_they_have),
		cmocka_unit_test(sites_are_refused_what_they_cannot_have),
		cmocka_unit_test(broad_routes_are_for_those_who_ask),
		cmocka_unit_test(one_list_does_not_overlap_itself),
		cmocka_unit_test(inner_networks_have_their_sizes),
	};
	return cmocka_run_group_tests_name("model/subnet", tests, NULL, NULL);
}
