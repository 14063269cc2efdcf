/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_PAGE_H
#define CONTROL_HTTP_PAGE_H

#include "control/http/cursor.h"
#include "control/http/request.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	PAGE_SCOPE_TEXT = 1024,
	PAGE_LABEL_TEXT = 321,
};

/* One page of a list: {"items":[…],"next_cursor":…}. */
struct page {
	struct request *rq;
	json_t *items; /* owned */
	uint64_t limit;
	bool has_more;
	char last[CURSOR_POSITION_MAX + 1]; /* position of the last item that fits */
	char position[CURSOR_POSITION_MAX + 1]; /* where it begins: behind this; "" at the start */
	char scope[PAGE_SCOPE_TEXT];
	char label[PAGE_LABEL_TEXT]; /* "key\0value" of the filter */
	const char *label_key, *label_value; /* NULL: no such filter */
};

/* Reads limit, cursor and label. false with a problem. */
bool page_begin(struct page *p, struct request *rq);
/* The position as an id; zero at the start. */
struct uuid page_after(const struct page *p);
/* false: the page is full, the list can stop. Ask before making an item. */
bool page_wants(struct page *p);
/* Takes item over. position: of this item in the list. 0, -ENOMEM (item is NULL, too), -EMSGSIZE (position
 * is longer than a cursor holds). */
int page_add(struct page *p, json_t *item, const char *position);
/* Answers, and frees what it holds. rc is what the list returned; returned again. */
int page_end(struct page *p, int rc);

#endif
