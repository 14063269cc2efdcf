/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_API_H
#define CONTROL_HTTP_API_H

struct MHD_Connection;
struct api;
struct control_config;
struct provision;
struct request;
struct store;

/* Borrows all three until api_free. 0 or -errno. */
int api_new(const struct control_config *config, struct store *store, struct provision *provision,
	struct api **ret);
/* After the server has ended. */
void api_free(struct api *api);
/* Whoever waits is resumed, and nobody waits any more. */
void api_close(struct api *api);
/* Something was written that hubs want to know. Any thread. */
void api_wake(struct api *api);
/* There are events: whoever waits for some looks. Any thread. */
void api_tell_events(struct api *api);

/* The head is there: path, caller, role, header fields. What is refused is a problem in rq->rs. */
void api_request_begin(struct request *rq);
/* The body is there: reads it and answers, or sets rq->wait_until_ns. */
void api_request_run(struct request *rq);
/* Suspends its connection as rq->wait_until_ns says: 0, or as wait_list_add. */
int api_request_wait(struct request *rq, struct MHD_Connection *connection);
/* Brings the answer into its final form and writes the access log. */
void api_request_end(struct request *rq);

#endif
