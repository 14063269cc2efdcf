/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_IDEMPOTENCY_H
#define CONTROL_HTTP_IDEMPOTENCY_H

#include <stdbool.h>

struct request;

/* Idempotency-Key is well-formed where it is there. false with 400. */
bool idempotency_check(struct request *rq);
/*
 * Calls the route's handler; a write in one transaction, kept together with its answer when the
 * request has a key, or replayed when it was carried out before. 0 or the handler's -errno.
 */
int idempotency_run(struct request *rq);

#endif
