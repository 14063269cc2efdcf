// SPDX-License-Identifier: Apache-2.0
/*
 * An instance's part in OpenVPN: ports, wrapping keys, authority and server certificate. Ports stay
 * for the instance's life, and the authority does: both are in profiles that lie on devices.
 */
#include "control/store/openvpn.h"

#include "control/store/credential.h"
#include "control/store/internal.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	NAMES_TEXT = 1024,
	/* at two thirds of its life */
	RENEW_S = CERTIFICATE_SERVER_DAYS * 24 * 3600 / 3 * 2,
	KEY_BOX_LEN = CERTIFICATE_KEY_TEXT + BOX_OVERHEAD,
};

static int add_listener(struct store *store, const struct instance *i,
	enum openvpn_transport transport, const struct openvpn_listener *l)
{
	uint8_t keys[OPENVPN_WRAP_KEYS_LEN];
	uint8_t box[OPENVPN_WRAP_KEYS_LEN + BOX_OVERHEAD];
	int rc = random_bytes(keys, sizeof(keys));
	if (rc == 0)
		rc = box_seal(store, "listener.wrap_key", &l->id, keys, sizeof(keys), box);
	explicit_bzero(keys, sizeof(keys));
	return rc == 0 ? sql_run(store,
		       "INSERT INTO listener (id, instance_id, hub_id, transport, port,"
		       " wrap_key_box) VALUES (?, ?, ?, ?, ?, ?)",
		       "uuuiib", &l->id, &i->id, &i->hub_id, (int64_t)transport, (int64_t)l->port,
		       box, sizeof(box))
		       : rc;
}

int openvpn_allocate(struct store *store, struct instance *i, uint16_t first, uint16_t last)
{
	uint16_t ports[OPENVPN__TRANSPORTS];
	int rc = 0;
	/* first both, so that one alone is never taken */
	for (int t = 0; t < OPENVPN__TRANSPORTS && rc == 0; t++)
		rc = hub_choose_port(
			store, &i->hub_id, (enum openvpn_transport)t, first, last, &ports[t]);
	for (int t = 0; t < OPENVPN__TRANSPORTS && rc == 0; t++) {
		i->openvpn[t].port = ports[t];
		rc = uuid_generate(&i->openvpn[t].id);
		if (rc == 0)
			rc = add_listener(store, i, (enum openvpn_transport)t, &i->openvpn[t]);
	}
	return rc;
}

/* "acme.vpn.example.net 192.0.2.1": enough to see that they have changed. */
static void format_names(const struct certificate_names *names, char ret[NAMES_TEXT])
{
	int len = snprintf(ret, NAMES_TEXT, "%s", names->host != NULL ? names->host : "");
	for (size_t i = 0; i < names->address_count && len >= 0 && len < NAMES_TEXT; i++) {
		char addr[IP_ADDR_TEXT];
		len += snprintf(ret + len, (size_t)(NAMES_TEXT - len), " %s",
			ip_addr_format(&names->addresses[i], addr));
	}
}

int openvpn_needs_certificate(
	struct store *store, const struct instance *i, const struct certificate_names *names)
{
	char text[NAMES_TEXT];
	int64_t found = 0;
	format_names(names, text);
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM authority WHERE instance_id = ? AND renews_at > ?"
		" AND server_names = ?",
		"uit", &i->id, store->now, text);
	return rc < 0 ? rc : found == 0;
}

static int open_text(struct store *store, const char *place, const char *sql, const struct uuid *id,
	char *ret, size_t size)
{
	ssize_t len = box_open_bytes(store, place, sql, id, ret, size - 1);
	if (len < 0)
		return (int)len;
	ret[len] = '\0';
	return 0;
}

static int find_text(
	struct store *store, const char *sql, const struct uuid *id, char *ret, size_t size)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt, sql, "u", id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0)
		sql_text(stmt, 0, ret, size);
	sql_done(stmt);
	return rc;
}

int openvpn_find_authority(
	struct store *store, const struct uuid *instance_id, struct certificate *ret)
{
	int rc = find_text(store, "SELECT certificate FROM authority WHERE instance_id = ?",
		instance_id, ret->text, sizeof(ret->text));
	return rc == 0 ? open_text(store, "authority.private_key",
		       "SELECT private_key_box FROM authority WHERE instance_id = ?", instance_id,
		       ret->private_key, sizeof(ret->private_key))
		       : rc;
}

static int find_wrap_keys(
	struct store *store, const struct uuid *instance_id, struct openvpn_keys *ret)
{
	static const char *const queries[OPENVPN__TRANSPORTS] = {
		"SELECT id FROM listener WHERE instance_id = ? AND transport = 0",
		"SELECT id FROM listener WHERE instance_id = ? AND transport = 1",
	};
	for (int t = 0; t < OPENVPN__TRANSPORTS; t++) {
		struct uuid id;
		sqlite3_stmt *stmt;
		int rc = sql_prepare(store, &stmt, queries[t], "u", instance_id);
		if (rc < 0)
			return rc;
		rc = sql_first(store, stmt);
		if (rc == 0)
			sql_uuid(stmt, 0, &id);
		sql_done(stmt);
		if (rc < 0)
			return rc;
		ssize_t len = box_open_bytes(store, "listener.wrap_key",
			"SELECT wrap_key_box FROM listener WHERE id = ?", &id, ret->wrap[t],
			sizeof(ret->wrap[t]));
		if (len != sizeof(ret->wrap[t]))
			return len < 0 ? (int)len : -EUCLEAN;
	}
	return 0;
}

int openvpn_find_keys(struct store *store, const struct uuid *instance_id, struct openvpn_keys *ret)
{
	int rc = find_text(store, "SELECT certificate FROM authority WHERE instance_id = ?",
		instance_id, ret->authority, sizeof(ret->authority));
	if (rc == 0)
		rc = find_text(store,
			"SELECT server_certificate FROM authority WHERE instance_id = ?",
			instance_id, ret->server.text, sizeof(ret->server.text));
	if (rc == 0)
		rc = open_text(store, "authority.server_key",
			"SELECT server_key_box FROM authority WHERE instance_id = ?", instance_id,
			ret->server.private_key, sizeof(ret->server.private_key));
	return rc == 0 ? find_wrap_keys(store, instance_id, ret) : rc;
}

/* Found, or made for whoever has none. The row is written with the server's certificate. */
static int get_authority(struct store *store, const struct instance *i, struct certificate *ret)
{
	char name[CERTIFICATE_NAME_TEXT];
	int rc = openvpn_find_authority(store, &i->id, ret);
	if (rc != -ENOENT)
		return rc;
	(void)snprintf(name, sizeof(name), "Nave %s", i->hostname);
	return certificate_make_authority(name, store->now, ret);
}

static int write_certificates(struct store *store, const struct instance *i,
	const struct certificate *authority, const struct certificate *server, const char *names)
{
	uint8_t box[KEY_BOX_LEN], server_box[KEY_BOX_LEN];
	size_t len = strlen(authority->private_key), server_len = strlen(server->private_key);
	int rc = box_seal(store, "authority.private_key", &i->id, authority->private_key, len, box);
	if (rc == 0)
		rc = box_seal(store, "authority.server_key", &i->id, server->private_key,
			server_len, server_box);
	return rc == 0 ? sql_run(store,
		       "INSERT OR REPLACE INTO authority (instance_id, certificate,"
		       " private_key_box, server_certificate, server_key_box, server_names,"
		       " renews_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		       "utbtbti", &i->id, authority->text, box, len + BOX_OVERHEAD, server->text,
		       server_box, server_len + BOX_OVERHEAD, names, store->now + (int64_t)RENEW_S)
		       : rc;
}

int openvpn_make_certificates(
	struct store *store, struct instance *i, const struct certificate_names *names)
{
	struct certificate authority, server;
	char text[NAMES_TEXT];
	format_names(names, text);
	int rc = get_authority(store, i, &authority);
	if (rc == 0)
		rc = certificate_make_server(&authority, i->hostname, names, store->now, &server);
	if (rc == 0)
		rc = write_certificates(store, i, &authority, &server, text);
	if (rc == 0)
		rc = credentials_complete(store, &i->id, &authority);
	if (rc == 0)
		rc = hub_resend_instance(store, i);
	explicit_bzero(&authority, sizeof(authority));
	explicit_bzero(&server, sizeof(server));
	i->certificate_renews_at = store->now + (int64_t)RENEW_S;
	return rc;
}
