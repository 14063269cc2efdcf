// SPDX-License-Identifier: Apache-2.0
/*
 * Whole sessions of OpenVPN: each control packet in tests/data/ovpn_control.packets is opened with
 * the keys and the window of whom it was for, parsed, written and sealed again to the same bytes.
 */
#include "dataplane/ovpn/tls_crypt_v2.h"
#include "dataplane/ovpn/wrap.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>
#include <stdio.h>

static const char *captures;

struct sides {
	struct wrap server, client;
	struct wrap_replay to_server, to_client;
};

static void set_up(struct sides *s, enum wrap_mode mode)
{
	struct static_key k;
	const char *text = mode == WRAP_TLS_CRYPT_V2 ? tls_crypt_v2_kc : vector_static_key;
	struct wrap_config c = {mode, WRAP_SHA256, KEY_DIRECTION_0, false, &k};
	memset(s, 0, sizeof(*s));
	assert_int_equal(unhex(text, k.bytes, sizeof(k.bytes)), STATIC_KEY_LEN);
	assert_int_equal(wrap_init(&s->server, &c), 0);
	c.direction = KEY_DIRECTION_1;
	c.is_client = true;
	assert_int_equal(wrap_init(&s->client, &c), 0);
}

static void take(struct sides *s, bool from_client, const uint8_t *wire, size_t len)
{
	static struct wrap_opened o;
	static uint8_t plain[CONTROL_PACKET_MAX], sealed[CONTROL_PACKET_MAX];
	struct control_packet p;
	struct wrap *to = from_client ? &s->server : &s->client;
	struct wrap *from = from_client ? &s->client : &s->server;
	struct wrap_replay *replay = from_client ? &s->to_server : &s->to_client;
	assert_int_equal(wrap_open(to, replay, wire, len, &o), 0);
	assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
	assert_int_equal(control_packet_write(&p, plain, sizeof(plain)), o.len);
	assert_memory_equal(plain, o.plain, o.len);
	ssize_t n = wrap_seal(from, &o.stamp, plain, o.len, sealed, sizeof(sealed));
	ssize_t wkc_len = tls_crypt_v2_wkc_len(wire, len); /* is not sealed anew */
	assert_int_equal(n, len - (size_t)(wkc_len > 0 ? wkc_len : 0));
	assert_memory_equal(sealed, wire, (size_t)n);
	assert_int_equal(wrap_open(to, replay, wire, len, &o), -EALREADY);
}

/* Packets of that wrapping, by its name in the file. */
static unsigned int take_all(const char *name, enum wrap_mode mode)
{
	static char line[8192];
	static uint8_t wire[CONTROL_PACKET_MAX];
	struct sides s;
	unsigned int taken = 0;
	FILE *f = fopen(captures, "r");
	assert_non_null(f);
	set_up(&s, mode);
	while (fgets(line, sizeof(line), f) != NULL) {
		char *save = NULL;
		const char *of = strtok_r(line, " \n", &save);
		if (of == NULL || strcmp(of, name) != 0)
			continue;
		const char *side = strtok_r(NULL, " \n", &save);
		const char *text = strtok_r(NULL, " \n", &save);
		assert_non_null(text);
		take(&s, side[0] == 'c', wire, unhex(text, wire, sizeof(wire)));
		taken++;
	}
	(void)fclose(f);
	wrap_fini(&s.server);
	wrap_fini(&s.client);
	return taken;
}

static void tls_auth(void **state)
{
	assert_int_equal(take_all("tls-auth", WRAP_TLS_AUTH), 16);
}

static void tls_crypt(void **state)
{
	assert_int_equal(take_all("tls-crypt", WRAP_TLS_CRYPT), 13);
}

static void tls_crypt_v2(void **state)
{
	assert_int_equal(take_all("tls-crypt-v2", WRAP_TLS_CRYPT_V2), 13);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tls_auth),
		cmocka_unit_test(tls_crypt),
		cmocka_unit_test(tls_crypt_v2),
	};
	if (argc != 2)
		return 1;
	captures = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
