/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROCESS_H
#define CONTROL_PROCESS_H

#include <stdint.h>

/* What nave-control and nave-node do before they read anything from outside. */

/*
 * Gives away core files, being traced, new privileges by exec, and every capability but those of
 * keep (a bit each, linux/capability.h, only the first 32); umask 077. 0 or -errno.
 */
int process_restrict(uint32_t keep);
/* JSON may hold keys: from now on whatever of it is freed is wiped first. Before any JSON. */
void process_wipe_json(void);
/* Holds DIR/control.lock until the process ends. The fd, or -EWOULDBLOCK: another one runs. */
int process_lock(const char *dir);

#endif
