// SPDX-License-Identifier: Apache-2.0
/*
 * nave-control: the control daemon. One explicit list of what starts, in order, undone backwards:
 * configuration, privileges, lock, store, provisioning, HTTP. Then it sleeps until SIGTERM. What
 * was acknowledged lies in the store, so a kill at any moment loses nothing.
 */
#include "control/config.h"
#include "control/http/api.h"
#include "control/http/server.h"
#include "control/process.h"
#include "control/provision/provision.h"
#include "control/store/store.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void print_help(void)
{
	puts("nave-control [--config FILE] [--check-config]\n"
	     "\n"
	     "The control daemon of Nave: REST API, store, provisioning. Runs in the foreground and\n"
	     "logs to standard error.\n"
	     "\n"
	     "  --config FILE    configuration (default /etc/nave/control.conf)\n"
	     "  --check-config   check the configuration and exit: 0 good, 78 bad\n"
	     "  --version        print the version\n"
	     "  --help           print this");
}

struct options {
	const char *config;
	bool check_only;
};

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *ret)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	*ret = (struct options){.config = "/etc/nave/control.conf"};
	for (;;) {
		/* Before any thread starts. NOLINTNEXTLINE(concurrency-mt-unsafe) */
		int c = getopt_long(argc, argv, "", known, NULL);
		switch (c) {
		case 'c':
			ret->config = optarg;
			break;
		case 'k':
			ret->check_only = true;
			break;
		case 'v':
			puts("nave-control " NAVE_VERSION);
			return 0;
		case 'h':
			print_help();
			return 0;
		case -1:
			if (optind == argc)
				return -1;
			(void)fprintf(
				stderr, "nave-control: unexpected argument %s\n", argv[optind]);
			return EX_USAGE;
		default:
			return EX_USAGE;
		}
	}
}
