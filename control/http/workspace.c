// SPDX-License-Identifier: Apache-2.0
/* There is one workspace yet; everything hangs on it already. */
#include "control/http/api_internal.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/store/store.h"

#include <errno.h>

static json_t *workspace_json(const struct request *rq)
{
	const struct store *store = rq->api->store;
	return json_pack("{s:o, s:s, s:o}", "id", value_uuid(store_workspace(store)), "name",
		"default", "created_at", value_time(store_created_at(store)));
}

int workspaces_list(struct request *rq)
{
	struct page page;
	char id[UUID_TEXT];
	if (!page_begin(&page, rq))
		return 0;
	if (page.position[0] == '\0')
		page_add(&page, workspace_json(rq),
			uuid_format(store_workspace(rq->api->store), id));
	return page_end(&page, 0);
}

int workspace_get(struct request *rq)
{
	struct uuid id;
	if (!request_uuid(rq, 0, &id))
		return 0;
	if (!uuid_equal(&id, store_workspace(rq->api->store)))
		return -ENOENT;
	outcome_object(rq, 200, workspace_json(rq), 1);
	return 0;
}
