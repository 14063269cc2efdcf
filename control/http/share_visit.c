// SPDX-License-Identifier: Apache-2.0
/*
 * What whoever was sent a share link does with it. Looking uses nothing up. The button reveals, once:
 * that browser gets a cookie, and with it sees the profile for ten minutes; to all others the link is
 * then as one that never was. Whatever a link cannot be used for has the same answer.
 */
#include "control/http/api_internal.h"
#include "control/http/profile_make.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/share_page.h"
#include "control/http/text.h"
#include "control/profile/profile.h"
#include "control/store/instance.h"
#include "control/store/party.h"
#include "control/store/peer.h"
#include "control/store/share_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char html[] = "text/html; charset=utf-8";
static const char cookie_name[] = "nave_reveal=";

enum {
	FILE_NAME_MAX = 15, /* of a device of Linux, which WireGuard's apps name by the file */
};

struct visit {
	struct share_link link;
	struct instance instance;
	struct peer peer;
};

static const struct download {
	const char *name; /* ?format= */
	enum profile_format format;
	enum openvpn_transport transport;
	const char *suffix;
	const char *type;
} downloads[] = {
	{"wireguard", PROFILE_WIREGUARD, OPENVPN_UDP, ".conf", "application/octet-stream"},
	{"openvpn", PROFILE_OPENVPN, OPENVPN_UDP, ".ovpn", "application/x-openvpn-profile"},
	{"openvpn-tcp", PROFILE_OPENVPN, OPENVPN_TCP, "-tcp.ovpn", "application/x-openvpn-profile"},
	{"routeros", PROFILE_ROUTEROS, OPENVPN_TCP, ".rsc", "application/octet-stream"},
};

static void add_headers(struct request *rq)
{
	response_header(&rq->rs, "Referrer-Policy", "no-referrer");
	response_header(&rq->rs, "X-Robots-Tag", "noindex, nofollow");
}

/* Takes text over. rc: of what has made it. */
static int answer_page(struct request *rq, unsigned int status, int rc, char *text)
{
	char policy[SHARE_PAGE_POLICY_TEXT];
	if (rc < 0 || text == NULL)
		return rc < 0 ? rc : -ENOMEM;
	response_text(&rq->rs, html, text, strlen(text));
	rq->rs.status = status;
	rc = share_page_policy(policy);
	response_header(&rq->rs, "Content-Security-Policy", policy);
	add_headers(rq);
	return rc;
}

static int answer_end(struct request *rq)
{
	char *text = NULL;
	int rc = share_page_end(&text);
	return answer_page(rq, 404, rc, text);
}

/* "" where there is none of ours. */
static void read_cookie(const struct request *rq, char ret[SHARE_LINK_TOKEN_TEXT])
{
	const char *at = rq->headers.cookie;
	size_t len = sizeof(cookie_name) - 1;
	ret[0] = '\0';
	while (at != NULL && *at != '\0') {
		at += strspn(at, " ;");
		size_t size = strcspn(at, ";");
		if (size == len + SHARE_LINK_TOKEN_TEXT - 1 && strncmp(at, cookie_name, len) == 0)
			(void)snprintf(ret, SHARE_LINK_TOKEN_TEXT, "%s", at + len);
		at += size;
	}
}

static void set_cookie(struct request *rq, const char *visitor)
{
	char value[RESPONSE_HEADER_TEXT];
	bool has_tls = strncmp(rq->api->config->public_url, "https:", 6) == 0;
	(void)snprintf(value, sizeof(value),
		"%s%s; Path=/p/%s; Max-Age=%d; HttpOnly; SameSite=Lax%s", cookie_name, visitor,
		rq->params[0], REVEAL_S, has_tls ? "; Secure" : "");
	response_header(&rq->rs, "Set-Cookie", value);
	explicit_bzero(value, sizeof(value));
}

/* For the audit log it is the link that acts: nobody knows who holds it. */
static void act_as_link(struct request *rq, const struct visit *v)
{
	(void)snprintf(
		rq->who.name, sizeof(rq->who.name), "%.*s", PRINCIPAL_NAME_TEXT - 1, v->peer.name);
	text_repair(rq->who.name);
	const struct store_actor actor = {
		.type = "share_link",
		.id = v->link.id,
		.name = rq->who.name,
		.request_id = rq->request_id,
	};
	store_set_actor(rq->api->store, &actor);
}

static bool is_usable(struct request *rq, const struct visit *v)
{
	if (v->instance.state == INSTANCE_DELETING
		|| peer_state_at(&v->peer, store_now(rq->api->store)) != PEER_ACTIVE)
		return false;
	return v->link.revealed_at != 0 || profile_is_unrevealed(&v->instance, &v->peer);
}

static void leave(struct visit *v)
{
	peer_fini(&v->peer);
	instance_fini(&v->instance);
}

/* false: it is answered, or *ret_rc says why not. */
static bool enter(struct request *rq, struct visit *v, int *ret_rc)
{
	char visitor[SHARE_LINK_TOKEN_TEXT];
	struct store *store = rq->api->store;
	read_cookie(rq, visitor);
	int rc = share_link_find_token(store, rq->params[0], visitor, &v->link);
	explicit_bzero(visitor, sizeof(visitor));
	if (rc == 0)
		rc = instance_find(store, &v->link.instance_id, &v->instance);
	if (rc == 0) {
		rc = peer_find(store, &v->link.instance_id, &v->link.peer_id, &v->peer);
		if (rc < 0)
			instance_fini(&v->instance);
	}
	if (rc == 0 && !is_usable(rq, v)) {
		leave(v);
		rc = -ENOENT;
	}
	*ret_rc = rc == -ENOENT ? answer_end(rq) : rc;
	if (rc == 0)
		act_as_link(rq, v);
	return rc == 0;
}

struct names {
	char user[NAME_TEXT];
	char fqdn[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT];
	char file[FILE_NAME_MAX + 1];
};

static int read_names(struct request *rq, const struct visit *v, struct names *ret)
{
	struct party user;
	memset(ret, 0, sizeof(*ret));
	(void)snprintf(ret->fqdn, sizeof(ret->fqdn), "%s.%s", v->instance.hostname,
		rq->api->config->vpn_domain);
	(void)snprintf(ret->file, sizeof(ret->file), "%.*s", FILE_NAME_MAX, v->instance.hostname);
	if (uuid_is_zero(&v->peer.user_id))
		return 0;
	int rc = party_find(rq->api->store, PARTY_USER, &v->peer.user_id, &user);
	if (rc == 0) {
		(void)snprintf(ret->user, sizeof(ret->user), "%s", user.name);
		party_fini(&user);
	}
	return rc;
}

static struct share_page describe(
	struct request *rq, const struct visit *v, const struct names *names)
{
	return (struct share_page){
		.peer = v->peer.name,
		.network = v->instance.name,
		.fqdn = names->fqdn,
		.user = names->user,
		.file = names->file,
		.is_ready = profile_is_ready(rq->api, &v->instance, &v->peer),
		.until = v->link.revealed_at != 0 ? v->link.revealed_at + REVEAL_S
						  : v->link.expires_at,
		.has_wireguard = peer_speaks_wireguard(&v->peer),
		.has_openvpn = peer_speaks_openvpn(&v->peer),
		.has_routeros = profile_suits(&v->peer, PROFILE_ROUTEROS),
		.needs_own_key = peer_speaks_wireguard(&v->peer) && !v->peer.key_is_ours,
	};
}

static int offer(struct request *rq, const struct share_page *page)
{
	char *text = NULL;
	/* whoever presses a button that is not there yet is to come again */
	bool is_late = !page->is_ready && strcmp(rq->method, "POST") == 0;
	int rc = share_page_offer(page, &text);
	if (is_late)
		response_header(&rq->rs, "Retry-After", "5");
	return answer_page(rq, is_late ? 503 : 200, rc, text);
}

/* RouterOS may be unable to use the listener as it is set: then there is nothing to download. */
static int try_script(struct request *rq, struct visit *v, struct share_page *page)
{
	char *script = NULL;
	if (!page->has_routeros)
		return 0;
	int rc = profile_make(
		rq->api, &v->instance, &v->peer, PROFILE_ROUTEROS, OPENVPN_TCP, &script);
	profile_text_free(script);
	page->has_routeros = rc == 0;
	return rc == -EPROTONOSUPPORT ? 0 : rc;
}

static int show_profile(struct request *rq, struct visit *v, struct share_page *page)
{
	char *text = NULL, *picture = NULL, *whole = NULL;
	int rc = try_script(rq, v, page);
	if (rc == 0 && page->has_wireguard) {
		rc = profile_make(
			rq->api, &v->instance, &v->peer, PROFILE_WIREGUARD, OPENVPN_UDP, &text);
		if (rc == 0)
			rc = profile_qr_svg(text, &picture);
		rc = rc == -E2BIG ? 0 : rc;
	}
	page->text = text;
	page->picture = picture;
	if (rc == 0)
		rc = share_page_profile(page, &whole);
	profile_text_free(text);
	profile_text_free(picture);
	return answer_page(rq, 200, rc, whole);
}

static const struct download *find_download(const struct visit *v, const char *name)
{
	for (size_t i = 0; i < sizeof(downloads) / sizeof(downloads[0]); i++) {
		if (strcmp(downloads[i].name, name) == 0
			&& profile_suits(&v->peer, downloads[i].format))
			return &downloads[i];
	}
	return NULL;
}

static int give_file(struct request *rq, struct visit *v, const char *format)
{
	char value[64], *text = NULL;
	const struct download *d = find_download(v, format);
	if (d == NULL || v->link.revealed_at == 0)
		return answer_end(rq);
	int rc = profile_make(rq->api, &v->instance, &v->peer, d->format, d->transport, &text);
	if (rc == -EPROTONOSUPPORT) /* RouterOS, and the listener is set to what it does not have */
		return answer_end(rq);
	if (rc < 0)
		return rc;
	response_text(&rq->rs, d->type, text, strlen(text));
	/* a hostname has nothing that would end the quotes */
	(void)snprintf(value, sizeof(value), "attachment; filename=\"%.*s%s\"", FILE_NAME_MAX,
		v->instance.hostname, d->suffix);
	response_header(&rq->rs, "Content-Disposition", value);
	add_headers(rq);
	return 0;
}

int share_visit_get(struct request *rq)
{
	const char *format = target_param(&rq->target, "format");
	struct names names;
	struct visit v;
	int rc;
	if (!enter(rq, &v, &rc))
		return rc;
	rc = read_names(rq, &v, &names);
	struct share_page page = describe(rq, &v, &names);
	if (rc == 0 && format != NULL)
		rc = give_file(rq, &v, format);
	else if (rc == 0 && v.link.revealed_at != 0)
		rc = show_profile(rq, &v, &page);
	else if (rc == 0) {
		rc = share_link_open(rq->api->store, &v.peer, &v.link);
		if (rc == 0)
			rc = offer(rq, &page);
	}
	leave(&v);
	return rc;
}

/* Once; the store's lock is held, so of two that press at a time one finds it done. */
static int reveal(struct request *rq, struct visit *v)
{
	char visitor[SHARE_LINK_TOKEN_TEXT];
	struct store *store = rq->api->store;
	bool is_made_here = v->peer.key_is_ours || peer_speaks_openvpn(&v->peer);
	int rc = share_link_reveal(store, &v->peer, &v->link, visitor);
	if (rc == 0 && is_made_here)
		rc = peer_reveal(store, &v->peer, store_now(store) + REVEAL_S);
	if (rc == 0)
		set_cookie(rq, visitor);
	explicit_bzero(visitor, sizeof(visitor));
	return rc;
}

int share_visit_reveal(struct request *rq)
{
	struct names names;
	struct visit v;
	int rc;
	if (!enter(rq, &v, &rc))
		return rc;
	bool waits = v.link.revealed_at == 0 && !profile_is_ready(rq->api, &v.instance, &v.peer);
	if (v.link.revealed_at == 0 && !waits)
		rc = reveal(rq, &v);
	if (rc == 0)
		rc = read_names(rq, &v, &names);
	if (rc == 0) {
		struct share_page page = describe(rq, &v, &names);
		rc = waits ? offer(rq, &page) : show_profile(rq, &v, &page);
	}
	leave(&v);
	return rc;
}
