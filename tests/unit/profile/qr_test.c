// SPDX-License-Identifier: Apache-2.0
/* A drawn code is read back module by module and held against libqrencode's own. */
#include "control/profile/profile.h"

#include <errno.h>
#include <qrencode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	QUIET = 4,
};

/* Which halves of a character are drawn, that is light: bit 0 upper, bit 1 lower. */
static int read_block(const char **at)
{
	static const struct {
		const char *text;
		int halves;
	} blocks[] = {{"\u2588", 3}, {"\u2580", 1}, {"\u2584", 2}, {" ", 0}};
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		size_t len = strlen(blocks[i].text);
		if (strncmp(*at, blocks[i].text, len) == 0) {
			*at += len;
			return blocks[i].halves;
		}
	}
	fail_msg("no block at %s", *at);
	return 0;
}

static bool is_light(const QRcode *qr, int x, int y)
{
	x -= QUIET;
	y -= QUIET;
	return x < 0 || y < 0 || x >= qr->width || y >= qr->width
		|| (qr->data[y * qr->width + x] & 1) == 0;
}

static void every_module_is_drawn(void **)
{
	static const char text[] = "[Interface]\nPrivateKey = x\n";
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	char *drawn = NULL;
	assert_non_null(qr);
	assert_int_equal(profile_qr(text, &drawn), 0);
	const char *at = drawn;
	int side = qr->width + 2 * QUIET;
	for (int y = 0; y < side; y += 2) {
		for (int x = 0; x < side; x++) {
			int halves = read_block(&at);
			assert_int_equal((halves & 1) != 0, is_light(qr, x, y));
			assert_int_equal((halves & 2) != 0, is_light(qr, x, y + 1));
		}
		assert_int_equal(*at++, '\n');
	}
	assert_int_equal(*at, '\0');
	profile_text_free(drawn);
	QRcode_free(qr);
}

/* The number behind a letter, which must be there. */
static int take_number(const char **at, const char *before)
{
	char *end;
	assert_memory_equal(*at, before, strlen(before));
	*at += strlen(before);
	long n = strtol(*at, &end, 10);
	assert_true(end != *at && n >= 0 && n < 256);
	*at = end;
	return (int)n;
}

/* What the runs of the picture paint is what the code has, no more and no less. */
static void every_module_is_painted(void **)
{
	static const char text[] = "[Interface]\nPrivateKey = x\n";
	static bool dark[256][256];
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	char *drawn = NULL;
	int x, y;
	assert_non_null(qr);
	assert_int_equal(profile_qr_svg(text, &drawn), 0);
	assert_non_null(strstr(drawn, "<rect width=\"33\" height=\"33\" fill=\"#fff\"/>"));
	const char *at = strstr(drawn, " d=\"") + 4;
	while (*at == 'M') {
		x = take_number(&at, "M");
		y = take_number(&at, " ");
		int run = take_number(&at, "h");
		assert_int_equal(take_number(&at, "v1h-"), run);
		assert_int_equal(*at++, 'z');
		assert_true(x + run < 256);
		for (int n = 0; n < run; n++)
			dark[y][x + n] = true;
	}
	assert_string_equal(at, "\"/></svg>");
	int side = qr->width + 2 * QUIET;
	for (y = 0; y < side; y++)
		for (x = 0; x < side; x++)
			assert_int_equal(dark[y][x], !is_light(qr, x, y));
	profile_text_free(drawn);
	QRcode_free(qr);
}

static void the_most_bytes_fit(void **)
{
	enum {
		MOST = 2953 /* version 40, level L, bytes: ISO/IEC 18004 table 7 */
	};
	char text[MOST + 2];
	char *drawn = NULL;
	memset(text, 'x', sizeof(text));
	text[MOST] = '\0';
	assert_int_equal(profile_qr(text, &drawn), 0);
	profile_text_free(drawn);
	assert_int_equal(profile_qr_svg(text, &drawn), 0);
	assert_non_null(strstr(drawn, "z\"/></svg>")); /* nothing was cut off */
	profile_text_free(drawn);
	drawn = NULL;
	text[MOST] = 'x';
	text[MOST + 1] = '\0';
	assert_int_equal(profile_qr(text, &drawn), -E2BIG);
	assert_null(drawn);
	profile_text_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_module_is_drawn),
		cmocka_unit_test(every_module_is_painted),
		cmocka_unit_test(the_most_bytes_fit),
	};
	return cmocka_run_group_tests_name("profile/qr", tests, NULL, NULL);
}
