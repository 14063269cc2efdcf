// SPDX-License-Identifier: Apache-2.0
#include "control/http/page.h"

#include "control/http/api_internal.h"
#include "control/http/problem.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static uint64_t now_s(void)
{
	return clock_realtime_ns() / NS_PER_SEC;
}

/* The list with its filters: a cursor of one list means nothing in another. */
static void name_scope(struct page *p)
{
	const struct target *t = &p->rq->target;
	size_t at = (size_t)snprintf(p->scope, sizeof(p->scope), "%s", t->path);
	for (size_t i = 0; i < t->param_count && at < sizeof(p->scope); i++) {
		const struct query_param *q = &t->params[i];
		if (strcmp(q->name, "cursor") == 0 || strcmp(q->name, "limit") == 0)
			continue;
		at += (size_t)snprintf(
			p->scope + at, sizeof(p->scope) - at, "&%s=%s", q->name, q->value);
	}
}

static bool read_cursor(struct page *p)
{
	const char *cursor = target_param(&p->rq->target, "cursor");
	if (cursor == NULL)
		return true;
	int rc = cursor_parse(&p->rq->api->cursors, p->scope, now_s(), cursor, p->position);
	if (rc == 0)
		return true;
	if (rc == -ESTALE)
		problem_set(&p->rq->rs, PROBLEM_CURSOR_EXPIRED, "Begin again without a cursor.");
	else
		problem_set(&p->rq->rs, PROBLEM_MALFORMED_REQUEST,
			"cursor is not one that this list has given.");
	return false;
}

static bool read_label(struct page *p)
{
	const char *label = target_param(&p->rq->target, "label");
	if (label == NULL)
		return true;
	const char *equals = strchr(label, '=');
	if (equals == NULL || equals == label || strlen(label) >= sizeof(p->label)) {
		problem_set(&p->rq->rs, PROBLEM_MALFORMED_REQUEST, "label must be key=value.");
		return false;
	}
	memcpy(p->label, label, strlen(label) + 1);
	p->label[equals - label] = '\0';
	p->label_key = p->label;
	p->label_value = p->label + (equals - label) + 1;
	return true;
}

bool page_begin(struct page *p, struct request *rq)
{
	static const uint64_t range[2] = {1, HTTP_LIST_LIMIT_MAX};
	memset(p, 0, sizeof(*p));
	p->rq = rq;
	p->limit = HTTP_LIST_LIMIT_DEFAULT;
	name_scope(p);
	if (!target_number(&rq->target, "limit", range, &p->limit, &rq->rs) || !read_cursor(p)
		|| !read_label(p))
		return false;
	p->items = json_array();
	return true;
}

struct uuid page_after(const struct page *p)
{
	struct uuid id = {0};
	(void)uuid_parse(p->position, &id);
	return id;
}

bool page_wants(struct page *p)
{
	p->has_more = json_array_size(p->items) >= p->limit;
	return !p->has_more;
}

int page_add(struct page *p, json_t *item, const char *position)
{
	if (json_array_append_new(p->items, item) != 0)
		return -ENOMEM;
	size_t len = strlen(position);
	if (len >= sizeof(p->last))
		return -EMSGSIZE;
	memcpy(p->last, position, len + 1);
	return 0;
}

int page_end(struct page *p, int rc)
{
	char cursor[CURSOR_TEXT];
	json_t *next = json_null();
	if (rc == 0 && p->has_more) {
		rc = cursor_format(&p->rq->api->cursors, p->scope, now_s(), p->last, cursor);
		next = json_string(cursor);
	}
	if (rc < 0) {
		json_decref(p->items);
		json_decref(next);
		return rc;
	}
	response_json(
		&p->rq->rs, 200, json_pack("{s:o, s:o}", "items", p->items, "next_cursor", next));
	return 0;
}
