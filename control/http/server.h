/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_SERVER_H
#define CONTROL_HTTP_SERVER_H

struct api;
struct control_config;
struct http_server;

/*
 * Starts to answer on the loopback address, on the unix socket (created with mode 0660, replaced when a
 * dead one lies there) and, when there is a certificate, on the public address with TLS. api and config
 * must outlive the server. 0, or -errno after a log line.
 */
int http_server_new(struct api *api, const struct control_config *config, struct http_server **ret);
/* Reads the certificate again, which also happens by itself when its files change. */
void http_server_reload(struct http_server *server);
/* Requests that run are carried out, long polls end; the socket file goes. */
void http_server_free(struct http_server *server);

#endif
