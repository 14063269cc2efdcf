/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROVISION_STEP_H
#define CONTROL_PROVISION_STEP_H

#include "control/config.h"
#include "control/model/instance.h"
#include "control/store/hub.h"
#include "control/store/store.h"

#include <stdbool.h>

/*
 * The next step of an instance, inside the caller's transaction. *ret_changed: something was
 * written. 0 or -errno of the store.
 */
int step_instance(struct store *store, const struct control_config *config, struct instance *i,
	bool *ret_changed);

/*
 * DnsPublished: what the name of an instance is to have, and how far that has come, inside the
 * caller's transaction. Its state stays. 1: something was written, 0, or -errno.
 */
int step_dns(struct store *store, const struct control_config *config, struct instance *i);

/*
 * What a hub says about an instance, in the transaction of its report. Passes over what the hub
 * does not carry (any more). 0 or -errno.
 */
int step_confirm(struct store *store, const struct control_config *config, const struct hub *h,
	const struct uuid *id, bool is_ready, const char *reason);

#endif
