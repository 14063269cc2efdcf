// SPDX-License-Identifier: Apache-2.0
#include "control/node/memory.h"

#include "dataplane/base/hex.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_MAX_TEXT = 160,
};

static const char file_name[] = "peers";

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static struct memory_entry *find(const struct memory *m, const struct uuid *id)
{
	return m->count == 0 ? NULL : bsearch(id, m->entry, m->count, sizeof(m->entry[0]), compare);
}

/* In its place, so that the array stays sorted. */
static struct memory_entry *insert(struct memory *m, const struct uuid *id)
{
	if (m->count == m->room) {
		unsigned int room = m->room == 0 ? 64 : m->room * 2;
		struct memory_entry *new = reallocarray(m->entry, room, sizeof(*new));
		if (new == NULL)
			return NULL;
		m->entry = new;
		m->room = room;
	}
	unsigned int at = m->count;
	while (at > 0 && compare(&m->entry[at - 1].peer, id) > 0)
		at--;
	memmove(&m->entry[at + 1], &m->entry[at], (m->count - at) * sizeof(m->entry[0]));
	m->count++;
	m->entry[at] = (struct memory_entry){.peer = *id};
	return &m->entry[at];
}

int memory_note(struct memory *m, const struct dp_peer_stats *s)
{
	static const uint8_t none[DP_TIMESTAMP_LEN];
	bool nothing = s->endpoint.port == 0 && memcmp(s->timestamp, none, sizeof(none)) == 0;
	struct memory_entry *e = find(m, &s->id);
	if (nothing)
		return 0;
	if (e == NULL)
		e = insert(m, &s->id);
	if (e == NULL)
		return -ENOMEM;
	if (s->endpoint.port != 0 && !ip_endpoint_equal(&e->endpoint, &s->endpoint)) {
		e->endpoint = s->endpoint;
		m->changed = true;
	}
	if (memcmp(s->timestamp, e->timestamp, sizeof(e->timestamp)) > 0) {
		memcpy(e->timestamp, s->timestamp, sizeof(e->timestamp));
		m->changed = true;
	}
	return 0;
}

void memory_prune(struct memory *m, const struct objects *wanted)
{
	unsigned int kept = 0, w = 0;
	for (unsigned int i = 0; i < m->count; i++) {
		while (w < wanted->peers && compare(&wanted->peer[w].id, &m->entry[i].peer) < 0)
			w++;
		if (w < wanted->peers && compare(&wanted->peer[w].id, &m->entry[i].peer) == 0)
			m->entry[kept++] = m->entry[i];
	}
	m->changed |= kept != m->count;
	m->count = kept;
}

void memory_apply(const struct memory *m, struct objects *o)
{
	for (unsigned int i = 0; i < o->peers; i++) {
		const struct memory_entry *e = find(m, &o->peer[i].id);
		if (e == NULL)
			continue;
		memcpy(o->peer[i].timestamp, e->timestamp, sizeof(e->timestamp));
		if (e->endpoint.port != 0)
			o->peer[i].endpoint = e->endpoint;
	}
}

/* "UUID ENDPOINT|- TIMESTAMP" */
static int parse_line(struct memory *m, char *line)
{
	char *rest = NULL;
	const char *id_text = strtok_r(line, " \n", &rest),
		   *endpoint = strtok_r(NULL, " \n", &rest);
	const char *timestamp = strtok_r(NULL, " \n", &rest);
	struct memory_entry e = {0};
	if (id_text == NULL || endpoint == NULL || timestamp == NULL
		|| uuid_parse(id_text, &e.peer) != 0
		|| hex_decode(timestamp, strlen(timestamp), e.timestamp, sizeof(e.timestamp))
			!= sizeof(e.timestamp)
		|| (strcmp(endpoint, "-") != 0 && ip_endpoint_parse(endpoint, &e.endpoint) != 0))
		return 0; /* a line that makes no sense is none */
	struct memory_entry *to = find(m, &e.peer);
	if (to == NULL)
		to = insert(m, &e.peer);
	if (to == NULL)
		return -ENOMEM;
	*to = e;
	return 0;
}

static int path_in(const char *dir, const char *suffix, char *ret, size_t size)
{
	return snprintf(ret, size, "%s/%s%s", dir, file_name, suffix) < (int)size ? 0
										  : -ENAMETOOLONG;
}

int memory_load(struct memory *m, const char *dir)
{
	char path[300], line[LINE_MAX_TEXT];
	memset(m, 0, sizeof(*m));
	if (path_in(dir, "", path, sizeof(path)) != 0)
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	int err = 0;
	while (err == 0 && fgets(line, sizeof(line), f) != NULL)
		err = parse_line(m, line);
	(void)fclose(f);
	return err;
}

static int write_entries(const struct memory *m, FILE *f)
{
	for (unsigned int i = 0; i < m->count; i++) {
		const struct memory_entry *e = &m->entry[i];
		char id[UUID_TEXT], endpoint[IP_ENDPOINT_TEXT] = "-",
				    timestamp[2 * DP_TIMESTAMP_LEN + 1];
		if (e->endpoint.port != 0)
			(void)ip_endpoint_format(&e->endpoint, endpoint);
		hex_encode(e->timestamp, sizeof(e->timestamp), timestamp);
		if (fprintf(f, "%s %s %s\n", uuid_format(&e->peer, id), endpoint, timestamp) < 0)
			return -EIO;
	}
	return fflush(f) == 0 && fsync(fileno(f)) == 0 ? 0 : -errno;
}

int memory_save(struct memory *m, const char *dir)
{
	char path[300], new[300];
	if (!m->changed)
		return 0;
	if (path_in(dir, "", path, sizeof(path)) != 0
		|| path_in(dir, ".new", new, sizeof(new)) != 0)
		return -ENAMETOOLONG;
	FILE *f = fopen(new, "we");
	if (f == NULL)
		return -errno;
	int err = write_entries(m, f);
	if (fclose(f) != 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(new, path) != 0)
		err = -errno;
	m->changed = err != 0;
	return err;
}

void memory_fini(struct memory *m)
{
	free(m->entry);
	memset(m, 0, sizeof(*m));
}
