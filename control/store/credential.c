// SPDX-License-Identifier: Apache-2.0
/*
 * Credentials for OpenVPN. The hub is told hashes; the password and the private key lie in boxes
 * until they were revealed, as the WireGuard key does. A peer that is older than its instance's
 * authority gets its certificate when that is made.
 */
#include "control/store/credential.h"

#include "control/store/internal.h"
#include "control/store/openvpn.h"
#include "control/store/peer.h"
#include "dataplane/base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	NUMBERS_MAX = 100000, /* of peers whose names make the same username */
};

int credential_is_taken(struct store *store, const struct uuid *instance_id, const char *username)
{
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM credential WHERE instance_id = ? AND username = ?", "ut",
		instance_id, username);
	return rc < 0 ? rc : found > 0;
}

static int choose_username(struct store *store, struct peer *p)
{
	int taken = 1;
	for (unsigned int n = 1; n < NUMBERS_MAX && taken == 1; n++) {
		openvpn_username_make(p->name, n, p->username);
		taken = credential_is_taken(store, &p->instance_id, p->username);
	}
	return taken == 1 ? -EEXIST : taken;
}

/* The boxes hold exactly what a reveal gives. */
static int insert(struct store *store, const struct peer *p, const char *password)
{
	uint8_t salt[OPENVPN_SALT_LEN], hash[OPENVPN_HASH_LEN];
	uint8_t box[OPENVPN_PASSWORD_CHARACTERS + BOX_OVERHEAD];
	int rc = random_bytes(salt, sizeof(salt));
	if (rc == 0)
		rc = openvpn_password_hash(salt, password, hash);
	if (rc == 0)
		rc = box_seal(store, "credential.password", &p->id, password,
			OPENVPN_PASSWORD_CHARACTERS, box);
	return rc == 0 ? sql_run(store,
		       "INSERT INTO credential (peer_id, instance_id, username, salt, hash,"
		       " password_box) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (peer_id) DO UPDATE"
		       " SET salt = excluded.salt, hash = excluded.hash,"
		       " password_box = excluded.password_box",
		       "uutbbb", &p->id, &p->instance_id, p->username, salt, sizeof(salt), hash,
		       sizeof(hash), box, sizeof(box))
		       : rc;
}

static int certify(struct store *store, const struct certificate *authority, const struct peer *p)
{
	struct certificate own;
	uint8_t hash[CERTIFICATE_HASH_LEN], box[CERTIFICATE_KEY_TEXT + BOX_OVERHEAD];
	int rc = certificate_make_client(authority, p->username, store->now, &own);
	size_t len = rc == 0 ? strlen(own.private_key) : 0;
	if (rc == 0)
		rc = certificate_hash(own.text, hash);
	if (rc == 0)
		rc = box_seal(store, "credential.private_key", &p->id, own.private_key, len, box);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE credential SET certificate = ?, certificate_hash = ?,"
			" private_key_box = ? WHERE peer_id = ?",
			"tbbu", own.text, hash, sizeof(hash), box, len + BOX_OVERHEAD, &p->id);
	explicit_bzero(&own, sizeof(own));
	return rc;
}

static int add_password(struct store *store, struct peer *p)
{
	char password[OPENVPN_PASSWORD_TEXT];
	int rc = p->username[0] == '\0' ? choose_username(store, p) : 0;
	if (rc == 0)
		rc = openvpn_password_make(password);
	if (rc == 0)
		rc = insert(store, p, password);
	explicit_bzero(password, sizeof(password));
	return rc;
}

int credential_add(struct store *store, struct peer *p)
{
	struct certificate authority;
	int rc = add_password(store, p);
	if (rc < 0)
		return rc;
	rc = openvpn_find_authority(store, &p->instance_id, &authority);
	if (rc == 0)
		rc = certify(store, &authority, p);
	explicit_bzero(&authority, sizeof(authority));
	return rc == -ENOENT ? 0 : rc;
}

/*
 * One of an earlier version had no password, or what there was of it may have been revealed without the
 * certificate: its secrets for OpenVPN begin anew. WireGuard's key, if it was revealed, is not given twice.
 */
static int complete(struct store *store, struct peer *p, const struct certificate *authority)
{
	int rc = 0;
	if (p->username[0] == '\0' || p->revealed_until != 0) {
		rc = add_password(store, p);
		if (rc == 0)
			rc = sql_run(store,
				"UPDATE peer SET private_key_box = CASE WHEN revealed_until = 0"
				" THEN private_key_box END, revealed_until = 0 WHERE id = ?",
				"u", &p->id);
	}
	if (rc == 0)
		rc = certify(store, authority, p);
	return rc == 0 ? peer_resend(store, &p->id) : rc;
}

int credentials_complete(
	struct store *store, const struct uuid *instance_id, const struct certificate *authority)
{
	static const char next[] =
		"SELECT p.id FROM peer p LEFT JOIN credential c ON c.peer_id = p.id"
		" WHERE p.instance_id = ? AND p.protocol != 0 AND c.certificate IS NULL LIMIT 1";
	for (;;) {
		sqlite3_stmt *stmt;
		struct uuid id;
		struct peer p;
		int rc = sql_prepare(store, &stmt, next, "u", instance_id);
		if (rc < 0)
			return rc;
		rc = sql_first(store, stmt);
		if (rc == 0)
			sql_uuid(stmt, 0, &id);
		sql_done(stmt);
		if (rc < 0)
			return rc == -ENOENT ? 0 : rc;
		rc = peer_find(store, instance_id, &id, &p);
		if (rc < 0)
			return rc;
		rc = complete(store, &p, authority);
		peer_fini(&p);
		if (rc < 0)
			return rc;
	}
}

int credential_find(struct store *store, const struct uuid *peer_id, struct credential *ret)
{
	sqlite3_stmt *stmt;
	int rc = sql_prepare(store, &stmt,
		"SELECT username, salt, hash, certificate, certificate_hash FROM credential"
		" WHERE peer_id = ?",
		"u", peer_id);
	if (rc < 0)
		return rc;
	rc = sql_first(store, stmt);
	if (rc == 0) {
		sql_text(stmt, 0, ret->username, sizeof(ret->username));
		sql_blob(stmt, 1, ret->salt, sizeof(ret->salt));
		sql_blob(stmt, 2, ret->hash, sizeof(ret->hash));
		sql_text(stmt, 3, ret->certificate, sizeof(ret->certificate));
		sql_blob(stmt, 4, ret->certificate_hash, sizeof(ret->certificate_hash));
	}
	sql_done(stmt);
	return rc;
}

int credential_find_secrets(
	struct store *store, const struct uuid *peer_id, struct credential_secrets *ret)
{
	ssize_t password = box_open_bytes(store, "credential.password",
		"SELECT password_box FROM credential WHERE peer_id = ?", peer_id, ret->password,
		sizeof(ret->password) - 1);
	if (password < 0)
		return (int)password;
	ssize_t key = box_open_bytes(store, "credential.private_key",
		"SELECT private_key_box FROM credential WHERE peer_id = ?", peer_id,
		ret->private_key, sizeof(ret->private_key) - 1);
	if (key < 0) {
		explicit_bzero(ret, sizeof(*ret));
		return (int)key;
	}
	ret->password[password] = '\0';
	ret->private_key[key] = '\0';
	return 0;
}

int credentials_forget(struct store *store)
{
	int64_t found = 0;
	int rc = sql_number(store, &found,
		"SELECT count(*) FROM credential c JOIN peer p ON p.id = c.peer_id"
		" WHERE (c.password_box IS NOT NULL OR c.private_key_box IS NOT NULL)"
		" AND p.revealed_until != 0 AND p.revealed_until <= ?",
		"i", store->now);
	if (rc < 0 || found == 0)
		return rc;
	rc = sql_run(store,
		"UPDATE credential SET password_box = NULL, private_key_box = NULL"
		" WHERE (password_box IS NOT NULL OR private_key_box IS NOT NULL) AND peer_id IN"
		" (SELECT id FROM peer WHERE revealed_until != 0 AND revealed_until <= ?)",
		"i", store->now);
	return rc < 0 ? rc : (int)found;
}
