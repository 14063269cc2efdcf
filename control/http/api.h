/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_API_H
#define CONTROL_HTTP_API_H

struct api;
struct control_config;
struct provision;
struct request;
struct store;
struct wait_list;

/* Borrows all three until api_free. 0 or -errno. */
int api_new(const struct control_config *config, struct store *store, struct provision *provision,
	struct api **ret);
/* After the server has ended. */
void api_free(struct api *api);
struct wait_list *api_wait_list(struct api *api);
/* Something was written that hubs want to know. Any thread. */
void api_wake(struct api *api);

/* The head is there: path, caller, role, header fields. What is refused is a problem in rq->rs. */
void api_request_begin(struct request *rq);
/* The body is there: reads it and answers, or sets rq->wait_until_ns. */
void api_request_run(struct request *rq);
/* Brings the answer into its final form and writes the access log. */
void api_request_end(struct request *rq);

#endif
