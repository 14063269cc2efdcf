// SPDX-License-Identifier: Apache-2.0
/*
 * Listening and talking HTTP, by libmicrohttpd: one daemon for the loopback address, one for the
 * unix socket, one with TLS, each with a small pool of threads. A request is made when its first line is there
 * (log_target), gets its head checked, its body collected, is answered by api.c, and freed when
 * the library is done with it (end_request). Nothing here knows what a request means.
 *
 * Clients that dribble: the library cuts a connection after 10 s without a byte; the watch thread
 * cuts one that takes longer than 30 s to send a request or to take its answer.
 */
#include "control/http/server.h"

#include "control/config.h"
#include "control/http/api.h"
#include "control/http/event_stream.h"
#include "control/http/limits.h"
#include "control/http/problem.h"
#include "control/http/request.h"
#include "control/http/tls.h"
#include "control/http/wait.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	THREADS_A_LISTENER = 4,
	STREAM_BLOCK_BYTES = 4096,
	BODY_DROPPED_MAX_BYTES = 4 << 20, /* read and thrown away before the connection is cut */
	LISTENERS = 3,
	WATCHED_MAX = LISTENERS * HTTP_CONNECTIONS_MAX,
};

/* One connection that is being watched. Its slot is its address in http_server.watched. */
struct watched {
	int fd; /* -1: free slot */
	uint64_t busy_since_ns; /* when it began to read or write a message; 0: it waits for us */
};

struct listener {
	struct http_server *server;
	struct MHD_Daemon *daemon;
	bool is_local;
};

struct http_server {
	struct api *api;
	struct listener tcp;
	struct listener local;
	struct listener public; /* with TLS; not there when no certificate is configured */
	struct tls *tls;
	char socket_path[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	pthread_mutex_t lock; /* watched, ends */
	pthread_cond_t changed;
	pthread_t watch_thread;
	bool has_watch_thread;
	bool ends;
	struct watched watched[WATCHED_MAX];
};

static void watch_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = cls;
	(void)pthread_mutex_lock(&server->lock);
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		struct watched *w = *socket_context;
		if (w != NULL)
			w->fd = -1;
		*socket_context = NULL;
		(void)pthread_mutex_unlock(&server->lock);
		return;
	}
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	for (size_t i = 0; info != NULL && i < WATCHED_MAX; i++) {
		struct watched *w = &server->watched[i];
		if (w->fd != -1)
			continue;
		*w = (struct watched){info->connect_fd, clock_monotonic_ns()};
		*socket_context = w;
		break;
	}
	(void)pthread_mutex_unlock(&server->lock);
}

static void set_busy(
	struct http_server *server, struct MHD_Connection *connection, uint64_t since_ns)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct watched *w = info != NULL ? info->socket_context : NULL;
	if (w == NULL)
		return;
	(void)pthread_mutex_lock(&server->lock);
	w->busy_since_ns = since_ns;
	(void)pthread_mutex_unlock(&server->lock);
}

static void *run_watch(void *arg)
{
	struct http_server *server = arg;
	(void)pthread_mutex_lock(&server->lock);
	while (!server->ends) {
		uint64_t now = clock_monotonic_ns();
		for (size_t i = 0; i < WATCHED_MAX; i++) {
			struct watched *w = &server->watched[i];
			if (w->fd == -1 || w->busy_since_ns == 0
				|| now - w->busy_since_ns < HTTP_REQUEST_TIMEOUT_S * NS_PER_SEC)
				continue;
			/* The library sees the end of the stream and closes: the fd stays its own. */
			(void)shutdown(w->fd, SHUT_RDWR);
			w->busy_since_ns = 0;
		}
		(void)pthread_mutex_unlock(&server->lock);
		if (server->tls != NULL)
			tls_follow(server->tls);
		(void)pthread_mutex_lock(&server->lock);
		struct timespec at = {.tv_sec = (time_t)(now / NS_PER_SEC) + 2};
		if (!server->ends)
			(void)pthread_cond_timedwait(&server->changed, &server->lock, &at);
	}
	(void)pthread_mutex_unlock(&server->lock);
	return NULL;
}

static void *log_target(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct listener *listener = cls;
	struct request *rq = request_new(listener->server->api, uri);
	if (rq == NULL)
		return NULL;
	rq->is_local = listener->is_local;
	set_busy(listener->server, connection, clock_monotonic_ns());
	if (!listener->is_local)
		return rq;
	struct ucred peer;
	socklen_t len = sizeof(peer);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		rq->peer_uid = peer.uid;
	else
		rq->is_local = false;
	return rq;
}

static void end_request(void *cls, struct MHD_Connection *connection, void **con_cls,
	enum MHD_RequestTerminationCode code)
{
	struct listener *listener = cls;
	set_busy(listener->server, connection, clock_monotonic_ns());
	request_free(*con_cls);
	*con_cls = NULL;
}

/* The path is decoded by query.c, strictly; the library shall leave it alone. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
	return strlen(text);
}

static enum MHD_Result note_header(
	void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request_headers *h = cls;
	const struct {
		const char *name;
		const char **place;
	} known[] = {
		{"Authorization", &h->authorization},
		{"Content-Type", &h->content_type},
		{"If-Match", &h->if_match},
		{"Idempotency-Key", &h->idempotency_key},
		{"Expect", &h->expect},
		{"Transfer-Encoding", &h->transfer_encoding},
		{"Content-Length", &h->content_length},
		{"Host", &h->host},
		{"Last-Event-ID", &h->last_event_id},
		{"Cookie", &h->cookie},
	};
	if (value == NULL)
		value = "";
	h->count++;
	h->bytes += strlen(name) + strlen(value) + 4;
	for (const char *c = value; *c != '\0'; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			h->is_unclean = true;
	if (h->accept == NULL && strcasecmp(name, "Accept") == 0)
		h->accept = value; /* a list: it may be there twice */
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(known[i].name, name) != 0)
			continue;
		if (*known[i].place != NULL)
			h->is_repeated = true;
		*known[i].place = value;
	}
	return MHD_YES;
}

static bool is_stream(const struct request *rq)
{
	return rq->stream != NULL && !rq->rs.is_problem;
}

struct streaming {
	struct event_stream *stream; /* borrowed: the request's */
	struct MHD_Connection *connection;
};

static ssize_t read_stream(void *cls, uint64_t pos, char *buf, size_t max)
{
	const struct streaming *s = cls;
	return event_stream_read(s->stream, s->connection, buf, max);
}

/* NULL without memory. */
static struct MHD_Response *make_stream(struct request *rq, struct MHD_Connection *connection)
{
	struct streaming *s = malloc(sizeof(*s));
	if (s == NULL)
		return NULL;
	*s = (struct streaming){rq->stream, connection};
	rq->rs.content_type = "text/event-stream";
	struct MHD_Response *out = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, s, free);
	if (out == NULL)
		free(s);
	return out;
}

static enum MHD_Result send_response(struct request *rq, struct MHD_Connection *connection)
{
	struct response *rs = &rq->rs;
	api_request_end(rq);
	struct MHD_Response *out = is_stream(rq)
		? make_stream(rq, connection)
		: MHD_create_response_from_buffer(rs->text_len, rs->text, MHD_RESPMEM_MUST_COPY);
	if (out == NULL)
		return MHD_NO;
	bool ok = MHD_add_response_header(out, "Request-Id", rq->request_id) == MHD_YES
		&& MHD_add_response_header(out, "Cache-Control", "no-store") == MHD_YES
		&& MHD_add_response_header(out, "X-Content-Type-Options", "nosniff") == MHD_YES;
	if (ok && (rs->text != NULL || is_stream(rq)))
		ok = MHD_add_response_header(out, "Content-Type", rs->content_type) == MHD_YES;
	for (size_t i = 0; ok && i < rs->header_count; i++)
		ok = MHD_add_response_header(out, rs->headers[i].name, rs->headers[i].value)
			== MHD_YES;
	if (ok && rs->close)
		ok = MHD_add_response_header(out, "Connection", "close") == MHD_YES;
	enum MHD_Result sent = ok ? MHD_queue_response(connection, rs->status, out) : MHD_NO;
	MHD_destroy_response(out);
	return sent;
}

/* The head is complete, the body is not: what can be refused now is refused now. */
static enum MHD_Result begin_request(struct request *rq, struct MHD_Connection *connection,
	const char *method, const char *version)
{
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, note_header, &rq->headers);
	rq->is_http_1_0 = strcmp(version, "HTTP/1.0") == 0;
	(void)snprintf(rq->method, sizeof(rq->method), "%s", method);
	if (!request_check_headers(rq))
		return send_response(rq, connection);
	api_request_begin(rq);
	return MHD_YES;
}

/*
 * false: it can't wait, and is answered. News came meanwhile: look once more. Or too many wait: an
 * empty answer would only be asked for again at once.
 */
static bool begin_wait(struct request *rq, struct MHD_Connection *connection)
{
	int rc = api_request_wait(rq, connection);
	if (rc == 0)
		return true;
	rq->wait_until_ns = 1;
	if (rc == -EBUSY)
		problem_set(&rq->rs, PROBLEM_UNAVAILABLE, "Too many requests wait already.");
	else
		api_request_run(rq);
	return false;
}

/* The library's signature. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result answer_request(void *cls, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
	void **con_cls)
{
	struct listener *listener = cls;
	struct request *rq = *con_cls;
	if (rq == NULL)
		return MHD_NO;
	if (rq->method[0] == '\0')
		return begin_request(rq, connection, method, version);
	if (*upload_data_size > 0) {
		request_take_body(rq, upload_data, *upload_data_size);
		*upload_data_size = 0;
		return rq->body_dropped > BODY_DROPPED_MAX_BYTES ? MHD_NO : MHD_YES;
	}
	set_busy(listener->server, connection, 0);
	api_request_run(rq);
	if (rq->rs.status == 0 && rq->wait_until_ns != 0 && begin_wait(rq, connection))
		return MHD_YES;
	/* a stream takes as long as it takes: it ends when its client takes nothing for 10 s */
	set_busy(listener->server, connection, is_stream(rq) ? 0 : clock_monotonic_ns());
	return send_response(rq, connection);
}

__attribute__((format(printf, 2, 0))) static void log_library(
	void *cls, const char *format, va_list ap)
{
	char text[256];
	(void)vsnprintf(text, sizeof(text), format, ap);
	text[strcspn(text, "\r\n")] = '\0';
	log_debug("http: %s", text);
}

/* RFC 9325: nothing below TLS 1.2, nothing that is broken. */
static const char priorities[] =
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM"
	":+CHACHA20-POLY1305:%SERVER_PRECEDENCE";

/* flags: MHD_USE_TLS or 0, and then the library does not look at the options of TLS. */
static int start_daemon(struct listener *l, int fd, unsigned int flags)
{
	l->daemon = MHD_start_daemon(flags | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG
			| MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, answer_request, l, MHD_OPTION_EXTERNAL_LOGGER, log_library, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned int)THREADS_A_LISTENER, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)HTTP_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)HTTP_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_CONNECTION_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_URI_LOG_CALLBACK, log_target, l, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED, end_request, l,
		MHD_OPTION_NOTIFY_CONNECTION, watch_connection, l->server,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_HTTPS_PRIORITIES, priorities,
		MHD_OPTION_HTTPS_CERT_CALLBACK, tls_retrieve, MHD_OPTION_END);
	if (l->daemon != NULL)
		return 0;
	(void)close(fd);
	return -EIO;
}

static int listen_tcp(const struct ip_endpoint *e)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t len;
	if (ip_addr_is_v4(&e->addr)) {
		address.v4.sin_family = AF_INET;
		address.v4.sin_port = htons(e->port);
		memcpy(&address.v4.sin_addr, e->addr.bytes + 12, 4);
		len = sizeof(address.v4);
	} else {
		address.v6.sin6_family = AF_INET6;
		address.v6.sin6_port = htons(e->port);
		memcpy(&address.v6.sin6_addr, e->addr.bytes, 16);
		len = sizeof(address.v6);
	}
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int on = 1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address.any, len) < 0 || listen(fd, 128) < 0) {
		int rc = -errno;
		(void)close(fd);
		return rc;
	}
	return fd;
}

/* The state folder's lock keeps a second daemon away: what lies at path is a dead one's. */
static int listen_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	struct stat st;
	if (len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, len + 1);
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		(void)unlink(path);
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* The umask is 077, so nobody connects before the mode is set. */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0
		|| chmod(path, 0660) < 0 || listen(fd, 128) < 0) {
		int rc = -errno;
		(void)close(fd);
		return rc;
	}
	return fd;
}

static int start_tcp(struct listener *l, const struct ip_endpoint *listen, unsigned int flags)
{
	char text[IP_ENDPOINT_TEXT];
	int fd = listen_tcp(listen);
	if (fd < 0) {
		log_error("cannot listen on %s: %s", ip_endpoint_format(listen, text),
			strerrordesc_np(-fd));
		return fd;
	}
	return start_daemon(l, fd, flags);
}

static int start_local(struct http_server *server, const char *socket_path)
{
	int fd = listen_unix(socket_path);
	if (fd < 0) {
		log_error("cannot listen on %s: %s", socket_path, strerrordesc_np(-fd));
		return fd;
	}
	memcpy(server->socket_path, socket_path, strlen(socket_path) + 1);
	return start_daemon(&server->local, fd, 0);
}

/* Nobody is answered before all that a configuration may have wrong was looked at. */
static int start_server(struct http_server *server, const struct control_config *config)
{
	int rc = config->certificate[0] != '\0'
		? tls_new(config->certificate, config->certificate_key, &server->tls)
		: 0;
	if (rc == 0)
		rc = start_local(server, config->socket);
	if (rc == 0)
		rc = start_tcp(&server->tcp, &config->listen, 0);
	if (rc == 0 && server->tls != NULL)
		rc = start_tcp(&server->public, &config->tls_listen, MHD_USE_TLS);
	if (rc == 0)
		rc = -pthread_create(&server->watch_thread, NULL, run_watch, server);
	server->has_watch_thread = rc == 0;
	return rc;
}

int http_server_new(struct api *api, const struct control_config *config, struct http_server **ret)
{
	struct http_server *server = calloc(1, sizeof(*server));
	pthread_condattr_t attr;
	if (server == NULL)
		return -ENOMEM;
	server->api = api;
	server->tcp = (struct listener){.server = server};
	server->local = (struct listener){.server = server, .is_local = true};
	server->public = (struct listener){.server = server};
	for (size_t i = 0; i < WATCHED_MAX; i++)
		server->watched[i].fd = -1;
	(void)pthread_mutex_init(&server->lock, NULL);
	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&server->changed, &attr);
	(void)pthread_condattr_destroy(&attr);
	int rc = start_server(server, config);
	if (rc < 0) {
		http_server_free(server);
		return rc;
	}
	*ret = server;
	return 0;
}

void http_server_reload(struct http_server *server)
{
	if (server->tls != NULL)
		tls_reload(server->tls);
}

void http_server_free(struct http_server *server)
{
	if (server == NULL)
		return;
	/* The library aborts when it is stopped with suspended connections. */
	api_close(server->api);
	if (server->socket_path[0] != '\0')
		(void)unlink(server->socket_path);
	if (server->tcp.daemon != NULL)
		MHD_stop_daemon(server->tcp.daemon);
	if (server->local.daemon != NULL)
		MHD_stop_daemon(server->local.daemon);
	if (server->public.daemon != NULL)
		MHD_stop_daemon(server->public.daemon);
	if (server->has_watch_thread) {
		(void)pthread_mutex_lock(&server->lock);
		server->ends = true;
		(void)pthread_cond_signal(&server->changed);
		(void)pthread_mutex_unlock(&server->lock);
		(void)pthread_join(server->watch_thread, NULL);
	}
	tls_free(server->tls);
	(void)pthread_cond_destroy(&server->changed);
	(void)pthread_mutex_destroy(&server->lock);
	free(server);
}
