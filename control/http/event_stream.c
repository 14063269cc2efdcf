// SPDX-License-Identifier: Apache-2.0
/*
 * Server-Sent Events (WHATWG HTML, section 9.2). The library asks for more when the client has taken
 * what there was; when there is nothing its connection waits in the list of those that wait for
 * events, until one comes or a comment is due, which keeps proxies and NAT awake. A stream ends when
 * its key is gone, when it has fallen behind what is kept, and with the daemon: the client comes
 * again with Last-Event-ID.
 */
#include "control/http/event_stream.h"

#include "control/http/api_internal.h"
#include "control/http/event_json.h"
#include "control/http/request.h"
#include "control/http/wait.h"
#include "control/store/api_key.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	EVENTS_AT_ONCE = 100,
	BEAT_S = 15,
};

struct event_stream {
	struct request *rq; /* borrowed; it owns this */
	struct event_filter filter;
	struct uuid instance_id; /* that filter points at */
	char type[EVENT_TYPE_TEXT]; /* and this */
	char *text; /* owned: what is being sent */
	size_t len, at;
	uint64_t news; /* of the list, before the last look */
	uint64_t beat_ns; /* when something was sent last */
};

int event_stream_new(
	struct request *rq, const struct event_filter *filter, struct event_stream **ret)
{
	static const char hello[] = "retry: 2000\n\n";
	struct api *api = rq->api;
	if (atomic_fetch_add(&api->streams, 1) >= HTTP_EVENT_STREAMS_MAX) {
		(void)atomic_fetch_sub(&api->streams, 1);
		return -EBUSY;
	}
	struct event_stream *s = calloc(1, sizeof(*s));
	char *text = strdup(hello);
	if (s == NULL || text == NULL) {
		(void)atomic_fetch_sub(&api->streams, 1);
		free(s);
		free(text);
		return -ENOMEM;
	}
	s->rq = rq;
	s->filter = *filter;
	if (filter->instance_id != NULL) {
		s->instance_id = *filter->instance_id;
		s->filter.instance_id = &s->instance_id;
	}
	if (filter->type != NULL) {
		(void)snprintf(s->type, sizeof(s->type), "%s", filter->type);
		s->filter.type = s->type;
	}
	s->text = text;
	s->len = strlen(text);
	s->beat_ns = clock_monotonic_ns();
	*ret = s;
	return 0;
}

void event_stream_free(struct event_stream *s)
{
	if (s == NULL)
		return;
	(void)atomic_fetch_sub(&s->rq->api->streams, 1);
	free(s->text);
	free(s);
}

struct writing {
	FILE *out;
	struct event_stream *stream;
	size_t count;
};

static int write_event(void *ctx, const struct event *e)
{
	struct writing *w = ctx;
	if (w->count++ == EVENTS_AT_ONCE)
		return 1;
	json_t *j = event_json(e);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(j);
	if (text == NULL)
		return -ENOMEM;
	/* JSON has no line feed outside of its strings, and there it is escaped */
	(void)fprintf(
		w->out, "id: %lld\nevent: %s\ndata: %s\n\n", (long long)e->seq, e->type, text);
	free(text);
	w->stream->filter.after = e->seq;
	return 0;
}

/* A key may have been revoked since, or its time may be over. */
static int check_caller(const struct request *rq)
{
	struct api_key k;
	int64_t now = store_now(rq->api->store);
	if (rq->who.is_local)
		return 0;
	int rc = api_key_find(rq->api->store, &rq->who.id, &k);
	if (rc < 0)
		return rc;
	if (k.expires_at != 0 && k.expires_at <= now)
		rc = -EACCES;
	api_key_fini(&k);
	return rc;
}

static int look(struct event_stream *s, FILE *out)
{
	struct store *store = s->rq->api->store;
	struct writing w = {out, s, 0};
	int64_t range[2];
	int rc = store_begin(store, STORE_READ);
	if (rc < 0)
		return rc;
	rc = check_caller(s->rq);
	if (rc == 0)
		rc = event_range(store, range);
	if (rc == 0 && s->filter.after < range[0])
		rc = -ESTALE;
	if (rc == 0)
		rc = event_list(store, &s->filter, write_event, &w);
	/* what the filter leaves out need not be looked at again */
	if (rc == 0 && w.count <= EVENTS_AT_ONCE && s->filter.after < range[1])
		s->filter.after = range[1];
	(void)store_end(store, false);
	return rc;
}

/* What there is behind the last event, as text. 0 or -errno: then the stream is over. */
static int fill(struct event_stream *s)
{
	free(s->text);
	s->text = NULL;
	s->len = s->at = 0;
	s->news = wait_list_news(s->rq->api->stream_waits);
	FILE *out = open_memstream(&s->text, &s->len);
	if (out == NULL)
		return -ENOMEM;
	int rc = look(s, out);
	uint64_t now = clock_monotonic_ns();
	if (rc == 0 && ftell(out) == 0 && now >= s->beat_ns + BEAT_S * NS_PER_SEC)
		(void)fputs(":\n\n", out);
	return fclose(out) != 0 ? -ENOMEM : rc;
}

ssize_t event_stream_read(
	struct event_stream *s, struct MHD_Connection *connection, char *ret, size_t size)
{
	/* news may come between a look and the wait for it, but not for ever */
	for (int tries = 0; tries < 8; tries++) {
		if (s->at < s->len) {
			size_t part = s->len - s->at < size ? s->len - s->at : size;
			memcpy(ret, s->text + s->at, part);
			s->at += part;
			s->beat_ns = clock_monotonic_ns();
			return (ssize_t)part;
		}
		if (fill(s) < 0)
			return MHD_CONTENT_READER_END_OF_STREAM;
		if (s->len > 0)
			continue;
		int rc = wait_list_add(s->rq->api->stream_waits, connection, s->news,
			s->beat_ns + BEAT_S * NS_PER_SEC);
		if (rc == 0)
			return 0;
		if (rc != -EAGAIN)
			return MHD_CONTENT_READER_END_OF_STREAM;
	}
	return 0;
}
