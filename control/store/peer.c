// SPDX-License-Identifier: Apache-2.0
/*
 * Peers and what belongs to them: subnets, number in the networks, keys. Every change that the
 * hub has to know of takes a generation of that hub, in the same transaction; a peer that is not
 * active any more keeps its row, and the row's new generation tells the hub to forget it.
 */
#include "control/store/peer.h"

#include "control/store/credential.h"
#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/internal.h"
#include "control/store/prefixes.h"
#include "control/store/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	QUARANTINE_S = 24 * 3600,
	FIRST_HOST = 2, /* 1 is the hub */
};

#define COLUMNS                                                                                                                                   \
	"p.id, p.instance_id, p.type, p.protocol, p.name, p.site_id, p.user_id, p.public_key,"                                                    \
	" p.key_is_ours, p.private_key_box IS NOT NULL, p.allow_broad_routes, p.route_all,"                                                       \
	" p.allowed, p.keepalive, p.expires_at, p.is_suspended, coalesce(u.is_suspended, 0),"                                                     \
	" p.host, p.labels, p.revealed_until, p.profile_digest, p.created_at, p.version,"                                                         \
	" i.network4, i.network6, s.endpoint, s.last_handshake_at, s.last_seen_at, s.rx_bytes,"                                                   \
	" s.tx_bytes, s.rx_packets, s.tx_packets, s.timestamp, s.failure, s.failure_at,"                                                          \
	" p.clock_resets, coalesce(s.protocol, ''), coalesce(c.username, ''),"                                                                    \
	" c.password_box IS NOT NULL AND c.private_key_box IS NOT NULL, (SELECT json_group_array(prefix) FROM (SELECT prefix FROM subnet n WHERE" \
	" n.peer_id = p.id ORDER BY n.place))"
#define SELECT                                                                              \
	"SELECT " COLUMNS " FROM peer p JOIN instance i ON i.id = p.instance_id"            \
	" LEFT JOIN user u ON u.id = p.user_id LEFT JOIN peer_status s ON s.peer_id = p.id" \
	" LEFT JOIN credential c ON c.peer_id = p.id"

static void read_status(sqlite3_stmt *stmt, int c, struct peer_status *ret)
{
	sql_text(stmt, c, ret->endpoint, sizeof(ret->endpoint));
	ret->last_handshake_at = sqlite3_column_int64(stmt, c + 1);
	ret->last_seen_at = sqlite3_column_int64(stmt, c + 2);
	ret->rx_bytes = (uint64_t)sqlite3_column_int64(stmt, c + 3);
	ret->tx_bytes = (uint64_t)sqlite3_column_int64(stmt, c + 4);
	ret->rx_packets = (uint64_t)sqlite3_column_int64(stmt, c + 5);
	ret->tx_packets = (uint64_t)sqlite3_column_int64(stmt, c + 6);
	sql_text(stmt, c + 7, ret->timestamp, sizeof(ret->timestamp));
	sql_text(stmt, c + 8, ret->failure, sizeof(ret->failure));
	ret->failure_at = sqlite3_column_int64(stmt, c + 9);
}

static void read_addresses(sqlite3_stmt *stmt, int c, struct peer *p)
{
	for (int n = 0; n < 2; n++) {
		char text[IP_PREFIX_TEXT];
		struct ip_prefix network;
		sql_text(stmt, c + n, text, sizeof(text));
		if (ip_prefix_parse(text, &network) == 0)
			p->addresses[n] = ip_prefix_host(&network, p->host);
	}
}

static void read_row(sqlite3_stmt *stmt, struct peer *p)
{
	memset(p, 0, sizeof(*p));
	sql_uuid(stmt, 0, &p->id);
	sql_uuid(stmt, 1, &p->instance_id);
	p->type = sqlite3_column_int(stmt, 2) == PEER_SITE ? PEER_SITE : PEER_CLIENT;
	int protocol = sqlite3_column_int(stmt, 3);
	p->protocol = protocol == PROTOCOL_ANY ? PROTOCOL_ANY
		: protocol == PROTOCOL_OPENVPN ? PROTOCOL_OPENVPN
					       : PROTOCOL_WIREGUARD;
	sql_text(stmt, 4, p->name, sizeof(p->name));
	sql_uuid(stmt, 5, &p->site_id);
	sql_uuid(stmt, 6, &p->user_id);
	sql_key(stmt, 7, &p->public_key);
	p->key_is_ours = sqlite3_column_int(stmt, 8) != 0;
	p->has_private_key = sqlite3_column_int(stmt, 9) != 0;
	p->allow_broad_routes = sqlite3_column_int(stmt, 10) != 0;
	p->route_all = sqlite3_column_int(stmt, 11) != 0;
	p->has_allowed = sqlite3_column_type(stmt, 12) != SQLITE_NULL;
	prefixes_parse((const char *)sqlite3_column_text(stmt, 12), &p->allowed);
	p->keepalive = (uint32_t)sqlite3_column_int64(stmt, 13);
	p->expires_at = sqlite3_column_int64(stmt, 14);
	p->is_suspended = sqlite3_column_int(stmt, 15) != 0;
	p->user_is_suspended = sqlite3_column_int(stmt, 16) != 0;
	p->host = (uint32_t)sqlite3_column_int64(stmt, 17);
	p->labels = sql_json(stmt, 18, "{}");
	p->revealed_until = sqlite3_column_int64(stmt, 19);
	sql_text(stmt, 20, p->profile_digest, sizeof(p->profile_digest));
	p->created_at = sqlite3_column_int64(stmt, 21);
	p->version = (uint64_t)sqlite3_column_int64(stmt, 22);
	read_addresses(stmt, 23, p);
	read_status(stmt, 25, &p->status);
	p->clock_resets = (uint64_t)sqlite3_column_int64(stmt, 35);
	sql_text(stmt, 36, p->status.protocol, sizeof(p->status.protocol));
	sql_text(stmt, 37, p->username, sizeof(p->username));
	p->has_openvpn_secrets = sqlite3_column_int(stmt, 38) != 0;
	prefixes_parse((const char *)sqlite3_column_text(stmt, 39), &p->subnets);
}

int peer_find(struct store *store, const struct uuid *instance_id, const struct uuid *id,
	struct peer *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, SELECT " WHERE p.id = ? AND p.instance_id = ?", "uu", id,
		instance_id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int peer_list(struct store *store, const struct peer_filter *f,
	int (*row)(void *ctx, const struct peer *p), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		SELECT " WHERE (?1 IS NULL OR p.instance_id = ?1) AND (?2 IS NULL OR p.id > ?2)"
		       " AND (?3 IS NULL OR p.name = ?3) AND (?4 IS NULL OR p.user_id = ?4)"
		       " AND (?5 IS NULL OR p.site_id = ?5) AND (?6 IS NULL OR EXISTS"
		       " (SELECT 1 FROM json_each(p.labels) e WHERE e.key = ?6 AND e.value = ?7))"
		       " ORDER BY p.id",
		"uutuutt", f->instance_id, &f->after, f->name, f->user_id, f->site_id, f->label_key,
		f->label_value);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct peer p;
		read_row(stmt, &p);
		rc = row(ctx, &p);
		peer_fini(&p);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

/* Who has what this subnet overlaps? A default route overlaps nothing but another one. */
static int check_overlap(
	struct store *store, const struct peer *p, size_t index, struct model_errors *errors)
{
	char pointer[MODEL_POINTER_TEXT];
	char text[IP_PREFIX_TEXT];
	struct ip_addr lo;
	struct ip_addr hi;
	sqlite3_stmt *stmt;
	subnet_pointer(pointer, "subnets", index);
	(void)ip_prefix_format(&p->subnets.list[index], text);
	prefix_range(&p->subnets.list[index], &lo, &hi);
	int rc = sql_prepare(store, &stmt,
		"SELECT s.prefix, q.name FROM subnet s JOIN peer q ON q.id = s.peer_id"
		" WHERE s.instance_id = ?1 AND s.peer_id IS NOT ?2 AND ((s.lo <= ?4 AND s.hi >= ?3"
		" AND s.prefix NOT IN ('0.0.0.0/0', '::/0') AND ?5 NOT IN ('0.0.0.0/0', '::/0'))"
		" OR s.prefix = ?5) LIMIT 1",
		"uubbt", &p->instance_id, &p->id, lo.bytes, sizeof(lo.bytes), hi.bytes,
		sizeof(hi.bytes), text);
	if (rc < 0)
		return rc;
	rc = sql_step(store, stmt);
	if (rc > 0) {
		char other[IP_PREFIX_TEXT];
		char name[NAME_TEXT];
		sql_text(stmt, 0, other, sizeof(other));
		sql_text(stmt, 1, name, sizeof(name));
		model_conflict_add(
			errors, pointer, "%s overlaps %s of peer \"%s\"", text, other, name);
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

static int check_taken(struct store *store, const struct peer *p, struct model_errors *errors)
{
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM peer WHERE instance_id = ? AND name = ? AND id IS NOT ?",
		"utu", &p->instance_id, p->name, &p->id);
	if (rc == 0 && found > 0)
		model_conflict_add(errors, "/name", "another peer of this instance has this name");
	found = 0;
	if (rc == 0 && peer_speaks_wireguard(p))
		rc = sql_number(store, &found,
			"SELECT count(*) FROM peer WHERE instance_id = ? AND public_key = ? AND id IS NOT ?",
			"uku", &p->instance_id, &p->public_key, &p->id);
	if (rc == 0 && found > 0)
		model_conflict_add(
			errors, "/public_key", "another peer of this instance has this key");
	/* later it never changes: this one is new */
	if (rc == 0 && uuid_is_zero(&p->id) && p->username[0] != '\0') {
		rc = credential_is_taken(store, &p->instance_id, p->username);
		if (rc > 0)
			model_conflict_add(errors, "/username",
				"another peer of this instance has this username");
	}
	for (size_t i = 0; i < p->subnets.count && rc >= 0; i++)
		rc = check_overlap(store, p, i, errors);
	return rc < 0 ? rc : 0;
}

static int check_parties(struct store *store, const struct peer *p, struct model_errors *errors)
{
	int64_t found = 1;
	int rc = 0;
	if (!uuid_is_zero(&p->user_id))
		rc = sql_number(
			store, &found, "SELECT count(*) FROM user WHERE id = ?", "u", &p->user_id);
	if (rc == 0 && found == 0)
		model_error_add(errors, "/user_id", "there is no such user");
	found = 1;
	if (rc == 0 && !uuid_is_zero(&p->site_id))
		rc = sql_number(
			store, &found, "SELECT count(*) FROM site WHERE id = ?", "u", &p->site_id);
	if (rc == 0 && found == 0)
		model_error_add(errors, "/site_id", "there is no such site");
	return rc;
}

static int check_all(struct store *store, const struct instance *i, const struct peer *p,
	struct model_errors *errors)
{
	peer_check(p, i, errors);
	int rc = check_parties(store, p, errors);
	if (rc == 0)
		rc = check_taken(store, p, errors);
	return rc < 0 ? rc : errors->count > 0 ? -EINVAL : 0;
}

/* The lowest number that no peer has and none had within the last day. */
static int choose_host(
	struct store *store, const struct instance *i, uint32_t *ret, struct model_errors *errors)
{
	unsigned int bits = 128u - i->networks[0].len;
	int64_t last = (int64_t)((1u << bits) - 2); /* the highest address is the broadcast's */
	int64_t host = FIRST_HOST;
	int rc = sql_number(store, &host,
		"WITH used AS (SELECT host FROM peer WHERE instance_id = ?1 UNION SELECT host FROM"
		" address_quarantine WHERE instance_id = ?1 AND until > ?2 UNION SELECT 1), gap AS"
		" (SELECT host, lead(host) OVER (ORDER BY host) AS next FROM used)"
		" SELECT min(host) + 1 FROM gap WHERE next IS NULL OR next > host + 1",
		"ui", &i->id, store->now);
	if (rc < 0)
		return rc;
	if (host > last) {
		model_conflict_add(errors, "", "the instance's network has no free address");
		return -EINVAL;
	}
	*ret = (uint32_t)host;
	return 0;
}

static int write_subnets(struct store *store, const struct peer *p)
{
	int rc = sql_run(store, "DELETE FROM subnet WHERE peer_id = ?", "u", &p->id);
	for (size_t i = 0; i < p->subnets.count && rc == 0; i++) {
		char text[IP_PREFIX_TEXT];
		struct ip_addr lo;
		struct ip_addr hi;
		prefix_range(&p->subnets.list[i], &lo, &hi);
		rc = sql_run(store,
			"INSERT INTO subnet (peer_id, instance_id, place, prefix, lo, hi)"
			" VALUES (?, ?, ?, ?, ?, ?)",
			"uuitbb", &p->id, &p->instance_id, (int64_t)i,
			ip_prefix_format(&p->subnets.list[i], text), lo.bytes, sizeof(lo.bytes),
			hi.bytes, sizeof(hi.bytes));
	}
	return rc;
}

struct peer_boxes {
	uint8_t private_key[KEY_LEN + BOX_OVERHEAD];
	uint8_t preshared_key[KEY_LEN + BOX_OVERHEAD];
};

static int seal_keys(struct store *store, const struct peer *p, const struct key *private_key,
	struct peer_boxes *ret)
{
	struct key psk;
	int rc = key_generate(&psk);
	if (rc == 0)
		rc = box_seal(store, "peer.preshared_key", &p->id, psk.bytes, KEY_LEN,
			ret->preshared_key);
	key_wipe(&psk);
	if (rc == 0 && private_key != NULL)
		rc = box_seal(store, "peer.private_key", &p->id, private_key->bytes, KEY_LEN,
			ret->private_key);
	return rc;
}

static int insert_peer(struct store *store, const struct peer *p, const struct peer_boxes *boxes,
	bool has_private_key, int64_t generation)
{
	char *labels = json_dumps(p->labels, JSON_COMPACT);
	char *allowed = p->has_allowed ? prefixes_format(&p->allowed) : NULL;
	int rc = -ENOMEM;
	if (labels != NULL && (allowed != NULL || !p->has_allowed))
		rc = sql_run(store,
			"INSERT INTO peer (id, instance_id, type, protocol, name, site_id, user_id,"
			" public_key, key_is_ours, private_key_box, preshared_key_box,"
			" allow_broad_routes, route_all, allowed, keepalive, expires_at, host, labels,"
			" generation, created_at)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"uuiituukibbiitiiitii", &p->id, &p->instance_id, (int64_t)p->type,
			(int64_t)p->protocol, p->name, &p->site_id, &p->user_id, &p->public_key,
			(int64_t)p->key_is_ours, has_private_key ? boxes->private_key : NULL,
			sizeof(boxes->private_key), boxes->preshared_key,
			sizeof(boxes->preshared_key), (int64_t)p->allow_broad_routes,
			(int64_t)p->route_all, allowed, (int64_t)p->keepalive, p->expires_at,
			(int64_t)p->host, labels, generation, store->now);
	free(labels);
	free(allowed);
	return rc;
}

static int audit_peer(struct store *store, const struct peer *p, const char *action)
{
	const struct event_about about = {"peer", &p->id, p->name, &p->instance_id};
	return audit_add_about(store, action, &about);
}

int peer_add(struct store *store, const struct instance *i, struct peer *p,
	const struct key *private_key, struct model_errors *errors)
{
	struct peer_boxes boxes;
	int64_t generation = 0;
	p->instance_id = i->id;
	int rc = check_all(store, i, p, errors);
	if (rc == 0)
		rc = choose_host(store, i, &p->host, errors);
	if (rc == 0)
		rc = uuid_generate(&p->id);
	if (rc == 0)
		rc = seal_keys(store, p, private_key, &boxes);
	if (rc == 0 && !uuid_is_zero(&i->hub_id))
		rc = hub_next_generation(store, &i->hub_id, &generation);
	if (rc == 0)
		rc = insert_peer(store, p, &boxes, private_key != NULL, generation);
	if (rc == 0)
		rc = write_subnets(store, p);
	if (rc == 0 && peer_speaks_openvpn(p))
		rc = credential_add(store, p);
	if (rc == 0 && instance_routes_depend_on(i, &p->subnets))
		rc = hub_resend_instance(store, i);
	return rc == 0 ? audit_peer(store, p, "create") : rc;
}

/* Before the subnets are written: the hub tells clients routes, so it hears when they change. */
static int resend_routes(struct store *store, const struct instance *i, const struct peer *p)
{
	struct peer old;
	int rc = peer_find(store, &p->instance_id, &p->id, &old);
	if (rc < 0)
		return rc;
	bool changes = !subnets_equal(&old.subnets, &p->subnets)
		&& (instance_routes_depend_on(i, &old.subnets)
			|| instance_routes_depend_on(i, &p->subnets));
	peer_fini(&old);
	return changes ? hub_resend_instance(store, i) : 0;
}

int peer_set(
	struct store *store, const struct instance *i, struct peer *p, struct model_errors *errors)
{
	int64_t generation = 0;
	int rc = check_all(store, i, p, errors);
	if (rc == 0 && !uuid_is_zero(&i->hub_id))
		rc = hub_next_generation(store, &i->hub_id, &generation);
	if (rc == 0)
		rc = resend_routes(store, i, p);
	if (rc < 0)
		return rc;
	char *labels = json_dumps(p->labels, JSON_COMPACT);
	char *allowed = p->has_allowed ? prefixes_format(&p->allowed) : NULL;
	rc = -ENOMEM;
	if (labels != NULL && (allowed != NULL || !p->has_allowed))
		rc = sql_run(store,
			"UPDATE peer SET protocol = ?, name = ?, site_id = ?, user_id = ?, public_key = ?,"
			" key_is_ours = ?, private_key_box = CASE WHEN ? THEN private_key_box END,"
			" allow_broad_routes = ?, route_all = ?, allowed = ?, keepalive = ?, expires_at = ?,"
			" labels = ?, generation = ?, is_sent = 1, version = version + 1 WHERE id = ?",
			"ituukiiiitiitiu", (int64_t)p->protocol, p->name, &p->site_id, &p->user_id,
			&p->public_key, (int64_t)p->key_is_ours, (int64_t)p->key_is_ours,
			(int64_t)p->allow_broad_routes, (int64_t)p->route_all, allowed,
			(int64_t)p->keepalive, p->expires_at, labels, generation, &p->id);
	free(labels);
	free(allowed);
	p->version++;
	if (rc == 0)
		rc = write_subnets(store, p);
	return rc == 0 ? audit_peer(store, p, "update") : rc;
}

int peer_resend(struct store *store, const struct uuid *id)
{
	struct uuid hub;
	int64_t generation = 0;
	int rc = hub_of_peer(store, id, &hub);
	if (rc == -EAGAIN)
		return 0; /* no hub has heard of it */
	if (rc == 0)
		rc = hub_next_generation(store, &hub, &generation);
	return rc == 0 ? sql_run(store, "UPDATE peer SET generation = ?, is_sent = 1 WHERE id = ?",
		       "iu", generation, id)
		       : rc;
}

int peer_set_suspended(struct store *store, struct peer *p, bool is_suspended)
{
	if (p->is_suspended == is_suspended)
		return 0;
	int rc = sql_run(store,
		"UPDATE peer SET is_suspended = ?, version = version + 1 WHERE id = ?", "iu",
		(int64_t)is_suspended, &p->id);
	p->is_suspended = is_suspended;
	p->version++;
	if (rc == 0)
		rc = peer_resend(store, &p->id);
	if (rc == 0 && is_suspended)
		rc = session_end_of_peer(store, &p->id, "suspended");
	return rc == 0 ? audit_peer(store, p, is_suspended ? "suspend" : "resume") : rc;
}

int peer_reset_clock(struct store *store, struct peer *p)
{
	int rc = sql_run(store,
		"UPDATE peer SET clock_resets = clock_resets + 1, version = version + 1 WHERE id = ?",
		"u", &p->id);
	p->clock_resets++;
	p->version++;
	if (rc == 0)
		rc = peer_resend(store, &p->id);
	return rc == 0 ? audit_peer(store, p, "reset_clock") : rc;
}

int peer_del(struct store *store, const struct instance *i, const struct peer *p)
{
	int rc = 0;
	if (!uuid_is_zero(&i->hub_id))
		rc = tombstone_add(store, &i->hub_id, "peer", &p->id);
	if (rc == 0)
		rc = sql_run(store,
			"INSERT OR REPLACE INTO address_quarantine (instance_id, host, until)"
			" VALUES (?, ?, ?)",
			"uii", &p->instance_id, (int64_t)p->host, store->now + QUARANTINE_S);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM peer WHERE id = ?", "u", &p->id);
	if (rc == 0 && instance_routes_depend_on(i, &p->subnets))
		rc = hub_resend_instance(store, i);
	return rc == 0 ? audit_peer(store, p, "delete") : rc;
}

int peer_reveal(struct store *store, struct peer *p, int64_t until)
{
	int rc = sql_run(store,
		"UPDATE peer SET revealed_until = ?, version = version + 1 WHERE id = ?", "iu",
		until, &p->id);
	p->revealed_until = until;
	p->version++;
	return rc == 0 ? audit_peer(store, p, "reveal") : rc;
}

int peer_set_profile_digest(struct store *store, struct peer *p, const char *digest)
{
	return sql_run(
		store, "UPDATE peer SET profile_digest = ? WHERE id = ?", "tu", digest, &p->id);
}

int peer_private_key(struct store *store, const struct uuid *id, struct key *ret)
{
	return box_open_key(store, "peer.private_key",
		"SELECT private_key_box FROM peer WHERE id = ?", id, ret);
}

int peer_preshared_key(struct store *store, const struct uuid *id, struct key *ret)
{
	return box_open_key(store, "peer.preshared_key",
		"SELECT preshared_key_box FROM peer WHERE id = ?", id, ret);
}

/* Ids are collected first: the rows change under a cursor that is still open. */
struct id_list {
	struct uuid *ids;
	size_t count;
};

static int collect_ids(struct store *store, sqlite3_stmt *stmt, struct id_list *ret)
{
	int rc;
	*ret = (struct id_list){0};
	while ((rc = sql_step(store, stmt)) > 0) {
		struct uuid *more = reallocarray(ret->ids, ret->count + 1, sizeof(*more));
		if (more == NULL) {
			rc = -ENOMEM;
			break;
		}
		ret->ids = more;
		sql_uuid(stmt, 0, &ret->ids[ret->count++]);
	}
	sql_done(stmt);
	return rc;
}

int peers_resend_of_user(struct store *store, const struct uuid *user_id)
{
	sqlite3_stmt *stmt;
	struct id_list list;
	int rc = sql_prepare(store, &stmt, "SELECT id FROM peer WHERE user_id = ?", "u", user_id);
	if (rc < 0)
		return rc;
	rc = collect_ids(store, stmt, &list);
	for (size_t i = 0; i < list.count && rc == 0; i++)
		rc = peer_resend(store, &list.ids[i]);
	free(list.ids);
	return rc;
}

static int keep_peer(void *ctx, const struct peer *p)
{
	struct id_list *list = ctx;
	struct uuid *more = reallocarray(list->ids, list->count + 2, sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	list->ids = more;
	list->ids[list->count++] = p->instance_id;
	list->ids[list->count++] = p->id;
	return 0;
}

static int del_one(struct store *store, const struct uuid *instance_id, const struct uuid *id)
{
	struct instance i;
	struct peer p;
	int rc = instance_find(store, instance_id, &i);
	if (rc < 0)
		return rc;
	rc = peer_find(store, instance_id, id, &p);
	if (rc == 0) {
		rc = peer_del(store, &i, &p);
		peer_fini(&p);
	}
	instance_fini(&i);
	return rc;
}

int peers_del_of_user(struct store *store, const struct uuid *user_id)
{
	struct id_list list = {0};
	const struct peer_filter filter = {.user_id = user_id};
	int rc = peer_list(store, &filter, keep_peer, &list);
	for (size_t i = 0; i + 1 < list.count && rc == 0; i += 2)
		rc = del_one(store, &list.ids[i], &list.ids[i + 1]);
	free(list.ids);
	return rc;
}

static int tell_expiry(struct store *store, const struct uuid *id)
{
	char name[NAME_TEXT];
	struct uuid instance;
	sqlite3_stmt *stmt;
	int rc = sql_prepare(
		store, &stmt, "SELECT instance_id, name FROM peer WHERE id = ?", "u", id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		sql_uuid(stmt, 0, &instance);
		sql_text(stmt, 1, name, sizeof(name));
	}
	sql_done(stmt);
	const struct event_about about = {"peer", id, name, &instance};
	return rc == 0 ? event_add(store, "peer.expired", &about, NULL) : rc;
}

int peers_expire(struct store *store)
{
	sqlite3_stmt *stmt;
	struct id_list list;
	int rc = sql_prepare(store, &stmt,
		"SELECT id FROM peer WHERE is_sent AND expires_at != 0 AND expires_at <= ?", "i",
		store->now);
	if (rc < 0)
		return rc;
	rc = collect_ids(store, stmt, &list);
	for (size_t i = 0; i < list.count && rc == 0; i++) {
		rc = peer_resend(store, &list.ids[i]);
		if (rc == 0)
			rc = sql_run(store, "UPDATE peer SET is_sent = 0 WHERE id = ?", "u",
				&list.ids[i]);
		if (rc == 0)
			rc = session_end_of_peer(store, &list.ids[i], "expired");
		if (rc == 0)
			rc = tell_expiry(store, &list.ids[i]);
	}
	free(list.ids);
	return rc < 0 ? rc : (int)list.count;
}

static int forget_private_keys(struct store *store)
{
	static const char count[] = "SELECT count(*) FROM peer WHERE private_key_box IS NOT NULL"
				    " AND revealed_until != 0 AND revealed_until <= ?";
	int64_t found = 0;
	int rc = sql_number(store, &found, count, "i", store->now);
	if (rc < 0 || found == 0)
		return rc;
	rc = sql_run(store,
		"UPDATE peer SET private_key_box = NULL WHERE private_key_box IS NOT NULL"
		" AND revealed_until != 0 AND revealed_until <= ?",
		"i", store->now);
	return rc < 0 ? rc : (int)found;
}

int peers_forget_keys(struct store *store)
{
	int keys = forget_private_keys(store);
	int secrets = keys < 0 ? keys : credentials_forget(store);
	return secrets < 0 ? secrets : keys + secrets;
}
