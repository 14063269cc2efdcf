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
};

static struct captures_job *find(struct captures *c, const struct uuid *id)
{
	for (unsigned int i = 0; i < c->count; i++) {
		if (uuid_equal(&c->job[i].what.id, id))
			return &c->job[i];
	}
	return NULL;
}

/* Hands the file to the dataplane. */
static int begin(struct captures_job *j, struct dp_client *dp)
{
	const struct dp_capture_set set = {
		.peer = j->what.peer,
		.seconds = j->what.seconds,
		.max_bytes = j->what.max_bytes,
		.side = j->what.is_inner ? DP_CAPTURE_INNER : DP_CAPTURE_OUTER,
	};
	j->fd = memfd_create("capture", MFD_CLOEXEC);
	if (j->fd < 0)
		return -errno;
	return dp_client_call(dp, DP_MSG_CAPTURE_SET, &set, sizeof(set), j->fd, NULL);
}

static void add(struct captures *c, const struct desired_capture *what, struct dp_client *dp)
{
	if (find(c, &what->id) != NULL || c->count == DESIRED_CAPTURES_MAX)
		return;
	struct captures_job *j = &c->job[c->count++];
	*j = (struct captures_job){.what = *what};
	int err = begin(j, dp);
	j->due_ns = clock_monotonic_ns();
	if (err == 0) {
		j->due_ns += what->seconds * NS_PER_SEC + GRACE_MS * NS_PER_MS;
		return;
	}
	const char *why = dp_client_error(dp);
	(void)snprintf(j->reason, sizeof(j->reason), "the dataplane refuses it: %s",
		why[0] != '\0' ? why : strerrordesc_np(-err));
	if (j->fd >= 0)
		(void)close(j->fd);
	j->fd = -1;
}

void captures_begin(struct captures *c, struct desired *d, struct dp_client *dp)
{
	for (unsigned int i = 0; i < d->captures; i++)
		add(c, &d->capture[i], dp);
	d->captures = 0;
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

char *captures_text(struct captures *c, struct uuid *ret_id)
{
	uint64_t now = clock_monotonic_ns();
	for (unsigned int i = 0; i < c->count; i++) {
		const struct captures_job *j = &c->job[i];
		if (j->due_ns > now)
			continue;
		char *file = j->fd >= 0 ? read_file(j->fd) : NULL;
		json_t *o = json_pack("{s:s?, s:s}", "file", file, "reason",
			file == NULL && j->fd >= 0 ? "the hub cannot read the file" : j->reason);
		char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
		json_decref(o);
		free(file);
		*ret_id = j->what.id;
		return text;
	}
	return NULL;
}

void captures_done(struct captures *c, const struct uuid *id)
{
	struct captures_job *j = find(c, id);
	if (j == NULL)
		return;
	if (j->fd >= 0)
		(void)close(j->fd);
	*j = c->job[--c->count];
}

void captures_fini(struct captures *c)
{
	while (c->count > 0)
		captures_done(c, &c->job[0].what.id);
}
