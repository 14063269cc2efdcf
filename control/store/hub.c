// SPDX-License-Identifier: Apache-2.0
/*
 * Hubs: enrolment, what they are to do, what they report. The generation of a hub is one counter,
 * taken in the transaction that writes; so whoever has seen generation G has seen every change
 * up to it. What is gone leaves a tombstone for a week; a hub that was away longer gets it all.
 */
#include "control/store/hub.h"

#include "control/store/internal.h"
#include "control/store/peer.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                            \
	"id, name, region, generation, applied_generation, version, addresses, egress_v4," \
	" egress_v6, counters, last_report_at, created_at, is_enrolled"

void hub_fini(struct hub *h)
{
	json_decref(h->counters);
	h->counters = NULL;
}

bool hub_is_connected(const struct hub *h, int64_t now)
{
	return h->last_report_at != 0 && h->last_report_at + HUB_SILENT_S >= now;
}

static void read_row(sqlite3_stmt *stmt, struct hub *h)
{
	size_t i;
	json_t *item;
	memset(h, 0, sizeof(*h));
	sql_uuid(stmt, 0, &h->id);
	sql_text(stmt, 1, h->name, sizeof(h->name));
	sql_text(stmt, 2, h->region, sizeof(h->region));
	h->generation = sqlite3_column_int64(stmt, 3);
	h->applied_generation = sqlite3_column_int64(stmt, 4);
	sql_text(stmt, 5, h->version, sizeof(h->version));
	json_t *addresses = sql_json(stmt, 6, "[]");
	json_array_foreach(addresses, i, item)
	{
		const char *text = json_string_value(item);
		if (text != NULL && h->address_count < HUB_ADDRESSES_MAX
			&& ip_addr_parse(text, &h->addresses[h->address_count]) == 0)
			h->address_count++;
	}
	json_decref(addresses);
	h->egress_v4 = sqlite3_column_int(stmt, 7) != 0;
	h->egress_v6 = sqlite3_column_int(stmt, 8) != 0;
	h->counters = sql_json(stmt, 9, "{}");
	h->last_report_at = sqlite3_column_int64(stmt, 10);
	h->created_at = sqlite3_column_int64(stmt, 11);
	h->is_enrolled = sqlite3_column_int(stmt, 12) != 0;
}

static int find_row(struct store *store, sqlite3_stmt *stmt, struct hub *ret)
{
	int rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int hub_find(struct store *store, const struct uuid *id, struct hub *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, "SELECT " COLUMNS " FROM hub WHERE id = ?", "u", id);
	return rc == 0 ? find_row(store, stmt, ret) : rc;
}

int hub_find_token(struct store *store, const char *token, struct hub *ret)
{
	uint8_t hash[TOKEN_HASH_LEN];
	sqlite3_stmt *stmt;
	token_hash(store, token, hash);
	int rc = sql_prepare(store, &stmt, "SELECT " COLUMNS " FROM hub WHERE token_hash = ?", "b",
		hash, sizeof(hash));
	return rc == 0 ? find_row(store, stmt, ret) : rc;
}

int hub_list(struct store *store, const struct uuid *after,
	int (*row)(void *ctx, const struct hub *h), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM hub WHERE (?1 IS NULL OR id > ?1) ORDER BY id", "u",
		after);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct hub h;
		read_row(stmt, &h);
		rc = row(ctx, &h);
		hub_fini(&h);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

static int find_name(struct store *store, const char *name, struct uuid *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, "SELECT id FROM hub WHERE name = ?", "t", name);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		sql_uuid(stmt, 0, ret);
	sql_done(stmt);
	return rc;
}

int hub_enrol(struct store *store, const char *name, const char *region, struct uuid *ret_id,
	char ret_token[HUB_TOKEN_TEXT])
{
	uint8_t hash[TOKEN_HASH_LEN];
	struct uuid id;
	int rc = token_make("nave_nk_", ret_token, HUB_TOKEN_TEXT);
	if (rc < 0)
		return rc;
	token_hash(store, ret_token, hash);
	rc = find_name(store, name, &id);
	if (rc == 0) {
		rc = sql_run(store,
			"UPDATE hub SET token_hash = ?, region = ?, is_enrolled = 1 WHERE id = ?",
			"btu", hash, sizeof(hash), region, &id);
	} else if (rc == -ENOENT) {
		rc = uuid_generate(&id);
		if (rc == 0)
			rc = sql_run(store,
				"INSERT INTO hub (id, name, region, token_hash, created_at)"
				" VALUES (?, ?, ?, ?, ?)",
				"uttbi", &id, name, region, hash, sizeof(hash), store->now);
	}
	if (rc < 0)
		return rc;
	*ret_id = id;
	return audit_add(store, "enrol", "hub", &id, name);
}

/* Until it comes in, the hash that it is known by is of no token. */
int hub_add(struct store *store, const char *name, const char *region, struct uuid *ret_id)
{
	uint8_t nobody[TOKEN_HASH_LEN];
	int rc = find_name(store, name, ret_id);
	if (rc != -ENOENT)
		return rc == 0 ? -EEXIST : rc;
	rc = uuid_generate(ret_id);
	if (rc == 0)
		rc = random_bytes(nobody, sizeof(nobody));
	if (rc == 0)
		rc = sql_run(store,
			"INSERT INTO hub (id, name, region, token_hash, is_enrolled, created_at)"
			" VALUES (?, ?, ?, ?, 0, ?)",
			"uttbi", ret_id, name, region, nobody, sizeof(nobody), store->now);
	return rc == 0 ? audit_add(store, "create", "hub", ret_id, name) : rc;
}

int hub_make_enrol_token(struct store *store, const struct hub *h, char ret_token[HUB_TOKEN_TEXT])
{
	uint8_t hash[TOKEN_HASH_LEN];
	int rc = token_make("nave_et_", ret_token, HUB_TOKEN_TEXT);
	if (rc < 0)
		return rc;
	token_hash(store, ret_token, hash);
	rc = sql_run(store, "UPDATE hub SET enrol_hash = ?, enrol_expires_at = ? WHERE id = ?",
		"biu", hash, sizeof(hash), store->now + HUB_ENROL_S, &h->id);
	return rc == 0 ? audit_add(store, "enrol_token", "hub", &h->id, h->name) : rc;
}

int hub_find_enrol_token(struct store *store, const char *token, struct hub *ret)
{
	uint8_t hash[TOKEN_HASH_LEN];
	sqlite3_stmt *stmt;
	token_hash(store, token, hash);
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM hub WHERE enrol_hash = ? AND enrol_expires_at > ?", "bi",
		hash, sizeof(hash), store->now);
	return rc == 0 ? find_row(store, stmt, ret) : rc;
}

int hub_enrol_once(struct store *store, const struct uuid *id, const char *name,
	char ret_token[HUB_TOKEN_TEXT])
{
	uint8_t hash[TOKEN_HASH_LEN];
	int64_t changed = 0;
	int rc = token_make("nave_nk_", ret_token, HUB_TOKEN_TEXT);
	if (rc < 0)
		return rc;
	token_hash(store, ret_token, hash);
	rc = sql_number(store, &changed,
		"UPDATE hub SET token_hash = ?, is_enrolled = 1, enrol_hash = NULL WHERE id = ?"
		" AND enrol_hash IS NOT NULL RETURNING 1",
		"bu", hash, sizeof(hash), id);
	return rc == 0 ? audit_add(store, "enrol", "hub", id, name) : rc;
}

int hub_del(struct store *store, const struct hub *h)
{
	int64_t instances = 0;
	int rc = sql_number(
		store, &instances, "SELECT count(*) FROM instance WHERE hub_id = ?", "u", &h->id);
	if (rc < 0 || instances > 0)
		return rc < 0 ? rc : -EBUSY;
	rc = sql_run(store, "DELETE FROM hub WHERE id = ?", "u", &h->id);
	return rc == 0 ? audit_add(store, "delete", "hub", &h->id, h->name) : rc;
}

int hub_of_peer(struct store *store, const struct uuid *peer_id, struct uuid *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT i.hub_id FROM peer p JOIN instance i ON i.id = p.instance_id WHERE p.id = ?"
		" AND i.hub_id IS NOT NULL",
		"u", peer_id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		sql_uuid(stmt, 0, ret);
	sql_done(stmt);
	return rc == -ENOENT ? -EAGAIN : rc;
}

int hub_next_generation(struct store *store, const struct uuid *hub_id, int64_t *ret)
{
	return sql_number(store, ret,
		"UPDATE hub SET generation = generation + 1 WHERE id = ? RETURNING generation", "u",
		hub_id);
}

int hub_resend_instance(struct store *store, const struct instance *i)
{
	int64_t generation;
	if (uuid_is_zero(&i->hub_id))
		return 0;
	int rc = hub_next_generation(store, &i->hub_id, &generation);
	return rc == 0 ? sql_run(store, "UPDATE instance SET generation = ? WHERE id = ?", "iu",
		       generation, &i->id)
		       : rc;
}

int tombstone_add(
	struct store *store, const struct uuid *hub_id, const char *kind, const struct uuid *id)
{
	int64_t generation;
	int rc = hub_next_generation(store, hub_id, &generation);
	return rc == 0 ? sql_run(store,
		       "INSERT OR REPLACE INTO tombstone (hub_id, kind, id, generation, at)"
		       " VALUES (?, ?, ?, ?, ?)",
		       "utuii", hub_id, kind, id, generation, store->now)
		       : rc;
}

bool hub_needs_all(
	struct store *store, const struct hub *h, const struct uuid *epoch, int64_t after)
{
	int64_t floor = 0;
	if (!uuid_equal(epoch, &store->epoch) || after < 0 || after > h->generation)
		return true;
	return sql_number(store, &floor, "SELECT floor FROM hub WHERE id = ?", "u", &h->id) < 0
		|| after < floor;
}

static int tell_instance(struct store *store, const struct uuid *id, const struct hub_desired *sink)
{
	struct instance i;
	struct key private_key;
	int rc = instance_find(store, id, &i);
	if (rc < 0)
		return rc;
	rc = instance_private_key(store, id, &private_key);
	if (rc == 0)
		rc = sink->instance(sink->ctx, &i, &private_key);
	key_wipe(&private_key);
	instance_fini(&i);
	return rc;
}

static int list_instances(
	struct store *store, const struct hub *h, int64_t after, const struct hub_desired *sink)
{
	sqlite3_stmt *stmt;
	/* Without keys it is not yet for the hub: the step that makes them takes a generation. */
	int rc = sql_prepare(store, &stmt,
		"SELECT id FROM instance WHERE hub_id = ? AND generation > ? AND private_key_box IS NOT NULL",
		"ui", &h->id, after);
	if (rc < 0)
		return rc;
	while (rc == 0 && (rc = sql_step(store, stmt)) > 0) {
		struct uuid id;
		sql_uuid(stmt, 0, &id);
		rc = tell_instance(store, &id, sink);
	}
	sql_done(stmt);
	return rc;
}

static int tell_peer(struct store *store, const struct uuid *instance_id, const struct uuid *id,
	bool all, const struct hub_desired *sink)
{
	struct peer p;
	struct key psk;
	int rc = peer_find(store, instance_id, id, &p);
	if (rc < 0)
		return rc;
	if (peer_state_at(&p, store->now) != PEER_ACTIVE) {
		rc = all ? 0 : sink->deleted(sink->ctx, "peer", id);
	} else {
		rc = peer_preshared_key(store, id, &psk);
		if (rc == 0)
			rc = sink->peer(sink->ctx, &p, &psk);
		key_wipe(&psk);
	}
	peer_fini(&p);
	return rc;
}

static int list_peers(struct store *store, const struct hub *h, int64_t after, bool all,
	const struct hub_desired *sink)
{
	sqlite3_stmt *stmt;
	/* A peer is for the hub once its instance is. */
	int rc = sql_prepare(store, &stmt,
		"SELECT p.id, p.instance_id FROM peer p JOIN instance i ON i.id = p.instance_id"
		" WHERE i.hub_id = ?1 AND p.generation > ?2 AND i.private_key_box IS NOT NULL",
		"ui", &h->id, after);
	if (rc < 0)
		return rc;
	while (rc == 0 && (rc = sql_step(store, stmt)) > 0) {
		struct uuid id;
		struct uuid instance_id;
		sql_uuid(stmt, 0, &id);
		sql_uuid(stmt, 1, &instance_id);
		rc = tell_peer(store, &instance_id, &id, all, sink);
	}
	sql_done(stmt);
	return rc;
}

static int list_captures(
	struct store *store, const struct hub *h, int64_t after, const struct hub_desired *sink)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT c.id, c.peer_id, c.side, c.seconds, c.max_bytes FROM capture c JOIN peer p"
		" ON p.id = c.peer_id JOIN instance i ON i.id = p.instance_id WHERE i.hub_id = ?"
		" AND c.state = ? AND c.generation > ? ORDER BY c.generation",
		"uii", &h->id, (int64_t)CAPTURE_REQUESTED, after);
	if (rc < 0)
		return rc;
	while (rc == 0 && (rc = sql_step(store, stmt)) > 0) {
		struct capture c = {
			.side = (enum capture_side)sqlite3_column_int(stmt, 2),
			.seconds = (uint32_t)sqlite3_column_int64(stmt, 3),
			.max_bytes = (uint32_t)sqlite3_column_int64(stmt, 4),
		};
		sql_uuid(stmt, 0, &c.id);
		sql_uuid(stmt, 1, &c.peer_id);
		rc = sink->capture(sink->ctx, &c);
	}
	sql_done(stmt);
	return rc;
}

static int list_deleted(
	struct store *store, const struct hub *h, int64_t after, const struct hub_desired *sink)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT kind, id FROM tombstone WHERE hub_id = ? AND generation > ? ORDER BY generation",
		"ui", &h->id, after);
	if (rc < 0)
		return rc;
	while (rc == 0 && (rc = sql_step(store, stmt)) > 0) {
		char kind[16];
		struct uuid id;
		sql_text(stmt, 0, kind, sizeof(kind));
		sql_uuid(stmt, 1, &id);
		rc = sink->deleted(sink->ctx, kind, &id);
	}
	sql_done(stmt);
	return rc;
}

int hub_desired_list(struct store *store, const struct hub *h, int64_t after, bool all,
	const struct hub_desired *sink)
{
	int64_t from = all ? -1 : after;
	int rc = list_instances(store, h, from, sink);
	if (rc == 0)
		rc = list_peers(store, h, from, all, sink);
	if (rc == 0)
		rc = list_captures(store, h, from, sink);
	if (rc == 0 && !all)
		rc = list_deleted(store, h, from, sink);
	return rc;
}

int hub_set_report(struct store *store, const struct hub *h, const struct hub_report *r)
{
	json_t *list = json_array();
	for (size_t i = 0; i < r->address_count; i++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			list, json_string(ip_addr_format(&r->addresses[i], text)));
	}
	char *addresses = json_dumps(list, JSON_COMPACT);
	char *counters = json_dumps(r->counters, JSON_COMPACT);
	json_decref(list);
	int rc = -ENOMEM;
	if (addresses != NULL && counters != NULL)
		rc = sql_run(store,
			"UPDATE hub SET boot_id = ?, applied_epoch = ?, applied_generation = ?, version = ?,"
			" addresses = ?, egress_v4 = ?, egress_v6 = ?, counters = ?, last_report_at = ?"
			" WHERE id = ?",
			"uuittiitiu", &r->boot_id, &r->epoch, r->generation, r->version, addresses,
			(int64_t)r->egress_v4, (int64_t)r->egress_v6, counters, store->now, &h->id);
	free(addresses);
	free(counters);
	return rc;
}

int hub_set_peer_status(struct store *store, const struct hub *h, const struct uuid *boot_id,
	const struct uuid *peer_id, const struct peer_status *s)
{
	/*
	 * Sums: what this boot told before is replaced by what it tells now; other boots stay. A peer
	 * that was away (suspended) counts from zero again in the same boot: less than before.
	 */
	return sql_run(store,
		"INSERT INTO peer_status AS t (peer_id, boot_id, endpoint, last_handshake_at, last_seen_at,"
		" rx_bytes, tx_bytes, rx_packets, tx_packets, boot_rx_bytes, boot_tx_bytes, boot_rx_packets,"
		" boot_tx_packets, timestamp, failure, failure_at, protocol)"
		" SELECT p.id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?14 FROM peer p"
		" JOIN instance i ON i.id = p.instance_id WHERE p.id = ?1 AND i.hub_id = ?13"
		" ON CONFLICT (peer_id) DO UPDATE SET"
		" rx_bytes = t.rx_bytes + ?6 - iif(t.boot_id IS ?2 AND ?6 >= t.boot_rx_bytes,"
		" t.boot_rx_bytes, 0),"
		" tx_bytes = t.tx_bytes + ?7 - iif(t.boot_id IS ?2 AND ?7 >= t.boot_tx_bytes,"
		" t.boot_tx_bytes, 0),"
		" rx_packets = t.rx_packets + ?8 - iif(t.boot_id IS ?2 AND ?8 >= t.boot_rx_packets,"
		" t.boot_rx_packets, 0),"
		" tx_packets = t.tx_packets + ?9 - iif(t.boot_id IS ?2 AND ?9 >= t.boot_tx_packets,"
		" t.boot_tx_packets, 0),"
		" boot_rx_bytes = ?6, boot_tx_bytes = ?7, boot_rx_packets = ?8, boot_tx_packets = ?9,"
		" boot_id = ?2, endpoint = iif(?3 = '', t.endpoint, ?3),"
		" last_handshake_at = max(t.last_handshake_at, ?4), last_seen_at = max(t.last_seen_at, ?5),"
		" timestamp = max(t.timestamp, ?10), failure = iif(?12 > t.failure_at, ?11, t.failure),"
		" failure_at = max(t.failure_at, ?12), protocol = iif(?14 = '', t.protocol, ?14)",
		"uutiiiiiittiut", peer_id, boot_id, s->endpoint, s->last_handshake_at,
		s->last_seen_at, (int64_t)s->rx_bytes, (int64_t)s->tx_bytes, (int64_t)s->rx_packets,
		(int64_t)s->tx_packets, s->timestamp, s->failure, s->failure_at, &h->id,
		s->protocol);
}

enum {
	CONFIRMED_MAX = 64, /* in one report; the others with the next */
};

int hub_remove_confirmed(struct store *store, const struct hub *h, int64_t generation)
{
	struct uuid ids[CONFIRMED_MAX];
	int count = 0;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT id FROM instance WHERE hub_id = ? AND state = ? AND generation <= ?", "uii",
		&h->id, (int64_t)INSTANCE_DELETING, generation);
	if (rc < 0)
		return rc;
	while (count < CONFIRMED_MAX && (rc = sql_step(store, stmt)) > 0)
		sql_uuid(stmt, 0, &ids[count++]);
	sql_done(stmt);
	for (int n = 0; n < count && rc >= 0; n++) {
		struct instance i;
		rc = instance_find(store, &ids[n], &i);
		if (rc < 0)
			break;
		rc = instance_remove(store, &i);
		instance_fini(&i);
	}
	return rc < 0 ? rc : count;
}

/* WireGuard and OpenVPN over UDP share ports, and the ranges may overlap in control.conf. */
int hub_choose_port(struct store *store, const struct uuid *hub, enum openvpn_transport transport,
	uint16_t first, uint16_t last, uint16_t *ret)
{
	int64_t port = first;
	int rc = sql_number(store, &port,
		"WITH used AS (SELECT port FROM listener WHERE hub_id = ?1 AND transport = ?2"
		" UNION SELECT wireguard_port FROM instance WHERE hub_id = ?1 AND ?2 = 0"
		" UNION SELECT ?3 - 1), gap AS (SELECT port, lead(port) OVER (ORDER BY port) AS next"
		" FROM used WHERE port >= ?3 - 1)"
		" SELECT min(port) + 1 FROM gap WHERE next IS NULL OR next > port + 1",
		"uii", hub, (int64_t)transport, (int64_t)first);
	if (rc < 0)
		return rc;
	if (port > last)
		return -ENOSPC;
	*ret = (uint16_t)port;
	return 0;
}
