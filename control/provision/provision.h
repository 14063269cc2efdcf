/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROVISION_PROVISION_H
#define CONTROL_PROVISION_PROVISION_H

#include "control/config.h"
#include "control/store/store.h"

#include <stdbool.h>

struct provision;

/*
 * Brings instances from what was asked to what runs. One thread does the steps; each is a
 * transaction of its own that can be repeated, so a crash between two of them loses nothing and
 * does nothing twice.
 */

/* Borrows both until provision_free. 0 or -errno. */
int provision_new(const struct control_config *config, struct store *store, struct provision **ret);
/* changed is called on the thread of provisioning after something was written that hubs want to
 * know. 0 or -errno. */
int provision_start(struct provision *p, void (*changed)(void *ctx), void *ctx);
/* Ends the thread after the step that it is in. Takes NULL. */
void provision_free(struct provision *p);
/* Something was written: there may be a step to do. Any thread. */
void provision_wake(struct provision *p);

#endif
