/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SANDBOX_H
#define DATAPLANE_SANDBOX_H

/*
 * Gives up what the process needs no more once everything is open: all capabilities, new
 * privileges, core dumps, and every system call that forwarding does not make. Main thread, after
 * all other threads were started (the filter is put on all of them). 0 or -errno.
 */
int sandbox_enter(void);

#endif
