// SPDX-License-Identifier: Apache-2.0
/* MAC1, MAC2 and the cookie reply: whom they are for, and for how long. */
#include "dataplane/wg/cookie.h"

#include "dataplane/base/random.h"
#include "dataplane/crypto/blake2s.h"
#include "dataplane/crypto/chacha20poly1305.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t start = 5000 * NS_PER_SEC;

struct sides {
	struct key hub;
	struct cookie_checker checker;
	struct cookie_maker maker;
	struct ip_endpoint source;
	struct message_handshake_initiation message;
};

static void set_up(struct sides *s)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(key_generate(&s->hub), 0);
	cookie_checker_init(&s->checker, &s->hub);
	cookie_maker_init(&s->maker, &s->hub);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &s->source), 0);
	assert_int_equal(random_bytes(&s->message, sizeof(s->message)), 0);
}

static enum cookie_verdict check(struct sides *s, uint64_t now_ns)
{
	return cookie_check(&s->checker, &s->message, sizeof(s->message), &s->source, now_ns);
}

static void exchange_cookie(struct sides *s, uint64_t now_ns)
{
	struct message_handshake_cookie reply = {0};
	cookie_macs_add(&s->maker, &s->message, sizeof(s->message), now_ns);
	assert_int_equal(cookie_reply_create(&s->checker, &s->message, sizeof(s->message),
				 &s->source, now_ns, &reply),
		0);
	assert_true(cookie_reply_consume(&s->maker, &reply, now_ns));
}

/* Paper, section 5.4.4, written out: MAC(HASH("mac1----" || public key), what is before it). */
static void mac1_of_the_paper(void **state)
{
	struct sides s;
	uint8_t key[32], mac[16];
	set_up(&s);
	size_t covered = offsetof(struct message_handshake_initiation, macs);
	blake2s_hash(key, "mac1----", 8, s.hub.bytes, KEY_LEN);
	blake2s_mac(mac, key, sizeof(key), &s.message, covered);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	assert_memory_equal(s.message.macs.mac1, mac, sizeof(mac));
	for (unsigned int i = 0; i < COOKIE_LEN; i++)
		assert_int_equal(s.message.macs.mac2[i], 0);
}

static void every_bit_counts(void **state)
{
	struct sides s;
	set_up(&s);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	size_t covered = offsetof(struct message_handshake_initiation, macs) + COOKIE_LEN;
	for (size_t bit = 0; bit < 8 * covered; bit++) {
		uint8_t *byte = (uint8_t *)&s.message + bit / 8;
		*byte ^= (uint8_t)(1 << (bit % 8));
		assert_int_equal(check(&s, start), COOKIE_MAC_INVALID);
		*byte ^= (uint8_t)(1 << (bit % 8));
	}
	assert_int_equal(check(&s, start), COOKIE_MAC1_VALID);
	struct key other = s.hub;
	other.bytes[0] ^= 1;
	cookie_checker_init(&s.checker, &other); /* another hub's */
	assert_int_equal(check(&s, start), COOKIE_MAC_INVALID);
}

/* Nobody has a cookie before the hub made a secret: then no MAC2 is right, not even zeros'. */
static void no_secret_no_mac2(void **state)
{
	struct sides s;
	set_up(&s);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	assert_int_equal(check(&s, start), COOKIE_MAC1_VALID);
	exchange_cookie(&s, start);
	memset(s.message.macs.mac2, 0, COOKIE_LEN);
	assert_int_equal(check(&s, start), COOKIE_MAC1_VALID);
}

static void cookie_is_bound_to_address_and_port(void **state)
{
	static const char *const others[] = {"198.51.100.8:4500", "198.51.100.7:4501",
		"[2001:db8::1]:4500", "198.51.100.7:37905" /* 4500 with its bytes swapped */};
	struct sides s;
	set_up(&s);
	exchange_cookie(&s, start);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	assert_int_equal(check(&s, start), COOKIE_MAC2_VALID);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(ip_endpoint_parse(others[i], &s.source), 0);
		assert_int_equal(check(&s, start), COOKIE_MAC1_VALID);
	}
}

static void cookie_has_its_time(void **state)
{
	struct sides s;
	set_up(&s);
	exchange_cookie(&s, start);
	/* the maker stops a little before the checker */
	uint64_t last = start + COOKIE_SECRET_MAX_AGE - COOKIE_SECRET_LATENCY - 1;
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), last);
	assert_int_equal(check(&s, last), COOKIE_MAC2_VALID);
	assert_int_equal(check(&s, start + COOKIE_SECRET_MAX_AGE - 1), COOKIE_MAC2_VALID);
	assert_int_equal(check(&s, start + COOKIE_SECRET_MAX_AGE), COOKIE_MAC1_VALID);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), last + 1);
	assert_int_equal(check(&s, last + 1), COOKIE_MAC1_VALID);
	/* a new secret makes the old cookie worthless */
	struct cookie_maker old = s.maker;
	uint64_t later = start + COOKIE_SECRET_MAX_AGE + 1;
	exchange_cookie(&s, later);
	old.cookie_birth_ns = later;
	cookie_macs_add(&old, &s.message, sizeof(s.message), later);
	assert_int_equal(check(&s, later), COOKIE_MAC1_VALID);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), later);
	assert_int_equal(check(&s, later), COOKIE_MAC2_VALID);
}

static void replies_are_for_who_asked(void **state)
{
	struct sides s, other;
	struct message_handshake_cookie reply = {0};
	set_up(&s);
	set_up(&other);
	message_write_le32(s.message.sender_index, 0x01020304);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	assert_int_equal(cookie_reply_create(&s.checker, &s.message, sizeof(s.message), &s.source,
				 start, &reply),
		0);
	assert_int_equal(reply.type[0], MESSAGE_HANDSHAKE_COOKIE);
	assert_int_equal(message_read_le32(reply.receiver_index), 0x01020304);
	assert_false(cookie_reply_consume(&other.maker, &reply, start)); /* asked nothing */
	cookie_macs_add(&other.maker, &other.message, sizeof(other.message), start);
	assert_false(cookie_reply_consume(&other.maker, &reply, start)); /* asked another hub */
	struct message_handshake_initiation next = s.message;
	next.sender_index[0] ^= 1;
	cookie_macs_add(&s.maker, &next, sizeof(next), start);
	assert_false(cookie_reply_consume(&s.maker, &reply, start)); /* asked anew since */
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	assert_true(cookie_reply_consume(&s.maker, &reply, start));
}

static void a_changed_reply_is_refused(void **state)
{
	struct sides s;
	struct message_handshake_cookie reply = {0};
	set_up(&s);
	cookie_macs_add(&s.maker, &s.message, sizeof(s.message), start);
	assert_int_equal(cookie_reply_create(&s.checker, &s.message, sizeof(s.message), &s.source,
				 start, &reply),
		0);
	for (size_t at = offsetof(struct message_handshake_cookie, nonce); at < sizeof(reply);
		at++) {
		struct message_handshake_cookie bad = reply;
		((uint8_t *)&bad)[at] ^= 0x20;
		assert_false(cookie_reply_consume(&s.maker, &bad, start));
	}
	/* and what is inside is a cookie, sealed as section 5.4.7 says */
	uint8_t cookie[COOKIE_LEN];
	struct key key;
	struct chacha20poly1305_data d = {reply.encrypted_cookie, sizeof(reply.encrypted_cookie),
		s.message.macs.mac1, COOKIE_LEN};
	blake2s_hash(key.bytes, "cookie--", 8, s.hub.bytes, KEY_LEN);
	assert_true(xchacha20poly1305_open(cookie, &d, reply.nonce, &key));
	assert_true(cookie_reply_consume(&s.maker, &reply, start));
	assert_memory_equal(s.maker.cookie, cookie, sizeof(cookie));
}

static void secrets_are_wiped(void **state)
{
	static const struct cookie_checker no_checker;
	static const struct cookie_maker no_maker;
	struct sides s;
	set_up(&s);
	exchange_cookie(&s, start);
	cookie_checker_fini(&s.checker);
	cookie_maker_fini(&s.maker);
	assert_memory_equal(&s.checker, &no_checker, sizeof(no_checker));
	assert_memory_equal(&s.maker, &no_maker, sizeof(no_maker));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mac1_of_the_paper),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(no_secret_no_mac2),
		cmocka_unit_test(cookie_is_bound_to_address_and_port),
		cmocka_unit_test(cookie_has_its_time),
		cmocka_unit_test(replies_are_for_who_asked),
		cmocka_unit_test(a_changed_reply_is_refused),
		cmocka_unit_test(secrets_are_wiped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
