/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_TRANSACTION_H
#define CONTROL_HTTP_TRANSACTION_H

struct request;

/* Carries the request out: its route's handler, in one transaction. 0, or -errno where nothing was
 * changed and there are no better words. */
int transaction_run(struct request *rq);

#endif
