/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_RESOURCES_H
#define CONTROL_HTTP_RESOURCES_H

#include "control/http/json.h"

struct request;

/* The handlers and bodies that routes.c names; one file a resource. All are route_handlers. */

int health_get(struct request *rq);
int ready_get(struct request *rq);
int metrics_get(struct request *rq);
int openapi_get(struct request *rq);

int workspaces_list(struct request *rq);
int workspace_get(struct request *rq);
int regions_list(struct request *rq);
int region_get(struct request *rq);
int hubs_list(struct request *rq);
extern const struct json_field hub_create_fields[];
int hub_get(struct request *rq);
/* Name and region in the body, borrowed from it. false: refused. */
bool hub_words(struct request *rq, const char **ret_name, const char **ret_region);
int hub_create(struct request *rq);
int hub_delete(struct request *rq);
int hub_enrol_token_create(struct request *rq);
int hostname_get(struct request *rq);

extern const struct json_field instance_create_fields[];
extern const struct json_field instance_patch_fields[];
int instances_list(struct request *rq);
int instance_create(struct request *rq);
int instance_get(struct request *rq);
int instance_patch(struct request *rq);
int instance_delete(struct request *rq);
int instance_provision_again(struct request *rq);
extern const struct json_field instance_move_fields[];
int instance_move_hub(struct request *rq);
int instance_routes(struct request *rq);

extern const struct json_field peer_create_fields[];
extern const struct json_field peer_patch_fields[];
int peers_list(struct request *rq);
int peer_create(struct request *rq);
int peer_get(struct request *rq);
int peer_patch(struct request *rq);
int peer_delete(struct request *rq);
int peer_clock_reset(struct request *rq);
int peer_suspend(struct request *rq);
int peer_resume(struct request *rq);
int peer_profile(struct request *rq);
int peer_profile_reveal(struct request *rq);

extern const struct json_field capture_create_fields[];
int captures_list(struct request *rq);
int capture_create(struct request *rq);
int capture_get(struct request *rq);
int capture_delete(struct request *rq);
int capture_file_get(struct request *rq);

extern const struct json_field share_link_create_fields[];
int share_links_list(struct request *rq);
int share_link_create(struct request *rq);
int share_link_get(struct request *rq);
int share_link_delete(struct request *rq);
/* What a person sees who was sent one. */
int share_visit_get(struct request *rq);
int share_visit_reveal(struct request *rq);

extern const struct json_field user_create_fields[];
extern const struct json_field user_patch_fields[];
int users_list(struct request *rq);
int user_create(struct request *rq);
int user_get(struct request *rq);
int user_patch(struct request *rq);
int user_delete(struct request *rq);
int user_suspend(struct request *rq);
int user_resume(struct request *rq);

extern const struct json_field site_create_fields[];
extern const struct json_field site_patch_fields[];
int sites_list(struct request *rq);
int site_create(struct request *rq);
int site_get(struct request *rq);
int site_patch(struct request *rq);
int site_delete(struct request *rq);

extern const struct json_field api_key_create_fields[];
int api_keys_list(struct request *rq);
int api_key_create(struct request *rq);
int api_key_get(struct request *rq);
int api_key_delete(struct request *rq);

int instance_bandwidth(struct request *rq);
int peer_bandwidth(struct request *rq);
int instance_sessions(struct request *rq);
int peer_sessions(struct request *rq);

extern const struct json_field webhook_create_fields[];
extern const struct json_field webhook_patch_fields[];
int webhooks_list(struct request *rq);
int webhook_create(struct request *rq);
int webhook_get(struct request *rq);
int webhook_patch(struct request *rq);
int webhook_delete(struct request *rq);
int deliveries_list(struct request *rq);
int delivery_redeliver(struct request *rq);

int events_list(struct request *rq);
int audit_log_list(struct request *rq);

extern const struct json_field node_enrol_fields[];
extern const struct json_field node_report_fields[];
int node_enrol(struct request *rq);
int node_desired(struct request *rq);
int node_report(struct request *rq);
extern const struct json_field node_capture_fields[];
int node_capture(struct request *rq);

/* Bodies of actions: an empty object, or nothing. */
extern const struct json_field no_fields[];

#endif
