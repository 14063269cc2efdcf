// SPDX-License-Identifier: Apache-2.0
#include "control/node/captures.h"

#include "dataplane/api/capture.h"
#include "dataplane/base/base64.h"
#include "dataplane/base/clock.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	GRACE_MS = 500, /* for the dataplane to write what it still has */
	BEGIN_S = 30, /* who waits longer is told; the control daemon's own patience is 60 s */
	RETRY_MS = 1000,
};

static struct captures_job *find(const struct captures *c, const struct uuid *id)
{
	for (unsigned int i = 0; i < c->count; i++) {
		if (uuid_equal(&c->job[i].what.id, id))
			return &c->job[i];
	}
	return NULL;
}

static bool make_room(struct captures *c)
{
	if (c->job != NULL && c->count < c->room)
		return true;
	unsigned int room = c->room == 0 ? 8 : c->room * 2;
	struct captures_job *new = reallocarray(c->job, room, sizeof(*new));
	if (new == NULL)
		return false;
	c->job = new;
	c->room = room;
	return true;
}

void captures_take(struct captures *c, const struct desired *d)
{
	for (unsigned int i = 0; i < d->captures; i++) {
		const struct desired_capture *what = &d->capture[i];
		if (find(c, &what->id) != NULL || !make_room(c))
			continue;
		c->job[c->count++] = (struct captures_job){
			.what = *what,
			.waits = true,
			.fd = -1,
			.due_ns = clock_monotonic_ns() + BEGIN_S * NS_PER_SEC,
			.reason = "the dataplane is not there, or does not have the peer yet",
		};
	}
}

static void close_file(struct captures_job *j)
{
	if (j->fd >= 0)
		(void)close(j->fd);
	j->fd = -1;
}

/* Hands the file to the dataplane. */
static int hand_over(struct captures_job *j, struct dp_client *dp)
{
	const struct dp_capture_set set = {
		.peer = j->what.peer,
		.seconds = j->what.seconds,
		.max_bytes = j->what.max_bytes,
		.side = j->what.is_inner ? DP_CAPTURE_INNER : DP_CAPTURE_OUTER,
	};
	return dp_client_call(dp, DP_MSG_CAPTURE_SET, &set, sizeof(set), j->fd, NULL);
}

static void begin(struct captures_job *j, struct dp_client *dp)
{
	const char *why = NULL;
	int err = 0;
	j->fd = memfd_create("capture", MFD_CLOEXEC);
	if (j->fd < 0) {
		why = strerrordesc_np(errno);
	} else {
		err = hand_over(j, dp);
		why = err != 0 ? dp_client_error(dp) : NULL;
	}
	if (err != 0)
		close_file(j);
	if (dp_client_is_broken(dp))
		return; /* the next dataplane may begin it */
	j->waits = false;
	j->due_ns = clock_monotonic_ns();
	if (why == NULL)
		j->due_ns += j->what.seconds * NS_PER_SEC + GRACE_MS * NS_PER_MS;
	else
		(void)snprintf(j->reason, sizeof(j->reason), "it cannot begin: %s", why);
}

void captures_begin(struct captures *c, struct dp_client *dp)
{
	uint64_t now = clock_monotonic_ns();
	for (unsigned int i = 0; i < c->count && !dp_client_is_broken(dp); i++) {
		if (c->job[i].waits && c->job[i].due_ns > now)
			begin(&c->job[i], dp);
	}
}

uint64_t captures_due(const struct captures *c)
{
	uint64_t least = 0;
	for (unsigned int i = 0; i < c->count; i++) {
		if (least == 0 || c->job[i].due_ns < least)
			least = c->job[i].due_ns;
	}
	return least;
}

/* The file in base64, to be freed; NULL: no memory. */
static char *read_file(int fd)
{
	struct stat st;
	if (fstat(fd, &st) != 0 || st.st_size > DP_CAPTURE_BYTES_MAX)
		return NULL;
	size_t size = (size_t)st.st_size;
	uint8_t *data = malloc(size + 1);
	char *text = malloc(BASE64_TEXT(size));
	if (data != NULL && text != NULL && pread(fd, data, size, 0) == (ssize_t)size) {
		base64_encode(data, size, text);
	} else {
		free(text);
		text = NULL;
	}
	free(data);
	return text;
}

static char *make_text(const struct captures_job *j)
{
	char *file = j->fd >= 0 ? read_file(j->fd) : NULL;
	json_t *o = json_pack("{s:s?, s:s}", "file", file, "reason",
		file == NULL && j->fd >= 0 ? "the hub cannot read the file" : j->reason);
	char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	free(file);
	return text;
}

char *captures_text(struct captures *c, struct uuid *ret_id)
{
	uint64_t now = clock_monotonic_ns();
	for (unsigned int i = 0; i < c->count; i++) {
		struct captures_job *j = &c->job[i];
		if (j->due_ns > now)
			continue;
		j->due_ns = now + RETRY_MS * NS_PER_MS;
		j->waits = false;
		*ret_id = j->what.id;
		return make_text(j);
	}
	return NULL;
}

void captures_done(struct captures *c, const struct uuid *id)
{
	struct captures_job *j = find(c, id);
	if (j == NULL)
		return;
	close_file(j);
	*j = c->job[--c->count];
}

void captures_fini(struct captures *c)
{
	for (unsigned int i = 0; i < c->count; i++)
		close_file(&c->job[i]);
	free(c->job);
	memset(c, 0, sizeof(*c));
}
