// SPDX-License-Identifier: Apache-2.0
/* Usernames, passwords and the settings of listeners. */
#include "control/model/openvpn.h"

#include "control/model/openvpn_json.h"
#include "dataplane/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void usernames_are_made_of_names(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		unsigned int number;
		const char *username;
	} cases[] = {
		{"alice-laptop", 1, "alice-laptop"},
		{"Branch 1", 1, "branch-1"},
		{"  --Jo\303\270  &  Co.  ", 1, "jo-co"},
		{"\346\227\245\346\234\254", 1, "peer"},
		{"\346\227\245\346\234\254", 3, "peer-3"},
		{"abcdefghijklmnopqrstuvwxyz0123", 1, "abcdefghijklmnopqrstuvwxyz0"},
		{"abcdefghijklmnopqrstuvwxyz0123", 12, "abcdefghijklmnopqrstuvwx-12"},
		{"abcdefghijklmnopqrstuvwx-----", 99999, "abcdefghijklmnopqrstu-99999"},
		{"abcdefghijklmnopqrstuvwxyz -", 1, "abcdefghijklmnopqrstuvwxyz"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char made[OPENVPN_USERNAME_TEXT];
		openvpn_username_make(cases[i].name, cases[i].number, made);
		assert_string_equal(made, cases[i].username);
		assert_null(openvpn_username_check(made));
	}
	static const char *const bad[] = {
		"", "Alice", "a b", "-a", "a\n", "a\"", "abcdefghijklmnopqrstuvwxyz01"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(openvpn_username_check(bad[i]));
}

static void passwords(void **state)
{
	char one[OPENVPN_PASSWORD_TEXT], two[OPENVPN_PASSWORD_TEXT];
	(void)state;
	assert_int_equal(openvpn_password_make(one), 0);
	assert_int_equal(openvpn_password_make(two), 0);
	assert_string_not_equal(one, two);
	assert_int_equal(strlen(one), OPENVPN_PASSWORD_CHARACTERS);
	assert_int_equal(
		strspn(one, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"),
		OPENVPN_PASSWORD_CHARACTERS);
	/* sha256sum of sixteen zeros and "abc" */
	const uint8_t salt[OPENVPN_SALT_LEN] = {0};
	uint8_t hash[OPENVPN_HASH_LEN];
	char text[2 * OPENVPN_HASH_LEN + 1];
	assert_int_equal(openvpn_password_hash(salt, "abc", hash), 0);
	hex_encode(hash, sizeof(hash), text);
	assert_string_equal(
		text, "277e7ff6d232b9763f4a66e8d05d210da32dac9c6dbce1026ad4cc98acb5fefe");
}

static void defaults_are_sound(void **state)
{
	(void)state;
	for (int t = 0; t < OPENVPN__TRANSPORTS; t++) {
		struct openvpn_listener l, back = {.port = 7};
		struct model_errors errors = {0};
		openvpn_listener_init(&l, (enum openvpn_transport)t);
		openvpn_listener_check(&l, "/openvpn/x", &errors);
		assert_int_equal(errors.count, 0);
		/* what is written is read back, and what is not written is the default */
		json_t *json = openvpn_listener_json(&l);
		openvpn_listener_read(&back, (enum openvpn_transport)t, json, "", &errors);
		assert_int_equal(back.port, 7);
		back.port = 0;
		assert_memory_equal(&back, &l, sizeof(l));
		(void)json_object_clear(json);
		openvpn_listener_read(&back, (enum openvpn_transport)t, json, "", &errors);
		assert_memory_equal(&back, &l, sizeof(l));
		assert_int_equal(errors.count, 0);
		json_decref(json);
	}
}

static void words_that_do_not_exist(void **state)
{
	struct openvpn_listener l;
	struct model_errors errors = {0};
	(void)state;
	json_t *json = json_pack("{s:s, s:s, s:s, s:[s], s:i, s:i, s:b, s:b}", "wrap", "x",
		"tls_minimum", "2.0", "tls_auth_digest", "MD5", "ciphers", "BF-CBC",
		"security_level", 300, "renegotiate_seconds", 5, "requires_certificate", 0,
		"requires_password", 0);
	openvpn_listener_init(&l, OPENVPN_UDP);
	openvpn_listener_read(&l, OPENVPN_UDP, json, "/p", &errors);
	openvpn_listener_check(&l, "/p", &errors);
	static const char *const pointers[] = {"/p/wrap", "/p/tls_minimum", "/p/tls_auth_digest",
		"/p/ciphers/0", "/p/security_level", "/p/renegotiate_seconds", "/p/ciphers",
		"/p/requires_certificate"};
	assert_int_equal(errors.count, sizeof(pointers) / sizeof(pointers[0]));
	for (size_t i = 0; i < errors.count; i++)
		assert_string_equal(errors.list[i].pointer, pointers[i]);
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usernames_are_made_of_names),
		cmocka_unit_test(passwords),
		cmocka_unit_test(defaults_are_sound),
		cmocka_unit_test(words_that_do_not_exist),
	};
	return cmocka_run_group_tests_name("model/openvpn", tests, NULL, NULL);
}
