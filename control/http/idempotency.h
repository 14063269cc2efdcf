/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_IDEMPOTENCY_H
#define CONTROL_HTTP_IDEMPOTENCY_H

#include "control/store/idempotency.h"

#include <stdbool.h>
#include <stdint.h>

struct request;

/* The answer to a request with an Idempotency-Key is kept, and given again to its repetition. */

/* The key is well-formed where it is there. false with 400. */
bool idempotency_check(struct request *rq);
/* There is one, and the route's answer may be kept. */
bool idempotency_applies(const struct request *rq);
/* Names the request, and keeps its like out until idempotency_leave. 0, also with a problem: it is
 * being carried out at this moment, and must not be left; or -errno. */
int idempotency_enter(struct request *rq, uint8_t ret_id[IDEMPOTENCY_ID_LEN]);
void idempotency_leave(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN]);
/* Both inside the transaction. replay: -ENOENT, it was not carried out before; 0, it is answered. */
int idempotency_replay(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN]);
int idempotency_keep(struct request *rq, const uint8_t id[IDEMPOTENCY_ID_LEN]);

#endif
