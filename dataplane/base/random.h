/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_RANDOM_H
#define DATAPLANE_BASE_RANDOM_H

#include <stddef.h>

/* Bytes fit for keys, from getrandom(2); waits until the pool is seeded. 0 or -errno. */
int random_bytes(void *buf, size_t len);

#endif
