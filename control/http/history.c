// SPDX-License-Identifier: Apache-2.0
/* What was: bandwidth by hour and day, and sessions, of an instance or of one of its peers. */
#include "control/http/api_internal.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/store/bandwidth.h"
#include "control/store/instance.h"
#include "control/store/peer.h"
#include "control/store/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whose history the path asks for. false with an answer, or an error in *ret_rc. */
static bool find_object(struct request *rq, bool is_peer, struct uuid *ret, int *ret_rc)
{
	struct uuid instance_id;
	struct instance i;
	struct peer p;
	*ret_rc = 0;
	if (!request_uuid(rq, 0, &instance_id) || (is_peer && !request_uuid(rq, 1, ret)))
		return false;
	if (is_peer) {
		*ret_rc = peer_find(rq->api->store, &instance_id, ret, &p);
		if (*ret_rc == 0)
			peer_fini(&p);
	} else {
		*ret_rc = instance_find(rq->api->store, &instance_id, &i);
		*ret = instance_id;
		if (*ret_rc == 0)
			instance_fini(&i);
	}
	return *ret_rc == 0;
}

static bool read_time(struct request *rq, const char *name, int64_t *ret)
{
	struct model_errors errors = {0};
	const char *text = target_param(&rq->target, name);
	if (text == NULL)
		return true;
	json_t *value = json_string(text);
	bool good = value != NULL && value_read_time(value, "", ret, &errors);
	json_decref(value);
	if (!good)
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST,
			"%s must be a time like 2030-12-31T23:59:59Z.", name);
	return good;
}

struct bandwidth_question {
	enum bandwidth_span span;
	int64_t range[2];
};

/* By default the last day by hour, or the last month by day. */
static bool read_question(struct request *rq, struct bandwidth_question *q)
{
	static const char *const words[] = {"hour", "day", NULL};
	const char *by;
	if (!target_choice(&rq->target, "by", words, &by, &rq->rs))
		return false;
	q->span = by != NULL && strcmp(by, "day") == 0 ? BANDWIDTH_DAY : BANDWIDTH_HOUR;
	int64_t length = bandwidth_span_length(q->span);
	q->range[1] = store_now(rq->api->store);
	if (!read_time(rq, "to", &q->range[1]))
		return false;
	q->range[0] = q->range[1] - (q->span == BANDWIDTH_DAY ? 30 : 24) * length;
	if (!read_time(rq, "from", &q->range[0]))
		return false;
	if (q->range[0] > q->range[1]) {
		problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "from is after to.");
		return false;
	}
	q->range[0] -= q->range[0] % length; /* the hour or day that it lies in is asked for, too */
	return true;
}

static int add_traffic(void *ctx, int64_t at, const struct traffic *t)
{
	struct page *page = ctx;
	char position[32];
	if (!page_wants(page))
		return 1;
	(void)snprintf(position, sizeof(position), "%lld", (long long)at);
	return page_add(page,
		json_pack("{s:o, s:I, s:I, s:I, s:I}", "at", value_time(at), "rx_bytes",
			(json_int_t)t->rx_bytes, "tx_bytes", (json_int_t)t->tx_bytes, "rx_packets",
			(json_int_t)t->rx_packets, "tx_packets", (json_int_t)t->tx_packets),
		position);
}

static int list_bandwidth(struct request *rq, bool is_peer)
{
	struct bandwidth_question q;
	struct page page;
	struct uuid id;
	int rc;
	if (!find_object(rq, is_peer, &id, &rc))
		return rc;
	if (!read_question(rq, &q) || !page_begin(&page, rq))
		return 0;
	if (page.position[0] != '\0')
		q.range[0] = strtoll(page.position, NULL, 10) + 1;
	return page_end(
		&page, bandwidth_list(rq->api->store, &id, q.span, q.range, add_traffic, &page));
}

int instance_bandwidth(struct request *rq)
{
	return list_bandwidth(rq, false);
}

int peer_bandwidth(struct request *rq)
{
	return list_bandwidth(rq, true);
}

static int add_session(void *ctx, const struct session *s)
{
	struct page *page = ctx;
	char position[32];
	if (!page_wants(page))
		return 1;
	(void)snprintf(position, sizeof(position), "%lld", (long long)s->seq);
	return page_add(page,
		json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:s, s:I, s:I, s:o}", "id",
			(json_int_t)s->seq, "peer_id", value_uuid(&s->peer_id), "peer_name",
			s->peer_name, "since", value_time(s->since), "until", value_time(s->until),
			"connected_from", value_text(s->endpoint), "protocol", s->protocol,
			"rx_bytes", (json_int_t)s->rx_bytes, "tx_bytes", (json_int_t)s->tx_bytes,
			"end_reason", value_text(s->reason)),
		position);
}

static int list_sessions(struct request *rq, bool is_peer)
{
	struct page page;
	struct uuid id;
	int rc;
	if (!find_object(rq, is_peer, &id, &rc))
		return rc;
	if (!page_begin(&page, rq))
		return 0;
	int64_t before = page.position[0] != '\0' ? strtoll(page.position, NULL, 10) : INT64_MAX;
	return page_end(&page,
		session_list(rq->api->store, is_peer ? NULL : &id, is_peer ? &id : NULL, before,
			add_session, &page));
}

int instance_sessions(struct request *rq)
{
	return list_sessions(rq, false);
}

int peer_sessions(struct request *rq)
{
	return list_sessions(rq, true);
}
