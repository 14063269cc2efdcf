/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_MANAGEMENT_STATUS_H
#define DATAPLANE_SERVER_MANAGEMENT_STATUS_H

#include <stdbool.h>
#include <stdint.h>

struct instance;
struct server;
struct socket_text;

/* What an OpenVPN server calls itself: programs look for a version that they know in the second word. */
#define MANAGEMENT_TITLE "OpenVPN 2.6.0 nave-dataplane " NAVE_VERSION

/* "status" on its way: the clients that there were when it began. All zero: over. */
struct management_status {
	uint64_t *peer; /* handles: who is gone meanwhile is left out */
	uint32_t at, count;
	uint8_t version; /* of the format, 1 to 3; 0: over */
	uint8_t stage;
};

/* 0 or -ENOMEM. */
int management_status_begin(
	struct management_status *g, const struct instance *i, unsigned int version);
/* The next lines, up to UAPI_CHUNK bytes and some clients more; the last piece has the "END". */
void management_status_continue(
	struct management_status *g, struct server *s, struct socket_text *out);
bool management_status_is_over(const struct management_status *g);
void management_status_end(struct management_status *g);

#endif
