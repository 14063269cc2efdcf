-- SPDX-License-Identifier: Apache-2.0
-- Links by which a person sees a profile once. Neither token is kept, only their keyed hashes.
CREATE TABLE share_link (
	id BLOB PRIMARY KEY,
	peer_id BLOB NOT NULL REFERENCES peer(id) ON DELETE CASCADE,
	hash BLOB NOT NULL UNIQUE,
	visitor_hash BLOB,                    -- of the browser that has revealed it; NULL: none yet
	created_at INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	opened_at INTEGER NOT NULL DEFAULT 0, -- 0: never
	revealed_at INTEGER NOT NULL DEFAULT 0,
	waits INTEGER NOT NULL DEFAULT 1,     -- for its end: then what was never revealed is forgotten
	version INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE INDEX share_link_peer ON share_link(peer_id);
CREATE INDEX share_link_end ON share_link(expires_at) WHERE waits;
