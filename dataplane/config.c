// SPDX-License-Identifier: Apache-2.0
/*
 * dataplane.conf (libconfig). Each known setting stands in a table with its reader; a name that
 * is in none, a wrong type and a value out of range refuse the file with line and reason.
 */
#include "dataplane/config.h"

#include "dataplane/table/pkt.h"

#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LCORE_MAX = 127,
};

struct reader {
	const char *path;
	struct config *config;
	char *error;
};

/* Without hugepages and without a trace in /run: works on any machine. */
static const char *const default_eal[] = {"--no-huge", "-m", "512", "--no-pci", "--no-shconf",
	"--iova-mode=va", "--file-prefix=nave", "--no-telemetry"};

__attribute__((format(printf, 3, 4))) static int refuse(
	const struct reader *r, const config_setting_t *at, const char *format, ...)
{
	char reason[CONFIG_ERROR_TEXT / 2];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	(void)snprintf(r->error, CONFIG_ERROR_TEXT, "%s:%u: %s", r->path,
		config_setting_source_line(at), reason);
	return -EINVAL;
}

static int read_text(const struct reader *r, const config_setting_t *s, char *ret, size_t size)
{
	const char *text = config_setting_get_string(s);
	if (text == NULL)
		return refuse(r, s, "%s must be a string", config_setting_name(s));
	if (text[0] == '\0' || strlen(text) >= size)
		return refuse(
			r, s, "%s must have 1 to %zu characters", config_setting_name(s), size - 1);
	(void)snprintf(ret, size, "%s", text);
	return 0;
}

static int read_number(const struct reader *r, const config_setting_t *s, unsigned int min,
	unsigned int max, unsigned int *ret)
{
	if (config_setting_type(s) != CONFIG_TYPE_INT)
		return refuse(r, s, "%s must be a whole number", config_setting_name(s));
	long v = config_setting_get_int(s);
	if (v < (long)min || v > (long)max)
		return refuse(r, s, "%s must be %u to %u", config_setting_name(s), min, max);
	*ret = (unsigned int)v;
	return 0;
}

static int read_socket(const struct reader *r, const config_setting_t *s)
{
	int err = read_text(r, s, r->config->socket, sizeof(r->config->socket));
	if (err == 0 && r->config->socket[0] != '/')
		return refuse(r, s, "socket must be an absolute path");
	return err;
}

static int read_workers(const struct reader *r, const config_setting_t *s)
{
	return read_number(r, s, 1, TABLE_MAX_WORKERS, &r->config->workers);
}

/* A core, or an array of cores that the workers take in turns. */
static int read_worker_lcore(const struct reader *r, const config_setting_t *s)
{
	struct config *c = r->config;
	c->worker_lcores = 1;
	if (config_setting_type(s) != CONFIG_TYPE_ARRAY)
		return read_number(r, s, 0, LCORE_MAX, &c->worker_lcore[0]);
	int count = config_setting_length(s);
	if (count < 1 || count > TABLE_MAX_WORKERS)
		return refuse(r, s, "worker_lcore must name 1 to %d cores", TABLE_MAX_WORKERS);
	for (int i = 0; i < count; i++) {
		const config_setting_t *core = config_setting_get_elem(s, (unsigned int)i);
		long v = config_setting_get_int(core);
		if (config_setting_type(core) != CONFIG_TYPE_INT || v < 0 || v > LCORE_MAX)
			return refuse(r, s, "worker_lcore must be numbers from 0 to %d", LCORE_MAX);
		c->worker_lcore[i] = (unsigned int)v;
	}
	c->worker_lcores = (unsigned int)count;
	return 0;
}

static int read_service_lcore(const struct reader *r, const config_setting_t *s)
{
	unsigned int core = 0;
	int err = read_number(r, s, 0, LCORE_MAX, &core);
	if (err == 0)
		r->config->service_lcore = (int)core;
	return err;
}

static int read_idle_sleep(const struct reader *r, const config_setting_t *s)
{
	return read_number(r, s, 0, 100000, &r->config->idle_sleep_us);
}

static int read_packets(const struct reader *r, const config_setting_t *s)
{
	return read_number(r, s, 4096, 4194304, &r->config->packets);
}

static int read_dscp(const struct reader *r, const config_setting_t *s)
{
	const char *policy = config_setting_get_string(s);
	if (policy == NULL || (strcmp(policy, "zero") != 0 && strcmp(policy, "copy") != 0))
		return refuse(r, s, "dscp must be \"zero\" or \"copy\"");
	r->config->copy_dscp = strcmp(policy, "copy") == 0;
	return 0;
}

static int read_eal(const struct reader *r, const config_setting_t *s)
{
	struct config *c = r->config;
	if (config_setting_type(s) != CONFIG_TYPE_ARRAY)
		return refuse(r, s, "eal must be an array of strings: [ \"--no-huge\", ... ]");
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *arg = config_setting_get_string_elem(s, i);
		if (arg == NULL || arg[0] == '\0' || c->eal_count == CONFIG_EAL_MAX)
			return refuse(
				r, s, "eal must have at most %d non-empty strings", CONFIG_EAL_MAX);
		c->eal[c->eal_count] = strdup(arg);
		if (c->eal[c->eal_count++] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int read_port(const struct reader *r, const config_setting_t *s)
{
	struct config *c = r->config;
	const config_setting_t *name = config_setting_get_member(s, "name");
	const config_setting_t *devargs = config_setting_get_member(s, "devargs");
	const config_setting_t *queues = config_setting_get_member(s, "queues");
	const config_setting_t *mtu = config_setting_get_member(s, "mtu");
	char text[256];
	if (!config_setting_is_group(s) || name == NULL || devargs == NULL
		|| config_setting_length(s) != 2 + (queues != NULL) + (mtu != NULL))
		return refuse(r, s,
			"a port is { name = \"...\"; devargs = \"...\"; }, with queues = N; and "
			"mtu = N; if need be, and nothing else");
	if (c->ports == PORT_MAX)
		return refuse(r, s, "more than %d ports", PORT_MAX);
	int err = read_text(r, name, c->port[c->ports].name, sizeof(c->port[0].name));
	if (err == 0)
		err = read_text(r, devargs, text, sizeof(text));
	if (err == 0 && queues != NULL)
		err = read_number(r, queues, 1, TABLE_MAX_WORKERS, &c->port[c->ports].queues);
	if (err == 0 && mtu != NULL)
		err = read_number(r, mtu, PORT_MTU_MIN, PORT_MTU_MAX, &c->port[c->ports].mtu);
	if (err != 0)
		return err;
	for (unsigned int i = 0; i < c->ports; i++) {
		if (strcmp(c->port[i].name, c->port[c->ports].name) == 0)
			return refuse(
				r, name, "a port named \"%s\" is there already", c->port[i].name);
	}
	c->port[c->ports].devargs = strdup(text);
	return c->port[c->ports++].devargs != NULL ? 0 : -ENOMEM;
}

static int read_ports(const struct reader *r, const config_setting_t *s)
{
	if (config_setting_type(s) != CONFIG_TYPE_LIST)
		return refuse(r, s, "ports must be a list: ( { name = ...; devargs = ...; } )");
	for (int i = 0; i < config_setting_length(s); i++) {
		int err = read_port(r, config_setting_get_elem(s, (unsigned int)i));
		if (err != 0)
			return err;
	}
	return 0;
}

static int read_uapi_dir(const struct reader *r, const config_setting_t *s)
{
	return read_text(r, s, r->config->uapi_dir, sizeof(r->config->uapi_dir));
}

static int read_addresses(
	const struct reader *r, const config_setting_t *s, struct server_instance *into)
{
	static const struct ip_prefix none;
	if (config_setting_type(s) != CONFIG_TYPE_ARRAY)
		return refuse(r, s, "addresses must be as in [ \"10.0.0.1/24\" ]");
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, i);
		struct ip_prefix p;
		if (text == NULL || ip_prefix_parse(text, &p) != 0)
			return refuse(r, s, "addresses must be as in [ \"10.0.0.1/24\" ]");
		struct ip_prefix *to = ip_prefix_is_v4(&p) ? &into->address4 : &into->address6;
		if (!ip_prefix_equal(to, &none))
			return refuse(r, s, "addresses: one of each family");
		*to = p;
	}
	return 0;
}

static int read_instance_setting(
	const struct reader *r, const config_setting_t *s, struct server_instance *into)
{
	unsigned int n = 0;
	const char *name = config_setting_name(s);
	int err;
	if (strcmp(name, "addresses") == 0)
		return read_addresses(r, s, into);
	if (strcmp(name, "number") == 0) {
		err = read_number(r, s, 1, UINT16_MAX, &n);
		into->number = n;
		return err;
	}
	if (strcmp(name, "mtu") != 0)
		return refuse(r, s, "unknown setting \"%s\"", name);
	err = read_number(r, s, 1280, 9000, &n);
	into->mtu = (uint16_t)n;
	return err;
}

static int read_instance(const struct reader *r, const config_setting_t *s)
{
	struct config *c = r->config;
	struct server_instance *i = &c->instance[c->instances];
	if (!config_setting_is_group(s) || c->instances == CONFIG_INSTANCES_MAX)
		return refuse(r, s, "instances must be at most %d groups", CONFIG_INSTANCES_MAX);
	i->mtu = 1420;
	for (int n = 0; n < config_setting_length(s); n++) {
		int err = read_instance_setting(r, config_setting_get_elem(s, (unsigned int)n), i);
		if (err != 0)
			return err;
	}
	for (unsigned int n = 0; n < c->instances; n++) {
		if (c->instance[n].number == i->number)
			return refuse(r, s, "instance %u is there already", i->number);
	}
	c->instances++;
	return i->number != 0 ? 0 : refuse(r, s, "an instance needs a number");
}

static int read_instances(const struct reader *r, const config_setting_t *s)
{
	if (config_setting_type(s) != CONFIG_TYPE_LIST)
		return refuse(r, s, "instances must be a list: ( { number = 1; } )");
	for (int i = 0; i < config_setting_length(s); i++) {
		int err = read_instance(r, config_setting_get_elem(s, (unsigned int)i));
		if (err != 0)
			return err;
	}
	return 0;
}

static const struct {
	const char *name;
	int (*read)(const struct reader *r, const config_setting_t *s);
} settings[] = {
	{"socket", read_socket},
	{"eal", read_eal},
	{"workers", read_workers},
	{"worker_lcore", read_worker_lcore},
	{"service_lcore", read_service_lcore},
	{"idle_sleep_us", read_idle_sleep},
	{"packets", read_packets},
	{"dscp", read_dscp},
	{"ports", read_ports},
	{"uapi_dir", read_uapi_dir},
	{"instances", read_instances},
};

static int read_setting(const struct reader *r, const config_setting_t *s)
{
	for (unsigned int i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strcmp(settings[i].name, config_setting_name(s)) == 0)
			return settings[i].read(r, s);
	}
	return refuse(r, s, "unknown setting \"%s\"", config_setting_name(s));
}

static void set_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->socket, sizeof(c->socket), "/run/nave/dataplane.sock");
	c->workers = 1;
	c->service_lcore = -1;
	c->idle_sleep_us = 100;
	c->packets = 32768;
	(void)snprintf(c->uapi_dir, sizeof(c->uapi_dir), "/var/run/wireguard");
}

static int set_default_eal(struct config *c)
{
	for (unsigned int i = 0; i < sizeof(default_eal) / sizeof(default_eal[0]); i++) {
		c->eal[c->eal_count] = strdup(default_eal[i]);
		if (c->eal[c->eal_count++] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int refuse_syntax(const struct reader *r, const config_t *file)
{
	const char *name = config_error_file(file);
	(void)snprintf(r->error, CONFIG_ERROR_TEXT, "%s:%d: %s", name != NULL ? name : r->path,
		config_error_line(file), config_error_text(file));
	return -EINVAL;
}

/* What the tables would refuse when the hub starts. */
static int check_instances(const struct reader *r, const config_setting_t *root)
{
	const struct config *c = r->config;
	unsigned int most = pkt_inner_max(config_largest_mtu(c));
	for (unsigned int i = 0; i < c->instances; i++) {
		if (c->instance[i].mtu > most)
			return refuse(r, config_setting_get_member(root, "instances"),
				"instance %u: packets hold an mtu of %u: give a port a larger one",
				c->instance[i].number, most);
	}
	return 0;
}

static int read_root(const struct reader *r, const config_setting_t *root)
{
	for (int i = 0; i < config_setting_length(root); i++) {
		int err = read_setting(r, config_setting_get_elem(root, (unsigned int)i));
		if (err != 0)
			return err;
	}
	if (r->config->ports == 0)
		return refuse(r, root,
			"no ports: say ports = ( { name = \"wan0\"; devargs = \"...\"; } );");
	int err = check_instances(r, root);
	return err == 0 && r->config->eal_count == 0 ? set_default_eal(r->config) : err;
}

int config_load(const char *path, struct config *ret, char error[CONFIG_ERROR_TEXT])
{
	struct config c;
	struct reader r = {path, &c, error};
	config_t file;
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* libconfig would exit, or wait */
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s: not a regular file", path);
		return -EINVAL;
	}
	FILE *in = fopen(path, "re");
	if (in == NULL) {
		int err = -errno;
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s: %s", path,
			strerror(-err)); // NOLINT(concurrency-mt-unsafe)
		return err;
	}
	config_init(&file);
	set_defaults(&c);
	error[0] = '\0';
	int err;
	if (config_read(&file, in) != CONFIG_TRUE)
		err = refuse_syntax(&r, &file);
	else
		err = read_root(&r, config_root_setting(&file));
	config_destroy(&file);
	(void)fclose(in);
	if (err != 0)
		config_free(&c);
	else
		*ret = c;
	return err;
}

void config_free(struct config *c)
{
	for (unsigned int i = 0; i < c->eal_count; i++)
		free(c->eal[i]);
	for (unsigned int i = 0; i < c->ports; i++)
		free(c->port[i].devargs);
	memset(c, 0, sizeof(*c));
}

static unsigned int cores_of_machine(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n > 1 ? (unsigned int)n : 1;
}

unsigned int config_worker_core(const struct config *c, unsigned int worker)
{
	return c->worker_lcores > 0 ? c->worker_lcore[worker % c->worker_lcores]
				    : worker % cores_of_machine();
}

static bool has_worker(const struct config *c, unsigned int core)
{
	for (unsigned int w = 0; w < c->workers; w++) {
		if (config_worker_core(c, w) == core)
			return true;
	}
	return false;
}

/* The first core without a worker; where each has one, the last. */
unsigned int config_service_core(const struct config *c)
{
	if (c->service_lcore >= 0)
		return (unsigned int)c->service_lcore;
	unsigned int core = 0, last = cores_of_machine() - 1;
	while (core < last && has_worker(c, core))
		core++;
	return core;
}

unsigned int config_largest_mtu(const struct config *c)
{
	unsigned int largest = ETHERNET_MTU;
	for (unsigned int i = 0; i < c->ports; i++) {
		if (c->port[i].mtu > largest)
			largest = c->port[i].mtu;
	}
	return largest;
}
