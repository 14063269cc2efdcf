/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_MODEL_INSTANCE_H
#define CONTROL_MODEL_INSTANCE_H

#include "control/model/error.h"
#include "control/model/hostname.h"
#include "control/model/name.h"
#include "control/model/openvpn.h"
#include "control/model/subnet.h"
#include "dataplane/base/ip.h"
#include "dataplane/base/key.h"
#include "dataplane/base/uuid.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	REGION_TEXT = 33,
	REASON_TEXT = 64,
	MESSAGE_TEXT = 512, /* DNS records to be copied among it */
	INSTANCE_MTU_MIN = 1280,
	INSTANCE_MTU_MAX = 9000,
	INSTANCE_MTU_DEFAULT = 1420,
	DNS_SERVERS_MAX = 8,
	DNS_DOMAINS_MAX = 8,
	DNS_DOMAIN_TEXT = 254,
};

enum instance_state {
	INSTANCE_PROVISIONING,
	INSTANCE_READY,
	INSTANCE_DEGRADED,
	INSTANCE_FAILED,
	INSTANCE_DELETING, /* until its hub has confirmed */
};

enum client_routes {
	CLIENT_ROUTES_PRIVATE, /* RFC 1918, the instance's ULA, advertised subnets outside them */
	CLIENT_ROUTES_ADVERTISED, /* the instance's networks and advertised subnets */
	CLIENT_ROUTES_LIST, /* exactly route_list */
};

/* The steps that make an instance, in their order. */
enum instance_condition {
	CONDITION_ALLOCATED,
	CONDITION_KEYS_READY,
	CONDITION_CERTIFICATES_READY,
	CONDITION_DNS_PUBLISHED,
	CONDITION_DATAPLANE_READY,
	CONDITION__COUNT,
};

struct condition {
	bool is_true;
	char reason[REASON_TEXT]; /* one word for scripts */
	char message[MESSAGE_TEXT]; /* a sentence for people */
	int64_t changed_at; /* unix seconds */
};

struct instance_access {
	bool site_to_site;
	bool client_to_site;
	bool client_to_client;
};

struct instance_dns {
	struct ip_addr servers[DNS_SERVERS_MAX];
	size_t server_count;
	char domains[DNS_DOMAINS_MAX][DNS_DOMAIN_TEXT];
	size_t domain_count;
};

struct instance {
	struct uuid id;
	uint32_t number; /* names its devices on the hub; never reused */
	char name[NAME_TEXT];
	char hostname[HOSTNAME_TEXT];
	char region[REGION_TEXT];
	struct uuid hub_id; /* zero: none yet */
	struct ip_prefix networks[2]; /* IPv4, IPv6; len 0: to be chosen */
	uint16_t mtu;
	uint16_t wireguard_port; /* 0: none yet */
	struct key public_key; /* zero: none yet */
	struct openvpn_listener openvpn[OPENVPN__TRANSPORTS];
	int64_t certificate_renews_at; /* of its OpenVPN server; 0: there is none yet */
	struct instance_access access;
	struct instance_dns dns;
	enum client_routes client_routes;
	struct subnets route_list;
	json_t *labels; /* owned object */
	enum instance_state state;
	struct condition conditions[CONDITION__COUNT];
	int64_t created_at;
	uint64_t version;
};

void instance_init(struct instance *i);
void instance_fini(struct instance *i);
/* Everything that can be checked without the store; hostname is folded in place. */
void instance_check(struct instance *i, struct model_errors *errors);
const char *instance_state_text(enum instance_state state);
const char *instance_condition_text(enum instance_condition condition);
/* Does it change what split clients are told to send in when a site advertises this, or no longer? */
bool instance_routes_depend_on(const struct instance *i, const struct subnets *advertised);
/* The hub's own address in network 0 (IPv4) or 1: its first host. */
struct ip_addr instance_hub_address(const struct instance *i, unsigned int network);

#endif
