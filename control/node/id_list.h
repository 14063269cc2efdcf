/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_ID_LIST_H
#define CONTROL_NODE_ID_LIST_H

#include "dataplane/base/uuid.h"

#include <stdbool.h>

/* The order in which the node keeps all that has an id: of ids, and of structs that begin with one.
 * For qsort() and bsearch(). */
int id_compare(const void *a, const void *b);

struct id_list {
	struct uuid *id; /* owned; sorted */
	unsigned int count;
};

bool id_list_has(const struct id_list *l, const struct uuid *id);

#endif
