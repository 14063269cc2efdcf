/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_SYSCTL_H
#define KERNEL_SYSCTL_H

/* Writes a value into /proc/sys/NAME, with "/" between the parts: "net/ipv4/ip_forward". 0 or
 * -errno. */
int sysctl_write(const char *name, const char *value);

#endif
