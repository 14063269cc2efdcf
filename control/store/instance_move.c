// SPDX-License-Identifier: Apache-2.0
/*
 * An instance goes to another hub in one transaction: with the next answer the old hub is told that it is
 * gone, and the new one that it is there. Its name follows when the records do.
 */
#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/internal.h"

#include <errno.h>
#include <stdio.h>

/* WireGuard's port and OpenVPN's over UDP are of one kind. */
static int check_ports(struct store *store, const struct instance *i, const struct uuid *hub)
{
	int64_t taken = 0;
	int rc = sql_number(store, &taken,
		"WITH own AS (SELECT transport, port FROM listener WHERE instance_id = ?1"
		" UNION SELECT 0, wireguard_port FROM instance WHERE id = ?1),"
		" other AS (SELECT transport, port FROM listener WHERE hub_id = ?2 AND instance_id != ?1"
		" UNION SELECT 0, wireguard_port FROM instance WHERE hub_id = ?2 AND id != ?1)"
		" SELECT count(*) FROM own JOIN other USING (transport, port)",
		"uu", &i->id, hub);
	return rc == 0 && taken > 0 ? -EEXIST : rc;
}

/* It was there before: what that hub was told to forget is there again. */
static int forget_tombstones(struct store *store, const struct instance *i, const struct uuid *hub)
{
	return sql_run(store,
		"DELETE FROM tombstone WHERE hub_id = ? AND (id = ? OR id IN"
		" (SELECT id FROM peer WHERE instance_id = ?))",
		"uuu", hub, &i->id, &i->id);
}

static int put_on_hub(struct store *store, struct instance *i, const struct hub *to)
{
	int64_t generation;
	int rc = hub_next_generation(store, &to->id, &generation);
	if (rc == 0)
		rc = sql_run(store,
			"UPDATE instance SET hub_id = ?, region = ?, generation = ?, version = version + 1"
			" WHERE id = ?",
			"utiu", &to->id, to->region, generation, &i->id);
	if (rc == 0)
		rc = sql_run(store, "UPDATE listener SET hub_id = ? WHERE instance_id = ?", "uu",
			&to->id, &i->id);
	if (rc == 0)
		rc = sql_run(store, "UPDATE peer SET generation = ? WHERE instance_id = ?", "iu",
			generation, &i->id);
	if (rc < 0)
		return rc;
	i->hub_id = to->id;
	(void)snprintf(i->region, sizeof(i->region), "%s", to->region);
	i->version++;
	return 0;
}

int instance_move(struct store *store, struct instance *i, const struct hub *to)
{
	int rc = check_ports(store, i, &to->id);
	if (rc == 0)
		rc = instance_add_tombstones(store, i);
	if (rc == 0)
		rc = forget_tombstones(store, i, &to->id);
	if (rc == 0)
		rc = put_on_hub(store, i, to);
	if (rc < 0)
		return rc;
	i->state = INSTANCE_PROVISIONING;
	instance_set_condition(i, CONDITION_DATAPLANE_READY, "Waiting",
		"Waiting for the hub it moves to.", store->now);
	i->conditions[CONDITION_DATAPLANE_READY].changed_at = store->now;
	rc = instance_set_state(store, i);
	return rc == 0 ? audit_add(store, "move", "instance", &i->id, i->name) : rc;
}
