// SPDX-License-Identifier: Apache-2.0
/* Capture files, read back block by block as the pcapng draft has it. */
#include "dataplane/worker/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	FILE_MAX = 1 << 20,
	SECTION = 0x0a0d0d0a,
	INTERFACE = 1,
	PACKET = 6,
};

static struct captures captures;
static uint8_t content[FILE_MAX];

static int open_capture(uint64_t peer, bool is_inner, uint32_t max_bytes)
{
	const struct capture_settings s = {
		.peer = peer, .is_inner = is_inner, .max_bytes = max_bytes, .end_ns = 1000};
	int fd = memfd_create("test", MFD_CLOEXEC);
	assert_true(fd >= 0);
	int mine = dup(fd); /* the other one is given away */
	assert_in_range(capture_open(&captures, &s, fd), 0, CAPTURES_MAX - 1);
	return mine;
}

static uint32_t word(const uint8_t *at)
{
	uint32_t v;
	memcpy(&v, at, sizeof(v));
	return v;
}

/* The block at *at, of which both lengths must agree; moves on. */
static const uint8_t *next_block(size_t *at, size_t size, uint32_t type)
{
	const uint8_t *block = content + *at;
	assert_true(size - *at >= 12);
	uint32_t len = word(block + 4);
	assert_int_equal(word(block), type);
	assert_true(len % 4 == 0 && len <= size - *at);
	assert_int_equal(word(block + len - 4), len);
	*at += len;
	return block;
}

static size_t read_back(int fd, size_t *at, uint16_t linktype)
{
	ssize_t size = pread(fd, content, sizeof(content), 0);
	assert_true(size > 0);
	*at = 0;
	const uint8_t *section = next_block(at, (size_t)size, SECTION);
	assert_int_equal(word(section + 8), 0x1a2b3c4d);
	const uint8_t *interface = next_block(at, (size_t)size, INTERFACE);
	uint16_t link;
	memcpy(&link, interface + 8, sizeof(link));
	assert_int_equal(link, linktype);
	return (size_t)size;
}

static void packets_of_every_length_come_back(void **state)
{
	uint8_t data[64];
	size_t at;
	for (unsigned int i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	int fd = open_capture(1, true, FILE_MAX);
	for (uint32_t len = 0; len <= sizeof(data); len++)
		capture_write(&captures, 1, len % 2 == 1, data, len, 0x123456789abcdef0 + len);
	capture_write(&captures, 2, true, data, 10, 5); /* somebody else's */
	size_t size = read_back(fd, &at, 101);
	for (uint32_t len = 0; len <= sizeof(data); len++) {
		const uint8_t *packet = next_block(&at, size, PACKET);
		const uint8_t *options = packet + 28 + (size_t)(len + 3) / 4 * 4;
		assert_int_equal(word(packet + 8), 0);
		assert_int_equal(word(packet + 12), 0x12345678);
		assert_int_equal(word(packet + 16), 0x9abcdef0 + len);
		assert_int_equal(word(packet + 20), len);
		assert_int_equal(word(packet + 24), len);
		assert_memory_equal(packet + 28, data, len);
		assert_int_equal(word(options), 4 << 16 | 2);
		assert_int_equal(word(options + 4), len % 2 == 1 ? 2 : 1);
	}
	assert_int_equal(at, size);
	capture_close(&captures, 1);
	assert_false(capture_is_open(&captures, 1));
	(void)close(fd);
}

static void ends_whole_when_it_is_full(void **state)
{
	static const uint8_t data[1000];
	size_t at;
	int fd = open_capture(1, false, 4096);
	unsigned int written = 0;
	for (; capture_is_open(&captures, 1); written++)
		capture_write(&captures, 1, true, data, sizeof(data), 1);
	size_t size = read_back(fd, &at, 1);
	assert_true(size <= 4096);
	for (unsigned int i = 0; i + 1 < written; i++)
		(void)next_block(&at, size, PACKET);
	assert_int_equal(at, size);
	(void)close(fd);
}

static void ends_with_its_time(void **state)
{
	int fd = open_capture(1, true, 4096);
	capture_expire(&captures, 999);
	assert_true(capture_is_open(&captures, 1));
	capture_expire(&captures, 1000);
	assert_false(capture_is_open(&captures, 1));
	(void)close(fd);
}

static void only_so_many_and_one_a_peer(void **state)
{
	int fd[CAPTURES_MAX];
	const struct capture_settings again = {.peer = 3, .max_bytes = 4096};
	const struct capture_settings more = {.peer = 99, .max_bytes = 4096};
	for (unsigned int i = 0; i < CAPTURES_MAX; i++)
		fd[i] = open_capture(i, true, 4096);
	capture_close(&captures, 4);
	(void)close(fd[4]);
	fd[4] = memfd_create("test", MFD_CLOEXEC);
	const struct capture_settings fifth = {.peer = 4, .max_bytes = 4096, .end_ns = 1000};
	assert_int_equal(capture_open(&captures, &fifth, dup(fd[4])), 4); /* the free place */
	assert_int_equal(capture_open(&captures, &again, dup(fd[0])), -EBUSY);
	assert_int_equal(capture_open(&captures, &more, dup(fd[0])), -EBUSY);
	captures_fini(&captures);
	assert_int_equal(captures.open, 0);
	for (unsigned int i = 0; i < CAPTURES_MAX; i++)
		(void)close(fd[i]);
}

static void a_file_that_cannot_be_written_is_refused(void **state)
{
	const struct capture_settings s = {.peer = 1, .max_bytes = 4096, .end_ns = 1000};
	assert_int_equal(
		capture_open(&captures, &s, open("/dev/null", O_RDONLY | O_CLOEXEC)), -EIO);
	assert_false(capture_is_open(&captures, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_of_every_length_come_back),
		cmocka_unit_test(ends_whole_when_it_is_full),
		cmocka_unit_test(ends_with_its_time),
		cmocka_unit_test(only_so_many_and_one_a_peer),
		cmocka_unit_test(a_file_that_cannot_be_written_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
