// SPDX-License-Identifier: Apache-2.0
/*
 * Streams: accepted, read in large pieces and cut into packets, written in batches. A reader that is
 * slow fills its own queue, of which the data is dropped before it is numbered; one that takes nothing
 * for half a minute is closed. Nobody waits for anybody.
 */
#include "dataplane/keying/stream.h"

#include "dataplane/base/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rte_mbuf.h>

enum {
	STREAMS_MAX = 4096,
	EVENTS = 64,
	ACCEPTS = 16, /* a listener and round */
	READS = 4, /* a stream and round */
	READ_SIZE = 65536,
	PIECES = 64, /* packets in one write */
};

#define STALL_NS (30 * NS_PER_SEC)
#define STRANGER_NS (10 * NS_PER_SEC) /* in which the first packet must come */

int keying_streams_init(struct keying *k)
{
	k->openvpn->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (k->openvpn->epoll_fd < 0)
		return -errno;
	k->openvpn->read_buffer = malloc(READ_SIZE);
	return k->openvpn->read_buffer != NULL ? 0 : -ENOMEM;
}

void keying_stream_ready(struct keying *k, struct stream *s)
{
	if (s->is_ready)
		return;
	s->is_ready = true;
	s->ready_next = k->openvpn->ready;
	k->openvpn->ready = s;
}

static void forget_ready(struct keying *k, const struct stream *s)
{
	struct stream **at = &k->openvpn->ready;
	while (*at != NULL && *at != s)
		at = &(*at)->ready_next;
	if (*at != NULL)
		*at = s->ready_next;
}

static void leave_strangers(struct keying *k, struct stream *s)
{
	if (s->is_stranger)
		keying_stranger_leave(k->openvpn, &s->remote.addr);
	s->is_stranger = false;
}

static void close_stream(struct keying *k, struct stream *s)
{
	if (s->client != NULL)
		keying_client_free(k, s->client);
	if (s->is_ready)
		forget_ready(k, s);
	leave_strangers(k, s);
	k->openvpn->queued -= s->count;
	for (; s->count > 0; s->count--, s->first++)
		rte_pktmbuf_free(s->queue[s->first % STREAM_QUEUE]);
	*s->prev = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	k->openvpn->stream_count--;
	(void)close(s->fd);
	keying_listener_unref(s->listener);
	free(s);
}

void keying_streams_fini(struct keying *k)
{
	if (k->openvpn->epoll_fd >= 0)
		(void)close(k->openvpn->epoll_fd);
	free(k->openvpn->read_buffer);
}

/* nave-node has the same socket still, so that closing ours alone would leave it in the set. */
static void close_listener_socket(struct keying *k, const struct listener_socket *ls)
{
	if (ls->fd < 0)
		return;
	(void)epoll_ctl(k->openvpn->epoll_fd, EPOLL_CTL_DEL, ls->fd, NULL);
	(void)close(ls->fd);
}

void keying_listener_socket_apply(
	struct keying *k, struct instance *i, const struct uuid *id, int fd)
{
	struct keying_instance *ki = i->keying;
	struct listener_socket *ls = NULL;
	for (ls = ki != NULL ? ki->sockets : NULL; ls != NULL; ls = ls->next) {
		if (uuid_equal(&ls->listener, id))
			break;
	}
	if (ls == NULL && ki != NULL) {
		ls = calloc(1, sizeof(*ls));
		if (ls != NULL) {
			*ls = (struct listener_socket){
				.next = ki->sockets, .instance = i, .listener = *id, .fd = -1};
			ki->sockets = ls;
		}
	}
	if (ls == NULL) {
		(void)close(fd);
		return;
	}
	close_listener_socket(k, ls);
	ls->fd = fd;
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uintptr_t)ls | 1};
	if (epoll_ctl(k->openvpn->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0)
		keying_count(k, COUNTER_DROP_NO_BUFFER);
}

void keying_listener_socket_close(
	struct keying *k, struct keying_instance *ki, const struct uuid *id)
{
	struct listener_socket **at = &ki->sockets;
	while (*at != NULL) {
		struct listener_socket *ls = *at;
		if (id != NULL && !uuid_equal(&ls->listener, id)) {
			at = &ls->next;
			continue;
		}
		*at = ls->next;
		close_listener_socket(k, ls);
		free(ls);
	}
}

static void read_address(const struct sockaddr_storage *from, struct ip_endpoint *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)from;
		ret->addr = ip_addr_from_v4((const uint8_t *)&in->sin_addr);
		ret->port = ntohs(in->sin_port);
	} else if (from->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)from;
		memcpy(ret->addr.bytes, &in->sin6_addr, sizeof(ret->addr.bytes));
		ret->port = ntohs(in->sin6_port);
	}
}

static struct stream *stream_new(struct keying *k, const struct listener_socket *ls, int fd,
	const struct ip_endpoint *remote)
{
	struct keying_listener *l = keying_listener_find(ls->instance->keying, &ls->listener);
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);
	int on = 1;
	if (l == NULL || k->openvpn->stream_count >= STREAMS_MAX
		|| !keying_stranger_enter(k->openvpn, &remote->addr))
		return NULL;
	struct stream *s = calloc(1, sizeof(*s));
	struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s};
	if (s == NULL || epoll_ctl(k->openvpn->epoll_fd, EPOLL_CTL_ADD, fd, &e) != 0) {
		keying_stranger_leave(k->openvpn, &remote->addr);
		free(s);
		return NULL;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)getsockname(fd, (struct sockaddr *)&local, &len);
	s->remote = *remote;
	s->is_stranger = true;
	read_address(&local, &s->local);
	s->fd = fd;
	s->instance = ls->instance;
	s->listener = keying_listener_ref(l);
	s->born_ns = s->progress_ns = k->now_ns;
	tcp_framer_init(&s->framer, s->packet, sizeof(s->packet));
	tcp_framer_set_cap(&s->framer, CONTROL_PACKET_MAX);
	s->next = k->openvpn->streams;
	s->prev = &k->openvpn->streams;
	if (s->next != NULL)
		s->next->prev = &s->next;
	k->openvpn->streams = s;
	k->openvpn->stream_count++;
	return s;
}

/* How many came. */
static unsigned int accept_streams(struct keying *k, const struct listener_socket *ls)
{
	unsigned int n;
	for (n = 0; n < ACCEPTS; n++) {
		struct sockaddr_storage from = {0};
		socklen_t len = sizeof(from);
		struct ip_endpoint remote;
		int fd = accept4(
			ls->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			break;
		read_address(&from, &remote);
		if (reply_limit_allows(k->openvpn->limit, &remote.addr, k->now_ns)
			&& stream_new(k, ls, fd, &remote) != NULL) {
			keying_count(k, COUNTER_OVPN_STREAMS_ACCEPTED);
			continue;
		}
		keying_count(k, COUNTER_OVPN_STREAMS_REFUSED);
		(void)close(fd);
	}
	return n;
}

/* Without one afterwards it could not be. */
static void begin_client(struct keying *k, struct stream *s, const uint8_t *packet, size_t len)
{
	struct ovpn_session_begin begin = {.config = &s->listener->config};
	struct client_way way = {.instance = s->instance,
		.listener = s->listener,
		.stream = s,
		.remote = s->remote,
		.local = s->local.addr,
		.local_port = s->local.port};
	if (keying_listener_wrap(s->listener, packet, len, &begin.wrap) != 0) {
		keying_count(k, COUNTER_DROP_OVPN_UNWRAP);
		return;
	}
	leave_strangers(k, s); /* the client is one now */
	s->client = keying_client_new(k, &way, &begin);
}

/* What does not fit a stream that is not up yet ends it; TCP loses nothing by accident. */
static void receive_packet(
	struct keying *k, struct stream *s, struct stream_burst *b, uint8_t *packet, size_t len)
{
	unsigned int opcode = first_byte_opcode(packet[0]);
	if (opcode == P_DATA_V1 || opcode == P_DATA_V2) {
		keying_stream_data_receive(k, b, s, packet, len);
		return;
	}
	keying_stream_data_flush(k, b); /* the control channel may change keys */
	keying_count(k, COUNTER_OVPN_CONTROL_RECEIVED);
	if (s->client == NULL)
		begin_client(k, s, packet, len);
	struct client *c = s->client;
	if (c == NULL) {
		s->is_broken = true;
		return;
	}
	if (ovpn_session_receive(c->session, packet, len, k->now_ns) != 0) {
		keying_count(k, COUNTER_DROP_OVPN_CONTROL);
		s->is_broken = s->is_broken || !c->is_up;
	}
	keying_client_advance(k, c);
	if (s->client != NULL && s->client->is_up)
		tcp_framer_set_cap(&s->framer, sizeof(s->packet));
}

static void receive_bytes(
	struct keying *k, struct stream *s, struct stream_burst *b, const uint8_t *data, size_t len)
{
	while (len > 0 && !s->is_broken && !s->ends) {
		ssize_t n = tcp_framer_read(&s->framer, &data, &len);
		if (n < 0)
			s->is_broken = true;
		if (n <= 0)
			return;
		receive_packet(k, s, b, s->packet, (size_t)n);
	}
}

/* Edge-triggered: until the socket has nothing more (false), or its turn is over. */
static bool read_stream(struct keying *k, struct stream *s, struct stream_burst *b)
{
	for (unsigned int n = 0; n < READS && !s->is_broken && !s->ends; n++) {
		ssize_t got = read(s->fd, k->openvpn->read_buffer, READ_SIZE);
		if (got > 0) {
			receive_bytes(k, s, b, k->openvpn->read_buffer, (size_t)got);
			if (got < READ_SIZE && !s->has_hung_up)
				return false;
			continue;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN)
			return false;
		s->is_broken = true;
	}
	return !s->is_broken;
}

bool keying_stream_has_room(const struct keying *k, const struct stream *s)
{
	bool is_tight = k->openvpn->queued > STREAMS_QUEUED_MAX;
	return s->count + s->pending < (is_tight ? STREAM_QUEUE_FAIR : STREAM_QUEUE_DATA);
}

bool keying_stream_put(struct keying *k, struct stream *s, struct rte_mbuf *m)
{
	uint8_t *head = pkt_grow(m, TCP_LENGTH_LEN, 0);
	if (head == NULL || s->count == STREAM_QUEUE) {
		rte_pktmbuf_free(m);
		s->is_broken = s->is_broken || head == NULL;
		keying_stream_ready(k, s);
		return false;
	}
	write_be16(head, (uint16_t)(m->data_len - TCP_LENGTH_LEN));
	if (s->count == 0)
		s->progress_ns = k->now_ns; /* from here on it waits */
	k->openvpn->queued++;
	s->queue[(s->first + s->count++) % STREAM_QUEUE] = m;
	keying_stream_ready(k, s);
	return true;
}

static void forget_written(struct keying *k, struct stream *s, size_t written)
{
	while (s->count > 0) {
		struct rte_mbuf *m = s->queue[s->first % STREAM_QUEUE];
		size_t left = (size_t)m->data_len - s->written;
		if (written < left) {
			s->written += (uint32_t)written;
			return;
		}
		written -= left;
		s->written = 0;
		s->first++;
		s->count--;
		k->openvpn->queued--;
		rte_pktmbuf_free(m);
	}
}

static void write_stream(struct keying *k, struct stream *s)
{
	while (s->count > 0 && !s->is_broken) {
		struct iovec piece[PIECES];
		int pieces = 0;
		size_t whole = 0;
		for (uint32_t n = 0; n < s->count && n < PIECES; n++) {
			struct rte_mbuf *m = s->queue[(s->first + n) % STREAM_QUEUE];
			size_t skip = n == 0 ? s->written : 0;
			piece[pieces].iov_base = rte_pktmbuf_mtod_offset(m, uint8_t *, skip);
			piece[pieces].iov_len = m->data_len - skip;
			whole += piece[pieces++].iov_len;
		}
		ssize_t n = writev(s->fd, piece, pieces);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			s->waits = errno == EAGAIN;
			s->is_broken = !s->waits;
			return;
		}
		s->progress_ns = k->now_ns;
		forget_written(k, s, (size_t)n);
		if ((size_t)n < whole) {
			s->waits = true;
			return;
		}
	}
	s->waits = false;
	s->progress_ns = k->now_ns;
}

void keying_streams_close(struct keying *k, const struct instance *i, const struct uuid *listener)
{
	struct stream *next;
	for (struct stream *s = k->openvpn->streams; s != NULL; s = next) {
		next = s->next;
		if ((i != NULL && s->instance != i)
			|| (listener != NULL && !uuid_equal(&s->listener->id, listener)))
			continue;
		write_stream(k, s); /* RESTART may wait in it */
		close_stream(k, s);
	}
}

/* How many events led to something: a socket that cannot be accepted, for want of descriptors, does not. */
static unsigned int obey_events(struct keying *k)
{
	struct epoll_event event[EVENTS];
	unsigned int done = 0;
	int n = epoll_wait(k->openvpn->epoll_fd, event, EVENTS, 0);
	for (int i = 0; i < n; i++) {
		if ((event[i].data.u64 & 1) != 0) {
			done += accept_streams(k,
				(const struct listener_socket *)(uintptr_t)( // NOLINT
					event[i].data.u64 - 1));
			continue;
		}
		struct stream *s = event[i].data.ptr;
		if ((event[i].events & EPOLLOUT) != 0)
			s->waits = false;
		if ((event[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
			s->has_hung_up = true;
		s->is_readable = true;
		keying_stream_ready(k, s);
		done++;
	}
	return done;
}

static bool is_stalled(const struct keying *k, const struct stream *s)
{
	if (s->is_stranger)
		return k->now_ns - s->born_ns > STRANGER_NS;
	return s->count > 0 && k->now_ns - s->progress_ns > STALL_NS;
}

static void look_for_stalled(struct keying *k)
{
	if (k->now_ns - k->openvpn->stalls_looked_ns < NS_PER_SEC)
		return;
	k->openvpn->stalls_looked_ns = k->now_ns;
	struct stream *next;
	for (struct stream *s = k->openvpn->streams; s != NULL; s = next) {
		next = s->next;
		if (!is_stalled(k, s))
			continue;
		keying_count(k, COUNTER_OVPN_STREAMS_STALLED);
		close_stream(k, s);
	}
}

static void serve_stream(struct keying *k, struct stream *s, struct stream_burst *b)
{
	if (s->is_readable)
		s->is_readable = read_stream(k, s, b);
	keying_stream_data_flush(k, b);
	if (s->count > 0 && !s->waits)
		write_stream(k, s);
	s->is_broken = s->is_broken || s->ends;
	if (s->is_readable || (s->count > 0 && !s->waits))
		keying_stream_ready(k, s); /* its turn was over: the others first */
}

unsigned int keying_streams_run(struct keying *k)
{
	struct keying_openvpn *o = k->openvpn;
	struct stream_burst b;
	b.count = 0;
	unsigned int done = obey_events(k) + keying_stream_data_send(k);
	struct stream *s = o->ready;
	o->ready = NULL;
	while (s != NULL) {
		struct stream *next = s->ready_next;
		s->is_ready = false;
		if (!s->is_broken)
			serve_stream(k, s, &b);
		if (s->is_broken)
			close_stream(k, s);
		s = next;
		done++;
	}
	look_for_stalled(k); /* last: what came in time counts */
	return done;
}
