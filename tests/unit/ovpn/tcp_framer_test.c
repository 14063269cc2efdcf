// SPDX-License-Identifier: Apache-2.0
/* Packets out of a TCP stream, however it is cut, and streams that are broken. */
#include "dataplane/ovpn/framing.h"
#include "tests/unit/dice.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
	CAP = 64,
};

static void byte_at_a_time(void **state)
{
	static const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 1, 'd'};
	uint8_t buf[CAP];
	struct tcp_framer f;
	unsigned int packets = 0;
	tcp_framer_init(&f, buf, sizeof(buf));
	for (size_t i = 0; i < sizeof(stream); i++) {
		const uint8_t *at = stream + i;
		size_t len = 1;
		ssize_t n = tcp_framer_read(&f, &at, &len);
		assert_int_equal(len, 0);
		assert_int_equal(n, i == 4 ? 3 : i == 7 ? 1 : 0);
		if (n > 0)
			assert_memory_equal(buf, packets++ == 0 ? "abc" : "d", (size_t)n);
	}
	assert_int_equal(packets, 2);
}

static void two_packets_in_a_segment(void **state)
{
	static const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 2, 'd', 'e', 0, 9, 'f'};
	uint8_t buf[CAP];
	struct tcp_framer f;
	const uint8_t *at = stream;
	size_t len = sizeof(stream);
	tcp_framer_init(&f, buf, sizeof(buf));
	assert_int_equal(tcp_framer_read(&f, &at, &len), 3);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(len, 7);
	assert_int_equal(tcp_framer_read(&f, &at, &len), 2);
	assert_memory_equal(buf, "de", 2);
	assert_int_equal(tcp_framer_read(&f, &at, &len), 0); /* the rest waits for more */
	assert_int_equal(len, 0);
	assert_int_equal(tcp_framer_read(&f, &at, &len), 0);
}

static ssize_t read_length(size_t cap, unsigned int length)
{
	uint8_t buf[CAP];
	struct tcp_framer f;
	const uint8_t stream[] = {(uint8_t)(length >> 8), (uint8_t)length, 1, 0, 1, 2};
	const uint8_t *at = stream;
	size_t len = sizeof(stream);
	tcp_framer_init(&f, buf, sizeof(buf));
	tcp_framer_set_cap(&f, cap);
	ssize_t n = tcp_framer_read(&f, &at, &len);
	if (n >= 0)
		return n;
	/* for good, and no more is taken */
	len = sizeof(stream);
	at = stream;
	assert_int_equal(tcp_framer_read(&f, &at, &len), n);
	assert_int_equal(len, sizeof(stream));
	return n;
}

static void length_0_or_above_the_cap_is_broken(void **state)
{
	assert_int_equal(read_length(CAP, 0), -EBADMSG);
	assert_int_equal(read_length(CAP, 1), 1);
	assert_int_equal(read_length(CAP, 4), 4);
	assert_int_equal(read_length(CAP, CAP), 0);
	assert_int_equal(read_length(CAP, CAP + 1), -EBADMSG);
	assert_int_equal(read_length(CAP, 65535), -EBADMSG);
	assert_int_equal(read_length(65535, 65535), -EBADMSG); /* the buffer is a cap too */
	assert_int_equal(read_length(4, 4), 4);
	assert_int_equal(read_length(4, 5), -EBADMSG);
}

/* Against a packet that has begun a new cap does nothing; the next one sees it. */
static void the_cap_moves(void **state)
{
	static const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 3, 'd', 'e', 'f'};
	uint8_t buf[CAP];
	struct tcp_framer f;
	const uint8_t *at = stream;
	size_t len = 3;
	tcp_framer_init(&f, buf, sizeof(buf));
	assert_int_equal(tcp_framer_read(&f, &at, &len), 0);
	tcp_framer_set_cap(&f, 2);
	len = sizeof(stream) - 3;
	assert_int_equal(tcp_framer_read(&f, &at, &len), 3);
	assert_int_equal(tcp_framer_read(&f, &at, &len), -EBADMSG);
}

static void lengths_are_written(void **state)
{
	uint8_t at[2] = {7, 7};
	assert_int_equal(tcp_length_write(at, 0), -EMSGSIZE);
	assert_int_equal(tcp_length_write(at, 65536), -EMSGSIZE);
	assert_memory_equal(at, ((const uint8_t[]){7, 7}), 2);
	assert_int_equal(tcp_length_write(at, 65535), 0);
	assert_memory_equal(at, ((const uint8_t[]){255, 255}), 2);
	assert_int_equal(tcp_length_write(at, 0x0102), 0);
	assert_memory_equal(at, ((const uint8_t[]){1, 2}), 2);
}

/* Many packets, cut anywhere. */
static void chance(void **state)
{
	static uint8_t stream[1 << 16];
	uint8_t buf[CAP];
	size_t total = 0, packets = 0, read = 0;
	while (total + 2 + CAP < sizeof(stream)) {
		size_t len = 1 + dice_roll() % CAP;
		assert_int_equal(tcp_length_write(stream + total, len), 0);
		for (size_t i = 0; i < len; i++)
			stream[total + 2 + i] = (uint8_t)(packets + i);
		total += 2 + len;
		packets++;
	}
	struct tcp_framer f;
	tcp_framer_init(&f, buf, sizeof(buf));
	for (size_t at = 0; at < total;) {
		size_t segment = 1 + dice_roll() % 200;
		segment = segment < total - at ? segment : total - at;
		const uint8_t *data = stream + at;
		size_t left = segment;
		for (ssize_t n; (n = tcp_framer_read(&f, &data, &left)) != 0; read++)
			for (size_t i = 0; i < (size_t)n; i++)
				assert_int_equal(buf[i], (uint8_t)(read + i));
		assert_int_equal(left, 0);
		at += segment;
	}
	assert_int_equal(read, packets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(byte_at_a_time),
		cmocka_unit_test(two_packets_in_a_segment),
		cmocka_unit_test(length_0_or_above_the_cap_is_broken),
		cmocka_unit_test(the_cap_moves),
		cmocka_unit_test(lengths_are_written),
		cmocka_unit_test(chance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
