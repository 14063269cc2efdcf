/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WORKER_HOST_IO_H
#define DATAPLANE_WORKER_HOST_IO_H

#include <stdbool.h>
#include <stdint.h>

struct capture_settings;
struct counters;
struct host_io;
struct instance;
struct rings;
struct tables;

/*
 * The thread that reads and writes TAP and TUN devices, so that no worker ever makes a system
 * call for them. Descriptors come from nave-node over the API socket; they are owned here from
 * the call on and closed when replaced or when the instance goes. Frames carry a struct
 * virtio_net_hdr of 10 bytes (IFF_VNET_HDR), without offloads.
 */
/* 0 or -errno. idle_sleep_us: how long it sleeps when neither side has anything. */
int host_io_start(struct tables *t, struct rings *r, struct counters *c, unsigned int idle_sleep_us,
	struct host_io **ret);
void host_io_stop(struct host_io *h);

/* Server thread. Take fd over, also on failure. 0 or -errno (-EINVAL: not such a device). */
int host_io_tap_set(struct host_io *h, uint32_t port, int fd);
int host_io_tun_set(struct host_io *h, const struct instance *i, int fd);
/* Server thread, each. Takes fd over, also on failure: see capture.h. */
int host_io_capture_open(struct host_io *h, const struct capture_settings *s, int fd);
bool host_io_capture_is_open(struct host_io *h, uint64_t peer);
void host_io_capture_close(struct host_io *h, uint64_t peer);
/* The instance is going: closes its TUN. No TUN: nothing happens. */
void host_io_tun_del(struct host_io *h, const struct instance *i);

#endif
