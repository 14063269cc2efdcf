// SPDX-License-Identifier: Apache-2.0
/* What addresses, base64, keys and clocks are, apart from how they are written. */
#include "dataplane/base/base64.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/random.h"
#include "dataplane/base/uuid.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ip_addr address(const char *text)
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

enum {
	V4 = 1 << 0,
	ZERO = 1 << 1,
	MULTICAST = 1 << 2,
	LOOPBACK = 1 << 3,
	LINK_LOCAL = 1 << 4,
};

static void kinds_of_addresses(void **state)
{
	static const struct {
		const char *text;
		unsigned int kinds;
	} cases[] = {
		{"0.0.0.0", V4 | ZERO},
		{"0.0.0.1", V4},
		{"127.0.0.1", V4 | LOOPBACK},
		{"127.255.255.255", V4 | LOOPBACK},
		{"128.0.0.1", V4},
		{"169.253.255.255", V4},
		{"169.254.0.1", V4 | LINK_LOCAL},
		{"223.255.255.255", V4},
		{"224.0.0.1", V4 | MULTICAST},
		{"239.255.255.255", V4 | MULTICAST},
		{"240.0.0.1", V4},
		{"::", ZERO},
		{"::1", LOOPBACK},
		{"::2", 0},
		{"fe7f::1", 0},
		{"fe80::1", LINK_LOCAL},
		{"febf::1", LINK_LOCAL},
		{"fec0::1", 0},
		{"ff02::1", MULTICAST},
		{"2001:db8::1", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_addr a = address(cases[i].text);
		unsigned int kinds = (ip_addr_is_v4(&a) ? V4 : 0) | (ip_addr_is_zero(&a) ? ZERO : 0)
			| (ip_addr_is_multicast(&a) ? MULTICAST : 0)
			| (ip_addr_is_loopback(&a) ? LOOPBACK : 0)
			| (ip_addr_is_link_local(&a) ? LINK_LOCAL : 0);
		if (kinds != cases[i].kinds)
			fail_msg("%s: %#x", cases[i].text, kinds);
	}
}

static void order_of_prefixes(void **state)
{
	static const char *const sorted[] = {"0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16",
		"10.0.1.0/24", "255.255.255.255/32", "::/0", "::/1", "::1/128", "fd00::/8"};
	const int count = sizeof(sorted) / sizeof(sorted[0]);
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < count; j++) {
			struct ip_prefix a = prefix(sorted[i]), b = prefix(sorted[j]);
			int c = ip_prefix_compare(&a, &b);
			assert_int_equal((c > 0) - (c < 0), (i > j) - (i < j));
			assert_int_equal(ip_prefix_equal(&a, &b), i == j);
		}
	}
}

static void hosts_of_a_prefix(void **state)
{
	static const struct {
		const char *prefix;
		uint64_t n;
		const char *host;
	} cases[] = {
		{"10.0.0.9/8", 0, "10.0.0.0"},
		{"10.0.255.255/31", 1, "10.0.255.255"},
		{"10.0.0.0/8", 0xffffff, "10.255.255.255"},
		{"fd00::/64", UINT64_MAX, "fd00::ffff:ffff:ffff:ffff"},
		{"fd00::ffff:0/112", 0x100, "fd00::ffff:100"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ip_prefix p = prefix(cases[i].prefix);
		struct ip_addr host = ip_prefix_host(&p, cases[i].n),
			       wanted = address(cases[i].host);
		assert_memory_equal(&host, &wanted, sizeof(host));
	}
}

static void canonical_prefixes(void **state)
{
	struct ip_prefix p = prefix("2001:db8:1:2:ffff::1/65"), c = ip_prefix_canonical(&p);
	struct ip_prefix wanted = prefix("2001:db8:1:2:8000::/65");
	assert_true(ip_prefix_equal(&c, &wanted));
	assert_true(ip_prefix_is_canonical(&c));
	assert_false(ip_prefix_is_canonical(&p));
	struct ip_prefix full = ip_prefix_of(&p.addr);
	assert_true(ip_prefix_is_canonical(&full));
	assert_int_equal(ip_prefix_len(&full), 128);
	struct ip_addr v4 = address("192.0.2.1");
	full = ip_prefix_of(&v4);
	assert_int_equal(ip_prefix_len(&full), 32);
	full.len = 129; /* no length at all */
	assert_false(ip_prefix_is_canonical(&full));
}

/* RFC 4648 section 10, and every length against itself. */
static void base64(void **state)
{
	static const char *const v[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
		{"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
	uint8_t data[256], back[256];
	char text[BASE64_TEXT(256)];
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		size_t len = strlen(v[i][0]);
		base64_encode((const uint8_t *)v[i][0], len, text);
		assert_string_equal(text, v[i][1]);
		assert_int_equal(base64_decode(text, strlen(text), back, sizeof(back)), len);
		assert_memory_equal(back, v[i][0], len);
	}
	for (unsigned int i = 0; i < 256; i++)
		data[i] = (uint8_t)(i * 167 + 13);
	for (size_t len = 0; len <= 256; len++) {
		base64_encode(data, len, text);
		assert_int_equal(base64_decode(text, strlen(text), back, sizeof(back)), len);
		assert_memory_equal(back, data, len);
		if (len > 0)
			assert_int_equal(base64_decode(text, strlen(text), back, len - 1), -ENOSPC);
	}
}

static void base64_refused(void **state)
{
	static const char *const bad[] = {"Z", "Zg",
		"Zg=", "Zg===", "Zg==Zg==", "=Zg=", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9",
		"Zm9-", "Zm9_", "Zm9\x80"};
	uint8_t back[16];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (base64_decode(bad[i], strlen(bad[i]), back, sizeof(back)) != -EINVAL)
			fail_msg("\"%s\" was taken", bad[i]);
	}
	assert_int_equal(base64_decode("Zm\0v", 4, back, sizeof(back)), -EINVAL);
}

/* One wrong bit anywhere is seen: nothing is compared by halves. */
static void keys_are_compared_whole(void **state)
{
	struct key a = {{0}}, b = {{0}};
	assert_true(key_equal(&a, &b));
	assert_true(key_is_zero(&a));
	for (unsigned int bit = 0; bit < 8 * KEY_LEN; bit++) {
		b.bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		assert_false(key_equal(&a, &b));
		assert_false(key_is_zero(&b));
		b.bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
	}
}

static void randomness_and_clocks(void **state)
{
	uint8_t a[64] = {0}, b[64] = {0};
	struct uuid u, zero = {{0}};
	assert_int_equal(random_bytes(a, sizeof(a)), 0);
	assert_int_equal(random_bytes(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
	assert_int_equal(random_bytes(a, 0), 0);
	assert_int_equal(uuid_generate(&u), 0);
	assert_false(uuid_is_zero(&u));
	assert_true(uuid_is_zero(&zero));
	uint64_t before = clock_monotonic_ns();
	assert_true(clock_monotonic_ns() >= before);
	assert_true(clock_realtime_ns() > 1700000000 * NS_PER_SEC); /* 2023 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_of_addresses),
		cmocka_unit_test(order_of_prefixes),
		cmocka_unit_test(hosts_of_a_prefix),
		cmocka_unit_test(canonical_prefixes),
		cmocka_unit_test(base64),
		cmocka_unit_test(base64_refused),
		cmocka_unit_test(keys_are_compared_whole),
		cmocka_unit_test(randomness_and_clocks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
