// SPDX-License-Identifier: Apache-2.0
/* The handshake of the paper, section 5.4, played by both sides; and what must not work. */
#include "dataplane/wg/noise.h"

#include "dataplane/crypto/x25519.h"
#include "dataplane/wg/cookie.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t now = 1000 * NS_PER_SEC, realtime = 1790000000ULL * NS_PER_SEC;

struct pair {
	struct noise_identity a, b;
	struct noise_remote b_of_a, a_of_b; /* how each sees the other */
	struct noise_handshake answered;
};

/* NULL: no preshared key. */
static void make_pair(struct pair *p, const struct key *psk_a, const struct key *psk_b)
{
	static const struct key none;
	struct key a, b;
	memset(p, 0, sizeof(*p));
	assert_int_equal(x25519_generate(&a), 0);
	assert_int_equal(x25519_generate(&b), 0);
	assert_int_equal(noise_identity_init(&p->a, &a), 0);
	assert_int_equal(noise_identity_init(&p->b, &b), 0);
	noise_remote_init(&p->b_of_a, &p->b.public_key, psk_a != NULL ? psk_a : &none);
	noise_remote_init(&p->a_of_b, &p->a.public_key, psk_b != NULL ? psk_b : &none);
}

/* What b answers with is in p->answered. */
static int answer(struct pair *p, const struct message_handshake_initiation *i, uint64_t at,
	struct message_handshake_response *ret)
{
	struct noise_initiation opened;
	int err = noise_initiation_open(&p->b, i, &opened);
	if (err == 0 && !key_equal(&opened.remote_static, &p->a.public_key))
		err = -ENOENT;
	if (err == 0)
		err = noise_initiation_accept(&p->b, &p->a_of_b, &opened, at, &p->answered);
	if (err == 0)
		err = noise_response_create(&p->a_of_b, &p->answered, 22, ret);
	return err;
}

static void assert_sessions_fit(struct pair *p)
{
	struct keypair a, b;
	assert_int_equal(noise_session_begin(&p->b_of_a.initiation, now, &a), 0);
	assert_int_equal(noise_session_begin(&p->answered, now, &b), 0);
	assert_memory_equal(&a.send_key, &b.receive_key, KEY_LEN);
	assert_memory_equal(&a.receive_key, &b.send_key, KEY_LEN);
	assert_memory_not_equal(&a.send_key, &a.receive_key, KEY_LEN);
	assert_int_equal(a.local_index, 11);
	assert_int_equal(a.remote_index, 22);
	assert_int_equal(b.local_index, 22);
	assert_int_equal(b.remote_index, 11);
	assert_true(a.is_initiator);
	assert_false(b.is_initiator);
	/* the handshake is forgotten */
	assert_int_equal(noise_session_begin(&p->b_of_a.initiation, now, &a), -EPROTO);
}

static void play(const struct key *psk)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r = {0};
	make_pair(&p, psk, psk);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(i.type[0], MESSAGE_HANDSHAKE_INITIATION);
	assert_int_equal(answer(&p, &i, now, &r), 0);
	assert_int_equal(r.type[0], MESSAGE_HANDSHAKE_RESPONSE);
	assert_int_equal(message_read_le32(r.receiver_index), 11);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), 0);
	assert_sessions_fit(&p);
}

static void handshake(void **state)
{
	play(NULL);
}

static void handshake_with_preshared_key(void **state)
{
	struct key psk;
	assert_int_equal(key_generate(&psk), 0);
	play(&psk);
}

/* Different preshared keys meet in the response: the initiator cannot open it. */
static void preshared_keys_must_be_equal(void **state)
{
	struct pair p;
	struct key psk;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r = {0};
	assert_int_equal(key_generate(&psk), 0);
	make_pair(&p, &psk, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(answer(&p, &i, now, &r), 0);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), -EBADMSG);
}

static void initiation_is_taken_once(void **state)
{
	struct pair p;
	struct message_handshake_initiation first, later;
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &first), 0);
	assert_int_equal(answer(&p, &first, now, &r), 0);
	assert_int_equal(answer(&p, &first, now + NS_PER_SEC, &r), -ESTALE);
	/* a newer one is taken, unless it comes too soon; then the old one is older still */
	assert_int_equal(
		noise_initiation_create(&p.a, &p.b_of_a, 11, realtime + NS_PER_SEC, &later), 0);
	assert_int_equal(answer(&p, &later, now + NS_PER_MS, &r), -EAGAIN);
	assert_int_equal(answer(&p, &later, now + NS_PER_SEC, &r), 0);
	assert_int_equal(answer(&p, &first, now + 9 * NS_PER_SEC, &r), -ESTALE);
}

/* Also when the clock of the sender stands still or goes back. */
static void timestamps_always_grow(void **state)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	for (unsigned int n = 0; n < 5; n++) {
		assert_int_equal(
			noise_initiation_create(&p.a, &p.b_of_a, 11, realtime - n * NS_PER_SEC, &i),
			0);
		assert_int_equal(answer(&p, &i, now + n * NS_PER_SEC, &r), 0);
	}
}

/* Every byte before the MACs is authenticated or an index that is ours to check. */
static void a_changed_initiation_is_refused(void **state)
{
	struct pair p;
	struct message_handshake_initiation good, bad;
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &good), 0);
	for (size_t at = 8; at < offsetof(struct message_handshake_initiation, macs); at++) {
		bad = good;
		((uint8_t *)&bad)[at] ^= 0x40;
		assert_int_not_equal(answer(&p, &bad, now, &r), 0);
	}
	assert_int_equal(answer(&p, &good, now, &r), 0); /* none of them left a trace */
}

static void a_changed_response_is_refused(void **state)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response good, bad;
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(answer(&p, &i, now, &good), 0);
	for (size_t at = 8; at < offsetof(struct message_handshake_response, macs); at++) {
		bad = good;
		((uint8_t *)&bad)[at] ^= 0x40;
		assert_int_not_equal(noise_response_consume(&p.a, &p.b_of_a, &bad), 0);
	}
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &good), 0);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &good), -EPROTO);
}

static void null_ephemeral_is_refused(void **state)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct noise_initiation opened;
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	memset(i.unencrypted_ephemeral, 0, sizeof(i.unencrypted_ephemeral));
	assert_int_equal(noise_initiation_open(&p.b, &i, &opened), -EKEYREJECTED);
}

static void nobody_asked(void **state)
{
	struct pair p;
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_response_create(&p.a_of_b, &p.answered, 22, &r), -EPROTO);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), -EPROTO);
}

static void a_cleared_handshake_is_over(void **state)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(answer(&p, &i, now, &r), 0);
	noise_handshake_clear(&p.b_of_a.initiation);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), -EPROTO);
}

/* For another hub: not even the sender's name can be read. */
static void for_another_hub(void **state)
{
	struct pair p, q;
	struct message_handshake_initiation i = {0};
	struct noise_initiation opened;
	make_pair(&p, NULL, NULL);
	make_pair(&q, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(noise_initiation_open(&q.b, &i, &opened), -EBADMSG);
	/* who it is can be read, but it is not whom we take it for */
	assert_int_equal(noise_initiation_open(&p.b, &i, &opened), 0);
	assert_int_equal(
		noise_initiation_accept(&p.b, &q.a_of_b, &opened, now, &q.answered), -EBADMSG);
	assert_int_equal(noise_response_create(&q.a_of_b, &q.answered, 22,
				 &(struct message_handshake_response){0}),
		-EPROTO);
}

/* A public key of low order can be configured; no handshake comes of it. */
static void null_static_key_is_refused(void **state)
{
	struct pair p;
	struct key low = {{1}};
	struct message_handshake_initiation i = {0};
	make_pair(&p, NULL, NULL);
	noise_remote_init(&p.b_of_a, &low, &(const struct key){{0}});
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), -EKEYREJECTED);
	assert_int_equal(p.b_of_a.initiation.state, NOISE_STATE_NONE);
	assert_int_equal(i.type[0], 0); /* untouched */
}

static void null_ephemeral_in_a_response_is_refused(void **state)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r = {0}, bad;
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(answer(&p, &i, now, &r), 0);
	bad = r;
	memset(bad.unencrypted_ephemeral, 0, sizeof(bad.unencrypted_ephemeral));
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &bad), -EKEYREJECTED);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), 0);
}

/* The secret of two static keys is kept between handshakes, but not over a new identity. */
static void a_new_identity_is_used(void **state)
{
	struct pair p;
	struct key fresh;
	struct message_handshake_initiation i = {0};
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(answer(&p, &i, now, &r), 0);
	assert_int_equal(x25519_generate(&fresh), 0);
	assert_int_equal(noise_identity_init(&p.b, &fresh), 0);
	noise_remote_forget_identity(&p.a_of_b);
	noise_remote_init(&p.b_of_a, &p.b.public_key, &(const struct key){{0}});
	assert_int_equal(
		noise_initiation_create(&p.a, &p.b_of_a, 11, realtime + NS_PER_SEC, &i), 0);
	assert_int_equal(answer(&p, &i, now + NS_PER_SEC, &r), 0);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), 0);
	assert_sessions_fit(&p);
}

/* Both begin at once: whoever's initiation is taken last becomes the responder, and it works. */
static void both_begin(void **state)
{
	struct pair p;
	struct message_handshake_initiation of_a = {0}, of_b = {0};
	struct message_handshake_response r = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &of_a), 0);
	assert_int_equal(noise_initiation_create(&p.b, &p.a_of_b, 33, realtime, &of_b), 0);
	assert_int_equal(answer(&p, &of_a, now, &r), 0);
	assert_int_equal(noise_response_consume(&p.a, &p.b_of_a, &r), 0);
	assert_sessions_fit(&p);
}

static void secrets_are_wiped(void **state)
{
	static const struct noise_identity no_identity;
	static const struct noise_remote no_remote;
	struct pair p;
	struct message_handshake_initiation i = {0};
	make_pair(&p, NULL, NULL);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	noise_identity_fini(&p.a);
	noise_remote_fini(&p.b_of_a);
	assert_memory_equal(&p.a, &no_identity, sizeof(no_identity));
	assert_memory_equal(&p.b_of_a, &no_remote, sizeof(no_remote));
}

static void macs_and_cookies(void **state)
{
	struct pair p;
	struct message_handshake_initiation i = {0};
	struct message_handshake_cookie reply;
	struct cookie_checker checker;
	struct cookie_maker maker;
	struct ip_endpoint from, other;
	make_pair(&p, NULL, NULL);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &from), 0);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4501", &other), 0);
	cookie_checker_init(&checker, &p.b.public_key);
	cookie_maker_init(&maker, &p.b.public_key);
	assert_int_equal(noise_initiation_create(&p.a, &p.b_of_a, 11, realtime, &i), 0);
	assert_int_equal(cookie_check(&checker, &i, sizeof(i), &from, now), COOKIE_MAC_INVALID);
	cookie_macs_add(&maker, &i, sizeof(i), now);
	assert_int_equal(cookie_check(&checker, &i, sizeof(i), &from, now), COOKIE_MAC1_VALID);

	assert_int_equal(cookie_reply_create(&checker, &i, sizeof(i), &from, now, &reply), 0);
	struct message_handshake_cookie bad = reply;
	bad.encrypted_cookie[0] ^= 1;
	assert_false(cookie_reply_consume(&maker, &bad, now));
	assert_true(cookie_reply_consume(&maker, &reply, now));
	assert_false(cookie_reply_consume(&maker, &reply, now)); /* it was for one message */
	cookie_macs_add(&maker, &i, sizeof(i), now);
	assert_int_equal(cookie_check(&checker, &i, sizeof(i), &from, now), COOKIE_MAC2_VALID);
	assert_int_equal(cookie_check(&checker, &i, sizeof(i), &other, now), COOKIE_MAC1_VALID);
	/* a cookie has its time, on both sides */
	uint64_t late = now + COOKIE_SECRET_MAX_AGE + NS_PER_SEC;
	assert_int_equal(cookie_check(&checker, &i, sizeof(i), &from, late), COOKIE_MAC1_VALID);
	cookie_macs_add(&maker, &i, sizeof(i), late);
	for (size_t n = 0; n < COOKIE_LEN; n++)
		assert_int_equal(i.macs.mac2[n], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake),
		cmocka_unit_test(handshake_with_preshared_key),
		cmocka_unit_test(preshared_keys_must_be_equal),
		cmocka_unit_test(initiation_is_taken_once),
		cmocka_unit_test(timestamps_always_grow),
		cmocka_unit_test(a_changed_initiation_is_refused),
		cmocka_unit_test(a_changed_response_is_refused),
		cmocka_unit_test(null_ephemeral_is_refused),
		cmocka_unit_test(nobody_asked),
		cmocka_unit_test(a_cleared_handshake_is_over),
		cmocka_unit_test(for_another_hub),
		cmocka_unit_test(null_static_key_is_refused),
		cmocka_unit_test(null_ephemeral_in_a_response_is_refused),
		cmocka_unit_test(a_new_identity_is_used),
		cmocka_unit_test(both_begin),
		cmocka_unit_test(secrets_are_wiped),
		cmocka_unit_test(macs_and_cookies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
