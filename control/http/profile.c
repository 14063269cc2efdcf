// SPDX-License-Identifier: Apache-2.0
/*
 * A GET gives the profile with the private key left blank, unless a reveal has opened it within
 * the last ten minutes; a POST to reveal opens it. The preshared key is as secret as the private
 * one and comes and goes with it, when the private key was made here; a client with a key of its
 * own needs it in every profile.
 */
#include "control/profile/profile.h"

#include "control/http/api_internal.h"
#include "control/http/outcome.h"
#include "control/http/problem.h"
#include "control/http/profile_source.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/store/instance.h"
#include "control/store/peer.h"

#include <errno.h>
#include <string.h>

enum format {
	FORMAT_WIREGUARD,
	FORMAT_QR,
};

static bool read_format(struct request *rq, enum format *ret)
{
	const char *text = target_param(&rq->target, "format");
	*ret = text != NULL && strcmp(text, "qr") == 0 ? FORMAT_QR : FORMAT_WIREGUARD;
	if (text == NULL || *ret == FORMAT_QR || strcmp(text, "wireguard") == 0)
		return true;
	problem_set(&rq->rs, PROBLEM_MALFORMED_REQUEST, "format must be wireguard or qr.");
	return false;
}

struct secrets {
	struct key private_key, preshared_key;
};

static int open_secrets(
	struct request *rq, const struct peer *p, struct profile *profile, struct secrets *s)
{
	bool is_open = p->has_private_key && p->revealed_until > store_now(rq->api->store);
	int rc = 0;
	if (is_open) {
		rc = peer_private_key(rq->api->store, &p->id, &s->private_key);
		profile->private_key = &s->private_key;
	}
	if (rc == 0 && (is_open || !p->key_is_ours)) {
		rc = peer_preshared_key(rq->api->store, &p->id, &s->preshared_key);
		profile->preshared_key = &s->preshared_key;
	}
	return rc;
}

static int render(struct request *rq, const struct profile *profile, enum format format)
{
	char *text, *picture;
	int rc = profile_wireguard(profile, &text);
	if (rc < 0)
		return rc;
	if (format == FORMAT_WIREGUARD) {
		response_text(&rq->rs, "text/plain; charset=utf-8", text, strlen(text));
		return 0;
	}
	rc = profile_qr(text, &picture);
	profile_text_free(text);
	if (rc == -E2BIG) {
		problem_set(&rq->rs, PROBLEM_UNPROCESSABLE,
			"The profile is too long for a QR code: shorten routing.client_routes.");
		return 0;
	}
	if (rc == 0)
		response_text(&rq->rs, "text/plain; charset=utf-8", picture, strlen(picture));
	return rc;
}

static int issue(struct request *rq, const struct instance *i, struct peer *p, enum format format)
{
	struct profile_source source = {0};
	struct secrets secrets = {0};
	char digest[PROFILE_DIGEST_TEXT];
	int rc = profile_source_init(&source, rq->api, i);
	if (rc == -EAGAIN) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"The instance is not ready: it has no endpoint yet. Look at its conditions.");
		return 0;
	}
	if (rc < 0)
		return rc;
	profile_source_choose(&source, p);
	rc = profile_digest(&source.profile, digest);
	if (rc == 0 && strcmp(digest, p->profile_digest) != 0)
		rc = peer_set_profile_digest(rq->api->store, p, digest);
	if (rc == 0)
		rc = open_secrets(rq, p, &source.profile, &secrets);
	if (rc == 0)
		rc = render(rq, &source.profile, format);
	explicit_bzero(&secrets, sizeof(secrets));
	profile_source_fini(&source);
	return rc;
}

/* Opens the key for ten minutes; once those are over it is forgotten for good. */
static int reveal(struct request *rq, struct peer *p)
{
	int64_t now = store_now(rq->api->store);
	if (!p->key_is_ours)
		return 0;
	if (!p->has_private_key) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"The private key was revealed before and is forgotten. Make a new peer.");
		return 0;
	}
	if (p->revealed_until != 0 && p->revealed_until <= now) {
		problem_set(&rq->rs, PROBLEM_CONFLICT,
			"The private key was revealed before. Make a new peer.");
		return 0;
	}
	return p->revealed_until == 0 ? peer_reveal(rq->api->store, p, now + REVEAL_S) : 0;
}

static int give(struct request *rq, bool reveals)
{
	struct uuid instance_id, peer_id;
	struct instance i;
	struct peer p;
	enum format format;
	if (!read_format(rq, &format) || !request_uuid(rq, 0, &instance_id)
		|| !request_uuid(rq, 1, &peer_id))
		return 0;
	int rc = instance_find(rq->api->store, &instance_id, &i);
	if (rc < 0)
		return rc;
	rc = peer_find(rq->api->store, &instance_id, &peer_id, &p);
	if (rc == 0) {
		if (reveals)
			rc = reveal(rq, &p);
		if (rc == 0 && !rq->rs.is_problem)
			rc = issue(rq, &i, &p, format);
		peer_fini(&p);
	}
	instance_fini(&i);
	return rc;
}

int peer_profile(struct request *rq)
{
	return give(rq, false);
}

int peer_profile_reveal(struct request *rq)
{
	return give(rq, true);
}
