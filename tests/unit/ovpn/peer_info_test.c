// SPDX-License-Identifier: Apache-2.0
/* Peer info: each key, absent ones, and text that is not to be trusted (checklist 25, 30). */
#include "dataplane/ovpn/peer_info.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct peer_info parsed(const char *text)
{
	struct peer_info p;
	peer_info_parse(text, &p);
	return p;
}

static void real_client(void **state)
{
	struct peer_info p =
		parsed("IV_VER=2.6.14\nIV_PLAT=linux\nIV_TCPNL=1\nIV_MTU=1600\nIV_NCP=2\n"
		       "IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\n"
		       "IV_PROTO=990\nIV_LZO_STUB=1\nIV_COMP_STUB=1\nIV_COMP_STUBv2=1\n");
	assert_string_equal(p.version, "2.6.14");
	assert_string_equal(p.platform, "linux");
	assert_int_equal(p.mtu, 1600);
	assert_int_equal(p.ncp, 2);
	assert_true(p.has_ciphers);
	assert_string_equal(p.ciphers, "AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305");
	assert_true(p.has_comp_stub_v2);
	assert_int_equal(p.proto,
		IV_PROTO_DATA_V2 | IV_PROTO_REQUEST_PUSH | IV_PROTO_TLS_KEY_EXPORT
			| IV_PROTO_AUTH_PENDING_KW | IV_PROTO_DNS_OPTION | IV_PROTO_CC_EXIT_NOTIFY
			| IV_PROTO_AUTH_FAIL_TEMP | IV_PROTO_DYN_TLS_CRYPT);
	assert_int_equal(parsed("IV_PROTO=8094").proto,
		IV_PROTO_DATA_V2 | IV_PROTO_REQUEST_PUSH | IV_PROTO_TLS_KEY_EXPORT
			| IV_PROTO_AUTH_PENDING_KW | IV_PROTO_CC_EXIT_NOTIFY
			| IV_PROTO_AUTH_FAIL_TEMP | IV_PROTO_DYN_TLS_CRYPT | IV_PROTO_DATA_EPOCH
			| IV_PROTO_DNS_OPTION_V2 | IV_PROTO_PUSH_UPDATE);
}

static void nothing_said(void **state)
{
	static const struct peer_info none;
	struct peer_info p = parsed("");
	assert_memory_equal(&p, &none, sizeof(p));
	p = parsed("\n\n=\nIV_PROTO\nIV_NCP:2\nXIV_MTU=1\nIV_PROTOX=2\nIV_ciphers=A");
	assert_memory_equal(&p, &none, sizeof(p));
	p = parsed("IV_PROTO=2\n"); /* RouterOS 7 */
	assert_int_equal(p.proto, IV_PROTO_DATA_V2);
	assert_false(p.has_ciphers);
	p = parsed("IV_CIPHERS=\n");
	assert_true(p.has_ciphers);
	assert_string_equal(p.ciphers, "");
}

static void numbers(void **state)
{
	assert_int_equal(parsed("IV_MTU=4294967295").mtu, UINT32_MAX);
	assert_int_equal(parsed("IV_MTU=4294967296").mtu, 0);
	assert_int_equal(parsed("IV_MTU=99999999999999999999999999").mtu, 0);
	assert_int_equal(parsed("IV_MTU=-1").mtu, 0);
	assert_int_equal(parsed("IV_MTU=0x10").mtu, 0);
	assert_int_equal(parsed("IV_MTU=").mtu, 0);
	assert_int_equal(parsed("IV_MTU=1500\r\n").mtu, 1500);
	assert_int_equal(parsed("IV_MTU=1\nIV_MTU=2\n").mtu, 1);
	assert_false(parsed("IV_COMP_STUBv2=0").has_comp_stub_v2);
}

static void printable(void **state)
{
	assert_string_equal(parsed("IV_VER=2.6\x1b[2J\x80\t!").version, "2.6_[2J__!");
	/* what is no character of a name makes it another one */
	assert_string_equal(parsed("IV_CIPHERS=AES\x01-256-GCM:AES-128-GCM").ciphers,
		"AES_-256-GCM:AES-128-GCM");
}

static void long_text(void **state)
{
	char text[1200] = "IV_VER=";
	memset(text + 7, 'v', 200);
	struct peer_info p = parsed(text);
	assert_int_equal(strlen(p.version), PEER_INFO_TEXT_MAX - 1);
	/* the list is cut between names */
	memset(text, 0, sizeof(text));
	memcpy(text, "IV_CIPHERS=", 11);
	for (size_t at = 11; at + 12 < sizeof(text); at += 12)
		memcpy(text + at, "AES-256-GCM:", 12);
	p = parsed(text);
	assert_int_equal((strlen(p.ciphers) + 1) % 12, 0);
	assert_true(strlen(p.ciphers) > PEER_INFO_CIPHERS_MAX - 14);
	memset(text + 11, 'x', 600);
	text[611] = '\0';
	assert_string_equal(parsed(text).ciphers, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_client),
		cmocka_unit_test(nothing_said),
		cmocka_unit_test(numbers),
		cmocka_unit_test(printable),
		cmocka_unit_test(long_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
