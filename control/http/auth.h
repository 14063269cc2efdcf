/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_AUTH_H
#define CONTROL_HTTP_AUTH_H

#include "dataplane/base/uuid.h"

#include <stdbool.h>

struct request;

/*
 * Who may call a route. The three roles of a workspace contain each other, in this order; the
 * others stand alone. ROLE_NONE is what a forgotten row has: nobody.
 */
enum role {
	ROLE_NONE,
	ROLE_VIEWER,
	ROLE_OPERATOR,
	ROLE_OWNER,
	ROLE_NODE, /* a hub's token, on the node API */
	ROLE_ENROL, /* an enrol token, or ROLE_LOCAL: to become a hub */
	ROLE_LOCAL, /* root or our own user on the unix socket */
	ROLE_PUBLIC, /* anybody who can connect */
};

enum {
	PRINCIPAL_NAME_TEXT = 64,
};

struct principal {
	enum role role;
	struct uuid id; /* API key or hub; zero for the local owner */
	char name[PRINCIPAL_NAME_TEXT]; /* for the audit log */
	bool is_local; /* by peer credentials, without a token */
	bool has_instance; /* bound to one instance */
	struct uuid instance;
};

/* Fills rq->who. false with 401 when the route needs somebody and nobody was shown. */
bool auth_identify(struct request *rq);
/* The caller's role and reach cover the route. false with 403 or 404. */
bool auth_authorize(struct request *rq);
/* A role of the workspace covers what is needed of it. */
bool role_covers(enum role has, enum role needs);

#endif
