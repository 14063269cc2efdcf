// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/clock.h"
#include "dataplane/ovpn/session_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* NULL: no memory. */
static struct session_text *text_of(const struct push_parts *parts)
{
	size_t len = 0;
	for (size_t i = 0; i < parts->count; i++)
		len += parts->part[i].len;
	struct session_text *t = malloc(sizeof(*t) + len);
	if (t == NULL)
		return NULL;
	t->len = 0;
	for (size_t i = 0; i < parts->count; i++) {
		memcpy(t->bytes + t->len, parts->part[i].text, parts->part[i].len);
		t->len += parts->part[i].len;
	}
	return t;
}

static struct push completed(const struct ovpn_session *s, const struct push *push)
{
	struct push p = *push;
	p.cipher = s->cipher.is_pushed ? s->cipher.name : NULL;
	p.compression = push_compression(&s->options, &s->peer_info);
	p.allows_key_export = true;
	p.allows_dyn_tls_crypt = false;
	p.allows_epoch = false;
	if (s->config->is_tcp)
		p.exit_notify = 0;
	return p;
}

typedef int write_fn(const struct push *p, const struct peer_info *client, struct push_parts *ret);

static int write_push(const struct ovpn_session *s, const struct push *push, write_fn *write,
	struct session_text **ret)
{
	struct push p = completed(s, push);
	struct push_parts *parts = malloc(sizeof(*parts));
	if (parts == NULL)
		return -ENOMEM;
	int err = write(&p, &s->peer_info, parts);
	if (err == 0 && (*ret = text_of(parts)) == NULL)
		err = -ENOMEM;
	free(parts);
	return err;
}

int session_push_keep(struct ovpn_session *s, const struct push *push)
{
	struct session_text *reply;
	int err = write_push(s, push, push_reply_write, &reply);
	if (err != 0)
		return err;
	struct push p = completed(s, push);
	s->exports_keys = push_uses_key_export(&p, &s->peer_info);
	free(s->reply);
	s->reply = reply;
	return 0;
}

void session_push_reply(struct ovpn_session *s, struct session_key *k, uint64_t now_ns)
{
	bool unasked = !s->has_replied && (s->peer_info.proto & IV_PROTO_REQUEST_PUSH) != 0;
	if (s->reply == NULL || s->is_closing || !(s->push_wanted || unasked))
		return;
	if (session_key_say(k, s->reply->bytes, s->reply->len) != 0)
		return;
	s->push_wanted = false;
	s->has_replied = true;
	s->replied_ns = now_ns;
	if (s->is_connected)
		return;
	s->is_connected = true;
	session_tell(s, OVPN_SESSION_CONNECTED, NULL);
}

/* Nobody speaks for the peer inside a renewal before that is accepted. */
static bool speaks_for_peer(const struct ovpn_session *s, const struct session_key *k)
{
	return !s->is_accepted || k->state == SESSION_KEY_ACCEPTED
		|| k->state == SESSION_KEY_ACTIVE;
}

static void push_requested(struct ovpn_session *s, struct session_key *k, uint64_t now_ns)
{
	/* it is repeated every few seconds until the reply is there */
	if (s->has_replied && now_ns - s->replied_ns < SESSION_PUSH_REPEAT_S * NS_PER_SEC)
		return;
	s->push_wanted = true;
	if (k == s->negotiating)
		k->is_heard = true; /* it asks because it has our key method 2 */
	else
		session_push_reply(s, k, now_ns);
}

void session_take_commands(struct ovpn_session *s, struct session_key *k, const uint8_t *record,
	size_t len, uint64_t now_ns)
{
	struct command_reader r = {record, len};
	struct command c;
	while (!s->is_closing && k->state != SESSION_KEY_FAILED && speaks_for_peer(s, k)
		&& command_next(&r, &c)) {
		if (c.kind == COMMAND_PUSH_REQUEST)
			push_requested(s, k, now_ns);
		else if (c.kind == COMMAND_EXIT)
			session_close(s, now_ns);
	}
}

void session_push_held(struct ovpn_session *s)
{
	if (s->held_update == NULL)
		return;
	int err = session_key_say(s->current, s->held_update->bytes, s->held_update->len);
	if (err == -ENOBUFS)
		return; /* so much waits already: when some of it has gone */
	free(s->held_update);
	s->held_update = NULL;
}

int ovpn_session_push_update(struct ovpn_session *s, const struct push *push, uint64_t now_ns)
{
	struct session_text *update;
	(void)now_ns;
	if (!s->is_connected || s->is_closing)
		return -ENOTCONN;
	int err = write_push(s, push, push_update_write, &update);
	if (err != 0)
		return err;
	err = session_push_keep(s, push);
	if (err != 0) {
		free(update);
		return err;
	}
	/* Clients listen to the newest key alone, so while one is being made nobody is there to hear.
	 * Each says everything: of many the last is enough. */
	free(s->held_update);
	s->held_update = update;
	if (s->negotiating == NULL && !s->current->is_tls_over)
		session_push_held(s);
	return 0;
}

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

int ovpn_session_command(struct ovpn_session *s, const char *command, uint64_t now_ns)
{
	struct session_key *k = s->negotiating;
	size_t len = strnlen(command, COMMAND_MAX) + 1;
	(void)now_ns;
	if (!s->is_connected || s->is_closing)
		return -ENOTCONN;
	if (len > COMMAND_MAX || len == 1 || !is_printable(command))
		return -EINVAL;
	if (k == NULL || k->state != SESSION_KEY_ACCEPTED)
		k = s->current;
	return session_key_say(k, command, len);
}
