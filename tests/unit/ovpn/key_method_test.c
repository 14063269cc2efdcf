// SPDX-License-Identifier: Apache-2.0
/* Key method 2, read and written (checklist 25, 26, 27, 29). */
#include "dataplane/ovpn/key_method.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	STRINGS_AT = 117,
};

static struct key_method_client client;
static uint8_t record[8192];
static size_t record_len;

static void add(const void *data, size_t len)
{
	assert_true(record_len + len <= sizeof(record));
	memcpy(record + record_len, data, len);
	record_len += len;
}

/* len: what the string says of itself, with the NUL; 0: absent */
static void add_string(const char *text, size_t len)
{
	uint8_t be[2] = {(uint8_t)(len >> 8), (uint8_t)len};
	add(be, 2);
	add(text, len);
}

static void begin(void)
{
	record_len = STRINGS_AT;
	memset(record, 0, sizeof(record));
	record[4] = 2;
	for (size_t i = 5; i < STRINGS_AT; i++)
		record[i] = (uint8_t)i;
}

/* An exact block on the heap, so that AddressSanitizer sees the first byte too many: not of
 * test_malloc(), which has room of its own behind it. */
static int parse(size_t len)
{
	uint8_t *exact = malloc(len + 1);
	assert_non_null(exact);
	memcpy(exact + 1, record, len);
	memset(&client, 0xa5, sizeof(client));
	int err = key_method_parse_client(exact + 1, len, &client);
	free(exact);
	return err;
}

static void must_be_wiped(void)
{
	static const struct key_method_client zero;
	assert_memory_equal(&client, &zero, sizeof(zero));
}

static void whole_message(void **state)
{
	begin();
	add_string("V4,tls-client", 14);
	add_string("anna", 5);
	add_string("secret", 7);
	add_string("IV_PROTO=2\n", 12);
	assert_int_equal(parse(record_len), 0);
	assert_memory_equal(client.pre_master, record + 5, 48);
	assert_memory_equal(client.random.random1, record + 53, 32);
	assert_memory_equal(client.random.random2, record + 85, 32);
	assert_string_equal(client.options, "V4,tls-client");
	assert_string_equal(client.username, "anna");
	assert_string_equal(client.password, "secret");
	assert_true(client.has_peer_info);
	assert_string_equal(client.peer_info, "IV_PROTO=2\n");
	assert_false(client.username_too_long || client.password_too_long);
	add("later", 5); /* of a version to come */
	assert_int_equal(parse(record_len), 0);
	assert_string_equal(client.peer_info, "IV_PROTO=2\n");
	key_method_client_wipe(&client);
	must_be_wiped();
}

static void no_peer_info(void **state)
{
	begin();
	add_string("V4", 3);
	add_string("anna", 5);
	add_string("secret", 7);
	assert_int_equal(parse(record_len), 0);
	assert_false(client.has_peer_info);
	assert_string_equal(client.peer_info, "");
	assert_string_equal(client.password, "secret");
	add_string("", 0);
	assert_int_equal(parse(record_len), 0);
	assert_true(client.has_peer_info);
	/* PUSH_REQUEST is another record: in this one it is no peer info */
	record_len -= 2;
	add("PUSH_REQUEST", 13);
	assert_int_equal(parse(record_len), -EBADMSG);
}

static void empty_strings(void **state)
{
	begin();
	add_string("", 0);
	add_string("", 0);
	add_string("", 0);
	add_string("", 0);
	assert_int_equal(parse(record_len), 0);
	assert_string_equal(client.options, "");
	assert_string_equal(client.username, "");
	assert_string_equal(client.password, "");
	begin();
	add_string("V4", 3);
	add_string("", 1); /* the NUL alone is empty, too */
	add_string("", 1);
	assert_int_equal(parse(record_len), 0);
	assert_string_equal(client.username, "");
	begin();
	add_string("V4", 3); /* no credentials at all */
	assert_int_equal(parse(record_len), 0);
	assert_string_equal(client.options, "V4");
	assert_string_equal(client.username, "");
}

static char text[4096];

static char *long_text(size_t len)
{
	memset(text, 'a', len - 1);
	text[len - 1] = '\0';
	return text;
}

static void over_long_credentials(void **state)
{
	begin();
	add_string("V4", 3);
	add_string(long_text(KEY_METHOD_USERNAME_MAX), KEY_METHOD_USERNAME_MAX);
	add_string(long_text(KEY_METHOD_PASSWORD_MAX), KEY_METHOD_PASSWORD_MAX);
	assert_int_equal(parse(record_len), 0);
	assert_int_equal(strlen(client.username), KEY_METHOD_USERNAME_MAX - 1);
	assert_int_equal(strlen(client.password), KEY_METHOD_PASSWORD_MAX - 1);
	assert_false(client.username_too_long || client.password_too_long);
	begin();
	add_string("V4", 3);
	add_string(long_text(KEY_METHOD_USERNAME_MAX + 1), KEY_METHOD_USERNAME_MAX + 1);
	add_string("secret", 7);
	add_string("IV_NCP=2\n", 10);
	assert_int_equal(parse(record_len), 0);
	assert_true(client.username_too_long);
	assert_false(client.password_too_long);
	assert_string_equal(client.username, "");
	assert_string_equal(client.password, "secret"); /* the rest is read on */
	assert_string_equal(client.peer_info, "IV_NCP=2\n");
	begin();
	add_string("V4", 3);
	add_string("anna", 5);
	add_string(long_text(KEY_METHOD_PASSWORD_MAX + 1), KEY_METHOD_PASSWORD_MAX + 1);
	assert_int_equal(parse(record_len), 0);
	assert_true(client.password_too_long);
	assert_string_equal(client.password, "");
}

static void over_long_others(void **state)
{
	begin();
	add_string(long_text(KEY_METHOD_OPTIONS_MAX), KEY_METHOD_OPTIONS_MAX);
	assert_int_equal(parse(record_len), 0);
	begin();
	add_string(long_text(KEY_METHOD_OPTIONS_MAX + 1), KEY_METHOD_OPTIONS_MAX + 1);
	assert_int_equal(parse(record_len), -EMSGSIZE);
	must_be_wiped();
	begin();
	add_string("V4", 3);
	add_string("", 0);
	add_string("", 0);
	add_string(long_text(KEY_METHOD_PEER_INFO_MAX + 1), KEY_METHOD_PEER_INFO_MAX + 1);
	assert_int_equal(parse(record_len), -EMSGSIZE);
}

static void every_truncation(void **state)
{
	begin();
	add_string("V4,x", 5);
	size_t options_end = record_len;
	add_string("anna", 5);
	size_t username_end = record_len;
	add_string("secret", 7);
	size_t password_end = record_len;
	add_string("IV_NCP=2\n", 10);
	for (size_t len = 0; len < record_len; len++) {
		bool is_whole = len == options_end || len == username_end || len == password_end;
		assert_int_equal(parse(len), is_whole ? 0 : -EBADMSG);
		if (!is_whole)
			must_be_wiped();
	}
}

static void malformed(void **state)
{
	begin();
	add_string("V4", 2); /* no NUL */
	assert_int_equal(parse(record_len), -EBADMSG);
	begin();
	add_string("V4\0x", 5); /* a NUL inside */
	assert_int_equal(parse(record_len), -EBADMSG);
	begin();
	add_string("V4", 3);
	add_string("anna\0admin", 11);
	assert_int_equal(parse(record_len), -EBADMSG);
	begin();
	add("\xff\xff", 2);
	assert_int_equal(parse(record_len), -EBADMSG);
	begin();
	add_string("V4", 3);
	record[3] = 1;
	assert_int_equal(parse(record_len), -EBADMSG);
}

static void other_methods(void **state)
{
	begin();
	add_string("V4", 3);
	record[4] = 1;
	assert_int_equal(parse(record_len), -EPROTONOSUPPORT);
	must_be_wiped();
	record[4] = 0xf2; /* the low four bits are the method */
	assert_int_equal(parse(record_len), 0);
}

static void server_message(void **state)
{
	static const uint8_t head[] = {0, 0, 0, 0, 2}, options[] = {0, 3, 'V', '4', 0}, tail[6];
	struct key_source_random random;
	uint8_t buf[KEY_METHOD_SERVER_MAX];
	memset(&random.random1, 1, 32);
	memset(&random.random2, 2, 32);
	assert_int_equal(key_method_write_server(&random, "V4", buf, sizeof(buf)), 80);
	assert_memory_equal(buf, head, 5);
	assert_memory_equal(buf + 5, random.random1, 32);
	assert_memory_equal(buf + 37, random.random2, 32);
	assert_memory_equal(buf + 69, options, 5);
	assert_memory_equal(buf + 74, tail, 6);
	assert_int_equal(key_method_write_server(&random, "V4", buf, 80), 80);
	assert_int_equal(key_method_write_server(&random, "V4", buf, 79), -ENOSPC);
	assert_int_equal(key_method_write_server(&random, "", buf, sizeof(buf)), 77);
	assert_memory_equal(buf + 69, "\0\0", 2);
	assert_int_equal(key_method_write_server(
				 &random, long_text(KEY_METHOD_OPTIONS_MAX), buf, sizeof(buf)),
		sizeof(buf));
	assert_int_equal(key_method_write_server(
				 &random, long_text(KEY_METHOD_OPTIONS_MAX + 1), buf, sizeof(buf)),
		-EMSGSIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_message),
		cmocka_unit_test(no_peer_info),
		cmocka_unit_test(empty_strings),
		cmocka_unit_test(over_long_credentials),
		cmocka_unit_test(over_long_others),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(malformed),
		cmocka_unit_test(other_methods),
		cmocka_unit_test(server_message),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
