/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROCESS_H
#define CONTROL_PROCESS_H

/*
 * What the process gives away before it reads anything from outside: capabilities, core files,
 * being traced, new privileges by exec; umask 077. 0 or -errno.
 */
int process_restrict(void);
/* Holds DIR/control.lock until the process ends. The fd, or -EWOULDBLOCK: another one runs. */
int process_lock(const char *dir);

#endif
