-- SPDX-License-Identifier: Apache-2.0
-- How often an operator has had the hub forget the peer's clock; hubs compare it with what they did.
ALTER TABLE peer ADD COLUMN clock_resets INTEGER NOT NULL DEFAULT 0;
