// SPDX-License-Identifier: Apache-2.0
/* What the hub forwards in an instance, and to whom: computed, sorted by prefix. */
#include "control/http/api_internal.h"
#include "control/http/page.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct route_row {
	struct ip_prefix prefix;
	const char *target;
	struct uuid peer; /* zero: none */
	char name[NAME_TEXT];
};

struct route_rows {
	struct route_row *row; /* owned */
	size_t count, room;
	int64_t now;
};

static int add(struct route_rows *r, const struct route_row *row)
{
	if (r->count == r->room) {
		size_t room = r->room == 0 ? 64 : r->room * 2;
		struct route_row *new = reallocarray(r->row, room, sizeof(*new));
		if (new == NULL)
			return -ENOMEM;
		r->row = new;
		r->room = room;
	}
	r->row[r->count++] = *row;
	return 0;
}

static int add_peer(void *ctx, const struct peer *p)
{
	struct route_rows *r = ctx;
	struct route_row row = {.target = "peer", .peer = p->id};
	if (peer_state_at(p, r->now) != PEER_ACTIVE)
		return 0;
	int rc = 0;
	memcpy(row.name, p->name, sizeof(row.name));
	for (int n = 0; rc == 0 && n < 2; n++) {
		row.prefix = ip_prefix_of(&p->addresses[n]);
		rc = add(r, &row);
	}
	for (size_t n = 0; rc == 0 && n < p->subnets.count; n++) {
		row.prefix = p->subnets.list[n];
		rc = add(r, &row);
	}
	return rc;
}

static int add_hub(struct request *rq, const struct instance *i, struct route_rows *r)
{
	struct hub h;
	int rc = 0;
	for (unsigned int n = 0; rc == 0 && n < 2; n++) {
		struct ip_addr addr = instance_hub_address(i, n);
		rc = add(r, &(struct route_row){.prefix = ip_prefix_of(&addr), .target = "hub"});
	}
	if (rc != 0 || uuid_is_zero(&i->hub_id))
		return rc;
	rc = hub_find(rq->api->store, &i->hub_id, &h);
	if (rc != 0)
		return rc;
	struct route_row row = {.target = "internet"};
	(void)ip_prefix_parse("0.0.0.0/0", &row.prefix);
	if (h.egress_v4)
		rc = add(r, &row);
	(void)ip_prefix_parse("::/0", &row.prefix);
	if (rc == 0 && h.egress_v6)
		rc = add(r, &row);
	hub_fini(&h);
	return rc;
}

static int compare(const void *a, const void *b)
{
	const struct route_row *x = a, *y = b;
	int c = ip_prefix_compare(&x->prefix, &y->prefix);
	return c != 0 ? c : memcmp(&x->peer, &y->peer, sizeof(x->peer));
}

/* A site may advertise a default route: then that is not the internet's. Peers sort last. */
static void drop_shadowed(struct route_rows *r)
{
	size_t kept = 0;
	for (size_t n = 0; n < r->count; n++) {
		if (n + 1 == r->count
			|| ip_prefix_compare(&r->row[n].prefix, &r->row[n + 1].prefix) != 0)
			r->row[kept++] = r->row[n];
	}
	r->count = kept;
}

/* The prefix of the last row is the position: rows are sorted by it, and no two have the same. */
static int fill_page(struct page *page, const struct route_rows *r)
{
	struct ip_prefix after;
	bool begins = page->position[0] == '\0';
	if (!begins && ip_prefix_parse(page->position, &after) != 0)
		return -EINVAL;
	for (size_t n = 0; n < r->count; n++) {
		const struct route_row *row = &r->row[n];
		char text[IP_PREFIX_TEXT];
		if (!begins && ip_prefix_compare(&row->prefix, &after) <= 0)
			continue;
		if (!page_wants(page))
			return 0;
		int rc = page_add(page,
			json_pack("{s:o, s:s, s:o, s:o}", "prefix", value_prefix(&row->prefix),
				"target", row->target, "peer_id", value_uuid(&row->peer),
				"peer_name", value_text(row->name)),
			ip_prefix_format(&row->prefix, text));
		if (rc != 0)
			return rc;
	}
	return 0;
}

int instance_routes(struct request *rq)
{
	struct uuid id;
	struct instance i;
	struct page page;
	struct route_rows r = {.now = store_now(rq->api->store)};
	if (!request_uuid(rq, 0, &id))
		return 0;
	int rc = instance_find(rq->api->store, &id, &i);
	if (rc < 0)
		return rc;
	if (page_begin(&page, rq)) {
		const struct peer_filter filter = {.instance_id = &id};
		rc = add_hub(rq, &i, &r);
		if (rc == 0)
			rc = peer_list(rq->api->store, &filter, add_peer, &r);
		if (r.count > 0)
			qsort(r.row, r.count, sizeof(r.row[0]), compare);
		drop_shadowed(&r);
		if (rc == 0)
			rc = fill_page(&page, &r);
		rc = page_end(&page, rc);
	}
	free(r.row);
	instance_fini(&i);
	return rc;
}
