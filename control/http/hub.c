// SPDX-License-Identifier: Apache-2.0
#include "control/store/hub.h"

#include "control/http/api_internal.h"
#include "control/http/page.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"

static json_t *hub_json(const struct request *rq, const struct hub *h)
{
	json_t *addresses = json_array();
	for (size_t i = 0; i < h->address_count; i++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			addresses, json_string(ip_addr_format(&h->addresses[i], text)));
	}
	return json_pack("{s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:{s:b, s:b}, s:o}", "id",
		value_uuid(&h->id), "name", h->name, "region", h->region, "connected",
		(int)hub_is_connected(h, store_now(rq->api->store)), "last_seen_at",
		value_time(h->last_report_at), "version", value_text(h->version), "addresses",
		addresses, "egress", "ipv4", (int)h->egress_v4, "ipv6", (int)h->egress_v6,
		"created_at", value_time(h->created_at));
}

static int add_hub(void *ctx, const struct hub *h)
{
	struct page *page = ctx;
	char id[UUID_TEXT];
	if (!page_wants(page))
		return 1;
	return page_add(page, hub_json(page->rq, h), uuid_format(&h->id, id));
}

int hubs_list(struct request *rq)
{
	struct page page;
	if (!page_begin(&page, rq))
		return 0;
	struct uuid after = page_after(&page);
	return page_end(&page, hub_list(rq->api->store, &after, add_hub, &page));
}

/* It changes with every report, so it has no tag that would mean anything. */
int hub_get(struct request *rq)
{
	struct uuid id;
	struct hub h;
	if (!request_uuid(rq, 0, &id))
		return 0;
	int rc = hub_find(rq->api->store, &id, &h);
	if (rc < 0)
		return rc;
	response_json(&rq->rs, 200, hub_json(rq, &h));
	hub_fini(&h);
	return 0;
}
