// SPDX-License-Identifier: Apache-2.0
#include "control/node/id_list.h"

#include <stdlib.h>
#include <string.h>

int id_compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

bool id_list_has(const struct id_list *l, const struct uuid *id)
{
	return l->count > 0 && bsearch(id, l->id, l->count, sizeof(*id), id_compare) != NULL;
}
