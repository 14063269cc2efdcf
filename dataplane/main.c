// SPDX-License-Identifier: Apache-2.0
/*
 * nave-dataplane: the packet process. It knows no customers, no HTTP, no SQL: nave-node tells it
 * instances, peers and routes over one socket, and it keeps forwarding when everything else is
 * down. One explicit list of steps, undone backwards.
 */
#include "dataplane/base/log.h"
#include "dataplane/config.h"
#include "dataplane/ethdev.h"
#include "dataplane/keying/keying.h"
#include "dataplane/sandbox.h"
#include "dataplane/server/server.h"
#include "dataplane/table/counter.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/host_io.h"
#include "dataplane/worker/worker.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_launch.h>

struct dataplane {
	struct config config;
	bool stand_alone;
	int stop_fd;
	struct tables *tables;
	struct rings rings;
	struct server *server;
	struct keying *keying;
	struct host_io *host_io;
	struct worker *worker[TABLE_MAX_WORKERS]; /* each on the lcore of its number */
	unsigned int running; /* workers whose thread was started */
};

static int report(const char *what, int err)
{
	if (err != 0)
		log_error("%s: %s", what, strerror(-err)); // NOLINT(concurrency-mt-unsafe)
	return err;
}

/* Each stream of OpenVPN over TCP is one; a thousand would be the end of the usual soft limit. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Signals come by a descriptor, so no thread is ever interrupted. */
static int open_stop_fd(struct dataplane *d)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -EINVAL;
	d->stop_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->stop_fd >= 0 ? 0 : -errno;
}

/* EAL wants each lcore once, but threads may share a core: lcores are numbers of workers here, and
 * one more for all else; the cores stand behind the @. */
static void describe_lcores(const struct config *c, char *ret, size_t size)
{
	int at = snprintf(ret, size, "--lcores=");
	for (unsigned int w = 0; w < c->workers; w++)
		at += snprintf(ret + at, size - (size_t)at, "%u@%u,", w, config_worker_core(c, w));
	(void)snprintf(ret + at, size - (size_t)at, "%u@%u", c->workers, config_service_core(c));
}

static int start_eal(struct dataplane *d)
{
	char lcores[16 + (TABLE_MAX_WORKERS + 1) * 8], main_lcore[32];
	char *argv[CONFIG_EAL_MAX + 8] = {"nave-dataplane"};
	int argc = 1;
	const struct config *c = &d->config;
	for (unsigned int i = 0; i < c->eal_count; i++)
		argv[argc++] = c->eal[i];
	describe_lcores(c, lcores, sizeof(lcores));
	(void)snprintf(main_lcore, sizeof(main_lcore), "--main-lcore=%u", c->workers);
	argv[argc++] = lcores;
	argv[argc++] = main_lcore;
	argv[argc++] = "--log-level=warning";
	return rte_eal_init(argc, argv) >= 0 ? 0 : -rte_errno;
}

static int open_ports(struct dataplane *d)
{
	for (unsigned int i = 0; i < d->config.ports; i++) {
		const char *name = d->config.port[i].name, *devargs = d->config.port[i].devargs;
		struct ethdev_settings s = {
			.name = name,
			.devargs = devargs,
			.queues = d->config.port[i].queues,
			.mtu = (uint16_t)d->config.port[i].mtu,
		};
		int err = ethdev_open(d->tables, &s, d->rings.pool);
		if (err == -EMSGSIZE)
			log_error("port \"%s\" (%s): the link does not carry an mtu of %u", name,
				devargs, s.mtu);
		else if (err == -ERANGE)
			log_error(
				"port \"%s\" (%s): the device has not %u queues: leave \"queues\" out, or "
				"give it what devargs say",
				name, devargs, s.queues);
		else if (err != 0)
			log_error("port \"%s\" (%s): %s: is the device there, and not in use?",
				name, devargs, strerror(-err)); // NOLINT(concurrency-mt-unsafe)
		if (err != 0)
			return err;
	}
	return 0;
}

static int start_workers(struct dataplane *d)
{
	for (unsigned int w = 0; w < d->config.workers; w++) {
		struct worker_config c = {d->tables, &d->rings,
			counter_registry_add(&d->tables->counters), w, d->config.idle_sleep_us};
		int err = c.counters != NULL ? worker_new(&c, &d->worker[w]) : -ENOMEM;
		if (err == 0)
			err = rte_eal_remote_launch(worker_run, d->worker[w], w);
		if (err != 0)
			return err;
		d->running++;
	}
	return 0;
}

static void stop_workers(struct dataplane *d)
{
	for (unsigned int w = 0; w < d->running; w++)
		worker_stop(d->worker[w]);
	for (unsigned int w = 0; w < d->running; w++)
		(void)rte_eal_wait_lcore(w);
	for (unsigned int w = 0; w < d->config.workers; w++)
		worker_free(d->worker[w]);
}

static int start_threads(struct dataplane *d)
{
	unsigned int nap = d->config.idle_sleep_us;
	struct counter_registry *r = &d->tables->counters;
	struct counters *keying = counter_registry_add(r), *host = counter_registry_add(r);
	if (keying == NULL || host == NULL)
		return -ENOMEM;
	struct keying_config kc = {d->tables, &d->rings, keying, nap, server_event, d->server};
	int err = keying_start(&kc, &d->keying);
	if (err == 0)
		err = host_io_start(d->tables, &d->rings, host, nap, &d->host_io);
	return err == 0 ? start_workers(d) : err;
}

static int start(struct dataplane *d)
{
	raise_descriptor_limit();
	int err = report("signals", open_stop_fd(d));
	if (err == 0)
		err = report("EAL", start_eal(d));
	if (err == 0)
		err = report("packet pool (is -m in eal too small?)",
			rings_init(&d->rings, d->config.packets, d->config.workers,
				config_largest_mtu(&d->config)));
	if (err == 0)
		err = report("tables", tables_new(&d->tables));
	if (err == 0) {
		tables_set_workers(d->tables, d->config.workers);
		d->tables->inner_max = pkt_inner_max(config_largest_mtu(&d->config));
		d->tables->copy_dscp = d->config.copy_dscp;
		err = open_ports(d);
	}
	if (err == 0)
		err = report(d->config.socket, server_new(d->config.socket, d->tables, &d->server));
	if (err == 0)
		err = report("threads", start_threads(d));
	if (err != 0)
		return err;
	server_attach(d->server, d->keying, d->host_io, &d->rings, d->worker, d->config.workers);
	if (d->stand_alone)
		err = report(d->config.uapi_dir,
			server_stand_alone(d->server, d->config.uapi_dir, d->config.instance,
				d->config.instances));
	return err != 0 ? err : report("sandbox", sandbox_enter());
}

static void stop(struct dataplane *d)
{
	stop_workers(d);
	host_io_stop(d->host_io);
	keying_stop(d->keying);
	server_free(d->server);
	if (d->tables != NULL)
		ethdev_close_all(d->tables);
	tables_free(d->tables);
	rings_fini(&d->rings);
	config_free(&d->config);
	if (d->stop_fd >= 0)
		(void)close(d->stop_fd);
}

static void print_help(void)
{
	puts("usage: nave-dataplane [--config FILE] [--workers N] [--stand-alone] [--check-config]\n"
	     "The packet process of a Nave hub: see nave-dataplane(8).\n\n"
	     "  --config FILE    default /etc/nave/dataplane.conf\n"
	     "  --workers N      how many forward, 1 to 32; instead of what the file says\n"
	     "  --stand-alone    wg(8) configures the instances that the file names, not nave-node\n"
	     "  --check-config   read the configuration, say what is wrong, and end\n"
	     "  --version\n"
	     "  --help");
}

struct options {
	const char *config;
	unsigned int workers; /* 0: not given */
	bool stand_alone, check;
};

static bool parse_workers(const char *text, unsigned int *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	*ret = (unsigned int)n;
	if (*text >= '0' && *text <= '9' && *end == '\0' && n >= 1 && n <= TABLE_MAX_WORKERS)
		return true;
	(void)fprintf(
		stderr, "nave-dataplane: --workers %s: must be 1 to %d\n", text, TABLE_MAX_WORKERS);
	return false;
}

/* -1: go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *ret)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"workers", required_argument, NULL, 'w'},
		{"stand-alone", no_argument, NULL, 's'},
		{"check-config", no_argument, NULL, 'k'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int o;
	/* Before any thread starts. NOLINTNEXTLINE(concurrency-mt-unsafe) */
	while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (o) {
		case 'c':
			ret->config = optarg;
			break;
		case 'w':
			if (!parse_workers(optarg, &ret->workers))
				return EX_USAGE;
			break;
		case 's':
			ret->stand_alone = true;
			break;
		case 'k':
			ret->check = true;
			break;
		case 'v':
			puts("nave-dataplane " NAVE_VERSION);
			return 0;
		case 'h':
			print_help();
			return 0;
		default:
			return EX_USAGE;
		}
	}
	if (optind < argc)
		(void)fprintf(
			stderr, "nave-dataplane: what is \"%s\"? See --help.\n", argv[optind]);
	return optind < argc ? EX_USAGE : -1;
}

int main(int argc, char **argv)
{
	struct dataplane d = {.stop_fd = -1};
	struct options options = {.config = "/etc/nave/dataplane.conf"};
	char error[CONFIG_ERROR_TEXT];
	int status = parse_options(argc, argv, &options);
	if (status >= 0)
		return status;
	log_init("nave-dataplane", LOG_LEVEL_INFO);
	if (config_load(options.config, &d.config, error) != 0) {
		(void)fprintf(stderr, "%s\n", error);
		return EX_CONFIG;
	}
	if (options.workers != 0)
		d.config.workers = options.workers;
	if (options.check) {
		config_free(&d.config);
		return 0;
	}
	d.stand_alone = options.stand_alone;
	status = start(&d) == 0 ? 0 : 1;
	if (status == 0) {
		log_info("ready: %u port%s, %u worker%s, socket %s", d.tables->ports,
			d.tables->ports == 1 ? "" : "s", d.config.workers,
			d.config.workers == 1 ? "" : "s", d.config.socket);
		status = report("server", server_run(d.server, d.stop_fd)) == 0 ? 0 : 1;
	}
	stop(&d);
	return status;
}
