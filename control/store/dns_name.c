// SPDX-License-Identifier: Apache-2.0
#include "control/store/dns_name.h"

#include "control/store/instance.h"
#include "control/store/internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS "name, hostname, wanted, published IS wanted, reason, message, tries"

static void read_row(sqlite3_stmt *stmt, struct dns_name *n)
{
	memset(n, 0, sizeof(*n));
	sql_text(stmt, 0, n->name, sizeof(n->name));
	sql_text(stmt, 1, n->hostname, sizeof(n->hostname));
	sql_text(stmt, 2, n->wanted, sizeof(n->wanted));
	n->is_published = sqlite3_column_int(stmt, 3) != 0;
	sql_text(stmt, 4, n->reason, sizeof(n->reason));
	sql_text(stmt, 5, n->message, sizeof(n->message));
	n->tries = sqlite3_column_int64(stmt, 6);
}

static int find_row(struct store *store, sqlite3_stmt *stmt, struct dns_name *ret)
{
	int rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

static int find_name(struct store *store, const char *name, struct dns_name *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(
		store, &stmt, "SELECT " COLUMNS " FROM dns_name WHERE name = ?", "t", name);
	return rc == 0 ? find_row(store, stmt, ret) : rc;
}

int dns_name_want(struct store *store, const char *name, const char *hostname, const char *wanted,
	struct dns_name *ret)
{
	int rc = find_name(store, name, ret);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	if (rc == 0 && strcmp(ret->wanted, wanted) == 0)
		return 0;
	/* Without a failure's wait, for it is another question; but the failure stays counted. */
	rc = sql_run(store,
		"INSERT INTO dns_name (name, hostname, wanted, due_at) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (name) DO UPDATE SET hostname = ?2, wanted = ?3, reason = '',"
		" message = '', due_at = ?4",
		"ttti", name, hostname, wanted, store->now);
	if (rc == 0)
		rc = find_name(store, name, ret);
	return rc == 0 ? 1 : rc;
}

int dns_names_begin(struct store *store)
{
	return sql_run(store,
		"UPDATE dns_name SET tries = 1, due_at = min(due_at, ?) WHERE tries = 0"
		" AND published IS NOT wanted",
		"i", store->now);
}

int dns_names_drop(struct store *store, const char *domain)
{
	int64_t dropped = 0;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"UPDATE dns_name SET wanted = '', reason = '', message = '', due_at = ?1"
		" WHERE wanted != '' AND (name != hostname || '.' || ?2 OR NOT EXISTS (SELECT 1"
		" FROM instance i WHERE i.hostname = dns_name.hostname AND i.state != ?3))"
		" RETURNING 1",
		"iti", store->now, domain, (int64_t)INSTANCE_DELETING);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0)
		dropped++;
	sql_done(stmt);
	return rc < 0 ? rc : (int)dropped;
}

int dns_name_due(struct store *store, struct dns_name *ret)
{
	sqlite3_stmt *stmt;
	/* one that is due after the longest wait was written by a clock that was wrong */
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM dns_name WHERE due_at <= ?1 OR due_at > ?1 + ?2"
		" ORDER BY due_at LIMIT 1",
		"ii", store->now, (int64_t)DNS_NAME_REFRESH_S);
	return rc == 0 ? find_row(store, stmt, ret) : rc;
}

int dns_name_begin(struct store *store, const struct dns_name *n)
{
	if (n->is_published)
		return 0;
	/* from here on the server may have it, or still what it had */
	return sql_run(store, "UPDATE dns_name SET published = NULL WHERE name = ?", "t", n->name);
}

int dns_name_confirm(struct store *store, const struct dns_name *n)
{
	/* A failure may have been an answer that was lost, and what was given up may reach the server
	 * late, behind this: said once more a little later, it is put right. */
	int64_t again = n->tries > 0 ? DNS_NAME_ASSURE_S : DNS_NAME_REFRESH_S;
	bool is_gone = n->wanted[0] == '\0' && n->tries == 0;
	int rc = is_gone ? sql_run(
			 store, "DELETE FROM dns_name WHERE name = ? AND wanted = ''", "t", n->name)
			 : 0;
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE dns_name SET published = ?2, due_at = iif(wanted = ?2, ?3, ?4),"
			" tries = 0, reason = '', message = '' WHERE name = ?1",
			"ttii", n->name, n->wanted, store->now + again, store->now);
	/* the server is there again: nobody needs to wait any longer */
	if (rc == 0 && n->tries > 0)
		rc = sql_run(
			store, "UPDATE dns_name SET due_at = ?1 WHERE tries > 0", "i", store->now);
	if (rc < 0 || n->is_published)
		return rc;
	return audit_add(
		store, n->wanted[0] != '\0' ? "publish" : "unpublish", "dns_name", NULL, n->name);
}

int dns_name_fail(struct store *store, const struct dns_name *n, const char *reason,
	const char *message, bool others)
{
	return sql_run(store,
		"UPDATE dns_name SET reason = ?1, message = ?2, tries = tries + 1,"
		" due_at = ?3 + min(1 << min(tries, 16), ?4)"
		" WHERE (name = ?5 AND wanted = ?6) OR (?7 AND due_at <= ?3)",
		"ttiitti", reason, message, store->now, (int64_t)DNS_NAME_RETRY_MAX_S, n->name,
		n->wanted, (int64_t)others);
}

int dns_names_count(struct store *store, int64_t *ret_waiting, int64_t *ret_leaving)
{
	int rc = sql_number(store, ret_waiting,
		"SELECT count(*) FROM dns_name WHERE wanted != '' AND published IS NOT wanted", "");
	return rc == 0 ? sql_number(store, ret_leaving,
		       "SELECT count(*) FROM dns_name WHERE wanted = '' AND published IS NOT wanted",
		       "")
		       : rc;
}

static int take_instance(void *ctx, const struct instance *i)
{
	if (i->state != INSTANCE_DELETING)
		*(struct uuid *)ctx = i->id;
	return 0;
}

int dns_name_instance(struct store *store, const char *hostname, struct instance *ret)
{
	const struct instance_filter filter = {.hostname = hostname};
	struct uuid id = {0};
	int rc = instance_list(store, &filter, take_instance, &id);
	if (rc < 0 || uuid_is_zero(&id))
		return rc < 0 ? rc : -ENOENT;
	return instance_find(store, &id, ret);
}
