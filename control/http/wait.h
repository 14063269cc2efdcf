/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_WAIT_H
#define CONTROL_HTTP_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct MHD_Connection;
struct wait_list;

/*
 * Requests that wait for news (long polls). They hold no thread: their connections are suspended,
 * and one thread of this list resumes them when something was written or their time is over.
 */
/* room: how many may wait. */
int wait_list_new(size_t room, struct wait_list **ret);
/* All must have been resumed: see wait_list_close. */
void wait_list_free(struct wait_list *list);
/* Number of the latest news; read before looking at the store. Any thread. */
uint64_t wait_list_news(struct wait_list *list);
/* There is news: whoever waits looks again. Any thread. */
void wait_list_wake(struct wait_list *list);
/* From now on nobody waits; whoever does is resumed. */
void wait_list_close(struct wait_list *list);
/*
 * Suspends the connection until news after `seen` or deadline_ns (monotonic): 0. Otherwise the
 * connection goes on: -EBUSY: too many wait; -EAGAIN: there is news already; -ESHUTDOWN: nobody waits
 * any more.
 */
int wait_list_add(struct wait_list *list, struct MHD_Connection *connection, uint64_t seen,
	uint64_t deadline_ns);

#endif
