/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WORKER_CAPTURE_H
#define DATAPLANE_WORKER_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Capture files being written: pcapng (draft-ietf-opsawg-pcapng), one section with one interface.
 * No thread of its own: host_io.c calls it under its mutex.
 */
enum {
	CAPTURES_MAX = 8,
};

struct capture_settings {
	uint64_t peer; /* handle */
	bool is_inner; /* IP packets, else Ethernet frames */
	uint32_t max_bytes;
	uint64_t end_ns; /* CLOCK_MONOTONIC */
};

struct capture {
	struct capture_settings settings;
	int fd;
	uint32_t bytes;
	bool is_open;
};

struct captures {
	struct capture capture[CAPTURES_MAX];
	unsigned int open;
};

/* Writes the head of the file and takes fd over, also on failure. Its place, below CAPTURES_MAX;
 * -EBUSY: the peer has one, or there are too many; -EIO. */
int capture_open(struct captures *c, const struct capture_settings *s, int fd);
/* A packet of the peer at this time since 1970. No file for it: nothing happens. */
void capture_write(struct captures *c, uint64_t peer, bool outbound, const void *data, uint32_t len,
	uint64_t realtime_ns);
/* Closes those whose time is over. */
void capture_expire(struct captures *c, uint64_t now_ns);
bool capture_is_open(const struct captures *c, uint64_t peer);
void capture_close(struct captures *c, uint64_t peer);
void captures_fini(struct captures *c);

#endif
