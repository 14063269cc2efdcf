// SPDX-License-Identifier: Apache-2.0
#include "control/http/inflight.h"

#include <string.h>

void inflight_init(struct inflight *set)
{
	(void)pthread_mutex_init(&set->lock, NULL);
	set->count = 0;
}

void inflight_fini(struct inflight *set)
{
	(void)pthread_mutex_destroy(&set->lock);
}

static size_t find_id(const struct inflight *set, const uint8_t id[INFLIGHT_ID_LEN])
{
	size_t i = 0;
	while (i < set->count && memcmp(set->ids[i], id, INFLIGHT_ID_LEN) != 0)
		i++;
	return i;
}

bool inflight_add(struct inflight *set, const uint8_t id[INFLIGHT_ID_LEN])
{
	(void)pthread_mutex_lock(&set->lock);
	bool is_new = find_id(set, id) == set->count && set->count < INFLIGHT_MAX;
	if (is_new)
		memcpy(set->ids[set->count++], id, INFLIGHT_ID_LEN);
	(void)pthread_mutex_unlock(&set->lock);
	return is_new;
}

void inflight_del(struct inflight *set, const uint8_t id[INFLIGHT_ID_LEN])
{
	(void)pthread_mutex_lock(&set->lock);
	size_t i = find_id(set, id);
	if (i < set->count && i != --set->count)
		memcpy(set->ids[i], set->ids[set->count], INFLIGHT_ID_LEN);
	(void)pthread_mutex_unlock(&set->lock);
}
