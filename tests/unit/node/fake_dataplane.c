// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/node/fake_dataplane.h"

#include "dataplane/api/counter.h"
#include "dataplane/api/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void reply(const struct fake_dataplane *f, const struct dp_header *request,
	unsigned int flags, int status, const void *payload, size_t len)
{
	uint8_t datagram[DP_HEADER_LEN + 1024];
	struct dp_header h = {.type = request->type,
		.flags = (uint16_t)(DP_FLAG_REPLY | flags),
		.request_id = request->request_id,
		.status = status,
		.payload_len = (uint32_t)len};
	dp_header_encode(&h, datagram);
	if (len > 0)
		memcpy(datagram + DP_HEADER_LEN, payload, len);
	(void)send(f->fd, datagram, DP_HEADER_LEN + len, MSG_NOSIGNAL);
}

static void reply_objects(const struct fake_dataplane *f, const struct dp_header *h)
{
	const struct dp_counter counter = {.name = "made_up_tomorrow", .value = 7};
	for (unsigned int i = 0; h->type == DP_MSG_PEER_STATS_LIST && i < f->stats_count; i++)
		reply(f, h, 0, 0, &f->stats[i], sizeof(f->stats[i]));
	if (h->type == DP_MSG_LISTENER_LIST && f->listener != NULL)
		reply(f, h, 0, 0, f->listener, sizeof(*f->listener));
	if (h->type == DP_MSG_COUNTER_LIST)
		reply(f, h, 0, 0, &counter, sizeof(counter));
	reply(f, h, DP_FLAG_DONE, 0, NULL, 0);
}

static void answer(struct fake_dataplane *f, const struct dp_header *h)
{
	static const char text[] = "for a reason";
	const struct dp_hello hello = {
		.version = DP_API_VERSION, .pid = 1, .boot_id = {.bytes = {1}}};
	f->taken[h->type]++;
	if (dp_msg_rule_find(h->type)->is_list)
		reply_objects(f, h);
	else if (h->type == f->refused && f->refusal != 0)
		reply(f, h, DP_FLAG_DONE, f->refusal, text, strlen(text));
	else if (h->type == DP_MSG_HELLO)
		reply(f, h, DP_FLAG_DONE, 0, &hello, sizeof(hello));
	else
		reply(f, h, DP_FLAG_DONE, 0, NULL, 0);
}

static void *serve(void *arg)
{
	static uint8_t datagram[DP_MSG_MAX];
	struct fake_dataplane *f = arg;
	struct dp_header h;
	for (;;) {
		ssize_t n = recv(f->fd, datagram, sizeof(datagram), 0);
		if (n <= 0 || dp_header_decode(datagram, (size_t)n, &h) != 0)
			return NULL;
		answer(f, &h);
	}
}

void fake_dataplane_start(struct fake_dataplane *f)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	f->fd = pair[0];
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	assert_int_equal(dp_client_open_fd(pair[1], &f->client), 0);
}

void fake_dataplane_stop(struct fake_dataplane *f)
{
	dp_client_free(f->client);
	(void)pthread_join(f->thread, NULL);
	(void)close(f->fd);
}
