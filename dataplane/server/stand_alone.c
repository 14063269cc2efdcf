// SPDX-License-Identifier: Apache-2.0
/*
 * A dataplane without a node's instances: those of dataplane.conf, which wg(8) configures at their
 * UAPI sockets. Every peer may reach every other, as with any WireGuard interface that forwards;
 * nothing leads to the internet.
 */
#include "dataplane/api/uapi.h"
#include "dataplane/base/unix_socket.h"
#include "dataplane/keying/keying.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/server.h"
#include "dataplane/server/state.h"
#include "dataplane/server/uapi.h"
#include "dataplane/server/uapi_set.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/route.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int add_host_route(struct instance *i, const struct ip_prefix *address)
{
	struct ip_prefix own = ip_prefix_of(&address->addr);
	return ip_addr_is_zero(&address->addr) ? 0 : route_set(i, &own, ROUTE_HOST, NULL);
}

static int make_instance(
	struct server *s, const struct server_instance *wanted, struct instance **ret)
{
	struct instance_settings settings = {
		.number = wanted->number,
		.mtu = wanted->mtu,
		.flags = INSTANCE_SITE_TO_SITE,
		.address4 = wanted->address4,
		.address6 = wanted->address6,
	};
	static const struct key none;
	int err = uuid_generate(&settings.id);
	if (err == 0)
		err = uapi_choose_port(s, &settings.wireguard_port);
	if (err == 0)
		err = instance_set(s->tables, &settings, ret);
	if (err == 0)
		err = add_host_route(*ret, &wanted->address4);
	if (err == 0)
		err = add_host_route(*ret, &wanted->address6);
	return err == 0 ? keying_instance_set(s->keying, *ret, &none) : err;
}

int server_stand_alone(struct server *server, const char *uapi_dir,
	const struct server_instance *instance, unsigned int count)
{
	server->stand_alone = true;
	if (mkdir(uapi_dir, DP_UAPI_FOLDER_MODE) != 0 && errno != EEXIST)
		return -errno;
	for (unsigned int n = 0; n < count; n++) {
		char path[256], name[DP_UAPI_NAME];
		struct instance *i;
		int fd;
		int err = make_instance(server, &instance[n], &i);
		if (err != 0)
			return err;
		(void)snprintf(path, sizeof(path), "%s/%s", uapi_dir,
			dp_uapi_name(instance[n].number, name));
		err = unix_socket_listen(
			path, SOCK_STREAM, DP_UAPI_MODE, UAPI_CONNECTIONS_MAX, &fd);
		if (err == 0)
			err = instance_socket_listen(&server->uapi, i, fd);
		if (err != 0)
			return err;
	}
	return 0;
}
