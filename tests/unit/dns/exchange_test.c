// SPDX-License-Identifier: Apache-2.0
/* Servers that are not there, say nothing, say too much, or hang up. */
#include "control/dns/exchange.h"

#include "dataplane/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
	int fd;
	struct ip_endpoint at;
	pthread_t thread;
	const uint8_t *says; /* behind the question; then it hangs up */
	size_t len;
	uint8_t heard[64];
	ssize_t heard_len;
};

static void listen_on_loopback(struct server *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)};
	socklen_t size = sizeof(sin);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->fd >= 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->fd, 4), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&sin, &size), 0);
	assert_int_equal(ip_addr_parse("127.0.0.1", &s->at.addr), 0);
	s->at.port = ntohs(sin.sin_port);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->fd, NULL, NULL);
	s->heard_len = recv(fd, s->heard, sizeof(s->heard), 0);
	/* in two pieces: a message need not come whole */
	if (s->len > 0) {
		(void)send(fd, s->says, 1, MSG_NOSIGNAL);
		(void)usleep(20000);
		(void)send(fd, s->says + 1, s->len - 1, MSG_NOSIGNAL);
	}
	(void)close(fd);
	return NULL;
}

static ssize_t ask(struct server *s, const void *says, size_t len, uint8_t *answer)
{
	s->says = says;
	s->len = len;
	listen_on_loopback(s);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	ssize_t rc = dns_exchange(&s->at, -1, (const uint8_t *)"abc", 3, answer);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	(void)close(s->fd);
	return rc;
}

static void messages_are_framed(void **)
{
	struct server s;
	uint8_t answer[DNS_ANSWER_MAX];
	assert_int_equal(ask(&s, "\0\5hello", 7, answer), 5);
	assert_memory_equal(answer, "hello", 5);
	assert_int_equal(s.heard_len, 5);
	assert_memory_equal(s.heard, "\0\3abc", 5);
}

static void half_an_answer_is_none(void **)
{
	struct server s;
	uint8_t answer[DNS_ANSWER_MAX];
	assert_int_equal(ask(&s, "", 0, answer), -EPROTO);
	assert_int_equal(ask(&s, "\0\5hell", 6, answer), -EPROTO);
	assert_int_equal(ask(&s, "\xff\xff too much", 11, answer), -EPROTO);
}

static void nobody_is_there(void **)
{
	struct server s;
	uint8_t answer[DNS_ANSWER_MAX];
	listen_on_loopback(&s);
	(void)close(s.fd);
	assert_int_equal(dns_exchange(&s.at, -1, (const uint8_t *)"abc", 3, answer), -ECONNREFUSED);
}

static void *end_soon(void *arg)
{
	(void)usleep(200000);
	(void)eventfd_write(*(int *)arg, 1);
	return NULL;
}

static void silence_has_an_end(void **)
{
	struct server s;
	pthread_t thread;
	uint8_t answer[DNS_ANSWER_MAX];
	int ends = eventfd(0, EFD_CLOEXEC);
	listen_on_loopback(&s); /* the kernel takes the connection, nobody reads */
	uint64_t began = clock_monotonic_ns();
	assert_int_equal(dns_exchange(&s.at, ends, (const uint8_t *)"abc", 3, answer), -ETIMEDOUT);
	assert_in_range((clock_monotonic_ns() - began) / NS_PER_MS, DNS_EXCHANGE_MS - 100,
		DNS_EXCHANGE_MS + 2000);
	assert_int_equal(pthread_create(&thread, NULL, end_soon, &ends), 0);
	began = clock_monotonic_ns();
	assert_int_equal(dns_exchange(&s.at, ends, (const uint8_t *)"abc", 3, answer), -ECANCELED);
	assert_true((clock_monotonic_ns() - began) / NS_PER_MS < 2000);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(ends);
	(void)close(s.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_are_framed),
		cmocka_unit_test(half_an_answer_is_none),
		cmocka_unit_test(nobody_is_there),
		cmocka_unit_test(silence_has_an_end),
	};
	return cmocka_run_group_tests_name("dns/exchange", tests, NULL, NULL);
}
