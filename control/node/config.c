// SPDX-License-Identifier: Apache-2.0
/* node.conf (libconfig): every setting has a row in a table; anything else refuses the file. */
#include "control/node/config.h"

#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct reader {
	const char *path;
	char *error;
};

/* A text setting, or (read not NULL) one with its own reader. */
struct setting {
	const char *name;
	size_t offset, size;
	int (*read)(const struct reader *r, const config_setting_t *s, void *into);
};

__attribute__((format(printf, 3, 4))) static int refuse(
	const struct reader *r, const config_setting_t *at, const char *format, ...)
{
	char reason[NODE_CONFIG_ERROR_TEXT / 2];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	(void)snprintf(r->error, NODE_CONFIG_ERROR_TEXT, "%s:%u: %s", r->path,
		config_setting_source_line(at), reason);
	return -EINVAL;
}

static int read_text(const struct reader *r, const config_setting_t *s, char *ret, size_t size)
{
	const char *text = config_setting_get_string(s);
	if (text == NULL)
		return refuse(r, s, "%s must be a string", config_setting_name(s));
	if (strlen(text) >= size)
		return refuse(
			r, s, "%s is longer than %zu characters", config_setting_name(s), size - 1);
	(void)snprintf(ret, size, "%s", text);
	return 0;
}

static int read_group(const struct reader *r, const config_setting_t *group,
	const struct setting *known, size_t count, void *into)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned int)i);
		size_t n = 0;
		while (n < count && strcmp(known[n].name, config_setting_name(s)) != 0)
			n++;
		if (n == count)
			return refuse(r, s, "unknown setting \"%s\"", config_setting_name(s));
		char *field = (char *)into + known[n].offset;
		int err = known[n].read != NULL ? known[n].read(r, s, into)
						: read_text(r, s, field, known[n].size);
		if (err != 0)
			return err;
	}
	return 0;
}

/* The elements of an array of strings, one after the other. */
static int read_array(const struct reader *r, const config_setting_t *s, unsigned int *count,
	int (*read_one)(const struct reader *r, const config_setting_t *s, const char *text,
		void *into, unsigned int at),
	void *into)
{
	if (config_setting_type(s) != CONFIG_TYPE_ARRAY)
		return refuse(r, s, "%s must be an array of strings", config_setting_name(s));
	if (config_setting_length(s) > NODE_PORT_ADDRESSES_MAX)
		return refuse(r, s, "%s has more than %d elements", config_setting_name(s),
			NODE_PORT_ADDRESSES_MAX);
	for (int i = 0; i < config_setting_length(s); i++) {
		const char *text = config_setting_get_string_elem(s, i);
		if (text == NULL)
			return refuse(
				r, s, "%s must be an array of strings", config_setting_name(s));
		int err = read_one(r, s, text, into, (unsigned int)i);
		if (err != 0)
			return err;
	}
	*count = (unsigned int)config_setting_length(s);
	return 0;
}

static int read_address(const struct reader *r, const config_setting_t *s, const char *text,
	void *into, unsigned int at)
{
	struct node_port *p = into;
	if (ip_prefix_parse(text, &p->address[at]) == 0)
		return 0;
	return refuse(r, s, "\"%s\" is no address with the length of its net, as in 203.0.113.1/24",
		text);
}

static int read_gateway(const struct reader *r, const config_setting_t *s, const char *text,
	void *into, unsigned int at)
{
	struct node_port *p = into;
	if (ip_addr_parse(text, &p->gateway[at]) == 0)
		return 0;
	return refuse(r, s, "\"%s\" is no address", text);
}

static int read_addresses(const struct reader *r, const config_setting_t *s, void *into)
{
	return read_array(r, s, &((struct node_port *)into)->addresses, read_address, into);
}

static int read_gateways(const struct reader *r, const config_setting_t *s, void *into)
{
	return read_array(r, s, &((struct node_port *)into)->gateways, read_gateway, into);
}

static const struct setting port_settings[] = {
	{"name", offsetof(struct node_port, name), sizeof(((struct node_port *)0)->name), NULL},
	{"interface", offsetof(struct node_port, interface), IFNAMSIZ, NULL},
	{"tap", offsetof(struct node_port, tap), IFNAMSIZ, NULL},
	{"addresses", 0, 0, read_addresses},
	{"gateways", 0, 0, read_gateways},
};

/* naveN with N from 1 on. */
static bool is_instance_device(const char *name)
{
	const char *number = name + 4;
	return strncmp(name, "nave", 4) == 0 && *number >= '1' && *number <= '9'
		&& strspn(number, "0123456789") == strlen(number);
}

static int read_ports(const struct reader *r, const config_setting_t *s, void *into)
{
	struct node_config *c = into;
	if (config_setting_type(s) != CONFIG_TYPE_LIST)
		return refuse(r, s, "ports must be a list: ( { name = ...; tap = ...; } )");
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *group = config_setting_get_elem(s, (unsigned int)i);
		struct node_port *p = &c->port[c->ports];
		if (!config_setting_is_group(group) || c->ports == NODE_PORTS_MAX)
			return refuse(r, group, "ports must be at most %d groups", NODE_PORTS_MAX);
		int err = read_group(r, group, port_settings,
			sizeof(port_settings) / sizeof(port_settings[0]), p);
		if (err != 0)
			return err;
		if (p->name[0] == '\0' || p->tap[0] == '\0')
			return refuse(r, group, "a port needs name and tap");
		if (is_instance_device(p->tap))
			return refuse(
				r, group, "\"%s\" is the name of an instance's device", p->tap);
		c->ports++;
	}
	return 0;
}

#define TEXT_SETTING(field)                                            \
	{                                                              \
#field, offsetof(struct node_config, field),           \
			sizeof(((struct node_config *)0)->field), NULL \
	}

static const struct setting root_settings[] = {
	TEXT_SETTING(dataplane_socket),
	TEXT_SETTING(control_socket),
	TEXT_SETTING(control_url),
	TEXT_SETTING(control_ca),
	TEXT_SETTING(enrol_token_file),
	TEXT_SETTING(name),
	TEXT_SETTING(region),
	TEXT_SETTING(state_dir),
	TEXT_SETTING(uapi_dir),
	TEXT_SETTING(management_dir),
	{"ports", 0, 0, read_ports},
};

static void set_defaults(struct node_config *c)
{
	*c = (struct node_config){
		.dataplane_socket = "/run/nave/dataplane.sock",
		.control_socket = "/run/nave/control.sock",
		.control_url = "http://localhost",
		.name = "hub1",
		.region = "local",
		.state_dir = "/var/lib/nave-node",
		.uapi_dir = "/var/run/wireguard",
		.management_dir = "/run/nave/openvpn",
	};
}

/* Tokens and keys of all tunnels go over it. */
static bool is_safe_url(const struct node_config *c)
{
	static const char *const safe[] = {
		"https://", "http://localhost", "http://127.0.0.1", "http://[::1]"};
	for (size_t n = 0; n < sizeof(safe) / sizeof(safe[0]); n++) {
		size_t len = strlen(safe[n]);
		if (strncmp(c->control_url, safe[n], len) != 0)
			continue;
		char next = c->control_url[len];
		return n == 0 ? next != '\0' : next == '\0' || next == ':' || next == '/';
	}
	return false;
}

static int check_whole(
	const struct reader *r, const config_setting_t *root, const struct node_config *c)
{
	if (c->ports == 0)
		return refuse(r, root,
			"no ports: say ports = ( { name = \"wan0\"; tap = \"nave0\"; } );");
	if (c->name[0] == '\0' || c->region[0] == '\0')
		return refuse(r, root, "name and region must not be empty");
	const config_setting_t *url = config_setting_get_member(root, "control_url");
	if (c->control_socket[0] == '\0' && !is_safe_url(c))
		return refuse(r, url != NULL ? url : root,
			"control_url must be https://HOST:PORT when it is not on this machine");
	const config_setting_t *dir = config_setting_get_member(root, "management_dir");
	if (strcmp(c->uapi_dir, c->management_dir) == 0)
		return refuse(r, dir != NULL ? dir : config_setting_get_member(root, "uapi_dir"),
			"uapi_dir and management_dir must be two folders: their sockets have one name");
	return 0;
}

int node_config_load(const char *path, struct node_config *ret, char error[NODE_CONFIG_ERROR_TEXT])
{
	struct node_config c;
	struct reader r = {path, error};
	config_t file;
	struct stat st;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* libconfig would exit, or wait */
		(void)snprintf(error, NODE_CONFIG_ERROR_TEXT, "%s: not a regular file", path);
		return -EINVAL;
	}
	FILE *in = fopen(path, "re");
	if (in == NULL) {
		int err = -errno;
		(void)snprintf(error, NODE_CONFIG_ERROR_TEXT, "%s: %s", path,
			strerror(-err)); // NOLINT(concurrency-mt-unsafe)
		return err;
	}
	set_defaults(&c);
	config_init(&file);
	int err = -EINVAL;
	if (config_read(&file, in) != CONFIG_TRUE) {
		(void)snprintf(error, NODE_CONFIG_ERROR_TEXT, "%s:%d: %s", path,
			config_error_line(&file), config_error_text(&file));
	} else {
		const config_setting_t *root = config_root_setting(&file);
		err = read_group(&r, root, root_settings,
			sizeof(root_settings) / sizeof(root_settings[0]), &c);
		if (err == 0)
			err = check_whole(&r, root, &c);
	}
	config_destroy(&file);
	(void)fclose(in);
	if (err == 0)
		*ret = c;
	return err;
}
