// SPDX-License-Identifier: Apache-2.0
/* Regions stand in control.conf, in its order. */
#include "control/http/api_internal.h"
#include "control/http/outcome.h"
#include "control/http/page.h"
#include "control/http/request.h"
#include "control/http/resources.h"

#include <errno.h>
#include <string.h>

static json_t *region_json(const struct config_region *r)
{
	return json_pack("{s:s, s:s}", "id", r->id, "name", r->name);
}

int regions_list(struct request *rq)
{
	struct page page;
	const struct control_config *config = rq->api->config;
	if (!page_begin(&page, rq))
		return 0;
	bool begins = page.position[0] == '\0';
	for (size_t i = 0; i < config->region_count; i++) {
		const struct config_region *r = &config->regions[i];
		if (begins && !page_wants(&page))
			break;
		if (begins)
			page_add(&page, region_json(r), r->id);
		begins |= strcmp(r->id, page.position) == 0;
	}
	return page_end(&page, 0);
}

int region_get(struct request *rq)
{
	const struct config_region *r = control_config_region(rq->api->config, rq->params[0]);
	if (r == NULL)
		return -ENOENT;
	outcome_object(rq, 200, region_json(r), 1);
	return 0;
}
