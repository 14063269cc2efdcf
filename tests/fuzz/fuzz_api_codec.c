// SPDX-License-Identifier: Apache-2.0
/*
 * A datagram, once as the server and once as the client sees it. Inputs are whole datagrams; the
 * length in the header is set right, or nearly nothing would come past the frame. What the checks
 * let through must have the promised shape.
 */
#include "dataplane/api/msg.h"
#include "dataplane/api/peer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

static void check_peer_set(const uint8_t *payload, size_t len)
{
	struct dp_peer_set m = {0};
	memcpy(&m, payload, len);
	must(dp_peer_set_size(&m) == len);
	must(m.type < DP_PEER__COUNT);
	must(m.allowed_count == DP_ALLOWED_ALL || m.allowed_count <= DP_ALLOWED_MAX);
}

static void check_as_request(const struct dp_header *h, const uint8_t *payload)
{
	const char *reason = NULL;
	for (unsigned int files = 0; files < 2; files++) {
		int err = dp_request_check(h, payload, files, &reason);
		must(err == 0 || reason != NULL);
		if (err != 0)
			continue;
		const struct dp_msg_rule *rule = dp_msg_rule_find(h->type);
		must(rule != NULL && !rule->is_event && rule->takes_file == (files == 1));
		must(h->payload_len >= rule->request.min && h->payload_len <= rule->request.max);
		if (h->type == DP_MSG_PEER_SET)
			check_peer_set(payload, h->payload_len);
	}
}

static void check_as_reply(const struct dp_header *h, const uint8_t *payload)
{
	const char *reason = NULL;
	int err = dp_reply_check(h, payload, &reason);
	must(err == 0 || reason != NULL);
	if (err == 0 && h->status < 0)
		must(h->payload_len <= DP_ERROR_TEXT_MAX);
	else if (err == 0)
		must(h->payload_len <= dp_msg_rule_find(h->type)->reply.max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_header h, back;
	uint8_t datagram[DP_HEADER_LEN];
	(void)dp_header_decode(data, size, &h);
	if (size < DP_HEADER_LEN || size > DP_MSG_MAX)
		return 0;
	memcpy(&h, data, sizeof(h));
	h.payload_len = (uint32_t)(size - DP_HEADER_LEN);
	dp_header_encode(&h, datagram);
	must(dp_header_decode(datagram, DP_HEADER_LEN, &back)
		== (h.payload_len == 0 ? 0 : -EBADMSG));
	check_as_request(&h, data + DP_HEADER_LEN);
	check_as_reply(&h, data + DP_HEADER_LEN);
	return 0;
}
