/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include "control/dns/key.h"
#include "dataplane/base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CONFIG_FILE_MAX_BYTES = 1 << 20,
	CONFIG_LINE_MAX_BYTES = 64 << 10,
	CONFIG_REGIONS_MAX = 64,
	CONFIG_HUB_ADDRESSES_MAX = 16,
	CONFIG_WEBHOOK_PREFIXES_MAX = 32,
	CONFIG_PATH_TEXT = 256,
	CONFIG_SOCKET_TEXT = 108, /* sizeof(sockaddr_un.sun_path) */
	CONFIG_DOMAIN_TEXT = 254,
	CONFIG_REGION_ID_TEXT = 33,
	CONFIG_REGION_NAME_TEXT = 257, /* 64 characters of UTF-8 */
	CONFIG_URL_TEXT = 256,
	CONFIG_ERROR_TEXT = 512,
};

struct config_region {
	char id[CONFIG_REGION_ID_TEXT];
	char name[CONFIG_REGION_NAME_TEXT];
};

struct config_ports {
	uint16_t first;
	uint16_t last;
};

/* The DNS server that takes the names of instances. */
struct config_dns {
	struct ip_endpoint server; /* port 0: there is none, people make the records */
	char zone[CONFIG_DOMAIN_TEXT];
	char key_name[CONFIG_DOMAIN_TEXT];
	char key_algorithm[DNS_ALGORITHM_TEXT];
	char key_file[CONFIG_PATH_TEXT];
	uint32_t ttl; /* of the records, also of those that people make */
	unsigned int line; /* of the file, for what is found out later */
};

/* control.conf, checked. Set once at start, read by every thread. */
struct control_config {
	struct ip_endpoint listen;
	struct ip_endpoint tls_listen; /* only when there is a certificate */
	char certificate[CONFIG_PATH_TEXT]; /* "": no TLS; else certificate_key is there too */
	char certificate_key[CONFIG_PATH_TEXT];
	char socket[CONFIG_SOCKET_TEXT];
	char state_dir[CONFIG_PATH_TEXT];
	char vpn_domain[CONFIG_DOMAIN_TEXT];
	char public_url
		[CONFIG_URL_TEXT]; /* of this API for people elsewhere; no slash at its end */
	struct config_region regions[CONFIG_REGIONS_MAX];
	size_t region_count;
	struct config_ports wireguard_ports;
	struct config_ports openvpn_ports;
	struct ip_prefix inner_pool;
	struct ip_addr hub_addresses[CONFIG_HUB_ADDRESSES_MAX];
	size_t hub_address_count;
	struct ip_prefix
		webhook_allow[CONFIG_WEBHOOK_PREFIXES_MAX]; /* not of the internet, and yet */
	size_t webhook_allow_count;
	bool webhook_plain_http; /* also to other machines */
	int64_t webhook_retry_s; /* after the first failure */
	int64_t webhook_attempts;
	struct config_dns dns;
};

/* NULL: control.conf has no such region. */
const struct config_region *control_config_region(
	const struct control_config *config, const char *id);
/*
 * 0, or -EINVAL with "FILE:LINE: reason" in error. text need not end with a NUL; file is only
 * for messages. ret untouched on failure.
 */
int control_config_parse(const char *text, size_t len, const char *file, struct control_config *ret,
	char error[CONFIG_ERROR_TEXT]);
/*
 * Reads and parses a regular file that only its owner and group may write; the secret of dns must
 * be there and be nobody else's. 0 or -errno.
 */
int control_config_load(
	const char *path, struct control_config *ret, char error[CONFIG_ERROR_TEXT]);

#endif
