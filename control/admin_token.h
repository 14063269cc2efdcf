/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_ADMIN_TOKEN_H
#define CONTROL_ADMIN_TOKEN_H

struct store;

/*
 * Makes sure that DIR/admin.token holds an owner's key: the first way in over TCP. A file that is
 * there is left alone; whoever deletes it gets a new key at the next start, and the old one is
 * revoked. 0, or -errno after a log line.
 */
int admin_token_make(struct store *store, const char *dir);
/*
 * After a restore: a file with a key that the database does not know goes, and the next start makes
 * another. 0 or -errno.
 */
int admin_token_settle(struct store *store, const char *dir);

#endif
