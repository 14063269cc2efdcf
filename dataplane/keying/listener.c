// SPDX-License-Identifier: Apache-2.0
/*
 * A listener as keying has it: what its sessions share. Immutable: another setting makes another one,
 * and the old one lives as long as a session that began under it. Made on the server thread, so that
 * a certificate that cannot be read is refused there and then.
 */
#include "dataplane/keying/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	HAND_WINDOW_S = 60,
	TRANSITION_WINDOW_S = 3600,
};

static int wrap_key_init(struct keying_listener *l, const struct keying_listener_settings *s)
{
	l->wrap_mode = s->wrap;
	l->digest = s->digest;
	l->wrap_key = s->wrap_key;
	if (s->wrap != WRAP_TLS_CRYPT_V2)
		return wrap_init(&l->stranger,
			&(struct wrap_config){
				.mode = s->wrap,
				.digest = s->digest,
				.direction = KEY_DIRECTION_0,
				.key = &l->wrap_key,
			});
	struct tls_crypt_v2_server_key key;
	memcpy(key.bytes, s->wrap_key.bytes, sizeof(key.bytes));
	int err = tls_crypt_v2_server_init(&l->v2, &key);
	tls_crypt_v2_server_key_wipe(&key);
	if (err != 0)
		return err;
	/* a client's own key takes the place of this one */
	struct static_key none = {{0}};
	err = wrap_init(
		&l->stranger, &(struct wrap_config){.mode = WRAP_TLS_CRYPT_V2, .key = &none});
	if (err != 0)
		tls_crypt_v2_server_fini(&l->v2);
	return err;
}

int keying_listener_new(const struct keying_listener_settings *s, struct keying_listener **ret,
	const char **ret_what)
{
	if (!s->requires_certificate && !s->requires_password) {
		*ret_what = "authentication"; /* a name alone proves nothing */
		return -EINVAL;
	}
	struct keying_listener *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->references = 1;
	l->id = s->id;
	l->port = s->port;
	l->ciphers = s->ciphers;
	struct tls_config tls = s->tls;
	tls.certificate_required = s->requires_certificate;
	int err = tls_context_new(&tls, &l->tls, ret_what);
	if (err == 0) {
		err = wrap_key_init(l, s);
		if (err != 0) {
			tls_context_free(l->tls);
			*ret_what = "wrap_key";
		}
	}
	if (err != 0) {
		explicit_bzero(l, sizeof(*l));
		free(l);
		return err;
	}
	l->config = (struct ovpn_session_config){
		.tls = l->tls,
		.ciphers = &l->ciphers,
		.is_tcp = s->is_tcp,
		.requires_certificate = s->requires_certificate,
		.requires_password = s->requires_password,
		.renegotiate_s = s->renegotiate_s,
		.hand_window_s = HAND_WINDOW_S,
		.transition_window_s = TRANSITION_WINDOW_S,
		.tun_mtu = s->tun_mtu,
	};
	*ret = l;
	return 0;
}

struct keying_listener *keying_listener_ref(struct keying_listener *l)
{
	l->references++;
	return l;
}

void keying_listener_unref(struct keying_listener *l)
{
	if (l == NULL || --l->references > 0)
		return;
	keying_listener_unref(l->heir);
	wrap_fini(&l->stranger);
	if (l->wrap_mode == WRAP_TLS_CRYPT_V2)
		tls_crypt_v2_server_fini(&l->v2);
	tls_context_free(l->tls);
	explicit_bzero(l, sizeof(*l));
	free(l);
}

void keying_listener_free(struct keying_listener *l)
{
	keying_listener_unref(l);
}

struct keying_listener *keying_listener_at(
	const struct keying_instance *ki, uint16_t port, bool is_tcp)
{
	struct keying_listener *l = ki->listeners;
	while (l != NULL && (l->port != port || l->config.is_tcp != is_tcp))
		l = l->next;
	return l;
}

struct keying_listener *keying_listener_find(
	const struct keying_instance *ki, const struct uuid *id)
{
	struct keying_listener *l = ki->listeners;
	while (l != NULL && !uuid_equal(&l->id, id))
		l = l->next;
	return l;
}

/* Of tls-crypt-v2: the client's key, out of the wrapped one behind its packet. */
static int wrap_of_client(
	struct keying_listener *l, const uint8_t *wire, size_t len, struct wrap *ret)
{
	ssize_t wkc_len = tls_crypt_v2_wkc_len(wire, len);
	struct tls_crypt_v2_client client;
	if (wkc_len < 0
		|| tls_crypt_v2_unwrap(
			   &l->v2, wire + len - (size_t)wkc_len, (size_t)wkc_len, &client)
			!= 0)
		return -EBADMSG;
	int err = wrap_init(
		ret, &(struct wrap_config){.mode = WRAP_TLS_CRYPT_V2, .key = &client.key});
	tls_crypt_v2_client_wipe(&client);
	return err;
}

int keying_listener_wrap(
	struct keying_listener *l, const uint8_t *wire, size_t len, struct wrap *ret)
{
	if (l->wrap_mode == WRAP_TLS_CRYPT_V2)
		return wrap_of_client(l, wire, len, ret);
	return wrap_init(ret,
		&(struct wrap_config){
			.mode = l->wrap_mode,
			.digest = l->digest,
			.direction = KEY_DIRECTION_0,
			.key = &l->wrap_key,
		});
}

uint32_t keying_listener_sessions(const struct instance *i, const struct uuid *id)
{
	const struct keying_instance *ki = i->keying;
	const struct keying_listener *l = ki != NULL ? keying_listener_find(ki, id) : NULL;
	return l != NULL ? atomic_load_explicit(&l->sessions, memory_order_relaxed) : 0;
}

/* Out of the list, which held a reference. */
static void forget(struct keying_instance *ki, const struct uuid *id)
{
	struct keying_listener **at = &ki->listeners;
	while (*at != NULL && !uuid_equal(&(*at)->id, id))
		at = &(*at)->next;
	struct keying_listener *l = *at;
	if (l == NULL)
		return;
	*at = l->next;
	keying_listener_unref(l);
}

/* Sessions that are up show the new certificate from their next renegotiation on. */
static void inherit(struct keying_listener *old, struct keying_listener *l)
{
	if (old == l || old->heir == l)
		return;
	keying_listener_unref(old->heir);
	old->heir = keying_listener_ref(l);
	old->config.tls = l->tls;
}

void keying_listener_apply(struct keying *k, struct instance *i, struct keying_listener *l)
{
	struct keying_instance *ki = i->keying;
	if (ki == NULL) {
		keying_listener_unref(l);
		return;
	}
	l->sessions = keying_listener_sessions(i, &l->id);
	forget(ki, &l->id);
	l->next = ki->listeners;
	ki->listeners = l;
	for (struct client *c = k->openvpn->clients; c != NULL; c = c->next) {
		if (uuid_equal(&c->listener->id, &l->id))
			inherit(c->listener, l);
	}
	for (struct stream *s = k->openvpn->streams; s != NULL; s = s->next) {
		if (uuid_equal(&s->listener->id, &l->id))
			inherit(s->listener, l);
	}
}

void keying_listener_remove(struct keying *k, struct instance *i, const struct uuid *id)
{
	if (i->keying == NULL)
		return;
	keying_listener_socket_close(k, i->keying, id);
	keying_clients_end(k, (struct client_filter){.instance = i, .listener = id});
	keying_streams_close(k, i, id);
	forget(i->keying, id);
}

void keying_listeners_drop(struct keying *k, struct keying_instance *ki)
{
	keying_listener_socket_close(k, ki, NULL);
	keying_clients_end(k, (struct client_filter){.instance = ki->instance});
	keying_streams_close(k, ki->instance, NULL);
	while (ki->listeners != NULL)
		forget(ki, &ki->listeners->id);
	free(ki->push);
	ki->push = NULL;
}
