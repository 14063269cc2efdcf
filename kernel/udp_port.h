/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_UDP_PORT_H
#define KERNEL_UDP_PORT_H

#include <stdint.h>

/* Sockets that hold a UDP port, so that no other program binds it by mistake: the dataplane
 * receives it without a socket. */
struct udp_port {
	int fd4, fd6; /* -1: not held */
};

/* 0, or -EADDRINUSE: another program has it. */
int udp_port_hold(struct udp_port *p, uint16_t port);
void udp_port_release(struct udp_port *p);

#endif
