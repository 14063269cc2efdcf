// SPDX-License-Identifier: Apache-2.0
/*
 * nave-control: the control daemon. One explicit list of what starts, in order, undone backwards:
 * configuration, privileges, lock, store, webhooks, provisioning, HTTP. Then it sleeps until SIGTERM. What
 * was acknowledged lies in the store, so a kill at any moment loses nothing.
 */
#include "control/admin_token.h"
#include "control/backup.h"
#include "control/config.h"
#include "control/http/api.h"
#include "control/http/event_json.h"
#include "control/http/server.h"
#include "control/process.h"
#include "control/provision/provision.h"
#include "control/provision/publisher.h"
#include "control/store/store.h"
#include "control/webhook/sender.h"
#include "dataplane/base/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static void print_help(void)
{
	puts("nave-control [--config FILE] [--check-config | --backup FILE | --restore FILE]\n"
	     "\n"
	     "The control daemon of Nave: REST API, store, provisioning. Runs in the foreground and\n"
	     "logs to standard error.\n"
	     "\n"
	     "  --config FILE    configuration (default /etc/nave/control.conf)\n"
	     "  --check-config   check the configuration and exit: 0 good, 78 bad\n"
	     "  --backup FILE    copy the database into a new file, beside a daemon that runs\n"
	     "  --restore FILE   put such a file in the database's place; no daemon may run\n"
	     "  --version        print the version\n"
	     "  --help           print this");
}

struct options {
	const char *config;
	bool check_only;
	const char *backup, *restore;
};

/* -1: go on; else the exit status. */
static int read_options(int argc, char **argv, struct options *ret)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check-config", no_argument, NULL, 'k'},
		{"backup", required_argument, NULL, 'b'},
		{"restore", required_argument, NULL, 'r'},
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
		case 'b':
			ret->backup = optarg;
			break;
		case 'r':
			ret->restore = optarg;
			break;
		case 'v':
			puts("nave-control " NAVE_VERSION);
			return 0;
		case 'h':
			print_help();
			return 0;
		case -1:
			if (optind == argc && (ret->backup == NULL || ret->restore == NULL))
				return -1;
			(void)fprintf(stderr, "nave-control: %s %s\n",
				optind == argc ? "--backup and --restore:" : "unexpected argument",
				optind == argc ? "one of them" : argv[optind]);
			return EX_USAGE;
		default:
			return EX_USAGE;
		}
	}
}

/* Everything that runs, in the order of its start; NULL: not started. */
struct daemon {
	struct control_config config;
	int lock_fd;
	struct store *store;
	struct provision *provision;
	struct publisher *publisher; /* NULL also without a DNS server */
	struct api *api;
	struct webhook_sender *sender;
	struct http_server *server;
};

static int fail(const char *what, int err)
{
	log_error("%s: %s", what, strerrordesc_np(-err));
	return err;
}

static int lock_state(struct daemon *d)
{
	d->lock_fd = process_lock(d->config.state_dir);
	if (d->lock_fd == -EWOULDBLOCK)
		log_error("%s: another nave-control runs on this folder", d->config.state_dir);
	else if (d->lock_fd < 0)
		(void)fail(d->config.state_dir, d->lock_fd);
	return d->lock_fd < 0 ? d->lock_fd : 0;
}

static int open_store(struct daemon *d)
{
	char error[512] = "";
	int err = store_open(d->config.state_dir, &d->store, error, sizeof(error));
	if (err != 0)
		log_error("%s", error);
	return err == 0 ? admin_token_make(d->store, d->config.state_dir) : err;
}

static void wake(void *ctx)
{
	api_wake(ctx);
}

static void tell_events(void *ctx)
{
	const struct daemon *d = ctx;
	api_tell_events(d->api);
	webhook_sender_wake(d->sender);
}

static char *event_text(const struct event *e)
{
	json_t *j = event_json(e);
	char *text = j != NULL ? json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(j);
	return text;
}

static int start(struct daemon *d)
{
	int err = process_restrict(0);
	if (err != 0)
		return fail("cannot give privileges away", err);
	err = lock_state(d);
	if (err == 0)
		err = open_store(d);
	if (err == 0)
		err = provision_new(&d->config, d->store, &d->provision);
	if (err == 0)
		err = api_new(&d->config, d->store, d->provision, &d->api);
	if (err == 0)
		err = webhook_sender_new(&d->config, d->store, event_text, &d->sender);
	if (err == 0)
		store_set_listener(d->store, tell_events, d);
	if (err == 0)
		err = provision_start(d->provision, wake, d->api);
	if (err == 0 && d->config.dns.server.port != 0)
		err = publisher_start(&d->config, d->store, &d->publisher);
	if (err == 0)
		err = http_server_new(d->api, &d->config, &d->server);
	return err;
}

static void stop(struct daemon *d)
{
	http_server_free(d->server);
	publisher_free(d->publisher);
	provision_free(d->provision);
	webhook_sender_free(d->sender);
	api_free(d->api);
	store_close(d->store);
	if (d->lock_fd >= 0)
		(void)close(d->lock_fd);
}

/* Before any thread: all of them inherit the mask, and only sigwait sees the end. */
static int block_signals(sigset_t *ret)
{
	(void)sigemptyset(ret);
	(void)sigaddset(ret, SIGTERM);
	(void)sigaddset(ret, SIGINT);
	(void)sigaddset(ret, SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	return pthread_sigmask(SIG_BLOCK, ret, NULL);
}

int main(int argc, char **argv)
{
	static struct daemon d = {.lock_fd = -1};
	char error[CONFIG_ERROR_TEXT] = "", text[IP_ENDPOINT_TEXT];
	struct options options;
	sigset_t signals;
	int status = read_options(argc, argv, &options), got;
	if (status >= 0)
		return status;
	log_init("nave-control", LOG_LEVEL_INFO);
	process_wipe_json();
	if (control_config_load(options.config, &d.config, error) != 0) {
		(void)fprintf(stderr, "%s\n", error);
		return EX_CONFIG;
	}
	if (options.check_only)
		return 0;
	if (options.backup != NULL)
		return backup_make(&d.config, options.backup);
	if (options.restore != NULL)
		return backup_restore(&d.config, options.restore);
	if (block_signals(&signals) != 0)
		return 1;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return 1;
	status = start(&d) == 0 ? 0 : 1;
	if (status == 0) {
		log_info("ready: http://%s, %s", ip_endpoint_format(&d.config.listen, text),
			d.config.socket);
		if (d.config.certificate[0] != '\0')
			log_info("ready: https://%s",
				ip_endpoint_format(&d.config.tls_listen, text));
		while (sigwait(&signals, &got) == 0 && got == SIGHUP)
			http_server_reload(d.server);
	}
	stop(&d);
	curl_global_cleanup();
	return status;
}
