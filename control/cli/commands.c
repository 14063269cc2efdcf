// SPDX-License-Identifier: Apache-2.0
/* Every command. Help, completion and the manual page are checked against this table. */
#include "control/cli/command.h"
#include "control/cli/nouns.h"

/* clang-format off: one line a command reads as a table. */
const struct command commands[] = {
	{"status", NULL, "", NULL, "is my network all right, on one screen", status_show},

	{"instances", "list", "", instances_list_options, "networks and their hubs",
		instances_list},
	{"instances", "show", "INSTANCE", NULL, "everything about one", instances_show},
	{"instances", "create", "HOSTNAME", instances_create_options, "a new network",
		instances_create},
	{"instances", "update", "INSTANCE", instances_update_options, "changes what is given",
		instances_update},
	{"instances", "delete", "INSTANCE", instances_delete_options, "with all its peers",
		instances_delete},
	{"instances", "retry", "INSTANCE", NULL, "provision again after a failure",
		instances_retry},
	{"instances", "move", "INSTANCE", instances_move_options,
		"to another hub, with keys, ports and peers", instances_move},
	{"instances", "routes", "INSTANCE", NULL, "who gets what is sent where", instances_routes},
	{"instances", "bandwidth", "INSTANCE", bandwidth_options,
		"what its peers have moved, by hour or day", instances_bandwidth},
	{"instances", "sessions", "INSTANCE", NULL, "who was connected when, and from where",
		instances_sessions},

	{"peers", "list", "INSTANCE", peers_list_options, "sites and people of a network",
		peers_list},
	{"peers", "show", "INSTANCE PEER", NULL, "everything about one", peers_show},
	{"peers", "create", "INSTANCE", peers_create_options,
		"a site, a client, or a file of clients", peers_create},
	{"peers", "update", "INSTANCE PEER", peers_update_options,
		"changes what is given, without cutting it", peers_update},
	{"peers", "suspend", "INSTANCE PEER", NULL, "cut at once, and kept", peers_suspend},
	{"peers", "resume", "INSTANCE PEER", NULL, "may connect again", peers_resume},
	{"peers", "reset-clock", "INSTANCE PEER", NULL,
		"the hub forgets its time: for a router whose clock was wrong", peers_reset_clock},
	{"peers", "delete", "INSTANCE PEER", NULL, "cut at once, and gone", peers_delete},
	{"peers", "capture", "INSTANCE PEER", peers_capture_options,
		"a few seconds of its packets, as pcapng", peers_capture},
	{"peers", "bandwidth", "INSTANCE PEER", bandwidth_options,
		"what it has moved, by hour or day", peers_bandwidth},
	{"peers", "sessions", "INSTANCE PEER", NULL, "when it was connected, and from where",
		peers_sessions},
	{"peers", "profile", "INSTANCE PEER", peers_profile_options, "what its WireGuard imports",
		peers_profile},

	{"share-links", "list", "INSTANCE PEER", NULL, "those of a peer, and what became of them",
		share_links_list},
	{"share-links", "create", "INSTANCE PEER", share_links_create_options,
		"a link that shows the profile once, in a browser", share_links_create},
	{"share-links", "delete", "INSTANCE PEER LINK", NULL, "revoked at once",
		share_links_delete},

	{"users", "list", "", NULL, "people", users_list},
	{"users", "show", "USER", NULL, "everything about one", users_show},
	{"users", "create", "NAME", users_create_options, "somebody new", users_create},
	{"users", "update", "USER", users_update_options, "changes what is given", users_update},
	{"users", "suspend", "USER", NULL, "cuts all their peers", users_suspend},
	{"users", "resume", "USER", NULL, "lets them in again", users_resume},
	{"users", "delete", "USER", NULL, "with all their peers", users_delete},

	{"sites", "list", "", NULL, "places with a router", sites_list},
	{"sites", "show", "SITE", NULL, "everything about one", sites_show},
	{"sites", "create", "NAME", sites_create_options, "a new place", sites_create},
	{"sites", "update", "SITE", sites_update_options, "changes what is given", sites_update},
	{"sites", "delete", "SITE", NULL, "its peers stay", sites_delete},

	{"hubs", "list", "", NULL, "machines that carry instances", hubs_list},
	{"hubs", "show", "HUB", NULL, "everything about one", hubs_show},
	{"hubs", "create", "NAME", hubs_create_options, "one on another machine", hubs_create},
	{"hubs", "enrol-token", "HUB", NULL, "with which it comes in, once", hubs_enrol_token},
	{"hubs", "delete", "HUB", NULL, "when no instance is on it", hubs_delete},
	{"regions", "list", "", NULL, "where hubs run", regions_list},
	{"hostnames", "show", "HOSTNAME", NULL, "is it free, and why not", hostnames_show},

	{"api-keys", "list", "", NULL, "keys of scripts and people", api_keys_list},
	{"api-keys", "create", "NAME", api_keys_create_options, "a new key, shown this once",
		api_keys_create},
	{"api-keys", "delete", "KEY", NULL, "revoked at once", api_keys_delete},
	{"webhooks", "list", "", NULL, "where events are sent", webhooks_list},
	{"webhooks", "show", "WEBHOOK", NULL, "everything about one", webhooks_show},
	{"webhooks", "create", "NAME", webhooks_create_options,
		"has events sent to a URL; its secret is shown this once", webhooks_create},
	{"webhooks", "update", "WEBHOOK", webhooks_update_options, "changes what is given",
		webhooks_update},
	{"webhooks", "delete", "WEBHOOK", NULL, "with what it has not sent", webhooks_delete},
	{"webhooks", "deliveries", "WEBHOOK", webhooks_deliveries_options,
		"what is still to be sent, and what was given up", webhooks_deliveries},
	{"webhooks", "redeliver", "WEBHOOK DELIVERY", NULL, "sends one again, now",
		webhooks_redeliver},
	{"events", NULL, "", events_options, "what has happened, or what happens", events_list},
	{"audit", "list", "", NULL, "who did what", audit_list},
	{0},
};
/* clang-format on */

size_t command_operands(const struct command *c)
{
	size_t count = 0;
	for (const char *p = c->operands; *p != '\0'; p++)
		count += *p != ' ' && (p == c->operands || p[-1] == ' ');
	return count;
}
