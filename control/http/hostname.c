// SPDX-License-Identifier: Apache-2.0
#include "control/model/hostname.h"

#include "control/http/api_internal.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/value.h"
#include "control/store/instance.h"

#include <stdio.h>

/* Says whether a new instance could have this name, and why not. */
int hostname_get(struct request *rq)
{
	char folded[HOSTNAME_TEXT] = "";
	char fqdn[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT] = "";
	int rc = 0;
	const char *reason = hostname_check(rq->params[0], folded);
	if (reason == NULL) {
		reason = hostname_taken(rq->api->store, folded, &rc);
		(void)snprintf(fqdn, sizeof(fqdn), "%s.%s", folded, rq->api->config->vpn_domain);
	}
	if (rc < 0)
		return rc;
	response_json(&rq->rs, 200,
		json_pack("{s:s, s:o, s:b, s:s?}", "label",
			folded[0] != '\0' ? folded : rq->params[0], "fqdn", value_text(fqdn),
			"available", (int)(reason == NULL), "reason", reason));
	return 0;
}
