// SPDX-License-Identifier: Apache-2.0
/*
 * What stands around every handler: the transaction, who does it for the audit log, the answer kept
 * for a repetition, and, once it is committed, the news for provisioning and hubs. A problem, an
 * error or a page that refuses rolls all of it back.
 */
#include "control/http/transaction.h"

#include "control/http/api_internal.h"
#include "control/http/idempotency.h"
#include "control/http/request.h"
#include "control/http/router.h"
#include "control/provision/provision.h"
#include "control/store/store.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static void set_actor(struct request *rq)
{
	struct store_actor actor = {
		.type = rq->who.is_local					  ? "local"
			: rq->who.role == ROLE_NODE || rq->who.role == ROLE_ENROL ? "hub"
										  : "api_key",
		.id = rq->who.id,
		.name = rq->who.name,
		.request_id = rq->request_id,
	};
	store_set_actor(rq->api->store, &actor);
}

static bool reads_only(const struct request *rq)
{
	bool gets = strcmp(rq->route->method, "GET") == 0;
	return gets && (rq->route->flags & ROUTE_WRITES) == 0;
}

/* id: NULL where nothing is kept. *ret_write: there is something to commit. */
static int run_handler(struct request *rq, const uint8_t *id, bool *ret_write)
{
	if (id != NULL) {
		int rc = idempotency_replay(rq, id);
		if (rc != -ENOENT)
			return rc;
	}
	int rc = rq->route->handler(rq);
	if (rc < 0 || rq->rs.is_problem || rq->rs.status >= 400)
		return rc;
	*ret_write = true;
	return id != NULL ? idempotency_keep(rq, id) : 0;
}

/* A hub's report is no news to hubs, and a GET (or HEAD) that notes something is none to anybody. */
static void tell_news(struct request *rq)
{
	if (strcmp(rq->route->method, "GET") == 0 || rq->who.role == ROLE_NODE)
		return;
	provision_wake(rq->api->provision);
	api_wake(rq->api);
}

static int run(struct request *rq, enum store_mode mode, const uint8_t *id)
{
	struct store *store = rq->api->store;
	bool write = false;
	int rc = store_begin(store, mode);
	if (rc < 0)
		return rc;
	set_actor(rq);
	rc = run_handler(rq, id, &write);
	bool commits = mode == STORE_WRITE && rc == 0 && write;
	int ended = store_end(store, commits);
	if (rc == 0 && mode == STORE_WRITE)
		rc = ended;
	if (rc == 0 && commits)
		tell_news(rq);
	return rc;
}

int transaction_run(struct request *rq)
{
	uint8_t id[IDEMPOTENCY_ID_LEN];
	if (!idempotency_applies(rq))
		return run(rq, reads_only(rq) ? STORE_READ : STORE_WRITE, NULL);
	int rc = idempotency_enter(rq, id);
	if (rc < 0 || rq->rs.is_problem)
		return rc;
	rc = run(rq, STORE_WRITE, id);
	idempotency_leave(rq, id);
	return rc;
}
