/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_NOUNS_H
#define CONTROL_CLI_NOUNS_H

#include "control/cli/command.h"

/* The commands that commands.c names; one file a noun, with the options of its commands. */

extern const struct option_rule instances_list_options[], instances_create_options[],
	instances_update_options[], instances_delete_options[];
/* Runs one step on the path of the instance that the first operand names. */
enum exit_code with_instance(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path));
enum exit_code instances_list(struct cli *cli);
enum exit_code instances_show(struct cli *cli);
enum exit_code instances_create(struct cli *cli);
enum exit_code instances_update(struct cli *cli);
enum exit_code instances_delete(struct cli *cli);
enum exit_code instances_retry(struct cli *cli);
extern const struct option_rule instances_move_options[];
enum exit_code instances_move(struct cli *cli);
enum exit_code instances_routes(struct cli *cli);
/* By hostname, name or id: "/v1/instances/ID", to be freed. */
enum exit_code instance_path(struct cli *cli, const char *name, char **ret);

extern const struct option_rule peers_list_options[], peers_create_options[],
	peers_update_options[], peers_capture_options[], peers_profile_options[];
enum exit_code peers_list(struct cli *cli);
enum exit_code peers_show(struct cli *cli);
enum exit_code peers_create(struct cli *cli);
enum exit_code peers_update(struct cli *cli);
enum exit_code peers_suspend(struct cli *cli);
enum exit_code peers_reset_clock(struct cli *cli);
enum exit_code peers_resume(struct cli *cli);
enum exit_code peers_delete(struct cli *cli);
enum exit_code peers_capture(struct cli *cli);
/* Runs one step on the peer that the first two operands name. path: the peer's. */
enum exit_code peers_with_one(
	struct cli *cli, enum exit_code (*step)(struct cli *cli, const char *path));
enum exit_code peers_profile(struct cli *cli);
/* Those of --from. */
enum exit_code peers_create_from(struct cli *cli);
/* Options that hold for any number of peers. */
enum exit_code peers_put_settings(struct cli *cli, json_t *body);

extern const struct option_rule share_links_create_options[];
enum exit_code share_links_list(struct cli *cli);
enum exit_code share_links_create(struct cli *cli);
enum exit_code share_links_delete(struct cli *cli);

extern const struct option_rule bandwidth_options[];
enum exit_code instances_bandwidth(struct cli *cli);
enum exit_code peers_bandwidth(struct cli *cli);
enum exit_code instances_sessions(struct cli *cli);
enum exit_code peers_sessions(struct cli *cli);

extern const struct option_rule users_create_options[], users_update_options[];
enum exit_code users_list(struct cli *cli);
enum exit_code users_show(struct cli *cli);
enum exit_code users_create(struct cli *cli);
enum exit_code users_update(struct cli *cli);
enum exit_code users_suspend(struct cli *cli);
enum exit_code users_resume(struct cli *cli);
enum exit_code users_delete(struct cli *cli);

extern const struct option_rule sites_create_options[], sites_update_options[];
enum exit_code sites_list(struct cli *cli);
enum exit_code sites_show(struct cli *cli);
enum exit_code sites_create(struct cli *cli);
enum exit_code sites_update(struct cli *cli);
enum exit_code sites_delete(struct cli *cli);

enum exit_code hubs_list(struct cli *cli);
/* The hub of a name or id, owned by the caller. */
enum exit_code hubs_find(struct cli *cli, const char *wanted, json_t **ret);
enum exit_code hubs_show(struct cli *cli);
extern const struct option_rule hubs_create_options[];
enum exit_code hubs_create(struct cli *cli);
enum exit_code hubs_enrol_token(struct cli *cli);
enum exit_code hubs_delete(struct cli *cli);
enum exit_code regions_list(struct cli *cli);
enum exit_code hostnames_show(struct cli *cli);

extern const struct option_rule api_keys_create_options[];
enum exit_code api_keys_list(struct cli *cli);
enum exit_code api_keys_create(struct cli *cli);
enum exit_code api_keys_delete(struct cli *cli);

extern const struct option_rule events_options[];
enum exit_code events_list(struct cli *cli);
extern const struct option_rule webhooks_create_options[], webhooks_update_options[],
	webhooks_deliveries_options[];
enum exit_code webhooks_list(struct cli *cli);
enum exit_code webhooks_show(struct cli *cli);
enum exit_code webhooks_create(struct cli *cli);
enum exit_code webhooks_update(struct cli *cli);
enum exit_code webhooks_delete(struct cli *cli);
enum exit_code webhooks_deliveries(struct cli *cli);
enum exit_code webhooks_redeliver(struct cli *cli);

enum exit_code audit_list(struct cli *cli);
enum exit_code status_show(struct cli *cli);

#endif
