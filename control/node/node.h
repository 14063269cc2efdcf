/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_NODE_H
#define CONTROL_NODE_NODE_H

#include "control/node/config.h"

/*
 * The hub's agent: brings the dataplane and the kernel to what the control daemon wants, and
 * reports. Runs until stop_fd is readable, then leaves everything as it is: 0. -errno only for
 * what cannot get better by itself.
 */
int node_run(const struct node_config *config, int stop_fd);
/* Takes away everything that node_run ever made in the kernel. 0 or -errno. */
int node_remove(const struct node_config *config);

#endif
