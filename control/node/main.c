// SPDX-License-Identifier: Apache-2.0
/* nave-node: options, configuration, privileges; the rest is node.c. */
#include "control/node/config.h"
#include "control/node/node.h"
#include "control/process.h"
#include "dataplane/base/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

struct options {
	const char *config;
	bool check, remove;
};

static void print_help(void)
{
	puts("nave-node [--config FILE] [--check-config | --remove]\n"
	     "\n"
	     "The agent of a hub: brings the dataplane and Linux to what nave-control wants, and\n"
	     "reports. Runs in the foreground and logs to standard error. When it ends it leaves\n"
	     "everything as it is, and traffic goes on.\n"
	     "\n"
	     "  --config FILE    configuration (default /etc/nave/node.conf)\n"
	     "  --check-config   check the configuration and exit: 0 good, 78 bad\n"
	     "  --remove         take away every device, rule and table it ever made, and exit\n"
	     "  --version        print the version\n"
	     "  --help           print this");
}

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *ret)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"remove", no_argument, NULL, 'r'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	*ret = (struct options){.config = "/etc/nave/node.conf"};
	int c;
	/* Before any thread starts. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'c':
			ret->config = optarg;
			break;
		case 'k':
			ret->check = true;
			break;
		case 'r':
			ret->remove = true;
			break;
		case 'v':
			puts("nave-node " NAVE_VERSION);
			return 0;
		case 'h':
			print_help();
			return 0;
		default:
			return EX_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	(void)fprintf(stderr, "nave-node: unexpected argument %s\n", argv[optind]);
	return EX_USAGE;
}

static int open_stop_fd(void)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	int err = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err != 0)
		return -err;
	int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int fail(const char *what, int err)
{
	log_message(LOG_LEVEL_ERROR, "%s: %s", what, strerrordesc_np(-err));
	return 1;
}

static int run(const struct node_config *config)
{
	process_wipe_json();
	int stop_fd = open_stop_fd();
	if (stop_fd < 0)
		return fail("signals", stop_fd);
	if (mkdir(config->state_dir, 0700) != 0 && errno != EEXIST)
		return fail(config->state_dir, -errno);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return fail("libcurl", -ENOMEM);
	int err = node_run(config, stop_fd);
	curl_global_cleanup();
	(void)close(stop_fd);
	return err == 0 ? 0 : fail("cannot start", err);
}

int main(int argc, char **argv)
{
	struct options options;
	struct node_config config;
	char error[NODE_CONFIG_ERROR_TEXT];
	int status = read_options(argc, argv, &options);
	if (status >= 0)
		return status;
	log_init("nave-node", LOG_LEVEL_INFO);
	if (node_config_load(options.config, &config, error) != 0) {
		(void)fprintf(stderr, "%s\n", error);
		return EX_CONFIG;
	}
	if (options.check)
		return 0;
	/* it changes the network and needs nothing else; nft, its child, the same */
	int err = process_restrict(1U << CAP_NET_ADMIN);
	if (err != 0)
		return fail("cannot give privileges away", err);
	if (!options.remove)
		return run(&config);
	err = node_remove(&config);
	return err == 0 ? 0 : fail("not everything could be removed", err);
}
