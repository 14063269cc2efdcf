-- SPDX-License-Identifier: Apache-2.0
-- Times are unix seconds. Ids are 16-byte blobs. Prefixes and addresses are text in canonical form,
-- with lo and hi (16 bytes each, IPv4 mapped) where ranges are compared. *_box columns are sealed.

CREATE TABLE meta (
	epoch BLOB NOT NULL,
	key_check BLOB NOT NULL,              -- keyed hash: tells whether secret.key is the one
	next_instance INTEGER NOT NULL
);

CREATE TABLE workspace (
	id BLOB PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE hub (
	id BLOB PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	region TEXT NOT NULL,
	token_hash BLOB NOT NULL UNIQUE,
	generation INTEGER NOT NULL DEFAULT 0,
	floor INTEGER NOT NULL DEFAULT 0,     -- tombstones up to here are gone
	boot_id BLOB,
	applied_epoch BLOB,
	applied_generation INTEGER NOT NULL DEFAULT 0,
	version TEXT NOT NULL DEFAULT '',
	addresses TEXT NOT NULL DEFAULT '[]',
	egress_v4 INTEGER NOT NULL DEFAULT 0,
	egress_v6 INTEGER NOT NULL DEFAULT 0,
	counters TEXT NOT NULL DEFAULT '{}',
	last_report_at INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE instance (
	id BLOB PRIMARY KEY,
	workspace_id BLOB NOT NULL REFERENCES workspace(id),
	number INTEGER NOT NULL UNIQUE,
	name TEXT NOT NULL,
	hostname TEXT NOT NULL UNIQUE,
	region TEXT NOT NULL,
	hub_id BLOB REFERENCES hub(id),
	network4 TEXT NOT NULL,
	network6 TEXT NOT NULL,
	mtu INTEGER NOT NULL,
	wireguard_port INTEGER,
	public_key BLOB UNIQUE,
	private_key_box BLOB,
	access INTEGER NOT NULL,              -- bits: 1 site to site, 2 client to site, 4 client to client
	dns TEXT NOT NULL,
	client_routes INTEGER NOT NULL,
	route_list TEXT NOT NULL,
	labels TEXT NOT NULL,
	state INTEGER NOT NULL,
	conditions TEXT NOT NULL,
	generation INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	UNIQUE (workspace_id, name),
	UNIQUE (hub_id, wireguard_port)
) WITHOUT ROWID;

CREATE TABLE user (
	id BLOB PRIMARY KEY,
	workspace_id BLOB NOT NULL REFERENCES workspace(id),
	name TEXT NOT NULL,
	email TEXT,
	is_suspended INTEGER NOT NULL DEFAULT 0,
	labels TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	UNIQUE (workspace_id, name)
) WITHOUT ROWID;

CREATE TABLE site (
	id BLOB PRIMARY KEY,
	workspace_id BLOB NOT NULL REFERENCES workspace(id),
	name TEXT NOT NULL,
	labels TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	UNIQUE (workspace_id, name)
) WITHOUT ROWID;

CREATE TABLE peer (
	id BLOB PRIMARY KEY,
	instance_id BLOB NOT NULL REFERENCES instance(id) ON DELETE CASCADE,
	type INTEGER NOT NULL,
	protocol INTEGER NOT NULL,
	name TEXT NOT NULL,
	site_id BLOB REFERENCES site(id),
	user_id BLOB REFERENCES user(id),
	public_key BLOB NOT NULL,
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
	UNIQUE (instance_id, name),
	UNIQUE (instance_id, public_key),
	UNIQUE (instance_id, host)
) WITHOUT ROWID;
CREATE INDEX peer_user ON peer(user_id);
CREATE INDEX peer_site ON peer(site_id);

CREATE TABLE subnet (
	peer_id BLOB NOT NULL REFERENCES peer(id) ON DELETE CASCADE,
	instance_id BLOB NOT NULL,
	place INTEGER NOT NULL,
	prefix TEXT NOT NULL,
	lo BLOB NOT NULL,
	hi BLOB NOT NULL,
	PRIMARY KEY (peer_id, place)
) WITHOUT ROWID;
CREATE INDEX subnet_range ON subnet(instance_id, lo);
-- Overlap inside an instance is refused by the database itself, whoever writes. Prefixes that
-- contain each other only because one is broad (a default route) may stand together.
CREATE TRIGGER subnet_overlap BEFORE INSERT ON subnet
WHEN EXISTS (SELECT 1 FROM subnet s WHERE s.instance_id = NEW.instance_id
	AND s.lo <= NEW.hi AND s.hi >= NEW.lo AND s.prefix NOT IN ('0.0.0.0/0', '::/0')
	AND NEW.prefix NOT IN ('0.0.0.0/0', '::/0'))
	OR EXISTS (SELECT 1 FROM subnet s WHERE s.instance_id = NEW.instance_id
	AND s.prefix = NEW.prefix)
BEGIN
	SELECT RAISE(ABORT, 'subnet overlaps');
END;

CREATE TABLE peer_status (
	peer_id BLOB PRIMARY KEY REFERENCES peer(id) ON DELETE CASCADE,
	boot_id BLOB,
	endpoint TEXT NOT NULL DEFAULT '',
	last_handshake_at INTEGER NOT NULL DEFAULT 0,
	last_seen_at INTEGER NOT NULL DEFAULT 0,
	rx_bytes INTEGER NOT NULL DEFAULT 0,
	tx_bytes INTEGER NOT NULL DEFAULT 0,
	rx_packets INTEGER NOT NULL DEFAULT 0,
	tx_packets INTEGER NOT NULL DEFAULT 0,
	boot_rx_bytes INTEGER NOT NULL DEFAULT 0, -- part of the sums that this boot has told
	boot_tx_bytes INTEGER NOT NULL DEFAULT 0,
	boot_rx_packets INTEGER NOT NULL DEFAULT 0,
	boot_tx_packets INTEGER NOT NULL DEFAULT 0,
	timestamp TEXT NOT NULL DEFAULT '',
	failure TEXT NOT NULL DEFAULT '',
	failure_at INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE tombstone (
	hub_id BLOB NOT NULL,
	kind TEXT NOT NULL,
	id BLOB NOT NULL,
	generation INTEGER NOT NULL,
	at INTEGER NOT NULL,
	PRIMARY KEY (hub_id, id)
) WITHOUT ROWID;

CREATE TABLE hostname_quarantine (
	hostname TEXT PRIMARY KEY,
	workspace_id BLOB NOT NULL,
	until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE address_quarantine (
	instance_id BLOB NOT NULL REFERENCES instance(id) ON DELETE CASCADE,
	host INTEGER NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (instance_id, host)
) WITHOUT ROWID;

CREATE TABLE api_key (
	id BLOB PRIMARY KEY,
	workspace_id BLOB NOT NULL REFERENCES workspace(id),
	name TEXT NOT NULL,
	role INTEGER NOT NULL,
	instance_id BLOB REFERENCES instance(id) ON DELETE CASCADE,
	hash BLOB NOT NULL UNIQUE,
	expires_at INTEGER NOT NULL,
	last_used_at INTEGER NOT NULL DEFAULT 0,
	labels TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	UNIQUE (workspace_id, name)
) WITHOUT ROWID;

CREATE TABLE audit (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id BLOB NOT NULL UNIQUE,
	at INTEGER NOT NULL,
	actor_type TEXT NOT NULL,
	actor_id BLOB,
	actor_name TEXT NOT NULL,
	action TEXT NOT NULL,
	object_type TEXT NOT NULL,
	object_id BLOB,
	object_name TEXT NOT NULL,
	request_id TEXT NOT NULL
);

CREATE TABLE idempotency (
	id BLOB PRIMARY KEY,
	fingerprint BLOB NOT NULL,
	status INTEGER NOT NULL,
	location TEXT NOT NULL,
	etag TEXT NOT NULL,
	content_type TEXT NOT NULL,
	body_box BLOB NOT NULL,
	at INTEGER NOT NULL
) WITHOUT ROWID;
