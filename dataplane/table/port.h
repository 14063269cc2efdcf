/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_TABLE_PORT_H
#define DATAPLANE_TABLE_PORT_H

#include <stdint.h>

enum {
	PORT_MAX = 8,
	PORT_NAME_MAX = 16,
};

/* One DPDK port; written by main before threads start, constant afterwards. */
struct port {
	char name[PORT_NAME_MAX]; /* from dataplane.conf; NUL-terminated */
	uint16_t ethdev; /* DPDK's number */
	uint16_t mtu;
	uint8_t mac[6];
};

struct tables;

/* NULL when there is no such port. id is the index in tables->port. */
const struct port *port_find(const struct tables *t, unsigned int id);

#endif
