// SPDX-License-Identifier: Apache-2.0
#include "control/cli/noun.h"
#include "control/cli/nouns.h"

enum exit_code audit_list(struct cli *cli)
{
	static const struct column columns[] = {
		{"TIME", "at"},
		{"WHO", "actor.name"},
		{"ACTION", "action"},
		{"OBJECT", "object.name"},
		{"REQUEST", "request_id"},
		{0},
	};
	return noun_list(cli, "/v1/audit-log", columns);
}
