/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_TCP_PORT_H
#define KERNEL_TCP_PORT_H

#include <stdint.h>

/* A socket that listens at the port (host byte order) on every address of both families, and does not
 * block. 0 or -errno; a machine without IPv6 has IPv4. The caller closes it. */
int tcp_port_listen(uint16_t port, int *ret_fd);

#endif
