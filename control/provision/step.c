// SPDX-License-Identifier: Apache-2.0
/*
 * An instance goes Allocated (hub, port), KeysReady, CertificatesReady (OpenVPN's ports with them),
 * DataplaneReady (the hub has said so). Which step is next is read from the instance itself. The
 * last is not ours to do: here it is only watched, and an instance whose hub is silent is degraded
 * until the hub speaks again. DnsPublished goes beside them: nobody waits for it.
 */
#include "control/provision/step.h"

#include "control/provision/dns.h"
#include "control/store/hub.h"
#include "control/store/instance.h"
#include "control/store/openvpn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	CONFIRM_S = 30, /* a hub that runs confirms within a second */
};

/* Writes it only when people would see a difference. */
static int set_outcome(struct store *store, struct instance *i, enum instance_state state,
	enum instance_condition condition, const char *reason, const char *message)
{
	const struct condition *c = &i->conditions[condition];
	char shown[MESSAGE_TEXT];
	(void)snprintf(shown, sizeof(shown), "%s", message);
	if (i->state == state && strcmp(c->reason, reason) == 0 && strcmp(c->message, shown) == 0)
		return 0;
	i->state = state;
	instance_set_condition(i, condition, reason, message, store_now(store));
	int rc = instance_set_state(store, i);
	return rc == 0 ? 1 : rc;
}

static int allocate(struct store *store, const struct control_config *config, struct instance *i)
{
	char message[MESSAGE_TEXT];
	int rc = instance_allocate(
		store, i, config->wireguard_ports.first, config->wireguard_ports.last);
	switch (rc) {
	case 0:
		(void)snprintf(message, sizeof(message), "UDP port %u of a hub in %s.",
			(unsigned int)i->wireguard_port, i->region);
		return set_outcome(
			store, i, INSTANCE_PROVISIONING, CONDITION_ALLOCATED, "Done", message);
	case -EAGAIN:
		(void)snprintf(message, sizeof(message),
			"No hub is enrolled in region %s yet; start nave-node there.", i->region);
		return set_outcome(
			store, i, INSTANCE_PROVISIONING, CONDITION_ALLOCATED, "NoHub", message);
	case -ENOSPC:
		return set_outcome(store, i, INSTANCE_FAILED, CONDITION_ALLOCATED, "NoPort",
			"The hub has no free port; widen wireguard_ports in control.conf, then retry.");
	default:
		return rc;
	}
}

static int make_keys(struct store *store, struct instance *i)
{
	int rc = instance_make_keys(store, i);
	return rc == 0 ? set_outcome(store, i, INSTANCE_PROVISIONING, CONDITION_KEYS_READY, "Done",
		       "The instance has its keys.")
		       : rc;
}

static void condition_of_certificates(const struct instance *i, char ret[MESSAGE_TEXT])
{
	char day[16];
	struct tm tm;
	time_t at = (time_t)i->certificate_renews_at;
	(void)gmtime_r(&at, &tm);
	(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	(void)snprintf(ret, MESSAGE_TEXT,
		"OpenVPN on UDP port %u and TCP port %u; the server's certificate is renewed on %s.",
		(unsigned int)i->openvpn[OPENVPN_UDP].port,
		(unsigned int)i->openvpn[OPENVPN_TCP].port, day);
}

/* Its state stays: neither WireGuard nor an instance that is ready waits for OpenVPN. */
static int make_certificates(struct store *store, const struct control_config *config,
	struct instance *i, const struct certificate_names *names)
{
	char message[MESSAGE_TEXT];
	int rc = i->openvpn[OPENVPN_UDP].port == 0 ? openvpn_allocate(
			 store, i, config->openvpn_ports.first, config->openvpn_ports.last)
						   : 0;
	if (rc == -ENOSPC)
		return set_outcome(store, i, i->state, CONDITION_CERTIFICATES_READY, "NoPort",
			"The hub has no free port for OpenVPN; widen openvpn_ports in control.conf.");
	if (rc == 0)
		rc = openvpn_make_certificates(store, i, names);
	if (rc < 0)
		return rc;
	condition_of_certificates(i, message);
	rc = set_outcome(store, i, i->state, CONDITION_CERTIFICATES_READY, "Done", message);
	return rc < 0 ? rc : 1;
}

static int compare_addresses(const void *a, const void *b)
{
	return ip_addr_compare(a, b);
}

/*
 * Where clients may have connected to: whoever checks the server's name looks for that. Sorted, so
 * that a hub that tells them in another order gets no other certificate.
 */
static int check_certificates(
	struct store *store, const struct control_config *config, struct instance *i)
{
	char fqdn[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT];
	struct hub h;
	int rc = hub_find(store, &i->hub_id, &h);
	if (rc < 0)
		return rc;
	(void)snprintf(fqdn, sizeof(fqdn), "%s.%s", i->hostname, config->vpn_domain);
	struct certificate_names names = {fqdn, h.addresses, h.address_count};
	if (config->hub_address_count > 0) {
		names.addresses = config->hub_addresses;
		names.address_count = config->hub_address_count;
	}
	qsort(h.addresses, h.address_count, sizeof(h.addresses[0]), compare_addresses);
	rc = openvpn_needs_certificate(store, i, &names);
	if (rc > 0)
		rc = make_certificates(store, config, i, &names);
	hub_fini(&h);
	return rc;
}

int step_dns(struct store *store, const struct control_config *config, struct instance *i)
{
	char reason[REASON_TEXT], message[MESSAGE_TEXT];
	struct hub h;
	int rc = hub_find(store, &i->hub_id, &h);
	if (rc < 0)
		return rc;
	rc = dns_condition(store, config, i, &h, reason, message);
	hub_fini(&h);
	if (rc < 0)
		return rc;
	int set = set_outcome(store, i, i->state, CONDITION_DNS_PUBLISHED, reason, message);
	return set == 0 ? rc : set;
}

static int watch(struct store *store, struct instance *i)
{
	struct hub h;
	int rc = hub_find(store, &i->hub_id, &h);
	if (rc < 0)
		return rc;
	bool is_connected = hub_is_connected(&h, store_now(store));
	int64_t waits_since = i->conditions[CONDITION_KEYS_READY].changed_at;
	if (waits_since < i->conditions[CONDITION_DATAPLANE_READY].changed_at)
		waits_since = i->conditions[CONDITION_DATAPLANE_READY].changed_at; /* a retry */
	char message[MESSAGE_TEXT];
	(void)snprintf(message, sizeof(message),
		"Hub %.64s has not reported for %d s; traffic may still flow. Look at its nave-node.",
		h.name, HUB_SILENT_S);
	hub_fini(&h);
	if (i->state == INSTANCE_READY && !is_connected)
		return set_outcome(store, i, INSTANCE_DEGRADED, CONDITION_DATAPLANE_READY,
			"HubSilent", message);
	if (i->state == INSTANCE_PROVISIONING && waits_since + CONFIRM_S < store_now(store))
		return set_outcome(store, i, INSTANCE_FAILED, CONDITION_DATAPLANE_READY,
			is_connected ? "NotConfirmed" : "HubSilent",
			is_connected
				? "The hub reports but has not confirmed the instance; it becomes"
				  " ready when the hub does."
				: message);
	return 0;
}

int step_instance(struct store *store, const struct control_config *config, struct instance *i,
	bool *ret_changed)
{
	int rc;
	if (i->state == INSTANCE_DELETING)
		return 0; /* until its hub has confirmed */
	if (uuid_is_zero(&i->hub_id))
		rc = i->state == INSTANCE_FAILED ? 0 : allocate(store, config, i);
	else if (key_is_zero(&i->public_key))
		rc = make_keys(store, i);
	else
		rc = check_certificates(store, config, i);
	if (rc == 0 && !key_is_zero(&i->public_key))
		rc = step_dns(store, config, i);
	if (rc == 0 && !key_is_zero(&i->public_key))
		rc = watch(store, i);
	*ret_changed = rc > 0;
	return rc < 0 ? rc : 0;
}

static bool is_carried_by(const struct instance *i, const struct hub *h)
{
	return uuid_equal(&i->hub_id, &h->id) && i->state != INSTANCE_DELETING
		&& !key_is_zero(&i->public_key)
		&& strcmp(i->conditions[CONDITION_CERTIFICATES_READY].reason, "Waiting") != 0;
}

int step_confirm(struct store *store, const struct control_config *config, const struct hub *h,
	const struct uuid *id, bool is_ready, const char *reason)
{
	struct instance i;
	int rc = instance_find(store, id, &i);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (is_carried_by(&i, h)) {
		enum instance_state bad = i.conditions[CONDITION_DATAPLANE_READY].is_true
				|| i.state == INSTANCE_DEGRADED
			? INSTANCE_DEGRADED
			: INSTANCE_FAILED;
		rc = is_ready ? set_outcome(store, &i, INSTANCE_READY, CONDITION_DATAPLANE_READY,
			     "Done", "The hub carries it.")
			      : set_outcome(store, &i, bad, CONDITION_DATAPLANE_READY, "HubFailed",
				      reason);
		/* with the report: the hub may have told another address */
		if (rc >= 0)
			rc = step_dns(store, config, &i);
	}
	instance_fini(&i);
	return rc < 0 ? rc : 0;
}
