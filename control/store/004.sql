-- SPDX-License-Identifier: Apache-2.0
-- A hub of another machine is made first, and gets in with a token that counts once.
ALTER TABLE hub ADD COLUMN is_enrolled INTEGER NOT NULL DEFAULT 1;
ALTER TABLE hub ADD COLUMN enrol_hash BLOB;   -- of the newest token that nobody has used
ALTER TABLE hub ADD COLUMN enrol_expires_at INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX hub_enrol_hash ON hub(enrol_hash) WHERE enrol_hash IS NOT NULL;
