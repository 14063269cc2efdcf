// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/session_private.h"

#include <openssl/crypto.h>
#include <string.h>

static void put(struct ovpn_session *s, const struct session_event *e)
{
	/* only an owner who never asks comes here; the last place is for how it ends */
	unsigned int room =
		e->type == OVPN_SESSION_FAILED ? SESSION_EVENTS_MAX : SESSION_EVENTS_MAX - 1;
	if (s->event_count >= room)
		return;
	s->events[(s->event_first + s->event_count) % SESSION_EVENTS_MAX] = *e;
	s->event_count++;
}

void session_tell(
	struct ovpn_session *s, enum ovpn_session_event_type type, const struct session_key *k)
{
	struct session_event e = {.type = type};
	if (k != NULL) {
		e.key_id = k->key_id;
		e.serial = k->serial;
	}
	put(s, &e);
}

void session_tell_expired(struct ovpn_session *s, uint8_t key_id)
{
	put(s, &(struct session_event){.type = OVPN_SESSION_KEY_EXPIRED, .key_id = key_id});
}

static struct session_key *key_of(struct ovpn_session *s, uint32_t serial)
{
	struct session_key *keys[] = {s->negotiating, s->current, s->lame};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i] != NULL && keys[i]->serial == serial)
			return keys[i];
	return NULL;
}

/* false: it has come to nothing since. */
static bool fill(
	struct ovpn_session *s, const struct session_event *e, struct ovpn_session_event *ret)
{
	struct session_key *k = key_of(s, e->serial);
	switch (e->type) {
	case OVPN_SESSION_AUTHENTICATE:
		ret->credentials = &s->credentials;
		return s->asked != NULL && k != NULL && k == s->negotiating;
	case OVPN_SESSION_KEY_READY:
		if (k == NULL)
			return false;
		s->told = k->data;
		OPENSSL_cleanse(&k->data.block, sizeof(k->data.block));
		ret->key = &s->told;
		return true;
	case OVPN_SESSION_FAILED:
		s->credentials.has_certificate = s->identity.has_certificate;
		memcpy(s->credentials.fingerprint, s->identity.fingerprint,
			sizeof(s->credentials.fingerprint));
		s->credentials.username = s->identity.username;
		s->credentials.password = "";
		ret->credentials = &s->credentials;
		ret->failure = s->failure;
		ret->text = s->text;
		return true;
	case OVPN_SESSION_NOTHING:
	case OVPN_SESSION_KEY_ACTIVE:
	case OVPN_SESSION_KEY_EXPIRED:
	case OVPN_SESSION_CONNECTED:
	case OVPN_SESSION_EXITED:
	default:
		return true;
	}
}

void ovpn_session_event(struct ovpn_session *s, struct ovpn_session_event *ret)
{
	OPENSSL_cleanse(&s->told, sizeof(s->told));
	while (s->event_count > 0) {
		struct session_event e = s->events[s->event_first];
		s->event_first = (s->event_first + 1) % SESSION_EVENTS_MAX;
		s->event_count--;
		*ret = (struct ovpn_session_event){.type = e.type, .key_id = e.key_id, .text = ""};
		if (fill(s, &e, ret))
			return;
	}
	*ret = (struct ovpn_session_event){.type = OVPN_SESSION_NOTHING, .text = ""};
}
