// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/uapi.h"

#include "dataplane/api/uapi.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi_get.h"
#include "dataplane/server/uapi_request.h"
#include "dataplane/server/uapi_set.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static_assert(sizeof(((struct server *)0)->rx) >= UAPI_CHUNK);

/* One client. */
struct uapi_connection {
	struct socket_connection base;
	struct uapi_request request;
	struct uapi_get get;
};

static void uapi_fini(struct socket_connection *base)
{
	struct uapi_connection *c = (struct uapi_connection *)base;
	uapi_request_fini(&c->request);
	uapi_get_end(&c->get);
}

static void answer(struct server *s, struct uapi_connection *c)
{
	const struct uapi_request *r = &c->request;
	struct instance *i = instance_from_handle(s->tables, c->base.instance);
	int err = r->error;
	c->base.answering = true;
	if (err == 0)
		err = r->operation == UAPI_SET ? uapi_set(s, i, r)
					       : uapi_get_begin(&c->get, s, i, &c->base.out);
	if (err != 0 || r->operation == UAPI_SET)
		socket_text_add(&c->base.out, "errno=%d\n\n", err);
	c->base.whole = uapi_get_is_over(&c->get);
	uapi_request_fini(&c->request);
}

/* Bytes behind the end of a request stay in the socket. Half a request is answered, too. */
static void uapi_read(struct server *s, struct socket_connection *base)
{
	struct uapi_connection *c = (struct uapi_connection *)base;
	size_t used;
	size_t n = socket_connection_peek(base, s->rx, UAPI_CHUNK);
	bool complete = false;
	if (n > 0) {
		complete = uapi_request_feed(&c->request, (const char *)s->rx, n, &used);
		socket_connection_take(base, s->rx, n, used);
	} else if (base->closing) {
		base->dead = c->request.operation == UAPI_NONE;
		c->request.error = -EINVAL;
		complete = !base->dead;
	}
	/* the node alone changes what it manages; and nothing is kept of such a request */
	if (n > 0 && c->request.operation == UAPI_SET && !s->stand_alone)
		c->request.error = -EPERM;
	if (complete)
		answer(s, c);
}

static void uapi_answer_more(struct server *s, struct socket_connection *base)
{
	struct uapi_connection *c = (struct uapi_connection *)base;
	uapi_get_continue(&c->get, s, &base->out);
	base->whole = uapi_get_is_over(&c->get);
}

const struct socket_kind uapi_kind = {
	.name = "uapi",
	.connections_max = UAPI_CONNECTIONS_MAX,
	.silence_ms = STALL_TIMEOUT_MS,
	.size = sizeof(struct uapi_connection),
	.read = uapi_read,
	.answer_more = uapi_answer_more,
	.fini = uapi_fini,
};

int serve_uapi_set(struct request *q)
{
	return instance_socket_set(q, &q->server->uapi);
}
