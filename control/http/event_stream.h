/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_EVENT_STREAM_H
#define CONTROL_HTTP_EVENT_STREAM_H

#include "control/store/event.h"

#include <stddef.h>
#include <sys/types.h>

struct MHD_Connection;
struct request;
struct event_stream;

/*
 * Events as Server-Sent Events: an answer that does not end. It belongs to its request and goes with
 * it. -EBUSY: there are HTTP_EVENT_STREAMS_MAX already.
 */
int event_stream_new(
	struct request *rq, const struct event_filter *filter, struct event_stream **ret);
void event_stream_free(struct event_stream *s);
/*
 * The next part of it, as MHD_ContentReaderCallback wants it: bytes, 0 (the connection is suspended
 * until there are more), or the end.
 */
ssize_t event_stream_read(
	struct event_stream *s, struct MHD_Connection *connection, char *ret, size_t size);

#endif
