// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/msg.h"
#include "tests/unit/api/sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct dp_header header = {.type = DP_MSG_PEER_LIST,
	.flags = 3,
	.request_id = 0x01020304,
	.status = -5,
	.payload_len = 4};

static void test_header_round_trip(void **state)
{
	uint8_t datagram[DP_HEADER_LEN + 4] = {0};
	struct dp_header back;
	dp_header_encode(&header, datagram);
	assert_int_equal(dp_header_decode(datagram, sizeof(datagram), &back), 0);
	assert_memory_equal(&back, &header, sizeof(back));
}

static void test_header_refused(void **state)
{
	static uint8_t datagram[DP_MSG_MAX + 1];
	struct dp_header back = {.request_id = 77};
	dp_header_encode(&header, datagram);
	for (size_t len = 0; len < 40; len++) {
		if (len != DP_HEADER_LEN + 4)
			assert_int_equal(dp_header_decode(datagram, len, &back), -EBADMSG);
	}
	struct dp_header big = header;
	big.payload_len = DP_PAYLOAD_MAX + 1;
	dp_header_encode(&big, datagram);
	assert_int_equal(dp_header_decode(datagram, sizeof(datagram), &back), -EBADMSG);
	big.payload_len = UINT32_MAX;
	dp_header_encode(&big, datagram);
	assert_int_equal(dp_header_decode(datagram, DP_HEADER_LEN - 1, &back), -EBADMSG);
	assert_int_equal(dp_header_decode(datagram, DP_HEADER_LEN, &back), -EBADMSG);
	assert_int_equal(back.request_id, 77); /* untouched on failure */
}

static void test_every_message_has_a_rule(void **state)
{
	assert_null(dp_msg_rule_find(0));
	assert_null(dp_msg_rule_find(DP_MSG__COUNT));
	assert_null(dp_msg_rule_find(0xffff));
	for (unsigned int type = 1; type < DP_MSG__COUNT; type++) {
		const struct dp_msg_rule *r = dp_msg_rule_find((uint16_t)type);
		assert_non_null(r);
		assert_true(r->request.max <= DP_PAYLOAD_MAX && r->reply.max <= DP_PAYLOAD_MAX);
		assert_true((r->request.max > 0) == (r->request.check != NULL));
		assert_true((r->reply.max > 0) == (r->reply.check != NULL));
		assert_false(r->is_list && r->reply.max == 0);
	}
}

/* A good payload passes at its length and at no other. */
static void test_lengths(void **state)
{
	static uint8_t buf[DP_PAYLOAD_MAX];
	for (unsigned int type = 1; type < DP_MSG__COUNT; type++) {
		const struct dp_msg_rule *r = dp_msg_rule_find((uint16_t)type);
		const char *reason = "";
		memset(buf, 0, sizeof(buf));
		size_t good = sample_request(type, buf);
		for (uint32_t len = 0; len <= r->request.max + 2U && !r->is_event; len++) {
			struct dp_header h = {.type = (uint16_t)type, .payload_len = len};
			int err = dp_request_check(&h, buf, r->takes_file ? 1 : 0, &reason);
			assert_int_equal(err, len == good ? 0 : -EINVAL);
		}
		memset(buf, 0, sizeof(buf));
		good = sample_reply(type, buf);
		for (uint32_t len = 0; len <= r->reply.max + 2U; len++) {
			struct dp_header h = {.type = (uint16_t)type, .payload_len = len};
			h.flags = r->is_event ? DP_FLAG_EVENT
				: r->is_list  ? DP_FLAG_REPLY
					      : DP_FLAG_REPLY | DP_FLAG_DONE;
			assert_int_equal(
				dp_reply_check(&h, buf, &reason), len == good ? 0 : -EINVAL);
		}
	}
}

static void test_request_frame(void **state)
{
	const char *reason = "";
	struct dp_header h = {.type = DP_MSG_PORT_LIST};
	assert_int_equal(dp_request_check(&h, NULL, 0, &reason), 0);
	assert_int_equal(dp_request_check(&h, NULL, 1, &reason), -EINVAL);
	assert_string_equal(reason, "wrong number of files");
	h.flags = DP_FLAG_DONE;
	assert_int_equal(dp_request_check(&h, NULL, 0, &reason), -EBADMSG);
	h.flags = 0;
	h.status = -1;
	assert_int_equal(dp_request_check(&h, NULL, 0, &reason), -EBADMSG);
	h.status = 0;
	h.type = DP_MSG__COUNT;
	assert_int_equal(dp_request_check(&h, NULL, 0, &reason), -EOPNOTSUPP);
	h.type = DP_MSG_EVENT;
	assert_int_equal(dp_request_check(&h, NULL, 0, &reason), -EOPNOTSUPP);

	static uint8_t buf[DP_PAYLOAD_MAX];
	h.type = DP_MSG_TUN_SET;
	h.payload_len = (uint32_t)sample_request(DP_MSG_TUN_SET, buf);
	assert_int_equal(dp_request_check(&h, buf, 1, &reason), 0);
	assert_int_equal(dp_request_check(&h, buf, 0, &reason), -EINVAL);
	assert_int_equal(dp_request_check(&h, buf, 2, &reason), -EINVAL);
}

static int reply(uint16_t type, uint16_t flags, int32_t status, const char *text)
{
	const char *reason = "";
	struct dp_header h = {.type = type,
		.flags = flags,
		.status = status,
		.payload_len = (uint32_t)strlen(text)};
	return dp_reply_check(&h, (const uint8_t *)text, &reason);
}

static void test_reply_frame(void **state)
{
	enum {
		DONE = DP_FLAG_REPLY | DP_FLAG_DONE
	};
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, 0, ""), 0);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, -ENOENT, "peer 1: does not exist"), 0);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DP_FLAG_REPLY, 0, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG_PEER_DEL, 0, 0, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE | DP_FLAG_EVENT, 0, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE | 0x80, 0, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, 5, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, 0, "text"), -EINVAL);
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, -1, "\033[2J"), -EINVAL);
	char longest[DP_ERROR_TEXT_MAX + 2];
	memset(longest, 'x', sizeof(longest));
	longest[DP_ERROR_TEXT_MAX + 1] = '\0';
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, -1, longest), -EINVAL);
	longest[DP_ERROR_TEXT_MAX] = '\0';
	assert_int_equal(reply(DP_MSG_PEER_DEL, DONE, -1, longest), 0);
	assert_int_equal(reply(DP_MSG_PEER_LIST, DONE, 0, ""), 0);
	assert_int_equal(reply(DP_MSG_PEER_LIST, DONE, 0, "x"), -EINVAL);
	assert_int_equal(reply(DP_MSG_PEER_LIST, DP_FLAG_REPLY, -1, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG__COUNT, DONE, 0, ""), -EOPNOTSUPP);
	assert_int_equal(reply(DP_MSG_EVENT, DONE, 0, ""), -EBADMSG);
	assert_int_equal(reply(DP_MSG_EVENT, DP_FLAG_EVENT, -1, ""), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header_round_trip),
		cmocka_unit_test(test_header_refused),
		cmocka_unit_test(test_every_message_has_a_rule),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_request_frame),
		cmocka_unit_test(test_reply_frame),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
