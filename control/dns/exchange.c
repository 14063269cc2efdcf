// SPDX-License-Identifier: Apache-2.0
/*
 * TCP only: every server of RFC 2136 takes it, a message of any size passes, nobody off the path
 * can answer, and what was given up is not sent again by somebody else.
 */
#include "control/dns/exchange.h"

#include "dataplane/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream {
	int fd, ends_fd;
	uint64_t until_ns;
};

/* 0, -ETIMEDOUT, -ECANCELED. */
static int wait_for(const struct stream *s, short events)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = s->fd, .events = events}, {.fd = s->ends_fd, .events = POLLIN}};
		uint64_t now = clock_monotonic_ns();
		if (now >= s->until_ns)
			return -ETIMEDOUT;
		int n = poll(fds, 2, (int)((s->until_ns - now) / NS_PER_MS) + 1);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && fds[1].revents != 0)
			return -ECANCELED;
		if (n > 0)
			return 0;
	}
}

static int open_stream(const struct ip_endpoint *server, struct stream *s)
{
	const struct sockaddr_in v4 = {
		.sin_family = AF_INET,
		.sin_port = htons(server->port),
		.sin_addr.s_addr = ip_addr_v4(&server->addr),
	};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(server->port)};
	memcpy(&v6.sin6_addr, server->addr.bytes, sizeof(v6.sin6_addr));
	bool is_v4 = ip_addr_is_v4(&server->addr);
	s->fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	int rc = is_v4 ? connect(s->fd, (const struct sockaddr *)&v4, sizeof(v4))
		       : connect(s->fd, (const struct sockaddr *)&v6, sizeof(v6));
	if (rc == 0 || errno != EINPROGRESS)
		return rc == 0 ? 0 : -errno;
	rc = wait_for(s, POLLOUT);
	if (rc == -ETIMEDOUT)
		return -EHOSTUNREACH; /* nobody was there to answer */
	int error = 0;
	socklen_t size = sizeof(error);
	if (rc == 0 && getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		rc = -errno;
	return rc < 0 ? rc : -error;
}

static int write_all(const struct stream *s, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(s->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -EPROTO;
		int rc = n < 0 ? wait_for(s, POLLOUT) : 0;
		if (rc < 0)
			return rc;
		data += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
	return 0;
}

static int read_all(const struct stream *s, uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = recv(s->fd, data, len, 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			return -EPROTO;
		int rc = n < 0 ? wait_for(s, POLLIN) : 0;
		if (rc < 0)
			return rc;
		data += n < 0 ? 0 : n;
		len -= n < 0 ? 0 : (size_t)n;
	}
	return 0;
}

static ssize_t talk(
	const struct stream *s, const uint8_t *message, size_t len, uint8_t answer[DNS_ANSWER_MAX])
{
	uint8_t length[2] = {0};
	uint8_t *framed = malloc(sizeof(length) + len);
	if (framed == NULL || len > UINT16_MAX) {
		free(framed);
		return framed == NULL ? -ENOMEM : -EMSGSIZE;
	}
	framed[0] = (uint8_t)(len >> 8);
	framed[1] = (uint8_t)len;
	memcpy(framed + sizeof(length), message, len);
	int rc = write_all(s, framed, sizeof(length) + len);
	free(framed);
	if (rc == 0)
		rc = read_all(s, length, sizeof(length));
	size_t size = (size_t)length[0] << 8 | length[1];
	if (rc == 0 && size > DNS_ANSWER_MAX)
		rc = -EPROTO;
	if (rc == 0)
		rc = read_all(s, answer, size);
	return rc == 0 ? (ssize_t)size : rc;
}

ssize_t dns_exchange(const struct ip_endpoint *server, int ends_fd, const uint8_t *message,
	size_t len, uint8_t answer[DNS_ANSWER_MAX])
{
	uint64_t now = clock_monotonic_ns();
	struct stream s = {.ends_fd = ends_fd, .until_ns = now + DNS_CONNECT_MS * NS_PER_MS};
	ssize_t rc = open_stream(server, &s);
	s.until_ns = now + DNS_EXCHANGE_MS * NS_PER_MS;
	if (rc == 0)
		rc = talk(&s, message, len, answer);
	if (s.fd >= 0)
		(void)close(s.fd);
	return rc;
}
