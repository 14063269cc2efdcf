// SPDX-License-Identifier: Apache-2.0
/* The options string: what is read out of it and the answer (checklist 34, 38, 39). */
#include "dataplane/ovpn/options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char of_client[] =
	"V4,dev-type tun,link-mtu 1559,tun-mtu 1500,proto TCPv4_CLIENT,cipher AES-256-CBC,auth SHA1,"
	"keysize 256,key-method 2,tls-client";
static const char of_server[] =
	"V4,dev-type tun,link-mtu 1559,tun-mtu 1500,proto TCPv4_SERVER,cipher AES-256-CBC,auth SHA1,"
	"keysize 256,key-method 2,tls-server";

static struct options parsed(const char *occ)
{
	struct options o;
	assert_int_equal(options_parse(occ, &o), 0);
	return o;
}

static void real_string(void **state)
{
	struct options o = parsed(of_client);
	assert_int_equal(o.dev_type, OPTIONS_DEV_TUN);
	assert_string_equal(o.cipher, "AES-256-CBC");
	assert_string_equal(o.auth, "SHA1");
	assert_false(o.has_null_cipher);
	assert_false(o.has_null_auth);
	assert_false(o.has_comp_lzo);
	assert_false(o.has_fragment);
}

static void each_option(void **state)
{
	assert_true(parsed("V4,comp-lzo,tls-client").has_comp_lzo);
	assert_false(parsed("V4,comp-lzox,xcomp-lzo").has_comp_lzo);
	assert_true(parsed("V4,mtu-dynamic").has_fragment);
	assert_false(parsed("V4,mtu-dynami").has_fragment);
	assert_int_equal(parsed("dev-type tap").dev_type, OPTIONS_DEV_TAP);
	assert_int_equal(parsed("dev-type null").dev_type, OPTIONS_DEV_OTHER);
	assert_int_equal(parsed("dev-type").dev_type, OPTIONS_DEV_OTHER);
	assert_int_equal(parsed("V4").dev_type, OPTIONS_DEV_ABSENT);
	assert_true(parsed("auth [null-digest]").has_null_auth);
	assert_string_equal(parsed("").cipher, "");
	assert_string_equal(parsed(",,cipher,,").cipher, "");
}

static void null_cipher_is_recognised(void **state)
{
	assert_true(parsed("V4,cipher [null-cipher],auth SHA1").has_null_cipher);
	assert_true(parsed("cipher none").has_null_cipher);
	assert_false(parsed("cipher [null-cipher").has_null_cipher);
	assert_false(parsed("cipher AES-128-CBC").has_null_cipher);
}

static void long_names_are_cut(void **state)
{
	struct options o = parsed("cipher 0123456789012345678901234567890123456789,comp-lzo");
	assert_string_equal(o.cipher, "0123456789012345678901234567890");
	assert_true(o.has_comp_lzo);
}

static void not_printable(void **state)
{
	struct options o;
	char buf[64];
	assert_int_equal(options_parse("V4,cipher AES\n", &o), -EBADMSG);
	assert_int_equal(options_parse("V4,\x80", &o), -EBADMSG);
	assert_int_equal(options_answer("V4,\x1b[2J", buf, sizeof(buf)), -EBADMSG);
}

static void must_answer(const char *occ, const char *wanted)
{
	char buf[512];
	assert_int_equal(options_answer(occ, buf, sizeof(buf)), strlen(wanted));
	assert_string_equal(buf, wanted);
}

static void answer(void **state)
{
	must_answer(of_client, of_server);
	must_answer(of_server, of_client);
	must_answer("proto UDPv4", "proto UDPv4");
	must_answer("", "");
	must_answer("V4,keydir 1,tls-auth,comp-lzo", "V4,keydir 0,tls-auth,comp-lzo");
	must_answer("keydir 0", "keydir 1");
	/* only where they mean the side */
	must_answer(
		"cipher CLIENT,xtls-client,tls-client2", "cipher CLIENT,xtls-client,tls-client2");
}

static void answer_fits_exactly(void **state)
{
	char buf[sizeof(of_client)];
	assert_int_equal(options_answer(of_client, buf, sizeof(buf)), sizeof(buf) - 1);
	assert_int_equal(options_answer(of_client, buf, sizeof(buf) - 1), -ENOSPC);
	assert_int_equal(options_answer("", buf, 0), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_string),
		cmocka_unit_test(each_option),
		cmocka_unit_test(null_cipher_is_recognised),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(not_printable),
		cmocka_unit_test(answer),
		cmocka_unit_test(answer_fits_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
