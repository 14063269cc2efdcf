/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_SERVER_H
#define CONTROL_HTTP_SERVER_H

#include "dataplane/base/ip.h"

struct api;
struct http_server;

/*
 * Starts to answer on the loopback address and on the unix socket (created with mode 0660,
 * replaced when a dead one lies there). api must outlive the server. 0, or -errno after a log line.
 */
int http_server_new(struct api *api, const struct ip_endpoint *listen, const char *socket_path,
	struct http_server **ret);
/* Requests that run are carried out, long polls end; the socket file goes. */
void http_server_free(struct http_server *server);

#endif
