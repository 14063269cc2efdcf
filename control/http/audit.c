// SPDX-License-Identifier: Apache-2.0
#include "control/store/audit.h"

#include "control/http/api_internal.h"
#include "control/http/page.h"
#include "control/http/resources.h"
#include "control/http/value.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *entry_json(const struct audit_row *row)
{
	char action[64];
	(void)snprintf(action, sizeof(action), "%s.%s", row->object_type, row->action);
	return json_pack("{s:I, s:o, s:{s:s, s:o, s:o}, s:s, s:{s:s, s:o, s:o}, s:o}", "id",
		(json_int_t)row->seq, "at", value_time(row->at), "actor", "kind", row->actor_type,
		"id", value_uuid(&row->actor_id), "name", value_text(row->actor_name), "action",
		action, "object", "kind", row->object_type, "id", value_uuid(&row->object_id),
		"name", value_text(row->object_name), "request_id", value_text(row->request_id));
}

static int add_entry(void *ctx, const struct audit_row *row)
{
	struct page *page = ctx;
	char position[32];
	if (!page_wants(page))
		return 1;
	(void)snprintf(position, sizeof(position), "%lld", (long long)row->seq);
	return page_add(page, entry_json(row), position);
}

int audit_log_list(struct request *rq)
{
	struct page page;
	if (!page_begin(&page, rq))
		return 0;
	int64_t before = page.position[0] != '\0' ? strtoll(page.position, NULL, 10) : INT64_MAX;
	return page_end(&page, audit_list(rq->api->store, before, add_entry, &page));
}
