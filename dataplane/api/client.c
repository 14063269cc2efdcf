// SPDX-License-Identifier: Apache-2.0
/*
 * The node's end of the API socket. One buffer for what comes in, a small ring of what was asked:
 * replies must come in that order, with that type and id, or the connection is broken for good, for
 * then nobody can say any more which answer belongs to which question. Every wait is bounded. The
 * window keeps both ends from waiting on each other: what it admits fits the socket's buffer, so
 * that a client that sends is never the one that must read first.
 */
#include "dataplane/api/client.h"

#include "dataplane/api/hello.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct request {
	uint32_t id;
	uint16_t type;
};

struct dp_client {
	int fd;
	bool broken;
	bool subscribed;
	uint32_t last_id;
	struct request window[DP_CLIENT_WINDOW]; /* ring: oldest, in_flight */
	unsigned int oldest, in_flight;
	struct uuid boot_id;
	uint32_t pid;
	char error[DP_ERROR_TEXT_MAX + 64];
	uint8_t rx[DP_MSG_MAX];
};

__attribute__((format(printf, 2, 3))) static void set_error(
	struct dp_client *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
}

static int fail_connection(struct dp_client *c, int error, const char *what)
{
	c->broken = true;
	set_error(c, "connection to the dataplane: %s", what);
	return error < 0 ? error : -EIO;
}

/* 0, -ETIMEDOUT or -errno. */
static int wait_for(int fd, short events)
{
	uint64_t deadline = clock_monotonic_ns() + DP_CLIENT_TIMEOUT_MS * NS_PER_MS;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		uint64_t now = clock_monotonic_ns();
		int left_ms = now < deadline ? (int)((deadline - now) / NS_PER_MS) + 1 : 0;
		int n = poll(&p, 1, left_ms);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (left_ms == 0)
			return -ETIMEDOUT;
	}
}

/* 0, -EAGAIN or -errno. */
static int send_datagram(
	int fd, const uint8_t header[DP_HEADER_LEN], const void *payload, size_t len, int file)
{
	struct iovec iov[2] = {
		{.iov_base = (void *)header, .iov_len = DP_HEADER_LEN},
		{.iov_base = (void *)payload, .iov_len = len},
	};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = 2};
	struct cmsghdr *c;

	if (file >= 0) {
		m.msg_control = &control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &file, sizeof(int));
	}
	while (sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Reads one datagram into rx and checks it. 0, -EAGAIN, or a broken connection. */
static int read_message(struct dp_client *c, struct dp_header *ret_header)
{
	const char *reason = "wrong frame";
	struct dp_header h;
	ssize_t n;
	int r;

	do {
		n = recv(c->fd, c->rx, sizeof(c->rx), MSG_DONTWAIT | MSG_TRUNC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n < 0)
		return fail_connection(c, -errno, "receive failed");
	if (n == 0)
		return fail_connection(c, -ECONNRESET, "closed by the dataplane");
	r = dp_header_decode(c->rx, (size_t)n, &h);
	if (r == 0)
		r = dp_reply_check(&h, c->rx + DP_HEADER_LEN, &reason);
	if (r < 0)
		return fail_connection(c, -EBADMSG, reason);
	*ret_header = h;
	return 0;
}

int dp_client_send(struct dp_client *client, enum dp_msg_type type, const void *payload, size_t len,
	int fd, uint32_t *ret_request_id)
{
	struct dp_header h = {.type = (uint16_t)type, .payload_len = (uint32_t)len};
	const struct dp_msg_rule *rule = dp_msg_rule_find(h.type);
	uint8_t header[DP_HEADER_LEN];
	const char *reason;
	int r;

	if (client->broken)
		return -ENOTCONN;
	if (client->subscribed)
		return -EBUSY;
	if (client->in_flight == DP_CLIENT_WINDOW)
		return -EAGAIN;
	r = len <= DP_PAYLOAD_MAX ? dp_request_check(&h, payload, fd >= 0 ? 1 : 0, &reason)
				  : -EMSGSIZE;
	if (r < 0) {
		set_error(client, "%s: %s", rule != NULL ? rule->name : "request",
			r == -EMSGSIZE ? "too long" : reason);
		return r;
	}
	h.request_id = ++client->last_id;
	dp_header_encode(&h, header);
	while ((r = send_datagram(client->fd, header, payload, len, fd)) == -EAGAIN) {
		r = wait_for(client->fd, POLLOUT);
		if (r < 0)
			return fail_connection(client, r, "the dataplane does not read");
	}
	if (r < 0)
		return fail_connection(client, r, "send failed");
	client->window[(client->oldest + client->in_flight) % DP_CLIENT_WINDOW] =
		(struct request){.id = h.request_id, .type = h.type};
	client->in_flight++;
	if (ret_request_id != NULL)
		*ret_request_id = h.request_id;
	return 0;
}

int dp_client_receive(struct dp_client *client, struct dp_reply *ret_reply)
{
	struct request asked = client->window[client->oldest];
	struct dp_header h = {0};
	int r;

	if (client->broken)
		return -ENOTCONN;
	if (client->in_flight == 0)
		return -ENODATA;
	while ((r = read_message(client, &h)) == -EAGAIN) {
		r = wait_for(client->fd, POLLIN);
		if (r < 0)
			return fail_connection(client, r, "no answer");
	}
	if (r < 0)
		return r;
	if (h.request_id != asked.id || h.type != asked.type)
		return fail_connection(client, -EBADMSG, "answer to something not asked");
	if (h.status < 0) {
		set_error(client, "%s: %.*s", dp_msg_rule_find(h.type)->name, (int)h.payload_len,
			(const char *)client->rx + DP_HEADER_LEN);
	}
	if ((h.flags & DP_FLAG_DONE) != 0) {
		client->oldest = (client->oldest + 1) % DP_CLIENT_WINDOW;
		client->in_flight--;
	}
	*ret_reply = (struct dp_reply){
		.request_id = h.request_id,
		.type = h.type,
		.status = h.status,
		.done = (h.flags & DP_FLAG_DONE) != 0,
		.payload = client->rx + DP_HEADER_LEN,
		.len = h.payload_len,
	};
	return 0;
}

int dp_client_call(struct dp_client *client, enum dp_msg_type type, const void *payload, size_t len,
	int fd, struct dp_reply *ret_reply)
{
	const struct dp_msg_rule *rule = dp_msg_rule_find((uint16_t)type);
	struct dp_reply reply = {0};
	int r;

	if (client->broken)
		return -ENOTCONN;
	if (client->in_flight > 0)
		return -EBUSY;
	if (rule == NULL || rule->is_list)
		return -EINVAL;
	r = dp_client_send(client, type, payload, len, fd, NULL);
	if (r < 0)
		return r;
	r = dp_client_receive(client, &reply);
	if (r < 0)
		return r;
	if (reply.status < 0)
		return reply.status;
	if (ret_reply != NULL)
		*ret_reply = reply;
	return 0;
}

int dp_client_list(struct dp_client *client, enum dp_msg_type type, const void *payload, size_t len,
	dp_list_fn object, void *ctx)
{
	const struct dp_msg_rule *rule = dp_msg_rule_find((uint16_t)type);
	struct dp_reply reply = {0};
	int stopped = 0;
	int r;

	if (client->broken)
		return -ENOTCONN;
	if (client->in_flight > 0)
		return -EBUSY;
	if (rule == NULL || !rule->is_list)
		return -EINVAL;
	r = dp_client_send(client, type, payload, len, -1, NULL);
	if (r < 0)
		return r;
	for (;;) {
		r = dp_client_receive(client, &reply);
		if (r < 0)
			return r;
		if (reply.done)
			return reply.status < 0 ? reply.status : stopped;
		if (stopped == 0)
			stopped = object(ctx, reply.payload, reply.len);
	}
}

static int say_hello(struct dp_client *c)
{
	struct dp_hello hello = {.version = DP_API_VERSION, .pid = (uint32_t)getpid()};
	struct dp_reply reply = {0};
	int r = dp_client_call(c, DP_MSG_HELLO, &hello, sizeof(hello), -1, &reply);

	if (r < 0)
		return r;
	memcpy(&hello, reply.payload, sizeof(hello));
	if (hello.version != DP_API_VERSION)
		return -EPROTONOSUPPORT;
	c->boot_id = hello.boot_id;
	c->pid = hello.pid;
	return 0;
}

int dp_client_open_fd(int fd, struct dp_client **ret_client)
{
	struct dp_client *c = calloc(1, sizeof(*c));
	int r;

	if (c == NULL) {
		(void)close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	r = say_hello(c);
	if (r < 0) {
		dp_client_free(c);
		return r;
	}
	*ret_client = c;
	return 0;
}

int dp_client_open(const char *path, struct dp_client **ret_client)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return dp_client_open_fd(fd, ret_client);
}

void dp_client_free(struct dp_client *client)
{
	if (client == NULL)
		return;
	(void)close(client->fd);
	free(client);
}

int dp_client_subscribe(struct dp_client *client)
{
	int r = dp_client_call(client, DP_MSG_EVENT_SUBSCRIBE, NULL, 0, -1, NULL);

	if (r == 0)
		client->subscribed = true;
	return r;
}

int dp_client_event(struct dp_client *client, struct dp_event *ret_event)
{
	struct dp_header h = {0};
	int r;

	if (client->broken)
		return -ENOTCONN;
	if (!client->subscribed)
		return -EINVAL;
	r = read_message(client, &h);
	if (r < 0)
		return r;
	if (h.type != DP_MSG_EVENT)
		return fail_connection(client, -EBADMSG, "answer to something not asked");
	memcpy(ret_event, client->rx + DP_HEADER_LEN, sizeof(*ret_event));
	return 0;
}

const struct uuid *dp_client_boot_id(const struct dp_client *client)
{
	return &client->boot_id;
}

uint32_t dp_client_pid(const struct dp_client *client)
{
	return client->pid;
}

bool dp_client_is_broken(const struct dp_client *client)
{
	return client->broken;
}

const char *dp_client_error(const struct dp_client *client)
{
	return client->error;
}

int dp_client_fd(const struct dp_client *client)
{
	return client->fd;
}

unsigned int dp_client_in_flight(const struct dp_client *client)
{
	return client->in_flight;
}
