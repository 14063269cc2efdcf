// SPDX-License-Identifier: Apache-2.0
#include "control/node/instance_socket.h"

#include "dataplane/api/instance.h"
#include "dataplane/api/management.h"
#include "dataplane/api/uapi.h"
#include "dataplane/base/unix_socket.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	BACKLOG = 16,
};

/* What is spoken there. */
struct kind {
	const char *dir;
	mode_t dir_mode, mode;
	enum dp_msg_type set; /* a message that names the instance alone */
	bool (*has)(const struct dp_instance *i);
};

enum {
	KINDS = 2,
};

static_assert(sizeof(struct dp_uapi_set) == sizeof(struct uuid)
	&& sizeof(struct dp_management_set) == sizeof(struct uuid));

static bool has_uapi(const struct dp_instance *i)
{
	return i->has_uapi == 1;
}

static bool has_management(const struct dp_instance *i)
{
	return i->has_management == 1;
}

static void list_kinds(const struct node_config *c, struct kind ret[KINDS])
{
	ret[0] = (struct kind){
		c->uapi_dir, DP_UAPI_FOLDER_MODE, DP_UAPI_MODE, DP_MSG_UAPI_SET, has_uapi};
	ret[1] = (struct kind){c->management_dir, DP_MANAGEMENT_FOLDER_MODE, DP_MANAGEMENT_MODE,
		DP_MSG_MANAGEMENT_SET, has_management};
}

static const char *path_of(const struct kind *k, uint32_t number, char ret[NODE_PATH_MAX])
{
	char name[DP_UAPI_NAME];
	(void)snprintf(ret, NODE_PATH_MAX, "%s/%s", k->dir, dp_uapi_name(number, name));
	return ret;
}

/* The number in "naveN.sock"; 0: not one of ours. */
static uint32_t socket_number(const char *name)
{
	unsigned int number;
	char canonical[DP_UAPI_NAME];
	if (sscanf(name, "nave%5u", &number) != 1) // NOLINT(cert-err34-c): checked below
		return 0;
	return strcmp(name, dp_uapi_name(number, canonical)) == 0 ? number : 0;
}

static bool is_wanted(const struct objects *wanted, uint32_t number)
{
	for (unsigned int i = 0; wanted != NULL && i < wanted->instances; i++) {
		if (wanted->instance[i].number == number)
			return true;
	}
	return false;
}

/* wanted NULL: nobody is. A socket that is answered may be another hub's, unless all must go. */
static void remove_sockets(const struct kind *k, const struct objects *wanted)
{
	char path[NODE_PATH_MAX];
	DIR *dir = opendir(k->dir);
	if (dir == NULL)
		return;
	const struct dirent *e;
	while ((e = readdir(dir)) != NULL) { // NOLINT(concurrency-mt-unsafe): our own DIR
		uint32_t number = socket_number(e->d_name);
		if (number == 0 || is_wanted(wanted, number))
			continue;
		if (wanted == NULL || unix_socket_is_stale(path_of(k, number, path), SOCK_STREAM))
			(void)unlink(path_of(k, number, path));
	}
	(void)closedir(dir);
}

struct wanting {
	const struct kind *kind;
	const struct objects *wanted;
	struct {
		struct uuid instance;
		uint32_t number;
	} * socket; /* room for all that are wanted */
	unsigned int count;
};

static int take_instance(void *ctx, const uint8_t *payload, size_t len)
{
	struct wanting *m = ctx;
	struct dp_instance i;
	char path[NODE_PATH_MAX];
	memcpy(&i, payload, sizeof(i));
	bool whole = m->kind->has(&i) && access(path_of(m->kind, i.number, path), F_OK) == 0;
	if (whole || m->count == m->wanted->instances || !is_wanted(m->wanted, i.number))
		return 0;
	m->socket[m->count].instance = i.id;
	m->socket[m->count++].number = i.number;
	return 0;
}

static int give_socket(const struct kind *k, const struct uuid *instance, uint32_t number,
	struct dp_client *dp, struct faults *missing)
{
	char path[NODE_PATH_MAX];
	int fd;
	int err = unix_socket_listen(path_of(k, number, path), SOCK_STREAM, k->mode, BACKLOG, &fd);
	if (err == 0) {
		err = dp_client_call(dp, k->set, instance, sizeof(*instance), fd, NULL);
		(void)close(fd);
	}
	if (err != 0)
		faults_add(missing, instance, "%s: %s", path,
			err == -EADDRINUSE ? "another program answers there"
					   : strerrordesc_np(-err));
	return dp_client_is_broken(dp) ? err : 0;
}

static int apply_kind(const struct kind *k, const struct objects *wanted, struct dp_client *dp,
	struct faults *missing)
{
	struct wanting m = {.kind = k, .wanted = wanted};
	if (mkdir(k->dir, k->dir_mode) == 0 || errno == EEXIST)
		remove_sockets(k, wanted);
	m.socket = calloc(wanted->instances + 1, sizeof(m.socket[0]));
	if (m.socket == NULL)
		return -ENOMEM;
	int err = dp_client_list(dp, DP_MSG_INSTANCE_LIST, NULL, 0, take_instance, &m);
	for (unsigned int i = 0; err == 0 && i < m.count; i++)
		err = give_socket(k, &m.socket[i].instance, m.socket[i].number, dp, missing);
	free(m.socket);
	return err;
}

int instance_sockets_apply(const struct node_config *config, const struct objects *wanted,
	struct dp_client *dp, struct faults *missing)
{
	struct kind kind[KINDS];
	int err = 0;
	list_kinds(config, kind);
	for (unsigned int n = 0; err == 0 && n < KINDS; n++)
		err = apply_kind(&kind[n], wanted, dp, missing);
	return err;
}

void instance_sockets_remove(const struct node_config *config)
{
	struct kind kind[KINDS];
	list_kinds(config, kind);
	for (unsigned int n = 0; n < KINDS; n++)
		remove_sockets(&kind[n], NULL);
}
