// SPDX-License-Identifier: Apache-2.0
/* How a session comes up: every wrapping, UDP and TCP, every kind of client. */
#include "tests/unit/ovpn/session_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char reply_2_6[] =
	"PUSH_REPLY,topology subnet,route-gateway 10.8.0.1,ping 10,ping-restart 60,"
	"ifconfig 10.8.0.2 255.255.255.0,peer-id 7,cipher AES-256-GCM,"
	"protocol-flags cc-exit tls-ekm\n";

static void connects(enum wrap_mode mode, bool is_tcp, int tls)
{
	struct world w;
	world_init(&w, mode);
	w.setup.is_tcp = is_tcp;
	w.setup.tls_min = w.setup.tls_max = tls;
	world_connect(&w);
	assert_string_equal(w.client.heard, reply_2_6);
	assert_string_equal(w.name, "alice");
	assert_true(w.has_certificate);
	assert_string_equal(ovpn_session_cipher(w.session), "AES-256-GCM");
	assert_true(ovpn_session_has_data_v2(w.session));
	world_keys_agree(&w, 0, true);
	world_fini(&w);
}

static void every_wrapping_on_udp(void **state)
{
	for (unsigned int m = WRAP_NONE; m <= WRAP_TLS_CRYPT_V2; m++) {
		connects((enum wrap_mode)m, false, TLS1_2_VERSION);
		connects((enum wrap_mode)m, false, TLS1_3_VERSION);
	}
}

static void every_wrapping_on_tcp(void **state)
{
	for (unsigned int m = WRAP_NONE; m <= WRAP_TLS_CRYPT_V2; m++) {
		connects((enum wrap_mode)m, true, TLS1_2_VERSION);
		connects((enum wrap_mode)m, true, TLS1_3_VERSION);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_on_udp),
		cmocka_unit_test(every_wrapping_on_tcp),
	};
	return cmocka_run_group_tests(tests, world_certificates_make, world_certificates_free);
}
