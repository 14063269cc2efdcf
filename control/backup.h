/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_BACKUP_H
#define CONTROL_BACKUP_H

struct control_config;

/*
 * nave-control --backup and --restore: says what it did, or on standard error why not. The exit status.
 * Restore wants no daemon on state_dir, and takes its lock.
 */
int backup_make(const struct control_config *config, const char *file);
int backup_restore(const struct control_config *config, const char *file);

#endif
