// SPDX-License-Identifier: Apache-2.0
/* Pings, OCC messages and the compression framings, byte by byte. */
#include "dataplane/ovpn/data_payload.h"

#include "dataplane/base/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PING "2a187bf3641eb4cb07ed2d0a981fc748"
#define OCC "287f346bd4ef7a812d56b8d3afc5459c"

enum {
	AT = 8
};

struct row {
	enum data_compression compression;
	const char *bytes; /* hexadecimal */
	enum data_payload_kind kind;
	const char *inner; /* not of what is refused */
};

static void check(const struct row *r)
{
	uint8_t buf[64], inner[64];
	size_t len = strlen(r->bytes) / 2, inner_len = strlen(r->inner) / 2;
	if (len > 0)
		assert_int_equal(hex_decode(r->bytes, 2 * len, buf, sizeof(buf)), len);
	if (inner_len > 0)
		assert_int_equal(
			hex_decode(r->inner, 2 * inner_len, inner, sizeof(inner)), inner_len);
	struct data_span span = {buf, (uint32_t)len};
	if (data_payload_read(r->compression, &span) != r->kind)
		fail_msg("%d %s", (int)r->compression, r->bytes);
	if (r->kind == DATA_PAYLOAD_REFUSED)
		return;
	assert_int_equal(span.len, inner_len);
	assert_memory_equal(span.at, inner, inner_len);
}

static void read_each(void **state)
{
	static const struct row rows[] = {
		{DATA_COMPRESSION_NONE, "", DATA_PAYLOAD_EMPTY, ""},
		{DATA_COMPRESSION_NONE, "45000014", DATA_PAYLOAD_IP, "45000014"},
		{DATA_COMPRESSION_NONE, PING, DATA_PAYLOAD_PING, PING},
		{DATA_COMPRESSION_NONE, PING "00", DATA_PAYLOAD_IP, PING "00"},
		{DATA_COMPRESSION_NONE, OCC, DATA_PAYLOAD_OCC, OCC},
		{DATA_COMPRESSION_NONE, OCC "00", DATA_PAYLOAD_OCC, OCC "00"},
		{DATA_COMPRESSION_NONE, OCC "06", DATA_PAYLOAD_OCC_EXIT, OCC "06"},
		{DATA_COMPRESSION_NONE, OCC "0600", DATA_PAYLOAD_OCC, OCC "0600"},
		{DATA_COMPRESSION_NONE, OCC "015634", DATA_PAYLOAD_OCC, OCC "015634"},
		{DATA_COMPRESSION_LZO_NO, "", DATA_PAYLOAD_EMPTY, ""},
		{DATA_COMPRESSION_LZO_NO, "fa", DATA_PAYLOAD_EMPTY, ""},
		{DATA_COMPRESSION_LZO_NO, "fa45000014", DATA_PAYLOAD_IP, "45000014"},
		{DATA_COMPRESSION_LZO_NO, "fa" PING, DATA_PAYLOAD_PING, PING},
		{DATA_COMPRESSION_LZO_NO, "fa" OCC "06", DATA_PAYLOAD_OCC_EXIT, OCC "06"},
		{DATA_COMPRESSION_LZO_NO, "6645000014", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_LZO_NO, "45000014", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_LZO_NO, "fb00001445", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB, "fb00001445", DATA_PAYLOAD_IP, "45000014"},
		{DATA_COMPRESSION_STUB, "fb45", DATA_PAYLOAD_IP, "45"},
		{DATA_COMPRESSION_STUB, "fb187bf3641eb4cb07ed2d0a981fc7482a", DATA_PAYLOAD_PING,
			PING},
		{DATA_COMPRESSION_STUB, "fb", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB, "fa45000014", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB, "6900001445", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB, "6600001445", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB_V2, "45000014", DATA_PAYLOAD_IP, "45000014"},
		{DATA_COMPRESSION_STUB_V2, "500050", DATA_PAYLOAD_IP, "50"},
		{DATA_COMPRESSION_STUB_V2, "5000", DATA_PAYLOAD_EMPTY, ""},
		{DATA_COMPRESSION_STUB_V2, "50", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB_V2, "500145000014", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB_V2, "500245000014", DATA_PAYLOAD_REFUSED, ""},
		{DATA_COMPRESSION_STUB_V2, PING, DATA_PAYLOAD_PING, PING},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i]);
}

static void frame(enum data_compression c, const char *inner, const char *wanted)
{
	uint8_t buf[64] = {0}, bytes[64];
	size_t len = strlen(inner) / 2, wanted_len = strlen(wanted) / 2;
	assert_int_equal(hex_decode(inner, 2 * len, buf + AT, sizeof(buf) - AT), len);
	assert_int_equal(hex_decode(wanted, 2 * wanted_len, bytes, sizeof(bytes)), wanted_len);
	struct data_span span = {buf + AT, (uint32_t)len};
	data_payload_frame(c, &span);
	assert_int_equal(span.len, wanted_len);
	assert_memory_equal(span.at, bytes, wanted_len);
	assert_true(span.at + DATA_COMPRESSION_HEADROOM >= buf + AT);
}

static void frame_each(void **state)
{
	frame(DATA_COMPRESSION_NONE, "45000014", "45000014");
	frame(DATA_COMPRESSION_LZO_NO, "45000014", "fa45000014");
	frame(DATA_COMPRESSION_STUB, "45000014", "fb00001445");
	frame(DATA_COMPRESSION_STUB, "45", "fb45");
	frame(DATA_COMPRESSION_STUB_V2, "45000014", "45000014");
	frame(DATA_COMPRESSION_STUB_V2, "50000014", "500050000014");
	for (int c = DATA_COMPRESSION_NONE; c <= DATA_COMPRESSION_STUB_V2; c++) {
		uint8_t none = 0;
		struct data_span span = {&none, 0};
		data_payload_frame((enum data_compression)c, &span);
		assert_int_equal(span.len, 0);
	}
}

static void messages(void **state)
{
	uint8_t ping[DATA_PING_LEN], occ_exit[DATA_OCC_EXIT_LEN], wanted[32];
	data_payload_write_ping(ping);
	assert_int_equal(hex_decode(PING, 32, wanted, sizeof(wanted)), DATA_PING_LEN);
	assert_memory_equal(ping, wanted, DATA_PING_LEN);
	data_payload_write_occ_exit(occ_exit);
	assert_int_equal(hex_decode(OCC "06", 34, wanted, sizeof(wanted)), DATA_OCC_EXIT_LEN);
	assert_memory_equal(occ_exit, wanted, DATA_OCC_EXIT_LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_each),
		cmocka_unit_test(frame_each),
		cmocka_unit_test(messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
