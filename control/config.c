// SPDX-License-Identifier: Apache-2.0
/*
 * control.conf. The file is taken whole or refused whole: every setting stands in the table below
 * with its reader; a name that is not in the table, a wrong type or a value out of range ends in
 * "FILE:LINE: reason". Duplicates are refused by libconfig itself. @include is refused, because a
 * configuration that reads other files cannot be checked by looking at its owner and mode.
 * No thread: called before any starts.
 */
#include "control/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct config_reader {
	const char *file;
	char *error;
	struct control_config *config;
};

__attribute__((format(printf, 3, 4))) static int refuse(
	const struct config_reader *r, const config_setting_t *at, const char *format, ...)
{
	char reason[CONFIG_ERROR_TEXT / 2];
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(reason, sizeof(reason), format, ap);
	va_end(ap);
	(void)snprintf(r->error, CONFIG_ERROR_TEXT, "%s:%u: %s", r->file,
		at != NULL ? config_setting_source_line(at) : 1, reason);
	return -EINVAL;
}

static int read_text(
	const struct config_reader *r, const config_setting_t *s, char *ret, size_t size)
{
	if (config_setting_type(s) != CONFIG_TYPE_STRING)
		return refuse(r, s, "%s must be a string", config_setting_name(s));
	const char *text = config_setting_get_string(s);
	size_t len = strlen(text);
	if (len == 0)
		return refuse(r, s, "%s must not be empty", config_setting_name(s));
	if (len >= size)
		return refuse(
			r, s, "%s is longer than %zu bytes", config_setting_name(s), size - 1);
	memcpy(ret, text, len + 1);
	return 0;
}

static int read_path(
	const struct config_reader *r, const config_setting_t *s, char *ret, size_t size)
{
	int rc = read_text(r, s, ret, size);
	if (rc == 0 && ret[0] != '/')
		rc = refuse(r, s, "%s must be an absolute path", config_setting_name(s));
	return rc;
}

static int read_listen(const struct config_reader *r, const config_setting_t *s)
{
	char text[IP_ENDPOINT_TEXT];
	int rc = read_text(r, s, text, sizeof(text));
	if (rc < 0)
		return rc;
	struct ip_endpoint e;
	if (ip_endpoint_parse(text, &e) < 0)
		return refuse(r, s, "listen must be ADDRESS:PORT, as in \"127.0.0.1:8480\"");
	if (!ip_addr_is_loopback(&e.addr))
		return refuse(r, s,
			"listen must be a loopback address: this port has no TLS; see tls_listen");
	r->config->listen = e;
	return 0;
}

static int read_tls_listen(const struct config_reader *r, const config_setting_t *s)
{
	char text[IP_ENDPOINT_TEXT];
	int rc = read_text(r, s, text, sizeof(text));
	if (rc == 0 && ip_endpoint_parse(text, &r->config->tls_listen) < 0)
		rc = refuse(r, s, "tls_listen must be ADDRESS:PORT, as in \"0.0.0.0:9443\"");
	return rc;
}

static int read_certificate(const struct config_reader *r, const config_setting_t *s)
{
	return read_path(r, s, r->config->certificate, sizeof(r->config->certificate));
}

static int read_certificate_key(const struct config_reader *r, const config_setting_t *s)
{
	return read_path(r, s, r->config->certificate_key, sizeof(r->config->certificate_key));
}

static int read_socket(const struct config_reader *r, const config_setting_t *s)
{
	return read_path(r, s, r->config->socket, sizeof(r->config->socket));
}

static int read_state_dir(const struct config_reader *r, const config_setting_t *s)
{
	return read_path(r, s, r->config->state_dir, sizeof(r->config->state_dir));
}

/* RFC 1123 labels, lower case: the part of an instance's name that all instances share. */
static bool domain_is_valid(const char *domain, unsigned int least)
{
	size_t label = 0;
	unsigned int labels = 1;
	for (const char *c = domain; *c != '\0'; c++) {
		if (*c == '.') {
			if (label == 0 || c[-1] == '-')
				return false;
			label = 0;
			labels++;
			continue;
		}
		bool alnum = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
		if (!alnum && (*c != '-' || label == 0))
			return false;
		if (++label > 63)
			return false;
	}
	return label > 0 && domain[strlen(domain) - 1] != '-' && labels >= least;
}

static int read_vpn_domain(const struct config_reader *r, const config_setting_t *s)
{
	/* 20 characters and a dot must fit in front: RFC 1035 section 2.3.4 ends at 253. */
	int rc = read_text(r, s, r->config->vpn_domain, 253 - 21 + 1);
	if (rc < 0)
		return rc;
	if (!domain_is_valid(r->config->vpn_domain, 2))
		return refuse(r, s,
			"vpn_domain must be a lower-case DNS name, as in \"vpn.example.net\"");
	return 0;
}

/* Scheme, host and perhaps a port: the pages stand at its root, and cookies are bound to their path. */
static bool url_is_valid(const char *url)
{
	static const char host[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
	size_t scheme = strncmp(url, "https://", 8) == 0 ? 8
		: strncmp(url, "http://", 7) == 0	 ? 7
							 : 0;
	return scheme > 0 && url[scheme] != '\0' && url[scheme] != ':'
		&& strspn(url + scheme, host) == strlen(url + scheme);
}

static int read_public_url(const struct config_reader *r, const config_setting_t *s)
{
	int rc = read_text(r, s, r->config->public_url, sizeof(r->config->public_url));
	if (rc == 0 && !url_is_valid(r->config->public_url))
		rc = refuse(r, s,
			"public_url must be a scheme and a host, as in \"https://vpn.example.net\"");
	return rc;
}

static bool region_id_is_valid(const char *id)
{
	if (!isalnum((unsigned char)id[0]))
		return false;
	for (const char *c = id; *c != '\0'; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') && *c != '-')
			return false;
	return true;
}

static int read_region(
	const struct config_reader *r, const config_setting_t *s, struct config_region *ret)
{
	if (config_setting_type(s) != CONFIG_TYPE_GROUP)
		return refuse(
			r, s, "a region must be a group: { id = \"local\"; name = \"...\"; }");
	bool has_id = false;
	bool has_name = false;
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *m = config_setting_get_elem(s, (unsigned int)i);
		const char *name = config_setting_name(m);
		int rc;
		if (strcmp(name, "id") == 0) {
			rc = read_text(r, m, ret->id, sizeof(ret->id));
			has_id = true;
		} else if (strcmp(name, "name") == 0) {
			rc = read_text(r, m, ret->name, sizeof(ret->name));
			has_name = true;
		} else {
			rc = refuse(r, m, "unknown setting %s in a region", name);
		}
		if (rc < 0)
			return rc;
	}
	if (!has_id || !has_name)
		return refuse(r, s, "a region needs id and name");
	if (!region_id_is_valid(ret->id))
		return refuse(r, s, "region id \"%s\" must be made of a-z, 0-9 and -", ret->id);
	return 0;
}

static int read_regions(const struct config_reader *r, const config_setting_t *s)
{
	struct control_config *c = r->config;
	if (config_setting_type(s) != CONFIG_TYPE_LIST)
		return refuse(
			r, s, "regions must be a list: ( { id = \"local\"; name = \"...\"; } )");
	int n = config_setting_length(s);
	if (n < 1 || n > CONFIG_REGIONS_MAX)
		return refuse(r, s, "regions must have 1 to %d entries", CONFIG_REGIONS_MAX);
	for (int i = 0; i < n; i++) {
		const config_setting_t *elem = config_setting_get_elem(s, (unsigned int)i);
		int rc = read_region(r, elem, &c->regions[i]);
		if (rc < 0)
			return rc;
		for (int k = 0; k < i; k++)
			if (strcmp(c->regions[k].id, c->regions[i].id) == 0)
				return refuse(r, elem, "region id \"%s\" is there twice",
					c->regions[i].id);
	}
	c->region_count = (size_t)n;
	return 0;
}

static int read_ports(
	const struct config_reader *r, const config_setting_t *s, struct config_ports *ret)
{
	const char *name = config_setting_name(s);
	if (config_setting_type(s) != CONFIG_TYPE_ARRAY || config_setting_length(s) != 2)
		return refuse(r, s, "%s must be an array of two ports: [first, last]", name);
	int port[2];
	for (unsigned int i = 0; i < 2; i++) {
		const config_setting_t *elem = config_setting_get_elem(s, i);
		if (config_setting_type(elem) != CONFIG_TYPE_INT)
			return refuse(r, elem, "%s: a port must be a number", name);
		port[i] = config_setting_get_int(elem);
		if (port[i] < 1 || port[i] > 65535)
			return refuse(
				r, elem, "%s: port %d is not within 1 to 65535", name, port[i]);
	}
	if (port[0] > port[1])
		return refuse(r, s, "%s: the first port is above the last", name);
	ret->first = (uint16_t)port[0];
	ret->last = (uint16_t)port[1];
	return 0;
}

static int read_wireguard_ports(const struct config_reader *r, const config_setting_t *s)
{
	return read_ports(r, s, &r->config->wireguard_ports);
}

static int read_openvpn_ports(const struct config_reader *r, const config_setting_t *s)
{
	return read_ports(r, s, &r->config->openvpn_ports);
}

static int read_inner_pool(const struct config_reader *r, const config_setting_t *s)
{
	char text[IP_PREFIX_TEXT];
	int rc = read_text(r, s, text, sizeof(text));
	if (rc < 0)
		return rc;
	struct ip_prefix p;
	if (ip_prefix_parse(text, &p) < 0 || !ip_prefix_is_v4(&p))
		return refuse(r, s, "inner_pool must be an IPv4 prefix, as in \"10.192.0.0/10\"");
	if (!ip_prefix_is_canonical(&p)) {
		struct ip_prefix canonical = ip_prefix_canonical(&p);
		return refuse(r, s, "inner_pool has host bits: did you mean \"%s\"?",
			ip_prefix_format(&canonical, text));
	}
	if (ip_prefix_len(&p) < 8 || ip_prefix_len(&p) > 20)
		return refuse(
			r, s, "inner_pool must be a /8 to a /20: each instance takes a /20 of it");
	if (ip_addr_is_multicast(&p.addr) || ip_addr_is_loopback(&p.addr)
		|| ip_addr_is_link_local(&p.addr) || ip_addr_is_zero(&p.addr))
		return refuse(r, s, "inner_pool must be unicast");
	r->config->inner_pool = p;
	return 0;
}

static int read_hub_addresses(const struct config_reader *r, const config_setting_t *s)
{
	/* libconfig takes () for an empty list and [] for an empty array: both mean none. */
	int type = config_setting_type(s);
	int n = config_setting_length(s);
	if ((type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST) || n > CONFIG_HUB_ADDRESSES_MAX)
		return refuse(r, s, "hub_addresses must be an array of up to %d addresses",
			CONFIG_HUB_ADDRESSES_MAX);
	for (int i = 0; i < n; i++) {
		const config_setting_t *elem = config_setting_get_elem(s, (unsigned int)i);
		const char *text = config_setting_get_string(elem);
		struct ip_addr a;
		if (text == NULL || ip_addr_parse(text, &a) < 0)
			return refuse(
				r, elem, "hub_addresses: entry %d is not an IP address", i + 1);
		if (ip_addr_is_zero(&a) || ip_addr_is_multicast(&a) || ip_addr_is_loopback(&a))
			return refuse(r, elem, "hub_addresses: %s is not a host's address", text);
		r->config->hub_addresses[i] = a;
	}
	r->config->hub_address_count = (size_t)n;
	return 0;
}

static int read_webhook_allow(const struct config_reader *r, const config_setting_t *s)
{
	int type = config_setting_type(s), n = config_setting_length(s);
	if ((type != CONFIG_TYPE_ARRAY && type != CONFIG_TYPE_LIST)
		|| n > CONFIG_WEBHOOK_PREFIXES_MAX)
		return refuse(r, s, "webhook_allow must be an array of up to %d prefixes",
			CONFIG_WEBHOOK_PREFIXES_MAX);
	for (int i = 0; i < n; i++) {
		const config_setting_t *elem = config_setting_get_elem(s, (unsigned int)i);
		const char *text = config_setting_get_string(elem);
		struct ip_prefix p;
		if (text == NULL || ip_prefix_parse(text, &p) < 0 || !ip_prefix_is_canonical(&p))
			return refuse(r, elem,
				"webhook_allow: entry %d is no prefix like \"10.0.0.0/8\"", i + 1);
		r->config->webhook_allow[i] = p;
	}
	r->config->webhook_allow_count = (size_t)n;
	return 0;
}

static int read_webhook_plain_http(const struct config_reader *r, const config_setting_t *s)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL)
		return refuse(r, s, "webhook_plain_http must be true or false");
	r->config->webhook_plain_http = config_setting_get_bool(s) != 0;
	return 0;
}

static int read_number(
	const struct config_reader *r, const config_setting_t *s, int64_t last, int64_t *ret)
{
	if (config_setting_type(s) != CONFIG_TYPE_INT || config_setting_get_int(s) < 1
		|| config_setting_get_int(s) > last)
		return refuse(r, s, "%s must be a number from 1 to %lld", config_setting_name(s),
			(long long)last);
	*ret = config_setting_get_int(s);
	return 0;
}

static int read_webhook_retry(const struct config_reader *r, const config_setting_t *s)
{
	return read_number(r, s, 3600, &r->config->webhook_retry_s);
}

static int read_webhook_attempts(const struct config_reader *r, const config_setting_t *s)
{
	return read_number(r, s, 20, &r->config->webhook_attempts);
}

static int read_dns_server(const struct config_reader *r, const config_setting_t *s)
{
	char text[IP_ENDPOINT_TEXT];
	struct ip_endpoint *e = &r->config->dns.server;
	int rc = read_text(r, s, text, sizeof(text));
	if (rc == 0
		&& (ip_endpoint_parse(text, e) < 0 || ip_addr_is_zero(&e->addr)
			|| ip_addr_is_multicast(&e->addr)))
		rc = refuse(r, s, "dns.server must be ADDRESS:PORT, as in \"192.0.2.53:53\"");
	return rc;
}

static int read_dns_name(
	const struct config_reader *r, const config_setting_t *s, char ret[CONFIG_DOMAIN_TEXT])
{
	int rc = read_text(r, s, ret, CONFIG_DOMAIN_TEXT);
	if (rc == 0 && !domain_is_valid(ret, 1))
		rc = refuse(r, s, "dns.%s must be a lower-case DNS name", config_setting_name(s));
	return rc;
}

static int read_dns_algorithm(const struct config_reader *r, const config_setting_t *s)
{
	char *algorithm = r->config->dns.key_algorithm;
	int rc = read_text(r, s, algorithm, sizeof(r->config->dns.key_algorithm));
	if (rc == 0 && !dns_algorithm_is_known(algorithm))
		rc = refuse(
			r, s, "dns.key_algorithm must be hmac-sha256, hmac-sha384 or hmac-sha512");
	return rc;
}

static int read_dns_ttl(const struct config_reader *r, const config_setting_t *s)
{
	int ttl = config_setting_type(s) == CONFIG_TYPE_INT ? config_setting_get_int(s) : 0;
	if (ttl < 1 || ttl > 86400)
		return refuse(r, s, "dns.ttl must be 1 to 86400 seconds");
	r->config->dns.ttl = (uint32_t)ttl;
	return 0;
}

static int read_dns_member(const struct config_reader *r, const config_setting_t *s)
{
	struct config_dns *dns = &r->config->dns;
	const char *name = config_setting_name(s);
	if (strcmp(name, "server") == 0)
		return read_dns_server(r, s);
	if (strcmp(name, "zone") == 0)
		return read_dns_name(r, s, dns->zone);
	if (strcmp(name, "key_name") == 0)
		return read_dns_name(r, s, dns->key_name);
	if (strcmp(name, "key_algorithm") == 0)
		return read_dns_algorithm(r, s);
	if (strcmp(name, "key_file") == 0)
		return read_path(r, s, dns->key_file, sizeof(dns->key_file));
	if (strcmp(name, "ttl") == 0)
		return read_dns_ttl(r, s);
	return refuse(r, s, "unknown setting %s in dns", name);
}

static int read_dns(const struct config_reader *r, const config_setting_t *s)
{
	struct config_dns *dns = &r->config->dns;
	if (config_setting_type(s) != CONFIG_TYPE_GROUP)
		return refuse(r, s, "dns must be a group: { server = \"...\"; ... }");
	dns->line = config_setting_source_line(s);
	for (int i = 0; i < config_setting_length(s); i++) {
		int rc = read_dns_member(r, config_setting_get_elem(s, (unsigned int)i));
		if (rc < 0)
			return rc;
	}
	if (dns->server.port == 0 || dns->key_name[0] == '\0' || dns->key_file[0] == '\0')
		return refuse(r, s, "dns needs server, key_name and key_file");
	return 0;
}

static const struct config_setting {
	const char *name;
	int (*read)(const struct config_reader *r, const config_setting_t *s);
	bool required;
} settings[] = {
	{"listen", read_listen, false},
	{"tls_listen", read_tls_listen, false},
	{"certificate", read_certificate, false},
	{"certificate_key", read_certificate_key, false},
	{"socket", read_socket, false},
	{"state_dir", read_state_dir, false},
	{"vpn_domain", read_vpn_domain, true},
	{"public_url", read_public_url, false},
	{"regions", read_regions, true},
	{"wireguard_ports", read_wireguard_ports, false},
	{"openvpn_ports", read_openvpn_ports, false},
	{"inner_pool", read_inner_pool, false},
	{"hub_addresses", read_hub_addresses, false},
	{"webhook_allow", read_webhook_allow, false},
	{"webhook_plain_http", read_webhook_plain_http, false},
	{"webhook_retry_seconds", read_webhook_retry, false},
	{"webhook_attempts", read_webhook_attempts, false},
	{"dns", read_dns, false},
};

static int check_certificate(const struct config_reader *r, const config_setting_t *root)
{
	const config_setting_t *certificate = config_setting_get_member(root, "certificate");
	const config_setting_t *key = config_setting_get_member(root, "certificate_key");
	const config_setting_t *listen = config_setting_get_member(root, "tls_listen");
	if ((certificate == NULL) != (key == NULL))
		return refuse(r, certificate != NULL ? certificate : key,
			"certificate and certificate_key go together");
	if (listen != NULL && certificate == NULL)
		return refuse(r, listen, "tls_listen needs certificate and certificate_key");
	return 0;
}

/* The zone is the domain of the instances or one above it. */
static int check_zone(const struct config_reader *r, const config_setting_t *dns)
{
	struct control_config *c = r->config;
	if (dns == NULL)
		return 0;
	if (c->dns.zone[0] == '\0')
		memcpy(c->dns.zone, c->vpn_domain, sizeof(c->dns.zone));
	size_t zone = strlen(c->dns.zone);
	size_t domain = strlen(c->vpn_domain);
	bool is_within = zone <= domain && strcmp(c->vpn_domain + domain - zone, c->dns.zone) == 0
		&& (zone == domain || c->vpn_domain[domain - zone - 1] == '.');
	return is_within ? 0
			 : refuse(r, config_setting_get_member(dns, "zone"),
				 "dns.zone: %s is not within %s", c->vpn_domain, c->dns.zone);
}

static const struct config_setting *find_setting(const char *name)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	return NULL;
}

static void set_defaults(struct control_config *c)
{
	static const char socket_path[] = "/run/nave/control.sock";
	static const char state_dir[] = "/var/lib/nave";
	static const char algorithm[] = "hmac-sha256";
	memset(c, 0, sizeof(*c));
	(void)ip_endpoint_parse("127.0.0.1:8480", &c->listen);
	(void)ip_endpoint_parse("0.0.0.0:9443", &c->tls_listen);
	memcpy(c->socket, socket_path, sizeof(socket_path));
	memcpy(c->state_dir, state_dir, sizeof(state_dir));
	c->wireguard_ports = (struct config_ports){51820, 52819};
	c->openvpn_ports = (struct config_ports){1194, 2193};
	c->webhook_retry_s = 10;
	c->webhook_attempts = 8;
	(void)ip_prefix_parse("10.192.0.0/10", &c->inner_pool);
	c->dns.ttl = 60;
	memcpy(c->dns.key_algorithm, algorithm, sizeof(algorithm));
}

static int read_settings(const struct config_reader *r, const config_setting_t *root)
{
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *s = config_setting_get_elem(root, (unsigned int)i);
		const struct config_setting *known = find_setting(config_setting_name(s));
		if (known == NULL)
			return refuse(r, s, "unknown setting %s", config_setting_name(s));
		int rc = known->read(r, s);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		if (settings[i].required
			&& config_setting_get_member(root, settings[i].name) == NULL)
			return refuse(r, NULL, "%s is missing", settings[i].name);
	int rc = check_certificate(r, root);
	return rc == 0 ? check_zone(r, config_setting_get_member(root, "dns")) : rc;
}

/* What libconfig would swallow: NULs, byte order marks, endless lines, @include. */
static int check_bytes(const struct config_reader *r, const char *text, size_t len)
{
	const char *reason = NULL;
	unsigned int line = 1;
	size_t line_start = 0;
	if (len > CONFIG_FILE_MAX_BYTES)
		reason = "the file is larger than 1 MiB";
	else if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reason = "the file begins with a byte order mark";
	for (size_t i = 0; i < len && reason == NULL; i++) {
		if (text[i] == '\0')
			reason = "the file has a NUL byte";
		else if (i - line_start > CONFIG_LINE_MAX_BYTES)
			reason = "the line is longer than 64 KiB";
		else if (text[i] == '@' && len - i >= 8 && memcmp(text + i, "@include", 8) == 0)
			reason = "@include is not supported";
		if (text[i] == '\n' && reason == NULL) {
			line++;
			line_start = i + 1;
		}
	}
	if (reason == NULL)
		return 0;
	(void)snprintf(r->error, CONFIG_ERROR_TEXT, "%s:%u: %s", r->file, line, reason);
	return -EINVAL;
}

int control_config_parse(const char *text, size_t len, const char *file, struct control_config *ret,
	char error[CONFIG_ERROR_TEXT])
{
	struct control_config *draft = malloc(sizeof(*draft));
	char *copy = malloc(len + 1); /* strndup would look for a NUL behind the end */
	struct config_reader r = {.file = file, .error = error, .config = draft};
	char endpoint[IP_ENDPOINT_TEXT];
	config_t parsed;
	config_init(&parsed);
	int rc = -ENOMEM;
	if (draft == NULL || copy == NULL) {
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s:1: out of memory", file);
		goto free_draft;
	}
	memcpy(copy, text, len);
	copy[len] = '\0';
	rc = check_bytes(&r, text, len);
	if (rc < 0)
		goto free_draft;
	if (config_read_string(&parsed, copy) != CONFIG_TRUE) {
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s:%d: %s", file,
			config_error_line(&parsed), config_error_text(&parsed));
		rc = -EINVAL;
		goto free_draft;
	}
	set_defaults(draft);
	rc = read_settings(&r, config_root_setting(&parsed));
	if (rc == 0 && draft->public_url[0] == '\0')
		(void)snprintf(draft->public_url, sizeof(draft->public_url), "http://%s",
			ip_endpoint_format(&draft->listen, endpoint));
	if (rc == 0)
		*ret = *draft;
free_draft:
	config_destroy(&parsed);
	free(copy);
	free(draft);
	return rc;
}

static int read_file(int fd, const char *path, char *buf, size_t size, char *error)
{
	size_t len = 0;
	while (len < size) {
		ssize_t n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int rc = -errno;
			(void)snprintf(
				error, CONFIG_ERROR_TEXT, "%s:1: %s", path, strerrordesc_np(-rc));
			return rc;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (int)len;
}

/* It is read again for each update; here only that it can be. */
static int check_dns_secret(
	const char *path, const struct config_dns *dns, char error[CONFIG_ERROR_TEXT])
{
	char secret[DNS_SECRET_TEXT];
	const char *reason = dns->server.port != 0 ? dns_key_read(dns->key_file, secret) : NULL;
	explicit_bzero(secret, sizeof(secret));
	if (reason == NULL)
		return 0;
	(void)snprintf(error, CONFIG_ERROR_TEXT, "%s:%u: dns.key_file: %s: %s", path, dns->line,
		dns->key_file, reason);
	return -EINVAL;
}

int control_config_load(const char *path, struct control_config *ret, char error[CONFIG_ERROR_TEXT])
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0) {
		int rc = -errno;
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s:1: %s", path, strerrordesc_np(-rc));
		if (fd >= 0)
			(void)close(fd);
		return rc;
	}
	const char *reason = NULL;
	if (!S_ISREG(st.st_mode))
		reason = "not a regular file";
	else if (st.st_mode & S_IWOTH)
		reason = "everybody may write this file: chmod o-w";
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		reason = "the file belongs to neither root nor the user who runs this";
	char *buf = reason == NULL ? malloc(CONFIG_FILE_MAX_BYTES + 1) : NULL;
	int rc = -EINVAL;
	if (reason != NULL)
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s:1: %s", path, reason);
	else if (buf == NULL)
		(void)snprintf(error, CONFIG_ERROR_TEXT, "%s:1: out of memory", path);
	else
		rc = read_file(fd, path, buf, CONFIG_FILE_MAX_BYTES + 1, error);
	if (rc >= 0)
		rc = control_config_parse(buf, (size_t)rc, path, ret, error);
	if (rc == 0)
		rc = check_dns_secret(path, &ret->dns, error);
	free(buf);
	(void)close(fd);
	return rc;
}

const struct config_region *control_config_region(
	const struct control_config *config, const char *id)
{
	for (size_t i = 0; i < config->region_count; i++) {
		if (strcmp(config->regions[i].id, id) == 0)
			return &config->regions[i];
	}
	return NULL;
}
