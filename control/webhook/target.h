/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_WEBHOOK_TARGET_H
#define CONTROL_WEBHOOK_TARGET_H

#include "control/config.h"
#include "control/model/error.h"
#include "dataplane/base/ip.h"

#include <stdbool.h>

/*
 * Where webhooks may lead. Whoever makes one has this machine send requests: so only to the
 * internet, and not to what only this machine can reach, unless control.conf lists it.
 */

/* Of what can be said from the URL alone; a name is looked up, and judged, with each delivery. */
void webhook_url_check(
	const struct control_config *config, const char *url, struct model_errors *errors);
bool webhook_address_is_allowed(const struct control_config *config, const struct ip_addr *a);

#endif
