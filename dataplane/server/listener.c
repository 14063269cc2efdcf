// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/listener.h"

#include "dataplane/api/listener.h"
#include "dataplane/keying/keying.h"
#include "dataplane/keying/listener.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/server/sync.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

static_assert((int)DP_WRAP_NONE == (int)WRAP_NONE && (int)DP_WRAP_TLS_AUTH == (int)WRAP_TLS_AUTH
	&& (int)DP_WRAP_TLS_CRYPT == (int)WRAP_TLS_CRYPT
	&& (int)DP_WRAP_TLS_CRYPT_V2 == (int)WRAP_TLS_CRYPT_V2);
static_assert((int)DP_DIGEST_SHA1 == (int)WRAP_SHA1 && (int)DP_DIGEST_SHA256 == (int)WRAP_SHA256
	&& (int)DP_DIGEST_SHA512 == (int)WRAP_SHA512);
static_assert((int)DP_TLS_1_0 == (int)TLS_VERSION_1_0 && (int)DP_TLS_1_2 == (int)TLS_VERSION_1_2
	&& (int)DP_TLS_1_3 == (int)TLS_VERSION_1_3);

/* By enum dp_cipher. */
static const char *const cipher_names[DP_CIPHER__COUNT] = {
	[DP_CIPHER_AES_256_GCM] = "AES-256-GCM",
	[DP_CIPHER_AES_192_GCM] = "AES-192-GCM",
	[DP_CIPHER_AES_128_GCM] = "AES-128-GCM",
	[DP_CIPHER_CHACHA20_POLY1305] = "CHACHA20-POLY1305",
	[DP_CIPHER_AES_256_CBC] = "AES-256-CBC",
	[DP_CIPHER_AES_192_CBC] = "AES-192-CBC",
	[DP_CIPHER_AES_128_CBC] = "AES-128-CBC",
};

static struct cipher_policy policy_of(const uint8_t cipher[DP_CIPHERS_MAX])
{
	struct cipher_policy policy = {.digest_count = DATA_DIGEST_COUNT};
	for (unsigned int n = 0; n < DATA_DIGEST_COUNT; n++)
		policy.digests[n] = &data_digests[n];
	for (unsigned int n = 0; n < DP_CIPHERS_MAX && cipher[n] != DP_CIPHER_NONE; n++) {
		const char *name = cipher_names[cipher[n]];
		policy.ciphers[policy.cipher_count++] = data_cipher_find(name, strlen(name));
	}
	return policy;
}

static int refuse(struct request *q, const struct dp_listener_set *m, int error, const char *what)
{
	char id[UUID_TEXT];
	(void)uuid_format(&m->id, id);
	if (error == -EADDRINUSE)
		return request_refuse(q, error, "listener %s: port %u is taken", id, m->port);
	if (error == -EBUSY)
		return request_refuse(
			q, error, "listener %s: instance, transport and port cannot change", id);
	if (what != NULL)
		return request_refuse(
			q, -EKEYREJECTED, "listener %s: its %s cannot be used", id, what);
	return request_refuse(q, error, "listener %s: %s", id, strerrordesc_np(-error));
}

/* The texts follow one another in pem. */
static int make(const struct dp_listener_set *m, const struct instance *i,
	struct keying_listener **ret, const char **ret_what)
{
	struct keying_listener_settings s = {
		.id = m->id,
		.port = m->port,
		.is_tcp = m->transport == DP_TRANSPORT_TCP,
		.requires_certificate = (m->flags & DP_LISTENER_CERTIFICATE) != 0,
		.requires_password = (m->flags & DP_LISTENER_PASSWORD) != 0,
		.wrap = (enum wrap_mode)m->wrap,
		.digest = (enum wrap_digest)m->wrap_digest,
		.tls = {.ca = m->pem,
			.certificate = m->pem + m->ca_len,
			.private_key = m->pem + m->ca_len + m->certificate_len,
			.min = (enum tls_version)m->tls_minimum,
			.security_level = m->security_level},
		.ciphers = policy_of(m->cipher),
		.renegotiate_s = m->renegotiate_s,
		.tun_mtu = atomic_load_explicit(&i->mtu, memory_order_relaxed),
	};
	static_assert(sizeof(s.wrap_key.bytes) == sizeof(m->wrap_key));
	memcpy(s.wrap_key.bytes, m->wrap_key, sizeof(m->wrap_key));
	int err = keying_listener_new(&s, ret, ret_what);
	static_key_wipe(&s.wrap_key);
	return err;
}

static int set_listener(struct request *q, const struct dp_listener_set *m)
{
	struct server *s = q->server;
	struct instance *i = instance_find(s->tables, &m->instance);
	struct listener *l = listener_find(s->tables, &m->id);
	struct keying_listener *made;
	const char *what = NULL;
	if (l != NULL)
		sync_name(q, &l->sync_stamp);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &m->instance);
	int err = make(m, i, &made, &what);
	if (err != 0)
		return refuse(q, m, err, what);
	struct listener settings = {.id = m->id,
		.instance = i,
		.port = m->port,
		.is_tcp = m->transport == DP_TRANSPORT_TCP,
		.wrap = m->wrap};
	bool created = l == NULL;
	err = listener_set(s->tables, &settings, &l);
	if (err != 0) {
		keying_listener_free(made);
		return refuse(q, m, err, NULL);
	}
	sync_name(q, &l->sync_stamp);
	err = keying_listener_set(s->keying, i, made);
	if (err != 0 && created)
		listener_del(s->tables, l);
	return err != 0 ? refuse(q, m, err, NULL) : 0;
}

int serve_listener_set(struct request *q)
{
	struct dp_listener_set m = {0};
	memcpy(&m, q->payload, q->header.payload_len);
	int err = set_listener(q, &m);
	explicit_bzero(&m, sizeof(m));
	return err;
}

int server_remove_listener(struct server *s, struct listener *l)
{
	int err = keying_listener_del(s->keying, l->instance, &l->id);
	if (err == 0)
		listener_del(s->tables, l);
	return err;
}

int serve_listener_del(struct request *q)
{
	struct dp_listener_del m;
	memcpy(&m, q->payload, sizeof(m));
	struct listener *l = listener_find(q->server->tables, &m.id);
	return l != NULL ? server_remove_listener(q->server, l) : 0;
}

static bool is_listening_stream(int fd)
{
	int type = 0, listens = 0;
	socklen_t len = sizeof(type);
	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM
		&& getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 && listens == 1;
}

int serve_listener_socket_set(struct request *q)
{
	struct dp_listener_socket_set m;
	memcpy(&m, q->payload, sizeof(m));
	struct listener *l = listener_find(q->server->tables, &m.id);
	if (l == NULL)
		return request_refuse_unknown(q, "listener", &m.id);
	if (!l->is_tcp)
		return request_refuse(q, -EINVAL, "port %u: the listener is not of TCP", l->port);
	if (!is_listening_stream(q->file) || fcntl(q->file, F_SETFL, O_NONBLOCK) != 0)
		return request_refuse(
			q, -EINVAL, "port %u: the file is no listening stream socket", l->port);
	int fd = q->file;
	q->file = -1;
	int err = keying_listener_socket_set(q->server->keying, l->instance, &l->id, fd);
	l->has_socket = l->has_socket || err == 0;
	return err != 0 ? request_refuse(q, err, "port %u: %s", l->port, strerrordesc_np(-err)) : 0;
}

int serve_listener_list(struct request *q)
{
	keying_settle(q->server->keying);
	for (const struct instance *i = q->server->tables->instances; i != NULL; i = i->next) {
		for (const struct listener *l = i->listeners; l != NULL; l = l->next) {
			struct dp_listener m = {
				.id = l->id,
				.instance = i->id,
				.sessions = keying_listener_sessions(i, &l->id),
				.port = l->port,
				.transport = l->is_tcp ? DP_TRANSPORT_TCP : DP_TRANSPORT_UDP,
				.wrap = l->wrap,
				.has_socket = l->has_socket,
			};
			int err = request_reply_object(q, &m, sizeof(m));
			if (err != 0)
				return err;
		}
	}
	return 0;
}
