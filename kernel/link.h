/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_LINK_H
#define KERNEL_LINK_H

#include <stdbool.h>
#include <stdint.h>

struct nl;

/* Interface index; -ENODEV. */
int link_find(const char *name);
/* Up, and with this MTU (0: leave it). */
int link_set_up(struct nl *nl, int ifindex, unsigned int mtu);
/* Does nothing when it is so already: a change makes Linux forget the neighbours. */
int link_set_mac(struct nl *nl, int ifindex, const uint8_t mac[6]);
/* Deletes the device. */
int link_del(struct nl *nl, int ifindex);
/* Visits all links; false stops. */
int link_each(struct nl *nl, bool (*visit)(void *ctx, int ifindex, const char *name), void *ctx);

#endif
