/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_STORE_H
#define CONTROL_STORE_STORE_H

#include "dataplane/base/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/*
 * The daemon's memory: SQLite, WAL, synchronous=FULL, one connection behind one lock. All calls
 * but open and close happen between store_begin and store_end, on the thread that began. They
 * return 0 or -errno: -ENOENT no such row, -ENOSPC disk full, -EIO and -EUCLEAN the database is
 * not well, -EEXIST a uniqueness of the schema.
 */
int store_open(const char *state_dir, struct store **ret, char *error, unsigned int error_size);
void store_close(struct store *store);

enum store_mode {
	STORE_READ,
	STORE_WRITE,
};

/* Takes the lock. 0 or -errno; on failure nothing is held. */
int store_begin(struct store *store, enum store_mode mode);
/* Commits when asked to (a failed commit has changed nothing), else rolls back; gives the lock back. */
int store_end(struct store *store, bool commit);
/*
 * Called after each commit that has written events, on the thread that wrote, without the lock. Set
 * before other threads use the store.
 */
void store_set_listener(struct store *store, void (*listener)(void *ctx), void *ctx);
/* Seconds since 1970, the same in the whole transaction. */
int64_t store_now(const struct store *store);
/* Made with the database: hubs that know another one pull everything. */
const struct uuid *store_epoch(const struct store *store);
const struct uuid *store_workspace(const struct store *store);
/* When the workspace was made, seconds since 1970. */
int64_t store_created_at(const struct store *store);

/* Who does what, for the audit log: set after store_begin, valid until store_end. */
struct store_actor {
	const char *type; /* "api_key", "local", "hub", "system" */
	struct uuid id; /* zero where there is none */
	const char *name;
	const char *request_id;
};

void store_set_actor(struct store *store, const struct store_actor *actor);
/* Deletes what is past its time: quarantines, kept answers, tombstones. */
int store_prune(struct store *store);

#endif
