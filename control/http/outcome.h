/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_OUTCOME_H
#define CONTROL_HTTP_OUTCOME_H

#include "control/http/request.h"
#include "control/model/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* How handlers end. */

/* One object with its tag. Takes json over. */
void outcome_object(struct request *rq, unsigned int status, json_t *json, uint64_t version);
/* One that was made: also says where it is, "/v1/users/ID". */
void outcome_created(struct request *rq, unsigned int status, json_t *json, uint64_t version,
	const char *location);
void outcome_nothing(struct request *rq);
/* What the model or the store has against it: 422, or 409 when there is nothing but conflicts. */
void outcome_refused(struct request *rq, const struct model_errors *errors);
/* If-Match, where it is there, names this version. false with 412 or 400. */
bool outcome_matches(struct request *rq, uint64_t version);
/* rc as a handler returns it: -EINVAL with errors becomes a refusal. */
int outcome_checked(struct request *rq, int rc, const struct model_errors *errors);

#endif
