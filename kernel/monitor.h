/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_MONITOR_H
#define KERNEL_MONITOR_H

struct nl_sock;

/* Says that links, addresses, routes or neighbours changed; what they are now, a dump tells: so
 * nothing is missed after an overrun either. */
struct monitor {
	struct nl_sock *sock;
};

int monitor_open(struct monitor *m);
void monitor_close(struct monitor *m);
/* For poll(2). */
int monitor_fd(const struct monitor *m);
/* Reads all that waits; never blocks. */
void monitor_drain(struct monitor *m);

#endif
