-- SPDX-License-Identifier: Apache-2.0
-- What a peer and its instance have moved, by hour and by day. Only where something was moved there
-- is a row; object_id is a peer's or an instance's.
CREATE TABLE bandwidth (
	object_id BLOB NOT NULL,
	span INTEGER NOT NULL,                -- 0 hour, 1 day
	at INTEGER NOT NULL,                  -- its beginning, in UTC
	rx_bytes INTEGER NOT NULL,
	tx_bytes INTEGER NOT NULL,
	rx_packets INTEGER NOT NULL,
	tx_packets INTEGER NOT NULL,
	PRIMARY KEY (object_id, span, at)
) WITHOUT ROWID;
CREATE TRIGGER peer_bandwidth AFTER DELETE ON peer
BEGIN
	DELETE FROM bandwidth WHERE object_id = OLD.id;
END;
CREATE TRIGGER instance_bandwidth AFTER DELETE ON instance
BEGIN
	DELETE FROM bandwidth WHERE object_id = OLD.id;
END;

-- When a peer was connected, from where and how. rx_from and tx_from are the peer's sums when it
-- began; rx_bytes and tx_bytes are written when it has ended.
CREATE TABLE session (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	peer_id BLOB NOT NULL REFERENCES peer(id) ON DELETE CASCADE,
	instance_id BLOB NOT NULL,
	since INTEGER NOT NULL,
	until INTEGER NOT NULL DEFAULT 0,     -- 0: it goes on
	endpoint TEXT NOT NULL,
	protocol TEXT NOT NULL,
	rx_from INTEGER NOT NULL,
	tx_from INTEGER NOT NULL,
	rx_bytes INTEGER NOT NULL DEFAULT 0,
	tx_bytes INTEGER NOT NULL DEFAULT 0,
	reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX session_peer ON session(peer_id, seq);
CREATE INDEX session_instance ON session(instance_id, seq);
CREATE INDEX session_until ON session(until, seq);
CREATE UNIQUE INDEX session_open ON session(peer_id) WHERE until = 0;

-- Whether it has missed its reports, and since when it reports again.
ALTER TABLE hub ADD COLUMN is_silent INTEGER NOT NULL DEFAULT 1;
ALTER TABLE hub ADD COLUMN back_at INTEGER NOT NULL DEFAULT 0;

-- What has happened, in order; written in the transaction of what it tells.
CREATE TABLE event (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	at INTEGER NOT NULL,
	workspace_id BLOB NOT NULL,
	instance_id BLOB,                     -- NULL: of the workspace
	type TEXT NOT NULL,                   -- "peer.connected"
	object_type TEXT NOT NULL,
	object_id BLOB,
	object_name TEXT NOT NULL,
	data TEXT NOT NULL
);
CREATE INDEX event_instance ON event(instance_id, seq);
ALTER TABLE meta ADD COLUMN event_floor INTEGER NOT NULL DEFAULT 0; -- events up to here are gone

CREATE TABLE webhook (
	id BLOB PRIMARY KEY,
	workspace_id BLOB NOT NULL REFERENCES workspace(id),
	name TEXT NOT NULL,
	url TEXT NOT NULL,
	types TEXT NOT NULL,                  -- array of "peer.*"; empty: all
	secret_box BLOB NOT NULL,
	is_enabled INTEGER NOT NULL,
	seen INTEGER NOT NULL,                -- event up to which there are deliveries
	labels TEXT NOT NULL,
	delivered_at INTEGER NOT NULL DEFAULT 0,
	failed_at INTEGER NOT NULL DEFAULT 0,
	failure TEXT NOT NULL DEFAULT '',
	created_at INTEGER NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	UNIQUE (workspace_id, name)
) WITHOUT ROWID;

-- What is still to be sent, and what was given up. What was taken is gone.
CREATE TABLE delivery (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	id BLOB NOT NULL UNIQUE,
	webhook_id BLOB NOT NULL REFERENCES webhook(id) ON DELETE CASCADE,
	event_seq INTEGER NOT NULL,
	type TEXT NOT NULL,
	body TEXT NOT NULL,
	is_dead INTEGER NOT NULL DEFAULT 0,
	is_sent INTEGER NOT NULL DEFAULT 0,   -- it is on its way
	attempts INTEGER NOT NULL DEFAULT 0,
	next_at INTEGER NOT NULL,
	failure TEXT NOT NULL DEFAULT '',
	created_at INTEGER NOT NULL
);
CREATE INDEX delivery_due ON delivery(is_dead, is_sent, next_at);
CREATE INDEX delivery_webhook ON delivery(webhook_id, is_dead, seq);
