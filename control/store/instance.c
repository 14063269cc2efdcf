// SPDX-License-Identifier: Apache-2.0
/*
 * Instances: what people asked for, what was allocated for it, and how far it has come. Number,
 * networks and name are taken when it is created; hub, port and keys by the steps of provisioning.
 * Each takes what it needs in one transaction, so that a crash between two steps repeats neither.
 */
#include "control/store/instance.h"

#include "control/model/openvpn_json.h"
#include "control/model/wireguard_key.h"
#include "control/store/hub.h"
#include "control/store/internal.h"
#include "control/store/prefixes.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HOSTNAME_QUARANTINE_S = 30 * 24 * 3600,
	NETWORK_TRIES = 64,
	ACCESS_SITE_TO_SITE = 1,
	ACCESS_CLIENT_TO_SITE = 2,
	ACCESS_CLIENT_TO_CLIENT = 4,
};

#define COLUMNS                                                                                \
	"id, number, name, hostname, region, hub_id, network4, network6, mtu, wireguard_port," \
	" public_key, access, dns, client_routes, route_list, labels, state, conditions,"      \
	" created_at, version, openvpn,"                                                       \
	" (SELECT id FROM listener l WHERE l.instance_id = instance.id AND transport = 0),"    \
	" (SELECT port FROM listener l WHERE l.instance_id = instance.id AND transport = 0),"  \
	" (SELECT id FROM listener l WHERE l.instance_id = instance.id AND transport = 1),"    \
	" (SELECT port FROM listener l WHERE l.instance_id = instance.id AND transport = 1),"  \
	" (SELECT renews_at FROM authority a WHERE a.instance_id = instance.id)"

static void read_dns(const json_t *dns, struct instance_dns *ret)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(dns, "servers"), i, item)
	{
		const char *text = json_string_value(item);
		if (text != NULL && ret->server_count < DNS_SERVERS_MAX
			&& ip_addr_parse(text, &ret->servers[ret->server_count]) == 0)
			ret->server_count++;
	}
	json_array_foreach(json_object_get(dns, "search_domains"), i, item)
	{
		const char *text = json_string_value(item);
		if (text != NULL && ret->domain_count < DNS_DOMAINS_MAX)
			(void)snprintf(
				ret->domains[ret->domain_count++], DNS_DOMAIN_TEXT, "%s", text);
	}
}

static char *format_dns(const struct instance_dns *dns)
{
	json_t *servers = json_array();
	json_t *domains = json_array();
	for (size_t i = 0; i < dns->server_count; i++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			servers, json_string(ip_addr_format(&dns->servers[i], text)));
	}
	for (size_t i = 0; i < dns->domain_count; i++)
		(void)json_array_append_new(domains, json_string(dns->domains[i]));
	json_t *object = json_pack("{s:o, s:o}", "servers", servers, "search_domains", domains);
	char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text;
}

/* {"Allocated":[true,"Done","…",1700000000],…} */
static void read_conditions(const json_t *object, struct instance *i)
{
	for (int c = 0; c < CONDITION__COUNT; c++) {
		const json_t *item = json_object_get(object, instance_condition_text(c));
		const char *reason = json_string_value(json_array_get(item, 1));
		const char *message = json_string_value(json_array_get(item, 2));
		i->conditions[c].is_true = json_is_true(json_array_get(item, 0));
		(void)snprintf(
			i->conditions[c].reason, REASON_TEXT, "%s", reason != NULL ? reason : "");
		(void)snprintf(i->conditions[c].message, MESSAGE_TEXT, "%s",
			message != NULL ? message : "");
		i->conditions[c].changed_at = json_integer_value(json_array_get(item, 3));
	}
}

static char *format_conditions(const struct instance *i)
{
	json_t *object = json_object();
	for (int c = 0; c < CONDITION__COUNT; c++)
		(void)json_object_set_new(object, instance_condition_text(c),
			json_pack("[b, s, s, I]", i->conditions[c].is_true, i->conditions[c].reason,
				i->conditions[c].message, (json_int_t)i->conditions[c].changed_at));
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

/* {"udp":{…},"tcp":{…}}: what cannot be read was checked when it was written. */
static void read_openvpn(sqlite3_stmt *stmt, int column, struct instance *i)
{
	json_t *json = sql_json(stmt, column, "{}");
	for (int t = 0; t < OPENVPN__TRANSPORTS; t++) {
		enum openvpn_transport transport = (enum openvpn_transport)t;
		struct model_errors errors = {0};
		openvpn_listener_read(&i->openvpn[t], transport,
			json_object_get(json, openvpn_transport_text(transport)), "", &errors);
		sql_uuid(stmt, column + 1 + 2 * t, &i->openvpn[t].id);
		i->openvpn[t].port = (uint16_t)sqlite3_column_int(stmt, column + 2 + 2 * t);
	}
	json_decref(json);
}

static char *format_openvpn(const struct instance *i)
{
	json_t *object = json_object();
	for (int t = 0; t < OPENVPN__TRANSPORTS; t++)
		(void)json_object_set_new(object, openvpn_transport_text((enum openvpn_transport)t),
			openvpn_listener_json(&i->openvpn[t]));
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

static void read_row(sqlite3_stmt *stmt, struct instance *i)
{
	char text[IP_PREFIX_TEXT];
	memset(i, 0, sizeof(*i));
	sql_uuid(stmt, 0, &i->id);
	i->number = (uint32_t)sqlite3_column_int64(stmt, 1);
	sql_text(stmt, 2, i->name, sizeof(i->name));
	sql_text(stmt, 3, i->hostname, sizeof(i->hostname));
	sql_text(stmt, 4, i->region, sizeof(i->region));
	sql_uuid(stmt, 5, &i->hub_id);
	for (int n = 0; n < 2; n++) {
		sql_text(stmt, 6 + n, text, sizeof(text));
		(void)ip_prefix_parse(text, &i->networks[n]);
	}
	i->mtu = (uint16_t)sqlite3_column_int(stmt, 8);
	i->wireguard_port = (uint16_t)sqlite3_column_int(stmt, 9);
	sql_key(stmt, 10, &i->public_key);
	int access = sqlite3_column_int(stmt, 11);
	i->access.site_to_site = (access & ACCESS_SITE_TO_SITE) != 0;
	i->access.client_to_site = (access & ACCESS_CLIENT_TO_SITE) != 0;
	i->access.client_to_client = (access & ACCESS_CLIENT_TO_CLIENT) != 0;
	json_t *json = sql_json(stmt, 12, "{}");
	read_dns(json, &i->dns);
	json_decref(json);
	int routes = sqlite3_column_int(stmt, 13);
	i->client_routes = routes == CLIENT_ROUTES_LIST ? CLIENT_ROUTES_LIST
		: routes == CLIENT_ROUTES_ADVERTISED	? CLIENT_ROUTES_ADVERTISED
							: CLIENT_ROUTES_PRIVATE;
	prefixes_parse((const char *)sqlite3_column_text(stmt, 14), &i->route_list);
	i->labels = sql_json(stmt, 15, "{}");
	int state = sqlite3_column_int(stmt, 16);
	i->state = state >= INSTANCE_PROVISIONING && state <= INSTANCE_DELETING
		? (enum instance_state)state
		: INSTANCE_FAILED;
	json = sql_json(stmt, 17, "{}");
	read_conditions(json, i);
	json_decref(json);
	i->created_at = sqlite3_column_int64(stmt, 18);
	i->version = (uint64_t)sqlite3_column_int64(stmt, 19);
	read_openvpn(stmt, 20, i);
	i->certificate_renews_at = sqlite3_column_int64(stmt, 25);
}

int instance_find(struct store *store, const struct uuid *id, struct instance *ret)
{
	sqlite3_stmt *stmt;
	int rc =
		sql_prepare(store, &stmt, "SELECT " COLUMNS " FROM instance WHERE id = ?", "u", id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		read_row(stmt, ret);
	sql_done(stmt);
	return rc;
}

int instance_list(struct store *store, const struct instance_filter *f,
	int (*row)(void *ctx, const struct instance *i), void *ctx)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT " COLUMNS " FROM instance WHERE (?1 IS NULL OR id = ?1)"
		" AND (?2 IS NULL OR id > ?2) AND (?3 IS NULL OR name = ?3)"
		" AND (?4 IS NULL OR hostname = ?4) AND (?5 IS NULL OR EXISTS"
		" (SELECT 1 FROM json_each(labels) e WHERE e.key = ?5 AND e.value = ?6)) ORDER BY id",
		"uutttt", f->id, &f->after, f->name, f->hostname, f->label_key, f->label_value);
	if (rc < 0)
		return rc;
	while ((rc = sql_step(store, stmt)) > 0) {
		struct instance i;
		read_row(stmt, &i);
		rc = row(ctx, &i);
		instance_fini(&i);
		if (rc != 0)
			break;
	}
	sql_done(stmt);
	return rc < 0 ? rc : 0;
}

const char *hostname_taken(struct store *store, const char *hostname, int *ret_error)
{
	int64_t found = 0;
	*ret_error = sql_number(
		store, &found, "SELECT count(*) FROM instance WHERE hostname = ?", "t", hostname);
	if (*ret_error < 0 || found > 0)
		return "is taken";
	/* Its own workspace may have a name back at once. */
	*ret_error = sql_number(store, &found,
		"SELECT count(*) FROM hostname_quarantine WHERE hostname = ? AND until > ?"
		" AND workspace_id != ?",
		"tiu", hostname, store->now, &store->workspace);
	return *ret_error < 0 || found > 0 ? "was given up less than 30 days ago" : NULL;
}

static int check_taken(struct store *store, const struct instance *i, struct model_errors *errors)
{
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM instance WHERE name = ? AND id IS NOT ?", "tu", i->name,
		&i->id);
	if (rc == 0 && found > 0)
		model_conflict_add(errors, "/name", "another instance has this name");
	if (rc < 0 || !uuid_is_zero(&i->id))
		return rc;
	const char *reason = hostname_taken(store, i->hostname, &rc);
	if (rc == 0 && reason != NULL)
		model_conflict_add(errors, "/hostname", "%s", reason);
	return rc;
}

/* A random /20 of the pool that no instance has: instances may share, but need not. */
static int choose_network4(struct store *store, const struct ip_prefix *pool, struct ip_prefix *ret)
{
	for (int n = 0; n < NETWORK_TRIES; n++) {
		char text[IP_PREFIX_TEXT];
		struct ip_prefix p = {.len = IP_V4_OFFSET + 20};
		int64_t found = 0;
		uint8_t random[4];
		int rc = random_bytes(random, sizeof(random));
		if (rc < 0)
			return rc;
		p.addr = pool->addr;
		for (unsigned int bit = pool->len; bit < p.len; bit++)
			if ((random[(bit - IP_V4_OFFSET) / 8] >> (bit % 8)) & 1)
				p.addr.bytes[bit / 8] |= (uint8_t)(0x80 >> (bit % 8));
		rc = sql_number(store, &found, "SELECT count(*) FROM instance WHERE network4 = ?",
			"t", ip_prefix_format(&p, text));
		if (rc < 0)
			return rc;
		*ret = p;
		if (found == 0)
			return 0;
	}
	return 0; /* the pool is nearly full: equal networks stay apart all the same */
}

/* RFC 4193 section 3.2: fd, 40 random bits, and subnet 0. */
static int choose_network6(struct ip_prefix *ret)
{
	struct ip_prefix p = {.len = 64};
	int rc = random_bytes(p.addr.bytes + 1, 5);
	if (rc < 0)
		return rc;
	p.addr.bytes[0] = 0xfd;
	*ret = p;
	return 0;
}

static int choose_networks(struct store *store, struct instance *i, const struct ip_prefix *pool)
{
	int rc = 0;
	if (i->networks[0].len == 0)
		rc = choose_network4(store, pool, &i->networks[0]);
	if (rc == 0 && i->networks[1].len == 0)
		rc = choose_network6(&i->networks[1]);
	return rc;
}

static int take_number(struct store *store, uint32_t *ret)
{
	int64_t number = 0;
	int rc = sql_number(store, &number, "SELECT next_instance FROM meta", "");
	if (rc == 0)
		rc = sql_run(store, "UPDATE meta SET next_instance = next_instance + 1", "");
	*ret = (uint32_t)number;
	return rc;
}

struct instance_texts {
	char *dns, *labels, *routes, *conditions, *openvpn;
	char network4[IP_PREFIX_TEXT];
	char network6[IP_PREFIX_TEXT];
};

static int format_texts(const struct instance *i, struct instance_texts *ret)
{
	ret->dns = format_dns(&i->dns);
	ret->labels = json_dumps(i->labels, JSON_COMPACT);
	ret->routes = prefixes_format(&i->route_list);
	ret->conditions = format_conditions(i);
	ret->openvpn = format_openvpn(i);
	(void)ip_prefix_format(&i->networks[0], ret->network4);
	(void)ip_prefix_format(&i->networks[1], ret->network6);
	return ret->dns != NULL && ret->labels != NULL && ret->routes != NULL
			&& ret->conditions != NULL && ret->openvpn != NULL
		? 0
		: -ENOMEM;
}

static void free_texts(struct instance_texts *t)
{
	free(t->dns);
	free(t->labels);
	free(t->routes);
	free(t->conditions);
	free(t->openvpn);
}

static int64_t access_bits(const struct instance_access *a)
{
	return (a->site_to_site ? ACCESS_SITE_TO_SITE : 0)
		| (a->client_to_site ? ACCESS_CLIENT_TO_SITE : 0)
		| (a->client_to_client ? ACCESS_CLIENT_TO_CLIENT : 0);
}

int instance_add(struct store *store, struct instance *i, const struct ip_prefix *pool,
	struct model_errors *errors)
{
	instance_check(i, errors);
	int rc = check_taken(store, i, errors);
	if (rc == 0 && errors->count > 0)
		rc = -EINVAL;
	if (rc == 0)
		rc = choose_networks(store, i, pool);
	if (rc == 0)
		rc = take_number(store, &i->number);
	if (rc == 0)
		rc = uuid_generate(&i->id);
	if (rc < 0)
		return rc;
	for (int c = 0; c < CONDITION__COUNT; c++)
		instance_set_condition(
			i, c, "Waiting", "Waiting for the steps before.", store->now);
	i->state = INSTANCE_PROVISIONING;
	i->created_at = store->now;
	i->version = 1;
	struct instance_texts t;
	rc = format_texts(i, &t);
	if (rc == 0)
		rc = sql_run(store,
			"INSERT INTO instance (id, workspace_id, number, name, hostname, region, network4,"
			" network6, mtu, access, dns, client_routes, route_list, labels, state, conditions,"
			" created_at, openvpn)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"uuitttttiitittitit", &i->id, &store->workspace, (int64_t)i->number,
			i->name, i->hostname, i->region, t.network4, t.network6, (int64_t)i->mtu,
			access_bits(&i->access), t.dns, (int64_t)i->client_routes, t.routes,
			t.labels, (int64_t)i->state, t.conditions, store->now, t.openvpn);
	free_texts(&t);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM hostname_quarantine WHERE hostname = ?", "t",
			i->hostname);
	return rc == 0 ? audit_add(store, "create", "instance", &i->id, i->name) : rc;
}

static int check_networks_fixed(
	struct store *store, const struct instance *i, struct model_errors *errors)
{
	struct instance old;
	int64_t peers = 0;
	int rc = instance_find(store, &i->id, &old);
	if (rc == 0)
		rc = sql_number(store, &peers, "SELECT count(*) FROM peer WHERE instance_id = ?",
			"u", &i->id);
	if (rc < 0)
		return rc;
	if (peers > 0 && !ip_prefix_equal(&old.networks[0], &i->networks[0]))
		model_conflict_add(errors, "/networks/ipv4", "cannot change once there are peers");
	if (peers > 0 && !ip_prefix_equal(&old.networks[1], &i->networks[1]))
		model_conflict_add(errors, "/networks/ipv6", "cannot change once there are peers");
	instance_fini(&old);
	return 0;
}

int instance_set(struct store *store, struct instance *i, struct model_errors *errors)
{
	int64_t generation = 0;
	struct instance_texts t = {0};
	instance_check(i, errors);
	int rc = check_taken(store, i, errors);
	if (rc == 0)
		rc = check_networks_fixed(store, i, errors);
	if (rc == 0 && errors->count > 0)
		rc = -EINVAL;
	if (rc == 0 && !uuid_is_zero(&i->hub_id))
		rc = hub_next_generation(store, &i->hub_id, &generation);
	if (rc == 0)
		rc = format_texts(i, &t);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE instance SET name = ?, network4 = ?, network6 = ?, mtu = ?, access = ?,"
			" dns = ?, client_routes = ?, route_list = ?, labels = ?, openvpn = ?,"
			" generation = ?, version = version + 1 WHERE id = ?",
			"tttiititttiu", i->name, t.network4, t.network6, (int64_t)i->mtu,
			access_bits(&i->access), t.dns, (int64_t)i->client_routes, t.routes,
			t.labels, t.openvpn, generation, &i->id);
	free_texts(&t);
	i->version++;
	return rc == 0 ? audit_add(store, "update", "instance", &i->id, i->name) : rc;
}

int instance_remove(struct store *store, const struct instance *i)
{
	int rc = sql_run(store,
		"INSERT OR REPLACE INTO hostname_quarantine (hostname, workspace_id, until)"
		" VALUES (?, ?, ?)",
		"tui", i->hostname, &store->workspace, store->now + HOSTNAME_QUARANTINE_S);
	/* Its peers, their subnets, statuses and the keys bound to it go with it. */
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM instance WHERE id = ?", "u", &i->id);
	const struct event_about about = {"instance", &i->id, i->name, &i->id};
	return rc == 0 ? event_add(store, "instance.removed", &about, NULL) : rc;
}

int instance_add_tombstones(struct store *store, const struct instance *i)
{
	int rc = sql_run(store,
		"INSERT OR REPLACE INTO tombstone (hub_id, kind, id, generation, at)"
		" SELECT ?1, 'peer', id, (SELECT generation + 1 FROM hub WHERE id = ?1), ?2 FROM peer"
		" WHERE instance_id = ?3",
		"uiu", &i->hub_id, store->now, &i->id);
	return rc == 0 ? tombstone_add(store, &i->hub_id, "instance", &i->id) : rc;
}

/* The row stays, with its port and number, until the hub has confirmed the tombstone. */
static int begin_removal(struct store *store, struct instance *i)
{
	int rc = instance_add_tombstones(store, i);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM peer WHERE instance_id = ?", "u", &i->id);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE instance SET generation = (SELECT generation FROM hub WHERE id = hub_id),"
			" private_key_box = NULL WHERE id = ?",
			"u", &i->id);
	if (rc == 0)
		rc = sql_run(store, "UPDATE listener SET wrap_key_box = x'' WHERE instance_id = ?",
			"u", &i->id);
	if (rc == 0)
		rc = sql_run(store, "DELETE FROM authority WHERE instance_id = ?", "u", &i->id);
	i->state = INSTANCE_DELETING;
	instance_set_condition(i, CONDITION_DATAPLANE_READY, "Deleting",
		"Waiting for the hub to confirm that it is gone.", store->now);
	return rc == 0 ? instance_set_state(store, i) : rc;
}

int instance_del(struct store *store, struct instance *i)
{
	if (i->state == INSTANCE_DELETING)
		return 0;
	int rc = uuid_is_zero(&i->hub_id) ? instance_remove(store, i) : begin_removal(store, i);
	return rc == 0 ? audit_add(store, "delete", "instance", &i->id, i->name) : rc;
}

int instance_retry(struct store *store, struct instance *i)
{
	int64_t generation = 0;
	int rc = 0;
	if (!uuid_is_zero(&i->hub_id))
		rc = hub_next_generation(store, &i->hub_id, &generation);
	if (rc == 0)
		rc = sql_run(store, "UPDATE instance SET generation = ? WHERE id = ?", "iu",
			generation, &i->id);
	i->state = INSTANCE_PROVISIONING;
	instance_set_condition(
		i, CONDITION_DATAPLANE_READY, "Waiting", "Waiting for the hub.", store->now);
	i->conditions[CONDITION_DATAPLANE_READY].changed_at = store->now; /* its time begins anew */
	if (rc == 0)
		rc = instance_set_state(store, i);
	return rc == 0 ? audit_add(store, "retry", "instance", &i->id, i->name) : rc;
}

/* The hub of the region with the fewest instances, one that reports before one that is silent. */
static int choose_hub(struct store *store, const struct instance *i, struct uuid *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT id FROM hub h WHERE region = ? AND is_enrolled ORDER BY last_report_at < ?,"
		" (SELECT count(*) FROM instance n WHERE n.hub_id = h.id), id LIMIT 1",
		"ti", i->region, store->now - HUB_SILENT_S);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		sql_uuid(stmt, 0, ret);
	sql_done(stmt);
	return rc == -ENOENT ? -EAGAIN : rc;
}

int instance_allocate(struct store *store, struct instance *i, uint16_t first, uint16_t last)
{
	struct uuid hub;
	uint16_t port = 0;
	int64_t generation;
	int rc = choose_hub(store, i, &hub);
	if (rc == 0)
		rc = hub_choose_port(store, &hub, OPENVPN_UDP, first, last, &port);
	if (rc == 0)
		rc = hub_next_generation(store, &hub, &generation);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE instance SET hub_id = ?, wireguard_port = ?, generation = ? WHERE id = ?",
			"uiiu", &hub, (int64_t)port, generation, &i->id);
	if (rc < 0)
		return rc;
	i->hub_id = hub;
	i->wireguard_port = port;
	return 0;
}

int instance_make_keys(struct store *store, struct instance *i)
{
	uint8_t box[KEY_LEN + BOX_OVERHEAD];
	struct key private_key;
	int64_t generation;
	int rc = wireguard_key_generate(&private_key, &i->public_key);
	if (rc < 0)
		return rc;
	rc = box_seal(store, "instance.private_key", &i->id, private_key.bytes, KEY_LEN, box);
	key_wipe(&private_key);
	if (rc == 0)
		rc = hub_next_generation(store, &i->hub_id, &generation);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE instance SET public_key = ?, private_key_box = ?, generation = ?"
			" WHERE id = ?",
			"kbiu", &i->public_key, box, sizeof(box), generation, &i->id);
	/* Only now is the instance for its hub, which may have asked since these were made. */
	if (rc == 0)
		rc = sql_run(store, "UPDATE peer SET generation = ? WHERE instance_id = ?", "iu",
			generation, &i->id);
	return rc;
}

int instance_private_key(struct store *store, const struct uuid *id, struct key *ret)
{
	return box_open_key(store, "instance.private_key",
		"SELECT private_key_box FROM instance WHERE id = ?", id, ret);
}

void instance_set_condition(struct instance *i, enum instance_condition condition,
	const char *reason, const char *message, int64_t now)
{
	struct condition *c = &i->conditions[condition];
	bool is_true = strcmp(reason, "Done") == 0;
	if (c->is_true != is_true || c->changed_at == 0)
		c->changed_at = now;
	c->is_true = is_true;
	(void)snprintf(c->reason, sizeof(c->reason), "%s", reason);
	(void)snprintf(c->message, sizeof(c->message), "%s", message);
}

/*
 * Why it is not ready: the first condition that does not hold and is not just waited for. Neither
 * certificates nor names in DNS keep an instance from being ready.
 */
static const struct condition *trouble_of(const struct instance *i)
{
	static const enum instance_condition needed[] = {
		CONDITION_ALLOCATED, CONDITION_KEYS_READY, CONDITION_DATAPLANE_READY};
	for (size_t n = 0; n < sizeof(needed) / sizeof(needed[0]); n++) {
		const struct condition *c = &i->conditions[needed[n]];
		if (!c->is_true && strcmp(c->reason, "Waiting") != 0)
			return c;
	}
	return NULL;
}

/* Its end is told by whoever asks for it, and once it is gone. */
static int tell_state(struct store *store, const struct instance *i, enum instance_state before)
{
	char type[48];
	const struct event_about about = {"instance", &i->id, i->name, &i->id};
	const struct condition *c = i->state == INSTANCE_READY ? NULL : trouble_of(i);
	if (i->state == before || i->state == INSTANCE_DELETING)
		return 0;
	(void)snprintf(type, sizeof(type), "instance.%s", instance_state_text(i->state));
	return event_add(store, type, &about,
		json_pack("{s:s, s:s?, s:s?}", "previous_state", instance_state_text(before),
			"reason", c != NULL ? c->reason : NULL, "message",
			c != NULL ? c->message : NULL));
}

int instance_set_state(struct store *store, struct instance *i)
{
	int64_t before = i->state;
	char *conditions = format_conditions(i);
	if (conditions == NULL)
		return -ENOMEM;
	int rc = sql_number(store, &before, "SELECT state FROM instance WHERE id = ?", "u", &i->id);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE instance SET state = ?, conditions = ?, version = version + 1 WHERE id = ?",
			"itu", (int64_t)i->state, conditions, &i->id);
	free(conditions);
	i->version++;
	return rc == 0 ? tell_state(store, i, (enum instance_state)before) : rc;
}
