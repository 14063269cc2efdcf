/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_UAPI_SET_H
#define DATAPLANE_SERVER_UAPI_SET_H

#include <stdint.h>

struct instance;
struct server;
struct uapi_request;

/*
 * Does what a good "set=1" asks, in its order. Nothing is done when something in it cannot be:
 * -EADDRINUSE (the port is another instance's, an endpoint or an allowed address the hub's own),
 * -ENOSPC (peers, routes of the instance). Found out in the middle are only -ENOMEM, and -ENOSPC
 * of one peer's networks (too many, or too scattered): what came before stays done, a peer that
 * would be new is not made.
 */
int uapi_set(struct server *s, struct instance *i, const struct uapi_request *r);

/* A UDP port that no instance has, at random. 0, -EADDRINUSE or -errno of the random source. */
int uapi_choose_port(const struct server *s, uint16_t *ret);

#endif
