// SPDX-License-Identifier: Apache-2.0
/*
 * /v1/events: pages, a long poll, or a stream of Server-Sent Events, all from one cursor: the id of
 * the last event that was seen. It outlives restarts; one that is older than what is kept, or newer
 * than what there is (the database is a backup's), is 410.
 */
#include "control/store/event.h"

#include "control/http/api_internal.h"
#include "control/http/event_json.h"
#include "control/http/event_stream.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/http/wait.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *event_json(const struct event *e)
{
	return json_pack("{s:I, s:o, s:s, s:o, s:{s:s, s:o, s:o}, s:O}", "id", (json_int_t)e->seq,
		"at", value_time(e->at), "type", e->type, "instance_id",
		value_uuid(&e->instance_id), "object", "kind", e->object_type, "id",
		value_uuid(&e->object_id), "name", value_text(e->object_name), "data", e->data);
}

struct question {
	struct event_filter filter;
	struct uuid instance_id; /* that filter points at */
	uint64_t wait_s, limit, last;
	bool is_stream;
};

/* The one type of many in a list, without its parameters. */
static bool wants_stream(const struct request *rq)
{
	static const char type[] = "text/event-stream";
	const char *accept = rq->headers.accept;
	const char *found = accept != NULL ? strcasestr(accept, type) : NULL;
	return found != NULL && strcmp(rq->method, "GET") == 0
		&& strchr(" ,;\t", found[strlen(type)]) != NULL;
}

/* It becomes a GLOB: of what means something there only a star at the end is let through. */
static bool read_type(struct request *rq, struct question *q)
{
	const char *type = target_param(&rq->target, "type");
	q->filter.type = type;
	if (type == NULL)
		return true;
	size_t len = strlen(type), plain = strspn(type, "abcdefghijklmnopqrstuvwxyz_.");
	if (len < EVENT_TYPE_TEXT && len > 0
		&& (plain == len || (plain + 1 == len && type[plain] == '*')))
		return true;
	problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST,
		"type must be one like peer.connected or peer.*.");
	return false;
}

/* A key of one instance sees what is of that instance. */
static bool read_instance(struct request *rq, struct question *q)
{
	const char *text = target_param(&rq->target, "instance_id");
	if (text != NULL && uuid_parse(text, &q->instance_id) != 0) {
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "instance_id must be a UUID.");
		return false;
	}
	if (rq->who.has_instance && text != NULL
		&& !uuid_equal(&q->instance_id, &rq->who.instance)) {
		problem_set(&rq->rs, PROBLEM_NOT_FOUND, "There is no such object.");
		return false;
	}
	if (rq->who.has_instance)
		q->instance_id = rq->who.instance;
	q->filter.instance_id = text != NULL || rq->who.has_instance ? &q->instance_id : NULL;
	return true;
}

static bool read_question(struct request *rq, struct question *q)
{
	static const uint64_t seconds[2] = {0, HTTP_LONG_POLL_MAX_S},
			      items[2] = {1, HTTP_LIST_LIMIT_MAX};
	q->limit = HTTP_LIST_LIMIT_DEFAULT;
	q->filter.with_owners = rq->who.role == ROLE_OWNER;
	q->is_stream = wants_stream(rq);
	return target_number(&rq->target, "wait", seconds, &q->wait_s, &rq->rs)
		&& target_number(&rq->target, "limit", items, &q->limit, &rq->rs)
		&& target_number(&rq->target, "last", items, &q->last, &rq->rs) && read_type(rq, q)
		&& read_instance(rq, q);
}

/* What a browser sends when it comes again counts before what its page was made with. */
static bool read_after(struct request *rq, const int64_t range[2], int64_t *ret)
{
	const char *text = rq->headers.last_event_id;
	char *end;
	if (text == NULL)
		text = target_param(&rq->target, "after");
	if (text == NULL || strcmp(text, "latest") == 0) {
		*ret = text == NULL ? range[0] : range[1];
		return true;
	}
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0) {
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST,
			"after must be the id of an event, or latest.");
		return false;
	}
	if (n < range[0] || n > range[1]) {
		problem_set(&rq->rs, PROBLEM_CURSOR_EXPIRED,
			"The events behind it are not kept any more. Begin again without it.");
		return false;
	}
	*ret = n;
	return true;
}

/* Where it begins; a request that has waited goes on where it was. false with a problem or *ret_rc. */
static bool find_beginning(
	struct request *rq, struct question *q, const int64_t range[2], int *ret_rc)
{
	*ret_rc = 0;
	if (rq->has_waited) {
		q->filter.after = rq->waited_after;
		return true;
	}
	if (q->last == 0)
		return read_after(rq, range, &q->filter.after);
	if (target_param(&rq->target, "after") != NULL) {
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "Either after or last.");
		return false;
	}
	*ret_rc = event_before_last(rq->api->store, (int64_t)q->last, &q->filter.after);
	return *ret_rc == 0;
}

struct listing {
	json_t *items; /* owned */
	size_t limit;
	int64_t last;
	bool is_full;
};

static int add_event(void *ctx, const struct event *e)
{
	struct listing *l = ctx;
	if (json_array_size(l->items) == l->limit) {
		l->is_full = true;
		return 1;
	}
	l->last = e->seq;
	return json_array_append_new(l->items, event_json(e)) == 0 ? 0 : -ENOMEM;
}

/* true: nothing is answered yet. */
static bool waits(struct request *rq, const struct question *q, int64_t after)
{
	uint64_t now = clock_monotonic_ns();
	if (rq->wait_until_ns == 0 && q->wait_s > 0)
		rq->wait_until_ns = now + q->wait_s * NS_PER_SEC;
	rq->has_waited = true;
	rq->waited_after = after;
	return rq->wait_until_ns > now;
}

static int list_events(struct request *rq, const struct question *q, const int64_t range[2])
{
	struct listing l = {json_array(), (size_t)q->limit, q->filter.after, false};
	int rc = event_list(rq->api->store, &q->filter, add_event, &l);
	/* what the filter leaves out need not be looked at again */
	if (rc == 0 && !l.is_full && l.last < range[1])
		l.last = range[1];
	if (rc == 0 && (json_array_size(l.items) > 0 || !waits(rq, q, l.last)))
		response_json(&rq->rs, 200,
			json_pack("{s:O, s:I}", "items", l.items, "last_id", (json_int_t)l.last));
	json_decref(l.items);
	return rc;
}

static int begin_stream(struct request *rq, const struct question *q)
{
	int rc = event_stream_new(rq, &q->filter, &rq->stream);
	if (rc == 0)
		rq->rs.status = 200;
	if (rc == -EBUSY)
		problem_set(&rq->rs, PROBLEM_UNAVAILABLE, "Too many streams are open already.");
	return rc == -EBUSY ? 0 : rc;
}

int events_list(struct request *rq)
{
	struct question q = {0};
	int64_t range[2];
	if (!read_question(rq, &q))
		return 0;
	/* before the look: what is written after it is news */
	rq->waits = rq->api->event_waits;
	rq->wait_news = wait_list_news(rq->waits);
	int rc = event_range(rq->api->store, range);
	if (rc < 0 || !find_beginning(rq, &q, range, &rc))
		return rc;
	return q.is_stream ? begin_stream(rq, &q) : list_events(rq, &q, range);
}
