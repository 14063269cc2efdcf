// SPDX-License-Identifier: Apache-2.0
/*
 * A profile with its secrets, where a reveal is open, or with blanks in their place. The preshared
 * key is as secret as the private one and comes and goes with it, when the private key was made
 * here; a client with a key of its own needs it in every profile.
 */
#include "control/http/profile_make.h"

#include "control/http/api_internal.h"
#include "control/http/instance_json.h"
#include "control/http/profile_source.h"
#include "control/profile/profile.h"
#include "control/store/credential.h"
#include "control/store/openvpn.h"
#include "control/store/peer.h"

#include <errno.h>
#include <string.h>

bool profile_is_openvpn(enum profile_format format)
{
	return format == PROFILE_OPENVPN || format == PROFILE_ROUTEROS;
}

bool profile_suits(const struct peer *p, enum profile_format format)
{
	if (format == PROFILE_ROUTEROS && p->type != PEER_SITE)
		return false;
	return profile_is_openvpn(format) ? peer_speaks_openvpn(p) : peer_speaks_wireguard(p);
}

struct secrets {
	struct key private_key, preshared_key;
	struct openvpn_keys keys;
	struct credential credential;
	struct credential_secrets own;
};

static int open_wireguard(struct store *store, const struct peer *p, bool is_open,
	struct profile *profile, struct secrets *s)
{
	int rc = 0;
	if (is_open && p->has_private_key) {
		rc = peer_private_key(store, &p->id, &s->private_key);
		profile->private_key = &s->private_key;
	}
	if (rc == 0 && ((is_open && p->has_private_key) || !p->key_is_ours)) {
		rc = peer_preshared_key(store, &p->id, &s->preshared_key);
		profile->preshared_key = &s->preshared_key;
	}
	return rc;
}

/* Certificates are no secrets; the key that wraps is, though all peers of the listener have it. */
static int open_openvpn(struct store *store, const struct peer *p, bool is_open,
	struct profile *profile, struct secrets *s)
{
	int rc = openvpn_find_keys(store, &p->instance_id, &s->keys);
	if (rc == 0)
		rc = credential_find(store, &p->id, &s->credential);
	if (rc == 0 && is_open && p->has_openvpn_secrets) {
		rc = credential_find_secrets(store, &p->id, &s->own);
		profile->certificate_key = s->own.private_key;
		profile->password = s->own.password;
		profile->wrap_keys = s->keys.wrap[profile->transport];
	}
	profile->authority = s->keys.authority;
	profile->certificate = s->credential.certificate;
	return rc;
}

static int open_secrets(struct store *store, const struct peer *p, enum profile_format format,
	struct profile *profile, struct secrets *s)
{
	bool is_open = p->revealed_until > store_now(store);
	return profile_is_openvpn(format) ? open_openvpn(store, p, is_open, profile, s)
					  : open_wireguard(store, p, is_open, profile, s);
}

static int render(const struct profile *profile, enum profile_format format, char **ret)
{
	static int (*const formats[PROFILE__FORMATS])(const struct profile *p, char **ret) = {
		[PROFILE_WIREGUARD] = profile_wireguard,
		[PROFILE_OPENVPN] = profile_openvpn,
		[PROFILE_ROUTEROS] = profile_routeros,
		[PROFILE_QR] = profile_wireguard,
	};
	char *text;
	int rc = formats[format](profile, &text);
	if (rc < 0 || format != PROFILE_QR) {
		*ret = rc == 0 ? text : NULL;
		return rc;
	}
	rc = profile_qr(text, ret);
	profile_text_free(text);
	return rc;
}

int profile_make(struct api *api, const struct instance *i, struct peer *p,
	enum profile_format format, enum openvpn_transport transport, char **ret)
{
	struct profile_source source = {0};
	struct secrets secrets = {0};
	char digest[PROFILE_DIGEST_TEXT];
	bool has_certificate = !profile_is_openvpn(format) || i->certificate_renews_at != 0;
	int rc = has_certificate ? profile_source_init(&source, api, i) : -EAGAIN;
	if (rc < 0)
		return rc;
	profile_source_choose(&source, p);
	rc = profile_digest(&source.profile, digest);
	if (rc == 0 && strcmp(digest, p->profile_digest) != 0)
		rc = peer_set_profile_digest(api->store, p, digest);
	source.profile.transport = transport;
	if (rc == 0)
		rc = open_secrets(api->store, p, format, &source.profile, &secrets);
	if (rc == 0)
		rc = render(&source.profile, format, ret);
	explicit_bzero(&secrets, sizeof(secrets));
	profile_source_fini(&source);
	return rc;
}

bool profile_is_ready(struct api *api, const struct instance *i, const struct peer *p)
{
	struct ip_addr addresses[HUB_ADDRESSES_MAX];
	if (peer_speaks_openvpn(p) && (i->certificate_renews_at == 0 || !p->has_openvpn_secrets))
		return false;
	return !key_is_zero(&i->public_key) && instance_hub_addresses(api, i, addresses) > 0;
}

bool profile_is_unrevealed(const struct instance *i, const struct peer *p)
{
	bool waits = peer_speaks_openvpn(p) && i->certificate_renews_at == 0;
	if (!p->key_is_ours && !peer_speaks_openvpn(p))
		return true;
	return p->revealed_until == 0 && (p->has_private_key || p->has_openvpn_secrets || waits);
}
