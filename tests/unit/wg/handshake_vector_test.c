// SPDX-License-Identifier: Apache-2.0
/*
 * Both roles byte for byte against a handshake that another implementation computed: labels,
 * order of the mixes, TAI64N, MAC1 and the direction of the keys. The linker puts the vector's
 * ephemeral keys in the place of random_bytes() (meson.build: --wrap).
 */
#include "tests/unit/wg/handshake_vector.h"

#include "dataplane/base/random.h"
#include "dataplane/wg/cookie.h"
#include "dataplane/wg/noise.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *next_random;

// NOLINTNEXTLINE(bugprone-reserved-identifier): the linker's name
int __wrap_random_bytes(void *buf, size_t len);
int __wrap_random_bytes(void *buf, size_t len)
{
	assert_non_null(next_random);
	assert_int_equal(len, 32);
	memcpy(buf, next_random, len);
	next_random = NULL;
	return 0;
}

static struct key key_of(const uint8_t bytes[KEY_LEN])
{
	struct key k;
	memcpy(k.bytes, bytes, sizeof(k.bytes));
	return k;
}

static struct noise_identity identity_of(const uint8_t private_key[KEY_LEN])
{
	struct noise_identity i;
	struct key k = key_of(private_key);
	assert_int_equal(noise_identity_init(&i, &k), 0);
	return i;
}

static void as_initiator(void **state)
{
	struct noise_identity own = identity_of(vector_initiator),
			      other = identity_of(vector_responder);
	struct key psk = key_of(vector_preshared);
	struct noise_remote r;
	struct cookie_maker maker;
	struct message_handshake_initiation initiation = {0};
	struct message_handshake_response response;
	struct keypair pair;
	noise_remote_init(&r, &other.public_key, &psk);
	cookie_maker_init(&maker, &other.public_key);
	next_random = vector_initiator_ephemeral;
	assert_int_equal(noise_initiation_create(
				 &own, &r, VECTOR_INITIATOR_INDEX, VECTOR_REALTIME_NS, &initiation),
		0);
	cookie_macs_add(&maker, &initiation, sizeof(initiation), 1);
	assert_memory_equal(&initiation, vector_initiation, sizeof(initiation));

	struct message_handshake_cookie reply;
	memcpy(&reply, vector_cookie_reply, sizeof(reply));
	assert_true(cookie_reply_consume(&maker, &reply, 1));
	assert_memory_equal(maker.cookie, vector_cookie, sizeof(vector_cookie));

	memcpy(&response, vector_response, sizeof(response));
	assert_int_equal(noise_response_consume(&own, &r, &response), 0);
	assert_int_equal(noise_session_begin(&r.initiation, 1, &pair), 0);
	assert_memory_equal(pair.send_key.bytes, vector_initiator_sends, KEY_LEN);
	assert_memory_equal(pair.receive_key.bytes, vector_initiator_receives, KEY_LEN);
	assert_int_equal(pair.local_index, VECTOR_INITIATOR_INDEX);
	assert_int_equal(pair.remote_index, VECTOR_RESPONDER_INDEX);
}

static void as_responder(void **state)
{
	struct noise_identity own = identity_of(vector_responder),
			      other = identity_of(vector_initiator);
	struct key psk = key_of(vector_preshared);
	struct noise_remote r;
	struct cookie_maker maker;
	struct cookie_checker checker;
	struct ip_endpoint source = {.port = 1};
	struct message_handshake_initiation initiation;
	struct message_handshake_response response = {0};
	struct noise_initiation opened;
	struct noise_handshake h;
	struct keypair pair;
	noise_remote_init(&r, &other.public_key, &psk);
	cookie_maker_init(&maker, &other.public_key);
	cookie_checker_init(&checker, &own.public_key);
	memcpy(&initiation, vector_initiation, sizeof(initiation));
	assert_int_equal(cookie_check(&checker, &initiation, sizeof(initiation), &source, 1),
		COOKIE_MAC1_VALID);
	assert_int_equal(noise_initiation_open(&own, &initiation, &opened), 0);
	assert_true(key_equal(&opened.remote_static, &other.public_key));
	assert_int_equal(noise_initiation_accept(&own, &r, &opened, 1, &h), 0);
	/* TAI64 counts from 2^62, ten leap seconds before 1970; big-endian */
	static const uint8_t timestamp[8] = {0x40, 0, 0, 0, 0x6a, 0xb1, 0x3b, 0x8a};
	assert_memory_equal(r.latest_timestamp, timestamp, sizeof(timestamp));
	next_random = vector_responder_ephemeral;
	assert_int_equal(noise_response_create(&r, &h, VECTOR_RESPONDER_INDEX, &response), 0);
	cookie_macs_add(&maker, &response, sizeof(response), 1);
	assert_memory_equal(&response, vector_response, sizeof(response));
	assert_int_equal(noise_session_begin(&h, 1, &pair), 0);
	assert_memory_equal(pair.receive_key.bytes, vector_initiator_sends, KEY_LEN);
	assert_memory_equal(pair.send_key.bytes, vector_initiator_receives, KEY_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_initiator),
		cmocka_unit_test(as_responder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
