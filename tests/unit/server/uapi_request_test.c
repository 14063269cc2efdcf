// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/uapi_request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
#define OTHER_HEX "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define PEER "set=1\npublic_key=" HEX "\n"

/* The whole text at once; it must be one request and nothing more. */
static struct uapi_request read_request(const char *text)
{
	struct uapi_request r = {0};
	size_t used;
	assert_true(uapi_request_feed(&r, text, strlen(text), &used));
	assert_int_equal(used, strlen(text));
	return r;
}

static int error_of(const char *text)
{
	struct uapi_request r = read_request(text);
	int err = r.error;
	uapi_request_fini(&r);
	return err;
}

static void test_get(void **state)
{
	struct uapi_request r = read_request("get=1\n\n");
	assert_int_equal(r.error, 0);
	assert_int_equal(r.operation, UAPI_GET);
	uapi_request_fini(&r);
}

static void check_everything(const struct uapi_request *r)
{
	assert_int_equal(r->error, 0);
	assert_int_equal(r->operation, UAPI_SET);
	assert_int_equal(
		r->fields, UAPI_PRIVATE_KEY | UAPI_LISTEN_PORT | UAPI_FWMARK | UAPI_REPLACE_PEERS);
	assert_int_equal(r->private_key.bytes[31], 0xef);
	assert_int_equal(r->listen_port, 51820);
	assert_int_equal(r->peers, 2);
	const struct uapi_peer *p = &r->peer[0];
	assert_int_equal(p->fields,
		UAPI_UPDATE_ONLY | UAPI_PRESHARED_KEY | UAPI_ENDPOINT | UAPI_KEEPALIVE
			| UAPI_REPLACE_ALLOWED | UAPI_PROTOCOL_VERSION);
	assert_int_equal(p->public_key.bytes[0], 0x01);
	assert_int_equal(p->preshared_key.bytes[0], 0x11);
	assert_int_equal(p->endpoint.port, 65535);
	assert_int_equal(p->keepalive_s, 65535);
	assert_int_equal(p->allowed_at, 0);
	assert_int_equal(p->allowed_count, 2);
	char text[IP_PREFIX_TEXT];
	assert_string_equal(ip_prefix_format(&r->allowed[0], text), "10.1.2.0/24");
	assert_string_equal(ip_prefix_format(&r->allowed[1], text), "::/0");
	p = &r->peer[1];
	assert_int_equal(p->fields, UAPI_REMOVE);
	assert_int_equal(p->public_key.bytes[0], 0x11);
	assert_int_equal(p->allowed_at, 2);
	assert_int_equal(p->allowed_count, 0);
}

static const char everything[] = "set=1\nprivate_key=" HEX "\nlisten_port=51820\nfwmark=0\n"
				 "replace_peers=true\npublic_key=" HEX "\nupdate_only=true\n"
				 "preshared_key=" OTHER_HEX "\nendpoint=[2001:db8::1]:65535\n"
				 "persistent_keepalive_interval=65535\nreplace_allowed_ips=true\n"
				 "allowed_ip=10.1.2.3/24\nallowed_ip=::/0\nprotocol_version=1\n"
				 "public_key=" OTHER_HEX "\nremove=true\n\n";

static void test_everything(void **state)
{
	struct uapi_request r = read_request(everything);
	check_everything(&r);
	uapi_request_fini(&r);
	assert_int_equal(r.operation, UAPI_NONE);
	assert_null(r.peer);
}

static void test_pieces_of_any_size(void **state)
{
	for (size_t piece = 1; piece < sizeof(everything) - 1; piece++) {
		struct uapi_request r = {0};
		size_t at = 0, used = 0;
		bool complete = false;
		while (!complete) {
			size_t len = sizeof(everything) - 1 - at;
			complete = uapi_request_feed(
				&r, everything + at, len < piece ? len : piece, &used);
			at += used;
		}
		assert_int_equal(at, sizeof(everything) - 1);
		check_everything(&r);
		uapi_request_fini(&r);
	}
}

static void test_stops_at_its_end(void **state)
{
	struct uapi_request r = {0};
	size_t used;
	assert_true(uapi_request_feed(&r, "get=1\n\nget=1\n\n", 14, &used));
	assert_int_equal(used, 7);
	uapi_request_fini(&r);
}

/* Whole requests but for the empty line at the end. */
static const struct {
	const char *text;
	int error;
} faults[] = {
	{"", -EINVAL},
	{"get=2\n", -EINVAL},
	{"set=\n", -EINVAL},
	{"put=1\n", -EINVAL},
	{"get\n", -EINVAL},
	{"=1\n", -EINVAL},
	{"get=1\nlisten_port=1\n", -EINVAL},
	{"get=1\r\n", -EINVAL},
	{"set=1\nnonsense=1\n", -EINVAL},
	{"set=1\nprivate_key\n", -EINVAL},
	{"set=1\nprivate_key=\n", -EINVAL},
	{"set=1\nprivate_key=" HEX "00\n", -EINVAL}, /* 33 bytes */
	{"set=1\nprivate_key=" HEX "0\n", -EINVAL},
	{"set=1\nprivate_key=0123456789abcdef\n", -EINVAL},
	{"set=1\nprivate_key=g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n",
		-EINVAL},
	{"set=1\nprivate_key=" HEX "\nprivate_key=" HEX "\n", -EINVAL},
	{"set=1\nprivate_key =" HEX "\n", -EINVAL},
	{"set=1\nPRIVATE_KEY=" HEX "\n", -EINVAL},
	{"set=1\nlisten_port=-1\n", -EINVAL},
	{"set=1\nlisten_port=+1\n", -EINVAL},
	{"set=1\nlisten_port= 1\n", -EINVAL},
	{"set=1\nlisten_port=1 \n", -EINVAL},
	{"set=1\nlisten_port=01\n", -EINVAL},
	{"set=1\nlisten_port=0x1\n", -EINVAL},
	{"set=1\nlisten_port=65536\n", -EINVAL},
	{"set=1\nlisten_port=4294967297\n", -EINVAL},
	{"set=1\nlisten_port=18446744073709551617\n", -EINVAL},
	{"set=1\nlisten_port=1\nlisten_port=1\n", -EINVAL},
	{"set=1\nfwmark=1\n", -EOPNOTSUPP},
	{"set=1\nreplace_peers=false\n", -EINVAL},
	{"set=1\nreplace_peers=true\nreplace_peers=true\n", -EINVAL},
	{"set=1\nallowed_ip=10.0.0.0/8\n", -EINVAL},
	{"set=1\nremove=true\n", -EINVAL},
	{"set=1\npublic_key=" HEX "00\n", -EINVAL},
	{PEER "listen_port=1\n", -EINVAL},
	{PEER "replace_peers=true\n", -EINVAL},
	{PEER "preshared_key=" HEX "00\n", -EINVAL},
	{PEER "preshared_key=" HEX "\npreshared_key=" HEX "\n", -EINVAL},
	{PEER "persistent_keepalive_interval=65536\n", -EINVAL},
	{PEER "persistent_keepalive_interval=-1\n", -EINVAL},
	{PEER "persistent_keepalive_interval=off\n", -EINVAL},
	{PEER "persistent_keepalive_interval=\n", -EINVAL},
	{PEER "endpoint=10.0.0.1\n", -EINVAL},
	{PEER "endpoint=10.0.0.1:0\n", -EINVAL},
	{PEER "endpoint=10.0.0.1:65536\n", -EINVAL},
	{PEER "endpoint=2001:db8::1:51820\n", -EINVAL},
	{PEER "endpoint=example.net:51820\n", -EINVAL},
	{PEER "allowed_ip=10.0.0.0\n", -EINVAL},
	{PEER "allowed_ip=10.0.0.0/33\n", -EINVAL},
	{PEER "allowed_ip=10.0.0.0/-1\n", -EINVAL},
	{PEER "allowed_ip=10.0.0/24\n", -EINVAL},
	{PEER "allowed_ip=::/129\n", -EINVAL},
	{PEER "allowed_ip=::ffff:10.0.0.0/104\n", -EINVAL},
	{PEER "remove=1\n", -EINVAL},
	{PEER "update_only=TRUE\n", -EINVAL},
	{PEER "replace_allowed_ips=\n", -EINVAL},
	{PEER "protocol_version=2\n", -EPROTONOSUPPORT},
	{PEER "last_handshake_time_sec=1\n", -EINVAL},
	{PEER "errno=0\n", -EINVAL},
};

static void test_faults(void **state)
{
	char text[512];
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		(void)snprintf(text, sizeof(text), "%s\n", faults[i].text);
		if (error_of(text) != faults[i].error)
			fail_msg("%d for: %s", error_of(text), text);
	}
}

/* What follows a fault is read over, and does not heal it. */
static void test_fault_sticks(void **state)
{
	struct uapi_request r = read_request("set=1\nnonsense=1\n" PEER "\n");
	assert_int_equal(r.error, -EINVAL);
	assert_int_equal(r.peers, 0);
	uapi_request_fini(&r);
}

static void test_nul(void **state)
{
	static const char text[] = "set=1\nlisten_port=1\0\n\n";
	struct uapi_request r = {0};
	size_t used;
	assert_true(uapi_request_feed(&r, text, sizeof(text) - 1, &used));
	assert_int_equal(r.error, -EINVAL);
	uapi_request_fini(&r);
}

static void test_line_of_a_megabyte(void **state)
{
	enum {
		LEN = 1 << 20
	};
	struct uapi_request r = {0};
	size_t used;
	char *text = malloc(LEN);
	assert_non_null(text);
	memset(text, 'a', LEN);
	assert_false(uapi_request_feed(&r, text, LEN, &used));
	assert_int_equal(used, LEN);
	assert_true(uapi_request_feed(&r, "\n\n", 2, &used));
	assert_int_equal(r.error, -EINVAL);
	free(text);
	uapi_request_fini(&r);
}

/* 79 characters are the most that a good line has; 127 are kept. */
static void test_longest_lines(void **state)
{
	char text[160];
	(void)snprintf(text, sizeof(text), "set=1\n%0127d\n\n", 0);
	assert_int_equal(error_of(text), -EINVAL);
	(void)snprintf(text, sizeof(text), "set=1\n%0128d\n\n", 0);
	assert_int_equal(error_of(text), -EINVAL);
}

static void test_many_peers(void **state)
{
	enum {
		PEERS = 1000
	};
	struct uapi_request r = {0};
	char line[256];
	size_t used;
	assert_false(uapi_request_feed(&r, "set=1\n", 6, &used));
	for (unsigned int i = 0; i < PEERS; i++) {
		int len = snprintf(line, sizeof(line),
			"public_key=%08x%056x\nallowed_ip=10.0.%u.%u/32\n", i, 0, i / 256, i % 256);
		assert_false(uapi_request_feed(&r, line, (size_t)len, &used));
	}
	assert_true(uapi_request_feed(&r, "\n", 1, &used));
	assert_int_equal(r.error, 0);
	assert_int_equal(r.peers, PEERS);
	assert_int_equal(r.alloweds, PEERS);
	for (unsigned int i = 0; i < PEERS; i++) {
		assert_int_equal(r.peer[i].public_key.bytes[3], i % 256);
		assert_int_equal(r.peer[i].allowed_at, i);
	}
	uapi_request_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_pieces_of_any_size),
		cmocka_unit_test(test_stops_at_its_end),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_fault_sticks),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_line_of_a_megabyte),
		cmocka_unit_test(test_longest_lines),
		cmocka_unit_test(test_many_peers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
