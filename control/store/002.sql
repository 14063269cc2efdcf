-- SPDX-License-Identifier: Apache-2.0
-- How often an operator has had the hub forget the peer's clock; hubs compare it with what they did.
ALTER TABLE peer ADD COLUMN clock_resets INTEGER NOT NULL DEFAULT 0;

-- A capture of one peer's packets: asked for, then sent by the hub as one pcapng file.
CREATE TABLE capture (
	id BLOB NOT NULL UNIQUE,
	peer_id BLOB NOT NULL REFERENCES peer(id) ON DELETE CASCADE,
	side INTEGER NOT NULL,
	seconds INTEGER NOT NULL,
	max_bytes INTEGER NOT NULL,
	state INTEGER NOT NULL,
	reason TEXT NOT NULL DEFAULT '',
	file BLOB,                            -- once it is done
	generation INTEGER NOT NULL,
	created_at INTEGER NOT NULL,
	ended_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX capture_peer ON capture(peer_id);
