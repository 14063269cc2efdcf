// SPDX-License-Identifier: Apache-2.0
/*
 * The node's end of the API socket against a dataplane that says anything: the input is what it says,
 * after which it hangs up. Whatever comes, the client returns, and once broken it stays so.
 */
#include "dataplane/api/client.h"
#include "tests/fuzz/datagrams.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

/* The kernel queues a few; the rest of the input is not needed. */
static void say_everything(int fd, const uint8_t *data, size_t size)
{
	static uint8_t datagram[DP_MSG_MAX];
	for (;;) {
		size_t len = next_datagram(&data, &size, datagram);
		if (len == 0 || send(fd, datagram, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			return;
	}
}

static int look(void *ctx, const uint8_t *payload, size_t len)
{
	unsigned int *seen = ctx;
	for (size_t i = 0; i < len; i++) /* every byte is there */
		*seen += payload[i];
	return *seen % 5 == 0 ? -ECANCELED : 0;
}

static void pipeline(struct dp_client *c)
{
	struct dp_reply reply;
	for (unsigned int i = 0; i < 3; i++)
		(void)dp_client_send(c, DP_MSG_SYNC_STATE, NULL, 0, -1, NULL);
	must(dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply) != 0); /* not in between */
	must(dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, look, &(unsigned int){0}) != 0);
	while (dp_client_receive(c, &reply) == 0)
		must(reply.status <= 0 && reply.len <= DP_PAYLOAD_MAX);
	must(dp_client_in_flight(c) == 0 || dp_client_is_broken(c));
}

/* What must not even be sent. */
static void ask_nonsense(struct dp_client *c)
{
	static const uint8_t zero[16];
	unsigned int seen = 0;
	must(dp_client_call(c, DP_MSG_COUNTER_LIST, NULL, 0, -1, NULL) != 0);
	must(dp_client_list(c, DP_MSG_SYNC_STATE, NULL, 0, look, &seen) != 0);
	must(dp_client_call(c, DP_MSG_PEER_DEL, zero, 3, -1, NULL) != 0);
	must(dp_client_list(c, DP_MSG_PEER_LIST, zero, 3, look, &seen) != 0);
	must(dp_client_send(c, DP_MSG_PEER_DEL, zero, DP_PAYLOAD_MAX + 1, -1, NULL) != 0);
}

static void ask(struct dp_client *c)
{
	static const uint8_t id[16] = {1};
	struct dp_reply reply;
	struct dp_event event;
	unsigned int seen = 0;
	(void)dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply);
	(void)dp_client_list(c, DP_MSG_COUNTER_LIST, NULL, 0, look, &seen);
	pipeline(c);
	ask_nonsense(c);
	(void)dp_client_call(c, DP_MSG_TUN_SET, id, sizeof(id), STDIN_FILENO, NULL);
	if (dp_client_subscribe(c) == 0) {
		while (dp_client_event(c, &event) == 0)
			must(event.type != 0);
		must(dp_client_is_broken(c)); /* the other end hung up */
	}
	while (!dp_client_is_broken(c)) /* refused: there may be more to read before that */
		(void)dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply);
	must(dp_client_call(c, DP_MSG_SYNC_STATE, NULL, 0, -1, &reply) == -ENOTCONN);
	must(dp_client_error(c) != NULL && dp_client_fd(c) >= 0);
	must(dp_client_boot_id(c) != NULL);
	(void)dp_client_pid(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dp_client *c = NULL;
	int fds[2];
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
	say_everything(fds[1], data, size);
	must(shutdown(fds[1], SHUT_WR) == 0);
	if (dp_client_open_fd(fds[0], &c) == 0)
		ask(c);
	dp_client_free(c);
	(void)close(fds[1]);
	return 0;
}
