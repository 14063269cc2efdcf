// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions: what reports of hubs say, cut into times during which a peer was connected. One that
 * goes on is not written again with each report: its bytes are the peer's sums less those of its
 * beginning. Silence ends it, as seen by a hub that reports: while a hub is silent nobody knows.
 */
#include "control/store/session.h"

#include "control/store/internal.h"

#include <errno.h>
#include <string.h>

enum {
	EXPIRE_SESSIONS = 2000, /* looked at in one second */
	PRUNE_SESSIONS = 5000, /* taken in one minute */
};

static void read_row(sqlite3_stmt *stmt, struct session *s)
{
	memset(s, 0, sizeof(*s));
	s->seq = sqlite3_column_int64(stmt, 0);
	sql_uuid(stmt, 1, &s->peer_id);
	sql_text(stmt, 2, s->peer_name, sizeof(s->peer_name));
	s->since = sqlite3_column_int64(stmt, 3);
	s->until = sqlite3_column_int64(stmt, 4);
	sql_text(stmt, 5, s->endpoint, sizeof(s->endpoint));
	sql_text(stmt, 6, s->protocol, sizeof(s->protocol));
	s->rx_bytes = (uint64_t)sqlite3_column_int64(stmt, 7);
	s->tx_bytes = (uint64_t)sqlite3_column_int64(stmt, 8);
	sql_text(stmt, 9, s->reason, sizeof(s->reason));
}

#define SELECT                                                                                    \
	"SELECT x.seq, x.peer_id, p.name, x.since, x.until, x.endpoint, x.protocol,"              \
	" iif(x.until = 0, t.rx_bytes - x.rx_from, x.rx_bytes),"                                  \
	" iif(x.until = 0, t.tx_bytes - x.tx_from, x.tx_bytes), x.reason, x.instance_id"          \
	" FROM session x JOIN peer p ON p.id = x.peer_id LEFT JOIN peer_status t ON t.peer_id = " \
	"x.peer_id"

int session_list(struct store *store, const struct uuid *instance_id, const struct uuid *peer_id,
	int64_t before, int (*row)(void *ctx, const struct session *s), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		peer_id != NULL ? SELECT " WHERE x.peer_id = ? AND x.seq < ? ORDER BY x.seq DESC"
				: SELECT
			" WHERE x.instance_id = ? AND x.seq < ? ORDER BY x.seq DESC",
		"ui", peer_id != NULL ? peer_id : instance_id, before);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct session s;
		read_row(stmt, &s);
		rc = row(ctx, &s);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

static int find_session(
	struct store *store, int64_t seq, struct session *ret, struct uuid *instance)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, SELECT " WHERE x.seq = ?", "i", seq);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		read_row(stmt, ret);
		sql_uuid(stmt, 10, instance);
	}
	sql_done(stmt);
	return rc;
}

static int tell_end(struct store *store, int64_t seq)
{
	struct session s = {0};
	struct uuid instance = {0};
	int rc = find_session(store, seq, &s, &instance);
	if (rc < 0)
		return rc;
	const struct event_about about = {"peer", &s.peer_id, s.peer_name, &instance};
	return event_add(store, "peer.disconnected", &about,
		json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "reason", s.reason, "connected_from",
			s.endpoint, "protocol", s.protocol, "seconds",
			(json_int_t)(s.until - s.since), "rx_bytes", (json_int_t)s.rx_bytes,
			"tx_bytes", (json_int_t)s.tx_bytes));
}

/* Its bytes are what the status says now. is_followed: the next takes its place. */
static int end_session(
	struct store *store, int64_t seq, int64_t until, const char *reason, bool is_followed)
{
	int rc = sql_run(store,
		"UPDATE session SET until = max(since, ?2), reason = ?3, rx_bytes = max(0,"
		" (SELECT rx_bytes FROM peer_status t WHERE t.peer_id = session.peer_id) - rx_from),"
		" tx_bytes = max(0, (SELECT tx_bytes FROM peer_status t WHERE"
		" t.peer_id = session.peer_id) - tx_from) WHERE seq = ?1 AND until = 0",
		"iit", seq, until, reason);
	return rc == 0 && !is_followed ? tell_end(store, seq) : rc;
}

/* Behind NAT ports come and go; another address is another place. */
static bool is_elsewhere(const char *a, const char *b)
{
	struct ip_endpoint x, y;
	return ip_endpoint_parse(a, &x) == 0 && ip_endpoint_parse(b, &y) == 0
		&& !ip_addr_equal(&x.addr, &y.addr);
}

/* NULL: it goes on as far as the report knows. */
static const char *why_over(const struct session_news *n)
{
	if (n->is_told && !n->is_same_boot)
		return "hub_restarted";
	if (strcmp(n->open->protocol, n->protocol) != 0)
		return "other_protocol";
	return is_elsewhere(n->open->endpoint, n->now->endpoint) ? "moved" : NULL;
}

static bool is_here(const struct session_news *n, const struct store *store)
{
	return n->now->last_seen_at > n->before->last_seen_at
		&& n->now->last_seen_at + n->window_s >= store->now && n->is_permitted;
}

int session_end_old(struct store *store, const struct session_news *n, bool *ret_goes_on)
{
	*ret_goes_on = n->open->seq != 0;
	const char *reason = *ret_goes_on ? why_over(n) : NULL;
	if (reason == NULL)
		return 0;
	*ret_goes_on = false;
	return end_session(store, n->open->seq, n->before->last_seen_at, reason, is_here(n, store));
}

static int keep_newest(struct store *store, const struct uuid *peer_id)
{
	return sql_run(store,
		"DELETE FROM session WHERE peer_id = ?1 AND until != 0 AND seq <= (SELECT seq FROM"
		" session WHERE peer_id = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
		"ui", peer_id, (int64_t)SESSIONS_OF_PEER_MAX);
}

/* A handshake that was after the last word of before began it, else what was heard now. */
static int begin_session(struct store *store, const struct session_news *n)
{
	int64_t since = n->now->last_seen_at;
	if (n->now->last_handshake_at > n->before->last_seen_at
		&& n->now->last_handshake_at < since)
		since = n->now->last_handshake_at;
	int rc = sql_run(store,
		"INSERT INTO session (peer_id, instance_id, since, endpoint, protocol, rx_from,"
		" tx_from) VALUES (?, ?, ?, ?, ?, ?, ?)",
		"uuittii", n->peer_id, n->instance_id, since, n->now->endpoint, n->protocol,
		(int64_t)n->before->rx_bytes, (int64_t)n->before->tx_bytes);
	const struct event_about about = {"peer", n->peer_id, n->peer_name, n->instance_id};
	if (rc == 0)
		rc = event_add(store, n->open->seq != 0 ? "peer.moved" : "peer.connected", &about,
			json_pack("{s:s, s:s}", "connected_from", n->now->endpoint, "protocol",
				n->protocol));
	return rc == 0 ? keep_newest(store, n->peer_id) : rc;
}

int session_begin_new(struct store *store, const struct session_news *n, bool goes_on)
{
	if (goes_on && n->has_left)
		return end_session(store, n->open->seq, n->now->last_seen_at, "closed", false);
	if (goes_on && strcmp(n->open->endpoint, n->now->endpoint) != 0)
		return sql_run(store, "UPDATE session SET endpoint = ? WHERE seq = ?", "ti",
			n->now->endpoint, n->open->seq);
	return goes_on || !is_here(n, store) || n->has_left ? 0 : begin_session(store, n);
}

static int find_open(struct store *store, const struct uuid *peer_id, int64_t *ret)
{
	int rc = sql_number(store, ret, "SELECT seq FROM session WHERE peer_id = ? AND until = 0",
		"u", peer_id);
	*ret = rc == 0 ? *ret : 0;
	return rc == -ENOENT ? 0 : rc;
}

int session_end_of_peer(struct store *store, const struct uuid *peer_id, const char *reason)
{
	int64_t seq = 0;
	int rc = find_open(store, peer_id, &seq);
	return rc == 0 && seq != 0 ? end_session(store, seq, store->now, reason, false) : rc;
}

/* One whose session is open, of the user; -ENOENT: none is left. */
static int find_of_user(struct store *store, const struct uuid *user_id, struct uuid *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT p.id FROM peer p JOIN session x ON x.peer_id = p.id AND x.until = 0"
		" WHERE p.user_id = ? LIMIT 1",
		"u", user_id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		sql_uuid(stmt, 0, ret);
	sql_done(stmt);
	return rc;
}

int sessions_end_of_user(struct store *store, const struct uuid *user_id, const char *reason)
{
	struct uuid peer;
	int rc;
	while ((rc = find_of_user(store, user_id, &peer)) == 0) {
		rc = session_end_of_peer(store, &peer, reason);
		if (rc < 0)
			break;
	}
	return rc == -ENOENT ? 0 : rc;
}

/* The next that are open: up to which seq; 0 when they are the last. */
static int choose_range(struct store *store, int64_t after, int64_t *ret_last, bool *ret_is_end)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT coalesce(max(seq), 0), count(*) FROM (SELECT seq FROM session WHERE until = 0"
		" AND seq > ? ORDER BY seq LIMIT ?)",
		"ii", after, (int64_t)EXPIRE_SESSIONS);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	*ret_last = sqlite3_column_int64(stmt, 0);
	*ret_is_end = sqlite3_column_int64(stmt, 1) < EXPIRE_SESSIONS;
	sql_done(stmt);
	return rc;
}

struct silent_session {
	int64_t seq, seen_at;
};

enum {
	SILENT_AT_ONCE = 500, /* the others the next time */
};

static int find_silent(
	struct store *store, const int64_t range[2], struct silent_session ret[SILENT_AT_ONCE])
{
	sqlite3_stmt *stmt;
	int count = 0;
	int rc = sql_prepare(store, &stmt,
		"SELECT x.seq, t.last_seen_at FROM session x JOIN peer p ON p.id = x.peer_id"
		" JOIN peer_status t ON t.peer_id = x.peer_id JOIN instance i ON i.id = p.instance_id"
		" JOIN hub h ON h.id = i.hub_id WHERE x.until = 0 AND x.seq > ?1 AND x.seq <= ?2"
		" AND t.last_seen_at + max(?3, 3 * p.keepalive) < ?4 AND NOT h.is_silent"
		" AND h.back_at <= ?5 LIMIT ?6",
		"iiiiii", range[0], range[1], (int64_t)CONNECTED_MIN_S, store->now,
		store->now - SESSION_SETTLE_S, (int64_t)SILENT_AT_ONCE);
	if (rc < 0)
		return rc;
	while (count < SILENT_AT_ONCE && (rc = sql_step(store, stmt)) > 0)
		ret[count++] = (struct silent_session){
			sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)};
	sql_done(stmt);
	return rc < 0 ? rc : count;
}

int sessions_expire(struct store *store)
{
	struct silent_session silent[SILENT_AT_ONCE] = {0};
	int64_t range[2] = {store->expired, 0};
	bool is_end = false;
	int rc = choose_range(store, range[0], &range[1], &is_end);
	int count = rc == 0 ? find_silent(store, range, silent) : rc;
	rc = count;
	for (int n = 0; n < count && rc >= 0; n++)
		rc = end_session(store, silent[n].seq, silent[n].seen_at, "silent", false);
	if (rc < 0)
		return rc;
	store->expired = is_end ? 0 : range[1];
	return count;
}

int sessions_prune(struct store *store)
{
	return sql_run(store,
		"DELETE FROM session WHERE seq IN (SELECT seq FROM session WHERE until > 0 AND"
		" until < ? LIMIT ?)",
		"ii", store->now - (int64_t)SESSIONS_KEPT_S, (int64_t)PRUNE_SESSIONS);
}
