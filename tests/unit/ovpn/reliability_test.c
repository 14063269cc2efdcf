// SPDX-License-Identifier: Apache-2.0
/* The reliability layer: windows, acks, repeats and order (checklist 11, 59). */
#include "dataplane/ovpn/reliability.h"

#include "dataplane/base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
	CONTROL = 4, /* P_CONTROL_V1 */
	HARD_RESET = 7,
};

#define START (1000 * NS_PER_SEC)

static struct reliability r;

static void queue_some(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(reliability_queue(&r, CONTROL, (const uint8_t *)"x", 1), 0);
}

static void send_all(uint64_t now_ns)
{
	while (reliability_send(&r, now_ns) != NULL)
		;
}

static enum reliability_verdict receive(uint32_t id)
{
	uint8_t payload = (uint8_t)id;
	return reliability_receive(&r, id, CONTROL, &payload, 1);
}

static void must_deliver(uint32_t id)
{
	const struct reliability_in *p = reliability_deliver(&r);
	assert_non_null(p);
	assert_int_equal(p->id, id);
	assert_int_equal(p->len, 1);
	assert_int_equal(p->payload[0], (uint8_t)id);
}

static void must_ack(const uint32_t *ids, size_t count)
{
	uint32_t acks[RELIABILITY_ACKS_ALONE];
	assert_int_equal(reliability_take_acks(&r, acks, RELIABILITY_ACKS_ALONE), count);
	assert_memory_equal(acks, ids, count * sizeof(ids[0]));
}

static void send_window(void **state)
{
	reliability_init(&r, 0, 0, true);
	assert_true(reliability_all_acked(&r));
	assert_int_equal(reliability_room(&r), 4);
	queue_some(4);
	assert_int_equal(reliability_room(&r), 0);
	assert_int_equal(reliability_queue(&r, CONTROL, NULL, 0), -EAGAIN);
	send_all(START);
	/* the window is counted from the oldest without an ack: 1, 2 and 3 make no room */
	reliability_acked(&r, (const uint32_t[]){1, 2, 3}, 3);
	assert_int_equal(reliability_room(&r), 0);
	assert_false(reliability_all_acked(&r));
	reliability_acked(&r, (const uint32_t[]){0}, 1);
	assert_int_equal(reliability_room(&r), 4);
	assert_true(reliability_all_acked(&r));
	queue_some(1);
	assert_int_equal(reliability_send(&r, START)->id, 4);
}

static void send_limits(void **state)
{
	static uint8_t large[RELIABILITY_RECEIVE_MAX + 1];
	reliability_init(&r, 0, UINT32_MAX - 1, true);
	assert_int_equal(
		reliability_queue(&r, CONTROL, large, RELIABILITY_PAYLOAD_MAX + 1), -EMSGSIZE);
	assert_int_equal(reliability_queue(&r, CONTROL, large, RELIABILITY_PAYLOAD_MAX), 0);
	assert_int_equal(reliability_queue(&r, CONTROL, NULL, 0), -EOVERFLOW);
	assert_int_equal(reliability_receive(&r, 0, CONTROL, large, RELIABILITY_RECEIVE_MAX + 1),
		RELIABILITY_TOO_LONG);
	must_ack(NULL, 0);
	assert_int_equal(reliability_receive(&r, 0, CONTROL, large, RELIABILITY_RECEIVE_MAX),
		RELIABILITY_NEW);
}

static void starts_at_one_after_a_stateless_reset(void **state)
{
	reliability_init(&r, 1, 1, true);
	queue_some(1);
	assert_int_equal(reliability_send(&r, START)->id, 1);
	/* an ack of our stateless reset is nobody's */
	reliability_acked(&r, (const uint32_t[]){0}, 1);
	assert_int_equal(reliability_room(&r), 3);
	assert_int_equal(receive(1), RELIABILITY_NEW);
	must_deliver(1);
	/* the client's reset, again */
	assert_int_equal(receive(0), RELIABILITY_SEEN);
	assert_null(reliability_deliver(&r));
	must_ack((const uint32_t[]){1, 0}, 2);
}

static void retransmit_doubles(void **state)
{
	reliability_init(&r, 0, 0, true);
	assert_int_equal(reliability_next_ns(&r), UINT64_MAX);
	queue_some(1);
	assert_int_equal(reliability_next_ns(&r), 0);
	uint64_t now = START, timeout = 2 * NS_PER_SEC;
	assert_non_null(reliability_send(&r, now));
	for (unsigned int i = 0; i < 5; i++) {
		assert_null(reliability_send(&r, now));
		assert_int_equal(reliability_next_ns(&r), now + timeout);
		now += timeout;
		assert_null(reliability_send(&r, now - 1));
		const struct reliability_out *p = reliability_send(&r, now);
		assert_non_null(p);
		assert_int_equal(p->id, 0);
		timeout *= 2;
	}
	for (unsigned int i = 0; i < 100; i++) { /* the timeout has an end */
		assert_true(reliability_next_ns(&r) - now <= 64 * NS_PER_SEC);
		now = reliability_next_ns(&r);
		assert_non_null(reliability_send(&r, now));
	}
	reliability_acked(&r, (const uint32_t[]){0}, 1);
	assert_int_equal(reliability_next_ns(&r), UINT64_MAX);
	assert_null(reliability_send(&r, UINT64_MAX - 1));
}

static void fast_retransmit(void **state)
{
	reliability_init(&r, 0, 0, true);
	queue_some(4);
	send_all(START);
	reliability_acked(&r, (const uint32_t[]){1, 2}, 2);
	/* repeated acks and acks of what nobody sent count nothing */
	reliability_acked(&r, (const uint32_t[]){1, 2, 2, 7, 4, UINT32_MAX}, 6);
	assert_null(reliability_send(&r, START + 1));
	reliability_acked(&r, (const uint32_t[]){3}, 1);
	assert_int_equal(reliability_next_ns(&r), 0);
	const struct reliability_out *p = reliability_send(&r, START + 1);
	assert_non_null(p);
	assert_int_equal(p->id, 0);
	assert_null(reliability_send(&r, START + 1));
	/* no doubling: the acks show that the path is well */
	assert_int_equal(reliability_next_ns(&r), START + 1 + 2 * NS_PER_SEC);
}

static void no_retransmit_on_tcp(void **state)
{
	reliability_init(&r, 0, 0, false);
	queue_some(4);
	send_all(START);
	reliability_acked(&r, (const uint32_t[]){1, 2, 3}, 3);
	assert_int_equal(reliability_next_ns(&r), UINT64_MAX);
	assert_null(reliability_send(&r, START + 100 * NS_PER_SEC));
	reliability_acked(&r, (const uint32_t[]){0}, 1);
	assert_int_equal(reliability_room(&r), 4);
}

static void not_sent_is_not_acked(void **state)
{
	reliability_init(&r, 0, 0, true);
	queue_some(1);
	reliability_acked(&r, (const uint32_t[]){0}, 1);
	assert_false(reliability_all_acked(&r));
	assert_non_null(reliability_send(&r, START));
}

static void delivers_in_order(void **state)
{
	reliability_init(&r, 0, 0, true);
	assert_int_equal(receive(2), RELIABILITY_NEW);
	assert_int_equal(receive(1), RELIABILITY_NEW);
	assert_null(reliability_deliver(&r));
	assert_int_equal(receive(0), RELIABILITY_NEW);
	for (uint32_t id = 0; id < 3; id++)
		must_deliver(id);
	assert_null(reliability_deliver(&r));
	must_ack((const uint32_t[]){2, 1, 0}, 3);
	must_ack(NULL, 0);
}

static void duplicates_are_acked_again(void **state)
{
	reliability_init(&r, 0, 0, true);
	assert_int_equal(receive(1), RELIABILITY_NEW);
	assert_int_equal(receive(1), RELIABILITY_SEEN);
	must_ack((const uint32_t[]){1}, 1); /* once a packet */
	assert_int_equal(receive(1), RELIABILITY_SEEN); /* in the window */
	must_ack((const uint32_t[]){1}, 1);
	assert_int_equal(receive(0), RELIABILITY_NEW);
	must_deliver(0);
	must_deliver(1);
	assert_int_equal(receive(0), RELIABILITY_SEEN); /* below the window */
	assert_null(reliability_deliver(&r));
	must_ack((const uint32_t[]){0}, 1);
}

static void receive_window(void **state)
{
	reliability_init(&r, 0, 0, true);
	assert_int_equal(receive(8), RELIABILITY_BEYOND);
	assert_int_equal(receive(UINT32_MAX), RELIABILITY_BEYOND);
	must_ack(NULL, 0);
	assert_int_equal(receive(7), RELIABILITY_NEW);
	assert_int_equal(receive(0), RELIABILITY_NEW);
	must_deliver(0);
	assert_int_equal(receive(8), RELIABILITY_NEW);
	assert_int_equal(receive(9), RELIABILITY_BEYOND);
	must_ack((const uint32_t[]){7, 0, 8}, 3);
}

static void acks_are_bounded(void **state)
{
	uint32_t acks[RELIABILITY_ACKS_ALONE];
	reliability_init(&r, 100, 0, true);
	for (uint32_t id = 0; id < 8; id++)
		assert_int_equal(receive(id), RELIABILITY_SEEN);
	assert_int_equal(receive(8), RELIABILITY_ACKS_FULL);
	assert_int_equal(receive(100), RELIABILITY_ACKS_FULL);
	assert_null(reliability_deliver(&r)); /* not kept: the peer sends it again */
	assert_int_equal(reliability_take_acks(&r, acks, RELIABILITY_ACKS_WITH_PAYLOAD), 4);
	assert_memory_equal(acks, ((const uint32_t[]){0, 1, 2, 3}), 16);
	assert_int_equal(receive(100), RELIABILITY_NEW);
	must_ack((const uint32_t[]){4, 5, 6, 7, 100}, 5);
}

/* RouterOS sends its reset twice, ids 0 and 1: the second is an empty control packet. */
static void double_reset(void **state)
{
	reliability_init(&r, 0, 0, false);
	for (uint32_t id = 0; id < 2; id++) {
		assert_int_equal(reliability_receive(&r, id, HARD_RESET, NULL, 0), RELIABILITY_NEW);
		const struct reliability_in *p = reliability_deliver(&r);
		assert_non_null(p);
		assert_int_equal(p->opcode, HARD_RESET);
		assert_int_equal(p->len, 0);
	}
	assert_int_equal(receive(2), RELIABILITY_NEW);
	must_deliver(2);
	must_ack((const uint32_t[]){0, 1, 2}, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_window),
		cmocka_unit_test(send_limits),
		cmocka_unit_test(starts_at_one_after_a_stateless_reset),
		cmocka_unit_test(retransmit_doubles),
		cmocka_unit_test(fast_retransmit),
		cmocka_unit_test(no_retransmit_on_tcp),
		cmocka_unit_test(not_sent_is_not_acked),
		cmocka_unit_test(delivers_in_order),
		cmocka_unit_test(duplicates_are_acked_again),
		cmocka_unit_test(receive_window),
		cmocka_unit_test(acks_are_bounded),
		cmocka_unit_test(double_reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
