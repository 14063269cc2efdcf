// SPDX-License-Identifier: Apache-2.0
/*
 * Every route of the daemon. What is not here does not exist; openapi.yaml describes the same
 * table for people and generators, and a test holds one against the other.
 */
#include "control/http/resources.h"
#include "control/http/router.h"

static const char *const list_query[] = {"limit", "cursor", "name", "label", NULL};
static const char *const instances_query[] = {
	"limit", "cursor", "name", "hostname", "state", "label", NULL};
static const char *const peers_query[] = {
	"limit", "cursor", "name", "state", "user_id", "site_id", "connected", "label", NULL};
static const char *const plain_list_query[] = {"limit", "cursor", NULL};
static const char *const bandwidth_query[] = {"limit", "cursor", "from", "to", "by", NULL};
static const char *const events_query[] = {
	"limit", "after", "last", "wait", "type", "instance_id", NULL};
static const char *const deliveries_query[] = {"limit", "cursor", "state", NULL};
static const char *const profile_query[] = {"format", "transport", NULL};
static const char *const visit_query[] = {"format", NULL};
static const char *const desired_query[] = {"epoch", "after", "wait", NULL};

const struct json_field no_fields[] = {{0}};

#define PUBLIC ROLE_PUBLIC, ROUTE_REACH_ANY
#define VIEWER(reach) ROLE_VIEWER, ROUTE_REACH_##reach
#define OPERATOR(reach) ROLE_OPERATOR, ROUTE_REACH_##reach
#define OWNER ROLE_OWNER, ROUTE_REACH_WORKSPACE
#define NODE ROLE_NODE, ROUTE_REACH_ANY

#define INSTANCE "/v1/instances/{instance}"
#define PEER INSTANCE "/peers/{peer}"
#define CAPTURE PEER "/captures/{capture}"
#define LINK PEER "/share-links/{link}"

/* clang-format off: one line a route reads as a table. */
const struct route routes[] = {
	{"GET", "/healthz", PUBLIC, health_get, 0, NULL, NULL},
	{"GET", "/readyz", PUBLIC, ready_get, 0, NULL, NULL},
	{"GET", "/openapi.yaml", PUBLIC, openapi_get, 0, NULL, NULL},
	{"GET", "/metrics", VIEWER(WORKSPACE), metrics_get, 0, NULL, NULL},

	{"GET", "/v1/workspaces", VIEWER(ANY), workspaces_list, 0, NULL, plain_list_query},
	{"GET", "/v1/workspaces/{workspace}", VIEWER(ANY), workspace_get, 0, NULL, NULL},
	{"GET", "/v1/regions", VIEWER(ANY), regions_list, 0, NULL, plain_list_query},
	{"GET", "/v1/regions/{region}", VIEWER(ANY), region_get, 0, NULL, NULL},
	{"GET", "/v1/hubs", VIEWER(WORKSPACE), hubs_list, 0, NULL, plain_list_query},
	{"POST", "/v1/hubs", OWNER, hub_create, 0, hub_create_fields, NULL},
	{"GET", "/v1/hubs/{hub}", VIEWER(WORKSPACE), hub_get, 0, NULL, NULL},
	{"DELETE", "/v1/hubs/{hub}", OWNER, hub_delete, 0, NULL, NULL},
	{"POST", "/v1/hubs/{hub}/enrol-tokens", OWNER, hub_enrol_token_create, ROUTE_BODY_OPTIONAL,
		no_fields, NULL},
	{"GET", "/v1/hostnames/{label}", VIEWER(WORKSPACE), hostname_get, 0, NULL, NULL},

	{"GET", "/v1/instances", VIEWER(ANY), instances_list, 0, NULL, instances_query},
	{"POST", "/v1/instances", OPERATOR(WORKSPACE), instance_create, 0, instance_create_fields,
		NULL},
	{"GET", INSTANCE, VIEWER(INSTANCE), instance_get, 0, NULL, NULL},
	{"PATCH", INSTANCE, OPERATOR(INSTANCE), instance_patch, ROUTE_IF_MATCH | ROUTE_PATCH,
		instance_patch_fields, NULL},
	{"DELETE", INSTANCE, OPERATOR(WORKSPACE), instance_delete, 0, NULL, NULL},
	{"POST", INSTANCE "/move", OWNER, instance_move_hub, 0, instance_move_fields, NULL},
	{"POST", INSTANCE "/retry", OPERATOR(INSTANCE), instance_provision_again,
		ROUTE_BODY_OPTIONAL, no_fields, NULL},
	{"GET", INSTANCE "/routes", VIEWER(INSTANCE), instance_routes, 0, NULL, plain_list_query},
	{"GET", INSTANCE "/sessions", VIEWER(INSTANCE), instance_sessions, 0, NULL,
		plain_list_query},
	{"GET", INSTANCE "/bandwidth", VIEWER(INSTANCE), instance_bandwidth, 0, NULL,
		bandwidth_query},

	{"GET", INSTANCE "/peers", VIEWER(INSTANCE), peers_list, 0, NULL, peers_query},
	{"POST", INSTANCE "/peers", OPERATOR(INSTANCE), peer_create, 0, peer_create_fields, NULL},
	{"GET", PEER, VIEWER(INSTANCE), peer_get, 0, NULL, NULL},
	{"PATCH", PEER, OPERATOR(INSTANCE), peer_patch, ROUTE_IF_MATCH | ROUTE_PATCH,
		peer_patch_fields, NULL},
	{"DELETE", PEER, OPERATOR(INSTANCE), peer_delete, 0, NULL, NULL},
	{"POST", PEER "/suspend", OPERATOR(INSTANCE), peer_suspend, ROUTE_BODY_OPTIONAL, no_fields,
		NULL},
	{"POST", PEER "/resume", OPERATOR(INSTANCE), peer_resume, ROUTE_BODY_OPTIONAL, no_fields,
		NULL},
	{"POST", PEER "/reset-clock", OPERATOR(INSTANCE), peer_clock_reset, ROUTE_BODY_OPTIONAL,
		no_fields, NULL},
	{"GET", PEER "/profile", OPERATOR(INSTANCE), peer_profile, ROUTE_WRITES, NULL,
		profile_query},
	{"POST", PEER "/profile/reveal", OPERATOR(INSTANCE), peer_profile_reveal,
		ROUTE_BODY_OPTIONAL | ROUTE_NOT_KEPT, no_fields, profile_query},
	{"GET", PEER "/sessions", VIEWER(INSTANCE), peer_sessions, 0, NULL, plain_list_query},
	{"GET", PEER "/bandwidth", VIEWER(INSTANCE), peer_bandwidth, 0, NULL, bandwidth_query},
	{"GET", PEER "/share-links", OPERATOR(INSTANCE), share_links_list, 0, NULL,
		plain_list_query},
	{"POST", PEER "/share-links", OPERATOR(INSTANCE), share_link_create, ROUTE_BODY_OPTIONAL,
		share_link_create_fields, NULL},
	{"GET", LINK, OPERATOR(INSTANCE), share_link_get, 0, NULL, NULL},
	{"DELETE", LINK, OPERATOR(INSTANCE), share_link_delete, 0, NULL, NULL},
	{"GET", PEER "/captures", OPERATOR(INSTANCE), captures_list, 0, NULL, plain_list_query},
	{"POST", PEER "/captures", OPERATOR(INSTANCE), capture_create, ROUTE_BODY_OPTIONAL,
		capture_create_fields, NULL},
	{"GET", CAPTURE, OPERATOR(INSTANCE), capture_get, 0, NULL, NULL},
	{"DELETE", CAPTURE, OPERATOR(INSTANCE), capture_delete, 0, NULL, NULL},
	{"GET", CAPTURE "/file", OPERATOR(INSTANCE), capture_file_get, 0, NULL, NULL},

	{"GET", "/p/{token}", PUBLIC, share_visit_get, ROUTE_WRITES | ROUTE_SECRET_PATH, NULL,
		visit_query},
	{"POST", "/p/{token}", PUBLIC, share_visit_reveal, ROUTE_NOT_KEPT | ROUTE_SECRET_PATH, NULL,
		NULL},

	{"GET", "/v1/users", VIEWER(WORKSPACE), users_list, 0, NULL, list_query},
	{"POST", "/v1/users", OPERATOR(WORKSPACE), user_create, 0, user_create_fields, NULL},
	{"GET", "/v1/users/{user}", VIEWER(WORKSPACE), user_get, 0, NULL, NULL},
	{"PATCH", "/v1/users/{user}", OPERATOR(WORKSPACE), user_patch, ROUTE_IF_MATCH | ROUTE_PATCH,
		user_patch_fields, NULL},
	{"DELETE", "/v1/users/{user}", OPERATOR(WORKSPACE), user_delete, 0, NULL, NULL},
	{"POST", "/v1/users/{user}/suspend", OPERATOR(WORKSPACE), user_suspend, ROUTE_BODY_OPTIONAL,
		no_fields, NULL},
	{"POST", "/v1/users/{user}/resume", OPERATOR(WORKSPACE), user_resume, ROUTE_BODY_OPTIONAL,
		no_fields, NULL},

	{"GET", "/v1/sites", VIEWER(WORKSPACE), sites_list, 0, NULL, list_query},
	{"POST", "/v1/sites", OPERATOR(WORKSPACE), site_create, 0, site_create_fields, NULL},
	{"GET", "/v1/sites/{site}", VIEWER(WORKSPACE), site_get, 0, NULL, NULL},
	{"PATCH", "/v1/sites/{site}", OPERATOR(WORKSPACE), site_patch, ROUTE_IF_MATCH | ROUTE_PATCH,
		site_patch_fields, NULL},
	{"DELETE", "/v1/sites/{site}", OPERATOR(WORKSPACE), site_delete, 0, NULL, NULL},

	{"GET", "/v1/api-keys", OWNER, api_keys_list, 0, NULL, list_query},
	{"POST", "/v1/api-keys", OWNER, api_key_create, 0, api_key_create_fields, NULL},
	{"GET", "/v1/api-keys/{key}", OWNER, api_key_get, 0, NULL, NULL},
	{"DELETE", "/v1/api-keys/{key}", OWNER, api_key_delete, 0, NULL, NULL},
	{"GET", "/v1/webhooks", OWNER, webhooks_list, 0, NULL, list_query},
	{"POST", "/v1/webhooks", OWNER, webhook_create, 0, webhook_create_fields, NULL},
	{"GET", "/v1/webhooks/{webhook}", OWNER, webhook_get, 0, NULL, NULL},
	{"PATCH", "/v1/webhooks/{webhook}", OWNER, webhook_patch, ROUTE_IF_MATCH | ROUTE_PATCH,
		webhook_patch_fields, NULL},
	{"DELETE", "/v1/webhooks/{webhook}", OWNER, webhook_delete, 0, NULL, NULL},
	{"GET", "/v1/webhooks/{webhook}/deliveries", OWNER, deliveries_list, 0, NULL,
		deliveries_query},
	{"POST", "/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver", OWNER,
		delivery_redeliver, ROUTE_BODY_OPTIONAL, no_fields, NULL},
	{"GET", "/v1/events", VIEWER(ANY), events_list, 0, NULL, events_query},
	{"GET", "/v1/audit-log", OWNER, audit_log_list, 0, NULL, plain_list_query},

	{"POST", "/node/v1/enrol", ROLE_ENROL, ROUTE_REACH_ANY, node_enrol, 0, node_enrol_fields,
		NULL},
	{"GET", "/node/v1/desired", NODE, node_desired, 0, NULL, desired_query},
	{"POST", "/node/v1/captures/{capture}", NODE, node_capture, 0, node_capture_fields, NULL},
	{"POST", "/node/v1/report", NODE, node_report, 0, node_report_fields, NULL},
	{0},
};
/* clang-format on */
