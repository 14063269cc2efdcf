/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_NODE_CONFIG_H
#define CONTROL_NODE_CONFIG_H

#include "dataplane/base/ip.h"

#include <net/if.h>

enum {
	NODE_PORTS_MAX = 8,
	NODE_PORT_ADDRESSES_MAX = 16,
	NODE_CONFIG_ERROR_TEXT = 512,
	NODE_PATH_MAX = 104, /* a socket's path fits sockaddr_un */
};

/* How Linux sees one port of the dataplane. */
struct node_port {
	char name[32]; /* of dataplane.conf */
	char interface[IFNAMSIZ]; /* under af_packet; empty: the dataplane has the device to itself */
	char tap[IFNAMSIZ];
	struct ip_prefix address[NODE_PORT_ADDRESSES_MAX];
	unsigned int addresses;
	struct ip_addr gateway[NODE_PORT_ADDRESSES_MAX];
	unsigned int gateways;
};

struct node_config {
	char dataplane_socket[NODE_PATH_MAX];
	char control_socket[NODE_PATH_MAX]; /* empty: control_url is reached by TCP */
	char control_url[256];
	char control_ca[256]; /* PEM file that vouches for it; empty: what the system trusts */
	char enrol_token_file
		[256]; /* what this hub comes in with, once; empty: only by the socket */
	char name[65], region[65];
	char state_dir[256];
	char uapi_dir[NODE_PATH_MAX - 24]; /* of the sockets naveN.sock for wg(8) */
	char management_dir[NODE_PATH_MAX - 24]; /* and of those for OpenVPN's tools */
	struct node_port port[NODE_PORTS_MAX];
	unsigned int ports;
};

/* All or nothing: -EINVAL or -errno with "FILE:LINE: reason" in error. */
int node_config_load(const char *path, struct node_config *ret, char error[NODE_CONFIG_ERROR_TEXT]);

#endif
