-- SPDX-License-Identifier: Apache-2.0
-- OpenVPN. Settings of an instance's listeners; what is absent has its default.
ALTER TABLE instance ADD COLUMN openvpn TEXT NOT NULL DEFAULT '{}';

-- Which protocol a connected peer used when its hub last told.
ALTER TABLE peer_status ADD COLUMN protocol TEXT NOT NULL DEFAULT '';

CREATE TABLE listener (
	id BLOB PRIMARY KEY,
	instance_id BLOB NOT NULL REFERENCES instance(id) ON DELETE CASCADE,
	hub_id BLOB NOT NULL REFERENCES hub(id),
	transport INTEGER NOT NULL,           -- 0 UDP, 1 TCP
	port INTEGER NOT NULL,
	wrap_key_box BLOB NOT NULL,           -- 256 bytes for tls-auth and tls-crypt, 128 for tls-crypt-v2
	UNIQUE (instance_id, transport),
	UNIQUE (hub_id, transport, port)
) WITHOUT ROWID;

CREATE TABLE authority (
	instance_id BLOB PRIMARY KEY REFERENCES instance(id) ON DELETE CASCADE,
	certificate TEXT NOT NULL,
	private_key_box BLOB NOT NULL,
	server_certificate TEXT NOT NULL,
	server_key_box BLOB NOT NULL,
	server_names TEXT NOT NULL,           -- that its certificate holds
	renews_at INTEGER NOT NULL
) WITHOUT ROWID;

-- By what a peer proves itself in OpenVPN. The boxes are empty once they were revealed.
CREATE TABLE credential (
	peer_id BLOB PRIMARY KEY REFERENCES peer(id) ON DELETE CASCADE,
	instance_id BLOB NOT NULL,
	username TEXT NOT NULL,
	salt BLOB NOT NULL,
	hash BLOB NOT NULL,                   -- SHA-256 of salt and password
	password_box BLOB,
	certificate TEXT,                     -- NULL until the instance has its authority
	certificate_hash BLOB,
	private_key_box BLOB,
	UNIQUE (instance_id, username)
) WITHOUT ROWID;

-- A peer that speaks OpenVPN only has no public key. Foreign keys are off during migrations: what
-- refers to the old table goes on to refer to the new one, by its name.
CREATE TABLE peer_new (
	id BLOB PRIMARY KEY,
	instance_id BLOB NOT NULL REFERENCES instance(id) ON DELETE CASCADE,
	type INTEGER NOT NULL,
	protocol INTEGER NOT NULL,            -- 0 WireGuard, 1 any, 2 OpenVPN
	name TEXT NOT NULL,
	site_id BLOB REFERENCES site(id),
	user_id BLOB REFERENCES user(id),
	public_key BLOB,
	key_is_ours INTEGER NOT NULL,
	private_key_box BLOB,
	preshared_key_box BLOB NOT NULL,
	allow_broad_routes INTEGER NOT NULL,
	route_all INTEGER NOT NULL,
	allowed TEXT,                         -- array of prefixes; NULL: all that is permitted
	keepalive INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	is_suspended INTEGER NOT NULL DEFAULT 0,
	host INTEGER NOT NULL,
	labels TEXT NOT NULL,
	revealed_until INTEGER NOT NULL DEFAULT 0,
	profile_digest TEXT NOT NULL DEFAULT '',
	is_sent INTEGER NOT NULL DEFAULT 1,   -- the hub has been told that it is active
	generation INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	clock_resets INTEGER NOT NULL DEFAULT 0,
	UNIQUE (instance_id, name),
	UNIQUE (instance_id, public_key),
	UNIQUE (instance_id, host)
) WITHOUT ROWID;
INSERT INTO peer_new SELECT id, instance_id, type, protocol, name, site_id, user_id, public_key,
	key_is_ours, private_key_box, preshared_key_box, allow_broad_routes, route_all, allowed,
	keepalive, expires_at, is_suspended, host, labels, revealed_until, profile_digest, is_sent,
	generation, created_at, version, clock_resets FROM peer;
DROP TABLE peer;
ALTER TABLE peer_new RENAME TO peer;
CREATE INDEX peer_user ON peer(user_id);
CREATE INDEX peer_site ON peer(site_id);
