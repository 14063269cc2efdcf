// SPDX-License-Identifier: Apache-2.0
/*
 * Every field is checked by its reader; the first that does not fit refuses the whole answer. Only
 * when everything was read and there is room for the result is the old state touched: its objects
 * move over, in one walk over two sorted lists.
 */
#include "control/node/desired.h"

#include "control/node/desired_openvpn.h"
#include "control/node/id_list.h"
#include "control/node/read.h"
#include "dataplane/api/capture.h"
#include "dataplane/api/instance.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int read_instance(const struct reader *r, const json_t *o, struct desired_instance *ret)
{
	const json_t *wireguard = json_object_get(o, "wireguard"),
		     *addresses = json_object_get(o, "addresses");
	const json_t *access = json_object_get(o, "access"), *egress = json_object_get(o, "egress");
	uint64_t number = 0;
	memset(ret, 0, sizeof(*ret));
	if (read_id(r, o, "id", &ret->id) != 0
		|| read_number(r, o, "number", UINT16_MAX, &number) != 0
		|| read_key(r, wireguard, "private_key", &ret->private_key) != 0
		|| read_number16(r, wireguard, "port", &ret->port) != 0
		|| read_number16(r, o, "mtu", &ret->mtu) != 0
		|| read_prefix(r, addresses, "ipv4", &ret->address4) != 0
		|| read_prefix(r, addresses, "ipv6", &ret->address6) != 0
		|| read_flag(r, access, "site_to_site", &ret->site_to_site) != 0
		|| read_flag(r, access, "client_to_site", &ret->client_to_site) != 0
		|| read_flag(r, access, "client_to_client", &ret->client_to_client) != 0
		|| read_flag(r, egress, "ipv4", &ret->egress4) != 0
		|| read_flag(r, egress, "ipv6", &ret->egress6) != 0)
		return -EINVAL;
	ret->number = (uint32_t)number;
	if (number == 0 || ret->port == 0)
		return read_refuse(r, "number and port must not be 0");
	if (ret->mtu < DP_MTU_MIN || ret->mtu > DP_MTU_MAX)
		return read_refuse(r, "mtu must be %d to %d", DP_MTU_MIN, DP_MTU_MAX);
	if (!ip_prefix_is_v4(&ret->address4) || ip_prefix_is_v4(&ret->address6))
		return read_refuse(r, "addresses.ipv4 and ipv6 must be of their families");
	int err = desired_openvpn_read(r, json_object_get(o, "openvpn"), &ret->openvpn);
	if (err == 0 && ret->openvpn != NULL && ret->openvpn->routes.count > DP_PUSH_ROUTES_MAX)
		log_message(LOG_LEVEL_WARNING,
			"instance nave%u: clients of OpenVPN are told %d of its %u routes; give sites fewer"
			" and wider subnets",
			ret->number, DP_PUSH_ROUTES_MAX, ret->openvpn->routes.count);
	return err;
}

static int read_peer_addresses(const struct reader *r, const json_t *o, struct desired_peer *ret)
{
	const json_t *list = json_object_get(o, "addresses");
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > DESIRED_ADDRESSES_MAX)
		return read_refuse(
			r, "addresses must be a list of at most %d", DESIRED_ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (text == NULL || ip_addr_parse(text, &ret->address[i]) != 0)
			return read_refuse(r, "addresses: element %zu is no address", i);
	}
	ret->addresses = (unsigned int)count;
	return 0;
}

static int read_optional(const struct reader *r, const json_t *o, struct desired_peer *ret)
{
	const json_t *psk = json_object_get(o, "preshared_key"),
		     *allowed = json_object_get(o, "allowed_destinations");
	const json_t *expires = json_object_get(o, "expires_at"),
		     *endpoint = json_object_get(o, "endpoint");
	ret->has_preshared_key = psk != NULL && !json_is_null(psk);
	if (ret->has_preshared_key && read_key(r, o, "preshared_key", &ret->preshared_key) != 0)
		return -EINVAL;
	ret->allowed_any = allowed == NULL || json_is_null(allowed);
	if (!ret->allowed_any
		&& read_prefixes(
			   r, allowed, "allowed_destinations", DESIRED_PREFIXES_MAX, &ret->allowed)
			!= 0)
		return -EINVAL;
	if (expires != NULL && !json_is_null(expires)
		&& read_number(r, o, "expires_at", INT64_MAX, &ret->expires_at) != 0)
		return -EINVAL;
	/* a hint: one that makes no sense is none */
	if (json_is_string(endpoint)
		&& ip_endpoint_parse(json_string_value(endpoint), &ret->endpoint) != 0)
		memset(&ret->endpoint, 0, sizeof(ret->endpoint));
	return desired_credentials_read(r, json_object_get(o, "openvpn"), &ret->openvpn);
}

/* A peer that speaks OpenVPN alone needs no key; what it has nevertheless waits for another day. */
static int read_protocol(const struct reader *r, const json_t *o, struct desired_peer *ret)
{
	static const char *const words[] = {
		[DESIRED_WIREGUARD] = "wireguard",
		[DESIRED_OPENVPN] = "openvpn",
		[DESIRED_ANY] = "any",
	};
	uint8_t protocol = DESIRED_WIREGUARD;
	if (json_object_get(o, "protocol") != NULL
		&& read_word(r, o, "protocol", words, DESIRED_ANY + 1, &protocol) != 0)
		return -EINVAL;
	ret->protocol = protocol;
	if (protocol == DESIRED_OPENVPN && json_is_null(json_object_get(o, "public_key")))
		return 0;
	return read_key(r, o, "public_key", &ret->public_key);
}

static int read_peer(const struct reader *r, const json_t *o, struct desired_peer *ret)
{
	const char *type;
	memset(ret, 0, sizeof(*ret));
	if (read_id(r, o, "id", &ret->id) != 0 || read_id(r, o, "instance_id", &ret->instance) != 0
		|| read_text(r, o, "type", &type) != 0 || read_protocol(r, o, ret) != 0
		|| read_flag(r, o, "route_all", &ret->route_all) != 0
		|| read_number16(r, o, "keepalive", &ret->keepalive) != 0
		|| read_prefixes(r, json_object_get(o, "subnets"), "subnets", DESIRED_PREFIXES_MAX,
			   &ret->subnets)
			!= 0
		|| read_peer_addresses(r, o, ret) != 0)
		return -EINVAL;
	const json_t *reset = json_object_get(o, "timestamp_reset");
	if (reset != NULL
		&& read_number(r, o, "timestamp_reset", INT64_MAX, &ret->timestamp_reset) != 0)
		return -EINVAL;
	const json_t *timestamp = json_object_get(o, "timestamp");
	if (timestamp != NULL && !json_is_null(timestamp)
		&& read_hex(r, o, "timestamp", ret->timestamp, sizeof(ret->timestamp)) != 0)
		return -EINVAL;
	ret->is_site = strcmp(type, "site") == 0;
	if (!ret->is_site && strcmp(type, "client") != 0)
		return read_refuse(r, "type must be site or client");
	return read_optional(r, o, ret);
}

static void fini_peer(struct desired_peer *p)
{
	free(p->subnets.prefix);
	free(p->allowed.prefix);
	desired_credentials_free(p->openvpn);
	explicit_bzero(p, sizeof(*p));
}

static void fini_instance(struct desired_instance *i)
{
	desired_openvpn_free(i->openvpn);
	explicit_bzero(i, sizeof(*i));
}

void desired_fini(struct desired *d)
{
	for (unsigned int i = 0; i < d->peers; i++)
		fini_peer(&d->peer[i]);
	for (unsigned int i = 0; i < d->instances; i++)
		fini_instance(&d->instance[i]);
	free(d->instance);
	free(d->peer);
	free(d->capture);
	memset(d, 0, sizeof(*d));
}

/* An answer as it was read. */
struct answer {
	struct desired told; /* with "full", epoch and generation it is everything */
	bool full;
	struct id_list gone_instances, gone_peers;
};

static void fini_answer(struct answer *a)
{
	desired_fini(&a->told);
	free(a->gone_instances.id);
	free(a->gone_peers.id);
}

static int read_deleted(const struct reader *r, struct answer *a, const json_t *list)
{
	size_t at, room = json_array_size(list) + 1;
	const json_t *o;
	a->gone_instances.id = calloc(room, sizeof(struct uuid));
	a->gone_peers.id = calloc(room, sizeof(struct uuid));
	if (a->gone_instances.id == NULL || a->gone_peers.id == NULL)
		return -ENOMEM;
	json_array_foreach(list, at, o)
	{
		const char *kind;
		if (read_text(r, o, "kind", &kind) != 0)
			return -EINVAL;
		bool is_peer = strcmp(kind, "peer") == 0;
		if (!is_peer && strcmp(kind, "instance") != 0)
			return read_refuse(r, "deleted: kind must be instance or peer");
		struct id_list *l = is_peer ? &a->gone_peers : &a->gone_instances;
		if (read_id(r, o, "id", &l->id[l->count++]) != 0)
			return -EINVAL;
	}
	qsort(a->gone_instances.id, a->gone_instances.count, sizeof(struct uuid), id_compare);
	qsort(a->gone_peers.id, a->gone_peers.count, sizeof(struct uuid), id_compare);
	return 0;
}

/* Sorts, and finds one that is told twice. */
static int sort_objects(const struct reader *r, void *array, unsigned int count, size_t size)
{
	const char *object = array;
	qsort(array, count, size, id_compare);
	for (unsigned int i = 1; i < count; i++) {
		char id[UUID_TEXT];
		if (id_compare(object + (i - 1) * size, object + i * size) == 0)
			return read_refuse(r, "%s is told twice",
				uuid_format((const struct uuid *)(const void *)(object + i * size),
					id));
	}
	return 0;
}

static int read_objects(
	const struct reader *r, struct desired *d, const json_t *instances, const json_t *peers)
{
	size_t at;
	const json_t *o;
	d->instance = calloc(json_array_size(instances) + 1, sizeof(d->instance[0]));
	d->peer = calloc(json_array_size(peers) + 1, sizeof(d->peer[0]));
	if (d->instance == NULL || d->peer == NULL)
		return -ENOMEM;
	json_array_foreach(instances, at, o)
	{
		int err = read_instance(r, o, &d->instance[d->instances++]);
		if (err != 0)
			return err;
	}
	json_array_foreach(peers, at, o)
	{
		int err = read_peer(r, o, &d->peer[d->peers++]);
		if (err != 0)
			return err;
	}
	int err = sort_objects(r, d->instance, d->instances, sizeof(d->instance[0]));
	return err == 0 ? sort_objects(r, d->peer, d->peers, sizeof(d->peer[0])) : err;
}

static int read_capture(const struct reader *r, const json_t *o, struct desired_capture *ret)
{
	const char *side = NULL;
	uint64_t seconds = 0, max_bytes = 0;
	if (read_id(r, o, "id", &ret->id) != 0 || read_id(r, o, "peer_id", &ret->peer) != 0
		|| read_text(r, o, "side", &side) != 0
		|| read_number(r, o, "seconds", DP_CAPTURE_SECONDS_MAX, &seconds) != 0
		|| read_number(r, o, "max_bytes", DP_CAPTURE_BYTES_MAX, &max_bytes) != 0)
		return -EINVAL;
	ret->is_inner = strcmp(side, "inner") == 0;
	ret->seconds = (uint32_t)seconds;
	ret->max_bytes = (uint32_t)max_bytes;
	return ret->is_inner || strcmp(side, "outer") == 0
		? 0
		: read_refuse(r, "captures: side must be inner or outer");
}

static int read_captures(const struct reader *r, const json_t *list, struct desired *d)
{
	size_t at;
	const json_t *o;
	int err = 0;
	d->capture = calloc(json_array_size(list) + 1, sizeof(d->capture[0]));
	if (d->capture == NULL)
		return -ENOMEM;
	json_array_foreach(list, at, o)
	{
		if (err == 0)
			err = read_capture(r, o, &d->capture[d->captures++]);
	}
	return err;
}

static int read_answer(const struct reader *r, const json_t *root, struct answer *a)
{
	const json_t *instances = json_object_get(root, "instances"),
		     *peers = json_object_get(root, "peers");
	const json_t *deleted = json_object_get(root, "deleted");
	if (read_id(r, root, "epoch", &a->told.epoch) != 0
		|| read_number(r, root, "generation", INT64_MAX, &a->told.generation) != 0
		|| read_flag(r, root, "full", &a->full) != 0)
		return -EINVAL;
	if (!json_is_array(instances) || !json_is_array(peers) || !json_is_array(deleted))
		return read_refuse(r, "instances, peers and deleted must be lists");
	a->told.known = true;
	int err = read_deleted(r, a, deleted);
	if (err == 0)
		err = read_captures(r, json_object_get(root, "captures"), &a->told);
	return err == 0 ? read_objects(r, &a->told, instances, peers) : err;
}

/* What is not taken over is freed, so that neither list owns anything afterwards. So are peers below. */
static void merge_instances(struct desired *new, struct desired *old, struct answer *a)
{
	struct desired *told = &a->told;
	unsigned int t = 0;
	for (unsigned int i = 0; i < old->instances; i++) {
		struct desired_instance *o = &old->instance[i];
		while (t < told->instances && id_compare(&told->instance[t], o) < 0)
			new->instance[new->instances++] = told->instance[t++];
		bool replaced = t < told->instances && id_compare(&told->instance[t], o) == 0;
		if (replaced || id_list_has(&a->gone_instances, &o->id))
			fini_instance(o);
		else
			new->instance[new->instances++] = *o;
	}
	while (t < told->instances)
		new->instance[new->instances++] = told->instance[t++];
	explicit_bzero(old->instance, old->instances * sizeof(old->instance[0]));
	old->instances = 0;
	explicit_bzero(told->instance, told->instances * sizeof(told->instance[0]));
	told->instances = 0;
}

static void merge_peers(struct desired *new, struct desired *old, struct answer *a)
{
	struct desired *told = &a->told;
	unsigned int t = 0;
	for (unsigned int i = 0; i < old->peers; i++) {
		struct desired_peer *o = &old->peer[i];
		while (t < told->peers && id_compare(&told->peer[t], o) < 0)
			new->peer[new->peers++] = told->peer[t++];
		bool replaced = t < told->peers && id_compare(&told->peer[t], o) == 0;
		if (replaced || id_list_has(&a->gone_peers, &o->id)
			|| id_list_has(&a->gone_instances, &o->instance))
			fini_peer(o);
		else
			new->peer[new->peers++] = *o;
	}
	while (t < told->peers)
		new->peer[new->peers++] = told->peer[t++];
	explicit_bzero(old->peer, old->peers * sizeof(old->peer[0]));
	old->peers = 0;
	explicit_bzero(told->peer, told->peers * sizeof(told->peer[0]));
	told->peers = 0;
}

static int take(struct desired *d, struct answer *a)
{
	struct desired new = a->told;
	if (a->full || !d->known) {
		a->told = (struct desired){0};
		desired_fini(d);
		*d = new;
		return 0;
	}
	new.instances = 0;
	new.peers = 0;
	new.instance = calloc(d->instances + a->told.instances + 1, sizeof(new.instance[0]));
	new.peer = calloc(d->peers + a->told.peers + 1, sizeof(new.peer[0]));
	if (new.instance == NULL || new.peer == NULL) {
		free(new.instance);
		free(new.peer);
		return -ENOMEM;
	}
	merge_instances(&new, d, a);
	merge_peers(&new, d, a);
	a->told.capture = NULL; /* moved into new */
	desired_fini(d);
	*d = new;
	return 0;
}

int desired_merge(struct desired *d, const char *json, size_t len, char error[DESIRED_ERROR_TEXT])
{
	struct reader r = {error};
	struct answer a = {0};
	json_error_t where;
	error[0] = '\0';
	json_t *root = json_loadb(json, len, JSON_REJECT_DUPLICATES, &where);
	if (root == NULL)
		return read_refuse(&r, "line %d: %s", where.line, where.text);
	int err = json_is_object(root) ? read_answer(&r, root, &a)
				       : read_refuse(&r, "must be an object");
	json_decref(root);
	if (err == 0)
		err = take(d, &a);
	fini_answer(&a);
	return err;
}
