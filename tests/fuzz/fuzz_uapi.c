// SPDX-License-Identifier: Apache-2.0
/*
 * What a client writes to a UAPI socket: any bytes, in two pieces, are either refused or are a
 * request of which every part lies within its limits; and the pieces make no difference.
 */
#include "dataplane/server/uapi_request.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct uapi_request *r)
{
	uint32_t alloweds = 0;
	if (r->error > 0 || r->peers > r->peers_room || r->alloweds > r->alloweds_room)
		abort();
	if (r->error == 0 && r->operation == UAPI_GET && (r->peers > 0 || r->fields != 0))
		abort();
	for (uint32_t i = 0; i < r->peers; i++) {
		const struct uapi_peer *p = &r->peer[i];
		bool has_endpoint = (p->fields & UAPI_ENDPOINT) != 0;
		if (p->allowed_at != alloweds
			|| (r->error == 0 && has_endpoint != (p->endpoint.port != 0)))
			abort();
		alloweds += p->allowed_count;
	}
	for (uint32_t i = 0; i < r->alloweds; i++) {
		if (!ip_prefix_is_canonical(&r->allowed[i]))
			abort();
	}
	if (alloweds != r->alloweds)
		abort();
}

/* true: complete, at *ret_end. */
static bool feed(
	struct uapi_request *r, const char *text, size_t size, size_t first, size_t *ret_end)
{
	bool complete = uapi_request_feed(r, text, first, ret_end);
	if (complete || first == size)
		return complete;
	complete = uapi_request_feed(r, text + first, size - first, ret_end);
	*ret_end += first;
	return complete;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct uapi_request whole = {0}, cut = {0};
	size_t end = 0, cut_end = 0;
	bool complete = feed(&whole, (const char *)data, size, size, &end);
	if (feed(&cut, (const char *)data, size, size / 2, &cut_end) != complete
		|| (complete && end != cut_end) || whole.error != cut.error
		|| whole.peers != cut.peers || whole.alloweds != cut.alloweds)
		abort();
	check(&whole);
	check(&cut);
	uapi_request_fini(&whole);
	uapi_request_fini(&cut);
	return 0;
}
