// SPDX-License-Identifier: Apache-2.0
/* What people write: each form that is taken, and the many that are not. */
#include "dataplane/base/base64.h"
#include "dataplane/base/hex.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"
#include "tests/unit/dice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void addresses(void **state)
{
	static const char *const good[][2] = {
		{"192.0.2.1", "192.0.2.1"},
		{"0.0.0.0", "0.0.0.0"},
		{"2001:DB8::1", "2001:db8::1"},
		{"::", "::"},
		{"2001:0db8:0:0:0:0:0:1", "2001:db8::1"},
	};
	static const char *const bad[] = {"", " 1.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.256",
		"01.2.3.4", "1.2.3.4 ", "::ffff:1.2.3.4", "1::2::3", "fe80::1%eth0", "::g",
		"1.2.3.4/24", "12345::"};
	struct ip_addr a;
	char text[IP_ADDR_TEXT];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(ip_addr_parse(good[i][0], &a), 0);
		assert_string_equal(ip_addr_format(&a, text), good[i][1]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ip_addr_parse(bad[i], &a) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void prefixes(void **state)
{
	static const char *const bad[] = {"", "192.0.2.0", "192.0.2.0/", "192.0.2.0/33",
		"192.0.2.0/+8", "192.0.2.0/08", "192.0.2.0/8 ", "192.0.2.0/-1", "::/129", "/8",
		"192.0.2.0/8/8", "192.0.2.0/99999999999999999999"};
	struct ip_prefix p, q;
	struct ip_addr a;
	char text[IP_PREFIX_TEXT];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ip_prefix_parse(bad[i], &p) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_int_equal(ip_prefix_parse("192.168.10.5/24", &p), 0);
	assert_false(ip_prefix_is_canonical(&p));
	q = ip_prefix_canonical(&p);
	assert_string_equal(ip_prefix_format(&q, text), "192.168.10.0/24");
	assert_int_equal(ip_addr_parse("192.168.10.255", &a), 0);
	assert_true(ip_prefix_contains(&q, &a));
	assert_int_equal(ip_addr_parse("192.168.11.0", &a), 0);
	assert_false(ip_prefix_contains(&q, &a));
	/* families never mix, also not in ::/0 */
	assert_int_equal(ip_prefix_parse("::/0", &p), 0);
	assert_false(ip_prefix_contains(&p, &a));
	assert_false(ip_prefix_overlaps(&p, &q));
	assert_int_equal(ip_prefix_parse("0.0.0.0/0", &p), 0);
	assert_true(ip_prefix_contains(&p, &a));
	assert_true(ip_prefix_overlaps(&p, &q));
	struct ip_addr host = ip_prefix_host(&q, 300);
	assert_int_equal(ip_addr_parse("192.168.11.44", &a), 0);
	assert_true(ip_addr_equal(&host, &a));
}

/* Overlap is containment of one in the other, for any two. */
static void overlaps_like_a_slow_twin(void **state)
{
	for (unsigned int n = 0; n < 20000; n++) {
		struct ip_prefix p = {.len = (uint8_t)(96 + dice_roll() % 33)}, q = p;
		memset(p.addr.bytes + 10, 0xff, 2);
		q.len = (uint8_t)(96 + dice_roll() % 33);
		for (unsigned int i = 12; i < 16; i++) {
			p.addr.bytes[i] = (uint8_t)(dice_roll() % 2 * 128);
			q.addr.bytes[i] = (uint8_t)(dice_roll() % 2 * 128);
		}
		q.addr.bytes[10] = q.addr.bytes[11] = 0xff;
		p = ip_prefix_canonical(&p);
		q = ip_prefix_canonical(&q);
		bool wanted = ip_prefix_contains(&p, &q.addr) || ip_prefix_contains(&q, &p.addr);
		assert_int_equal(ip_prefix_overlaps(&p, &q), wanted);
	}
}

static void endpoints(void **state)
{
	static const char *const bad[] = {"", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536",
		"1.2.3.4:+1", "[::1]", "[::1]:", "::1:80", "[1.2.3.4]:80", "[::1]:80x", "[::1:80"};
	struct ip_endpoint e;
	char text[IP_ENDPOINT_TEXT];
	assert_int_equal(ip_endpoint_parse("192.0.2.1:51820", &e), 0);
	assert_string_equal(ip_endpoint_format(&e, text), "192.0.2.1:51820");
	assert_int_equal(ip_endpoint_parse("[2001:db8::1]:65535", &e), 0);
	assert_string_equal(ip_endpoint_format(&e, text), "[2001:db8::1]:65535");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (ip_endpoint_parse(bad[i], &e) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void keys(void **state)
{
	static const char *const bad[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=", /* bits behind the end */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
		"AAAA AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};
	struct key k, again = {{1}};
	char text[KEY_BASE64_TEXT];
	for (unsigned int n = 0; n < 100; n++) {
		assert_int_equal(key_generate(&k), 0);
		assert_int_equal(key_from_base64(key_to_base64(&k, text), &again), 0);
		assert_true(key_equal(&k, &again));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		k = again;
		if (key_from_base64(bad[i], &k) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
		assert_true(key_equal(&k, &again)); /* untouched */
	}
	key_wipe(&k);
	assert_true(key_is_zero(&k));
}

static void uuids(void **state)
{
	static const char *const bad[] = {"", "00000000-0000-4000-8000-00000000000",
		"00000000-0000-4000-8000-0000000000000", "00000000000040008000000000000000",
		"g0000000-0000-4000-8000-000000000000", "00000000-0000-4000-80000-00000000000",
		"{00000000-0000-4000-8000-000000000000}"};
	struct uuid u, v;
	char text[UUID_TEXT];
	assert_int_equal(uuid_generate(&u), 0);
	assert_int_equal(u.bytes[6] >> 4, 4); /* RFC 9562: version 4 */
	assert_int_equal(u.bytes[8] >> 6, 2);
	assert_int_equal(uuid_parse(uuid_format(&u, text), &v), 0);
	assert_true(uuid_equal(&u, &v));
	assert_int_equal(uuid_parse("ABCDEF00-0000-4000-8000-000000000000", &v), 0);
	assert_string_equal(uuid_format(&v, text), "abcdef00-0000-4000-8000-000000000000");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (uuid_parse(bad[i], &v) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
}

static void hex(void **state)
{
	uint8_t data[4];
	char text[9];
	assert_int_equal(hex_decode("00ffA1b2", 8, data, sizeof(data)), 4);
	hex_encode(data, 4, text);
	assert_string_equal(text, "00ffa1b2");
	assert_true(hex_decode("0", 1, data, sizeof(data)) < 0);
	assert_true(hex_decode("0g", 2, data, sizeof(data)) < 0);
	assert_true(hex_decode("0011223344", 10, data, sizeof(data)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(prefixes),
		cmocka_unit_test(overlaps_like_a_slow_twin),
		cmocka_unit_test(endpoints),
		cmocka_unit_test(keys),
		cmocka_unit_test(uuids),
		cmocka_unit_test(hex),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
