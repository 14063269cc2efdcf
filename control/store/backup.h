/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_BACKUP_H
#define CONTROL_STORE_BACKUP_H

#include "control/store/store.h"

/*
 * Copies the database of state_dir, at one moment of it, into a new file of mode 0600; a daemon may run
 * beside it. secret.key is not in it, and without that nobody reads a secret in it. 0, or -errno with a
 * text in error: -EEXIST file is there already. On failure there is no file.
 */
int store_backup(const char *state_dir, const char *file, char *error, unsigned int error_size);

/*
 * Puts such a file in the place of state_dir's database, checked and migrated before anything is
 * touched; what was there stays as control.db.before. With a new epoch, so that hubs compare everything
 * with it. The caller holds the lock of state_dir, and no daemon runs. 0, or -errno with a text in error
 * and nothing changed: -ENOENT secret.key is missing, -EKEYREJECTED it is another one.
 */
int store_restore(const char *state_dir, const char *file, char *error, unsigned int error_size);

#endif
