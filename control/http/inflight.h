/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_INFLIGHT_H
#define CONTROL_HTTP_INFLIGHT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	INFLIGHT_ID_LEN = 32,
	INFLIGHT_MAX = 64, /* more than there are threads that answer */
};

/* Idempotent requests that are being carried out at this moment. Any thread. */
struct inflight {
	pthread_mutex_t lock;
	uint8_t ids[INFLIGHT_MAX][INFLIGHT_ID_LEN];
	size_t count;
};

void inflight_init(struct inflight *set);
void inflight_fini(struct inflight *set);
/* false: it is in there already, or there is no room. */
bool inflight_add(struct inflight *set, const uint8_t id[INFLIGHT_ID_LEN]);
void inflight_del(struct inflight *set, const uint8_t id[INFLIGHT_ID_LEN]);

#endif
