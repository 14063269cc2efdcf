// SPDX-License-Identifier: Apache-2.0
/*
 * A profile as a QR code that a phone reads off a screen. On a terminal two rows of modules make one line of
 * text: full, upper, lower or no block. Dark terminals are the rule, so light modules are drawn and
 * dark ones left, with the quiet zone of four modules that readers need. In a page it is a picture of
 * runs of dark modules, without a script and without a file of its own.
 */
#include "control/profile/profile.h"
#include "control/profile/text.h"

#include <errno.h>
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUIET = 4, /* modules, ISO/IEC 18004 section 9.1 */
	BLOCK_BYTES = 3, /* of one block character in UTF-8 */
	RUN_BYTES = 24, /* "M180 180h177v1h-177z" at the most */
	SVG_SCALE = 5, /* pixels a module, where the page has the room */
	FRAME_BYTES = 512, /* around the runs */
};

static bool is_light(const QRcode *qr, int x, int y)
{
	if (x < 0 || y < 0 || x >= qr->width || y >= qr->width)
		return true;
	return (qr->data[y * qr->width + x] & 1) == 0;
}

static const char *block(bool upper, bool lower)
{
	if (upper && lower)
		return "\u2588";
	if (upper)
		return "\u2580";
	return lower ? "\u2584" : " ";
}

static char *draw(const QRcode *qr)
{
	size_t side = (size_t)qr->width + 2UL * QUIET;
	size_t size = (side + 1) / 2 * (side * BLOCK_BYTES + 1) + 1;
	char *text = calloc(1, size), *at = text;
	if (text == NULL)
		return NULL;
	for (int y = -QUIET; y < qr->width + QUIET; y += 2) {
		for (int x = -QUIET; x < qr->width + QUIET; x++) {
			const char *b = block(is_light(qr, x, y), is_light(qr, x, y + 1));
			size_t len = strlen(b);
			memcpy(at, b, len);
			at += len;
		}
		*at++ = '\n';
	}
	return text;
}

/* libqrencode frees its matrix without wiping it, and a key can be read back from that. */
static void wipe_and_free(QRcode *qr)
{
	explicit_bzero(qr->data, (size_t)qr->width * (size_t)qr->width);
	QRcode_free(qr);
}

/* A rectangle for each run of dark modules in a row. */
static char *draw_svg(const QRcode *qr)
{
	struct text t;
	int side = qr->width + 2 * QUIET;
	size_t runs = (size_t)qr->width * ((size_t)qr->width / 2 + 1);
	if (text_init(&t, FRAME_BYTES + runs * RUN_BYTES) < 0)
		return NULL;
	text_print(&t,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
		" role=\"img\" aria-label=\"QR code\" shape-rendering=\"crispEdges\">"
		"<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/><path fill=\"#000\" d=\"",
		side, side, side * SVG_SCALE, side * SVG_SCALE, side, side);
	for (int y = 0; y < qr->width; y++) {
		for (int x = 0, end; x < qr->width; x = end + 1) {
			for (end = x; end < qr->width && !is_light(qr, end, y); end++)
				;
			if (end > x)
				text_print(&t, "M%d %dh%dv1h-%dz", x + QUIET, y + QUIET, end - x,
					end - x);
		}
	}
	text_print(&t, "\"/></svg>");
	return t.start;
}

static int encode(const char *text, char *(*draw_code)(const QRcode *qr), char **ret)
{
	QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
	if (qr == NULL)
		return errno == ERANGE ? -E2BIG : -ENOMEM;
	char *drawn = draw_code(qr);
	wipe_and_free(qr);
	if (drawn == NULL)
		return -ENOMEM;
	*ret = drawn;
	return 0;
}

int profile_qr(const char *text, char **ret)
{
	return encode(text, draw, ret);
}

int profile_qr_svg(const char *text, char **ret)
{
	return encode(text, draw_svg, ret);
}
