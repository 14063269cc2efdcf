/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CLI_EXIT_CODE_H
#define CONTROL_CLI_EXIT_CODE_H

/* What scripts may rely on; nave(1) lists them. */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_REFUSED = 1, /* the daemon said no (4xx), or there is no such thing */
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_UNREACHABLE = 3,
	EXIT_CODE_FAILED = 4, /* the daemon could not (5xx), or we could not */
	EXIT_CODE_TIMEOUT = 5, /* --wait was over */
};

#endif
