/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_PROVISION_DNS_H
#define CONTROL_PROVISION_DNS_H

#include "control/config.h"
#include "control/model/instance.h"
#include "control/store/dns_name.h"
#include "control/store/hub.h"

/*
 * Where clients reach a hub: what control.conf says, else what the hub tells. IPv4 first, each
 * family in its order. Their number.
 */
size_t dns_addresses(const struct control_config *config, const struct hub *h,
	struct ip_addr ret[HUB_ADDRESSES_MAX]);

/*
 * The condition DnsPublished of an instance on hub h. With a DNS server, what the name is to have
 * is noted for the publisher. Inside a transaction. 1: something was written, 0, or -errno.
 */
int dns_condition(struct store *store, const struct control_config *config,
	const struct instance *i, const struct hub *h, char ret_reason[REASON_TEXT],
	char ret_message[MESSAGE_TEXT]);

/* "60 203.0.113.1 2001:db8::1" as addresses. Their number. */
size_t dns_wanted_read(
	const char *wanted, uint32_t *ret_ttl, struct ip_addr ret[HUB_ADDRESSES_MAX]);

#endif
