// SPDX-License-Identifier: Apache-2.0
#include "control/http/instance_json.h"

#include "control/http/api_internal.h"
#include "control/http/value.h"
#include "control/model/openvpn_json.h"
#include "control/provision/dns.h"
#include "control/store/hub.h"
#include "control/store/store.h"

#include <stdio.h>
#include <string.h>

size_t instance_hub_addresses(
	struct api *api, const struct instance *i, struct ip_addr ret[HUB_ADDRESSES_MAX])
{
	struct hub h = {0};
	/* what the operator says stands without a hub, too */
	if (api->config->hub_address_count > 0)
		return dns_addresses(api->config, &h, ret);
	if (uuid_is_zero(&i->hub_id) || hub_find(api->store, &i->hub_id, &h) < 0)
		return 0;
	size_t count = dns_addresses(api->config, &h, ret);
	hub_fini(&h);
	return count;
}

bool instance_hub_endpoint(struct api *api, const struct instance *i, struct ip_addr *ret)
{
	struct ip_addr list[HUB_ADDRESSES_MAX];
	if (instance_hub_addresses(api, i, list) == 0)
		return false;
	*ret = list[0];
	return true;
}

static json_t *conditions_json(const struct instance *i)
{
	json_t *list = json_array();
	for (int c = 0; c < CONDITION__COUNT; c++) {
		const struct condition *k = &i->conditions[c];
		(void)json_array_append_new(list,
			json_pack("{s:s, s:b, s:s, s:s, s:o}", "type", instance_condition_text(c),
				"status", (int)k->is_true, "reason", k->reason, "message",
				k->message, "last_transition_at", value_time(k->changed_at)));
	}
	return list;
}

static json_t *dns_json(const struct instance_dns *dns)
{
	json_t *servers = json_array();
	json_t *domains = json_array();
	for (size_t i = 0; i < dns->server_count; i++) {
		char text[IP_ADDR_TEXT];
		(void)json_array_append_new(
			servers, json_string(ip_addr_format(&dns->servers[i], text)));
	}
	for (size_t i = 0; i < dns->domain_count; i++)
		(void)json_array_append_new(domains, json_string(dns->domains[i]));
	return json_pack("{s:o, s:o}", "servers", servers, "search_domains", domains);
}

static json_t *client_routes_json(const struct instance *i)
{
	switch (i->client_routes) {
	case CLIENT_ROUTES_PRIVATE:
		return json_string("private");
	case CLIENT_ROUTES_ADVERTISED:
		return json_string("advertised");
	case CLIENT_ROUTES_LIST:
		break;
	}
	return value_prefixes(&i->route_list);
}

static json_t *endpoint_json(struct api *api, const struct instance *i)
{
	char text[IP_ADDR_TEXT], key[KEY_BASE64_TEXT];
	struct ip_addr addr;
	if (key_is_zero(&i->public_key))
		return json_null();
	bool known = instance_hub_endpoint(api, i, &addr);
	return json_pack("{s:s?, s:i, s:s}", "address", known ? ip_addr_format(&addr, text) : NULL,
		"port", (int)i->wireguard_port, "public_key", key_to_base64(&i->public_key, key));
}

static json_t *openvpn_endpoint_json(
	struct api *api, const struct instance *i, enum openvpn_transport transport)
{
	char text[IP_ADDR_TEXT];
	struct ip_addr addr;
	if (i->openvpn[transport].port == 0 || i->certificate_renews_at == 0)
		return json_null();
	bool known = instance_hub_endpoint(api, i, &addr);
	return json_pack("{s:s?, s:i}", "address", known ? ip_addr_format(&addr, text) : NULL,
		"port", (int)i->openvpn[transport].port);
}

static json_t *endpoints_json(struct api *api, const struct instance *i)
{
	return json_pack("{s:o, s:o, s:o}", "wireguard", endpoint_json(api, i), "openvpn_udp",
		openvpn_endpoint_json(api, i, OPENVPN_UDP), "openvpn_tcp",
		openvpn_endpoint_json(api, i, OPENVPN_TCP));
}

static json_t *fqdn_json(const struct api *api, const struct instance *i)
{
	char fqdn[HOSTNAME_TEXT + CONFIG_DOMAIN_TEXT];
	(void)snprintf(fqdn, sizeof(fqdn), "%s.%s", i->hostname, api->config->vpn_domain);
	return json_string(fqdn);
}

json_t *instance_json(struct api *api, const struct instance *i)
{
	json_t *j = json_pack("{s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:o}", "id", value_uuid(&i->id),
		"workspace_id", value_uuid(store_workspace(api->store)), "name", i->name,
		"hostname", i->hostname, "fqdn", fqdn_json(api, i), "region", i->region, "state",
		instance_state_text(i->state), "conditions", conditions_json(i));
	json_t *rest = json_pack(
		"{s:{s:o, s:o}, s:o, s:{s:o}, s:{s:b, s:b, s:b}, s:{s:o, s:o}, s:i, s:o,"
		" s:O, s:o}",
		"networks", "ipv4", value_prefix(&i->networks[0]), "ipv6",
		value_prefix(&i->networks[1]), "dns", dns_json(&i->dns), "routing", "client_routes",
		client_routes_json(i), "access", "site_to_site", (int)i->access.site_to_site,
		"client_to_site", (int)i->access.client_to_site, "client_to_client",
		(int)i->access.client_to_client, "openvpn", "udp",
		openvpn_listener_json(&i->openvpn[OPENVPN_UDP]), "tcp",
		openvpn_listener_json(&i->openvpn[OPENVPN_TCP]), "mtu", (int)i->mtu, "endpoints",
		endpoints_json(api, i), "labels", i->labels, "created_at",
		value_time(i->created_at));
	if (j == NULL || rest == NULL || json_object_update(j, rest) < 0) {
		json_decref(j);
		j = NULL;
	}
	json_decref(rest);
	return j;
}

static void read_network(
	const json_t *v, const char *pointer, struct ip_prefix *ret, struct model_errors *errors)
{
	if (!json_is_string(v) || !subnet_parse(json_string_value(v), pointer, ret, errors))
		return;
	/* further on a length of 0 stands for a network that is still to be chosen */
	if (ret->len == 0)
		model_error_add(errors, pointer, "must not be all addresses");
}

static void read_servers(const json_t *list, struct instance_dns *ret, struct model_errors *errors)
{
	char pointer[MODEL_POINTER_TEXT];
	size_t i;
	json_t *item;
	ret->server_count = 0;
	if (json_array_size(list) > DNS_SERVERS_MAX)
		model_error_add(
			errors, "/dns/servers", "has more than %d entries", DNS_SERVERS_MAX);
	json_array_foreach(list, i, item)
	{
		if (ret->server_count == DNS_SERVERS_MAX)
			return;
		subnet_pointer(pointer, "dns/servers", i);
		if (ip_addr_parse(json_string_value(item), &ret->servers[ret->server_count]) == 0)
			ret->server_count++;
		else
			model_error_add(errors, pointer, "must be an IP address");
	}
}

static void read_domains(const json_t *list, struct instance_dns *ret, struct model_errors *errors)
{
	char pointer[MODEL_POINTER_TEXT];
	size_t i;
	json_t *item;
	ret->domain_count = 0;
	if (json_array_size(list) > DNS_DOMAINS_MAX)
		model_error_add(
			errors, "/dns/search_domains", "has more than %d entries", DNS_DOMAINS_MAX);
	json_array_foreach(list, i, item)
	{
		if (ret->domain_count == DNS_DOMAINS_MAX)
			return;
		subnet_pointer(pointer, "dns/search_domains", i);
		if (value_read_text(item, pointer, ret->domains[ret->domain_count], DNS_DOMAIN_TEXT,
			    errors))
			ret->domain_count++;
	}
}

static void read_client_routes(const json_t *v, struct instance *i, struct model_errors *errors)
{
	const char *word = json_string_value(v);
	i->route_list.count = 0;
	if (json_is_array(v)) {
		i->client_routes = CLIENT_ROUTES_LIST;
		(void)value_read_prefixes(v, "routing/client_routes", &i->route_list, errors);
	} else if (word == NULL || strcmp(word, "private") == 0) {
		i->client_routes = CLIENT_ROUTES_PRIVATE;
	} else if (strcmp(word, "advertised") == 0) {
		i->client_routes = CLIENT_ROUTES_ADVERTISED;
	} else {
		model_error_add(errors, "/routing/client_routes",
			"must be \"private\", \"advertised\" or a list of prefixes");
	}
}

static bool flag(const json_t *object, const char *name, bool otherwise)
{
	const json_t *v = json_object_get(object, name);
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

void instance_read(struct instance *i, const json_t *json, struct model_errors *errors)
{
	const json_t *networks = json_object_get(json, "networks"),
		     *access = json_object_get(json, "access"), *dns = json_object_get(json, "dns");
	const json_t *mtu = json_object_get(json, "mtu"),
		     *openvpn = json_object_get(json, "openvpn");
	json_t *labels = json_object_get(json, "labels");
	(void)value_read_text(
		json_object_get(json, "name"), "/name", i->name, sizeof(i->name), errors);
	read_network(json_object_get(networks, "ipv4"), "/networks/ipv4", &i->networks[0], errors);
	read_network(json_object_get(networks, "ipv6"), "/networks/ipv6", &i->networks[1], errors);
	read_servers(json_object_get(dns, "servers"), &i->dns, errors);
	read_domains(json_object_get(dns, "search_domains"), &i->dns, errors);
	read_client_routes(
		json_object_get(json_object_get(json, "routing"), "client_routes"), i, errors);
	i->access = (struct instance_access){
		flag(access, "site_to_site", true),
		flag(access, "client_to_site", true),
		flag(access, "client_to_client", false),
	};
	openvpn_listener_read(&i->openvpn[OPENVPN_UDP], OPENVPN_UDP,
		json_object_get(openvpn, "udp"), "/openvpn/udp", errors);
	openvpn_listener_read(&i->openvpn[OPENVPN_TCP], OPENVPN_TCP,
		json_object_get(openvpn, "tcp"), "/openvpn/tcp", errors);
	json_int_t value = json_is_integer(mtu) ? json_integer_value(mtu) : INSTANCE_MTU_DEFAULT;
	/* what does not fit the field is refused by its check all the same */
	i->mtu = value >= 0 && value <= UINT16_MAX ? (uint16_t)value : 0;
	json_decref(i->labels);
	i->labels = labels != NULL ? json_deep_copy(labels) : json_object();
}
