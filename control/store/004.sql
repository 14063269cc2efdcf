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
