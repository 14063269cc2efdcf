-- SPDX-License-Identifier: Apache-2.0
-- A name that the DNS server has, or may have: written before the server is asked, gone only when the
-- server has confirmed that the name is. It outlives its instance, and belongs to the next of that name.
CREATE TABLE dns_name (
	name TEXT PRIMARY KEY,                -- without the last dot
	hostname TEXT NOT NULL,
	wanted TEXT NOT NULL,                 -- "TTL ADDRESS…"; '': no records
	published TEXT,                       -- what the server has confirmed; NULL: nothing yet
	reason TEXT NOT NULL DEFAULT '',      -- why the last attempt failed; '': it did not
	message TEXT NOT NULL DEFAULT '',
	tries INTEGER NOT NULL DEFAULT 0,     -- failed ones, one after the other
	due_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX dns_name_due ON dns_name(due_at);

UPDATE instance SET conditions = json_set(conditions, '$.DnsPublished',
	json_array(json('false'), 'Waiting', 'Waiting for the steps before.', created_at));
