/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROVISION_PUBLISHER_H
#define CONTROL_PROVISION_PUBLISHER_H

#include "control/config.h"
#include "control/store/store.h"

struct publisher;

/*
 * Tells the DNS server the names of instances: a thread of its own, since a server may take
 * seconds to answer, and no transaction is open meanwhile. Borrows both until publisher_free.
 * 0 or -errno.
 */
int publisher_start(
	const struct control_config *config, struct store *store, struct publisher **ret);
/* Does not wait for an answer that is out. Takes NULL. */
void publisher_free(struct publisher *p);

#endif
