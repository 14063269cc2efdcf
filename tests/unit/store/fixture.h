/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/peer.h"
#include "control/store/store.h"

#include <limits.h>

/* A real store in a directory of its own. Everything here asserts: include cmocka.h before it. */
struct fixture {
	char dir[PATH_MAX];
	struct store *store; /* NULL while closed */
};

void fixture_init(struct fixture *f);
/* Closes and removes the directory. */
void fixture_fini(struct fixture *f);
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_write(struct fixture *f);
void fixture_read(struct fixture *f);
void fixture_commit(struct fixture *f);
void fixture_rollback(struct fixture *f);
/* Another connection to the database: what nobody but a test or a fault would write. */
void fixture_run_sql(struct fixture *f, const char *sql);
/* The SQLite result of it, for what should be refused. */
int fixture_try_sql(struct fixture *f, const char *sql);
int64_t fixture_number(struct fixture *f, const char *sql);

struct ip_prefix fixture_prefix(const char *text);
/* In a transaction of the caller's. The objects are as from instance_find and so on. */
void fixture_hub(struct fixture *f, const char *name, struct hub *ret);
/* name is the hostname as well. Networks are chosen from 10.192.0.0/10. 0 or -errno. */
int fixture_add_instance(struct fixture *f, const char *name, struct instance *ret);
/* As provisioning leaves it: hub, port and keys. */
void fixture_ready_instance(struct fixture *f, const char *name, struct instance *ret);
/* A client when subnet is NULL. Its key is made here. 0 or -errno; fini ret in both cases. */
int fixture_add_peer(struct fixture *f, const struct instance *i, const char *name,
	const char *subnet, struct peer *ret);

#endif
