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
	LINE_MAX_TEXT = 256,
	PATH_TEXT = 300,
	STALE_LINES = 1000, /* of replaced entries, besides as many as there are entries */
	CLOCK_AHEAD_S = 120,
};

static const char file_name[] = "peers", clock_word[] = "clock ";

/* One that begins at called_s stays below it for a second, which is 10^9 initiations to each peer. */
void memory_new_dataplane(struct memory *m)
{
	m->called_s = m->clock_s;
	if (m->clock_s != 0) {
		m->clock_s++;
		m->clock_changed = true;
	}
}

void memory_clock(struct memory *m, uint64_t now_s)
{
	if (m->clock_s >= now_s + CLOCK_AHEAD_S / 2)
		return;
	m->clock_s = now_s + CLOCK_AHEAD_S;
	m->clock_changed = true;
}

/* An entry begins with its peer. */
static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct uuid));
}

static struct memory_entry *find(const struct memory *m, const struct uuid *id)
{
	return m->count == 0 ? NULL : bsearch(id, m->entry, m->count, sizeof(m->entry[0]), compare);
}

void memory_note(struct memory *m, const struct dp_peer_stats *s)
{
	struct memory_entry *e = find(m, &s->id);
	if (e == NULL)
		return;
	/* where OpenVPN calls from, the hub cannot call */
	if (s->protocol != DP_PROTOCOL_OPENVPN && s->endpoint.port != 0
		&& !ip_endpoint_equal(&e->endpoint, &s->endpoint)) {
		e->endpoint = s->endpoint;
		e->changed = true;
	}
	if (memcmp(s->timestamp, e->timestamp, sizeof(e->timestamp)) > 0) {
		memcpy(e->timestamp, s->timestamp, sizeof(e->timestamp));
		e->changed = true;
	}
}

static void follow_peer(
	struct memory_entry *e, const struct memory_entry *known, const struct desired_peer *p)
{
	static const uint8_t none[DP_TIMESTAMP_LEN];
	*e = (struct memory_entry){.peer = p->id, .public_key = p->public_key};
	if (known == NULL && memcmp(p->timestamp, none, sizeof(none)) != 0) {
		/* it comes from another hub: what that has seen is no less of a replay here */
		memcpy(e->timestamp, p->timestamp, sizeof(e->timestamp));
		e->reset = p->timestamp_reset;
		e->changed = true;
	}
	if (known == NULL)
		return;
	if (key_equal(&known->public_key, &p->public_key))
		*e = *known;
	else
		e->changed = true;
	if (e->reset != p->timestamp_reset)
		memset(e->timestamp, 0, sizeof(e->timestamp));
}

int memory_follow(struct memory *m, const struct desired *d)
{
	struct memory_entry *new = calloc(d->peers + 1, sizeof(*new));
	unsigned int known = 0;
	if (new == NULL)
		return -ENOMEM;
	for (unsigned int i = 0; i < d->peers; i++) {
		const struct desired_peer *p = &d->peer[i];
		while (known < m->count && compare(&m->entry[known], &p->id) < 0)
			known++;
		bool is_known = known < m->count && compare(&m->entry[known], &p->id) == 0;
		follow_peer(&new[i], is_known ? &m->entry[known] : NULL, p);
	}
	free(m->entry);
	m->entry = new;
	m->count = d->peers;
	return 0;
}

/* Both are sorted. */
void memory_apply(const struct memory *m, struct objects *o)
{
	unsigned int at = 0;
	for (unsigned int i = 0; i < o->peers; i++) {
		struct dp_peer_set *p = o->peer[i];
		p->called_s = m->called_s;
		while (at < m->count && compare(&m->entry[at], &p->id) < 0)
			at++;
		if (at == m->count || compare(&m->entry[at], &p->id) != 0
			|| key_is_zero(&p->public_key)) /* speaks OpenVPN alone */
			continue;
		const struct memory_entry *e = &m->entry[at];
		memcpy(p->timestamp, e->timestamp, sizeof(e->timestamp));
		if (e->endpoint.port != 0)
			p->endpoint = e->endpoint;
	}
}

/* "UUID KEY ENDPOINT|- TIMESTAMP RESET" and a newline: a line that was cut short is none. */
static bool parse_line(char *line, struct memory_entry *ret)
{
	char *rest = NULL, *end = NULL;
	size_t len = strlen(line);
	const char *id = strtok_r(line, " ", &rest), *key = strtok_r(NULL, " ", &rest);
	const char *endpoint = strtok_r(NULL, " ", &rest), *timestamp = strtok_r(NULL, " ", &rest);
	const char *reset = strtok_r(NULL, " ", &rest);
	struct memory_entry e = {0};
	if (len == 0 || reset == NULL || uuid_parse(id, &e.peer) != 0
		|| key_from_base64(key, &e.public_key) != 0
		|| (strcmp(endpoint, "-") != 0 && ip_endpoint_parse(endpoint, &e.endpoint) != 0)
		|| hex_decode(timestamp, strlen(timestamp), e.timestamp, sizeof(e.timestamp))
			!= sizeof(e.timestamp))
		return false;
	e.reset = strtoull(reset, &end, 10);
	if (end == reset || strcmp(end, "\n") != 0)
		return false;
	*ret = e;
	return true;
}

/* "clock SECONDS" and a newline: the greatest counts. */
static void parse_clock(const char *line, uint64_t *ret)
{
	char *end = NULL;
	if (strncmp(line, clock_word, sizeof(clock_word) - 1) != 0)
		return;
	unsigned long long s = strtoull(line + sizeof(clock_word) - 1, &end, 10);
	if (strcmp(end, "\n") == 0 && s > *ret)
		*ret = s;
}

/* An entry and where it stood. */
struct line {
	struct memory_entry entry;
	unsigned int number;
};

static int compare_line(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int c = compare(x, y);
	return c != 0 ? c : x->number < y->number ? -1 : 1;
}

static int read_lines(FILE *f, struct line **ret, unsigned int *ret_count, uint64_t *ret_clock)
{
	char text[LINE_MAX_TEXT];
	struct line *line = NULL;
	unsigned int count = 0, room = 0;
	while (fgets(text, sizeof(text), f) != NULL) {
		if (count == room) {
			room = room == 0 ? 64 : room * 2;
			struct line *new = reallocarray(line, room, sizeof(*new));
			if (new == NULL) {
				free(line);
				return -ENOMEM;
			}
			line = new;
		}
		parse_clock(text, ret_clock);
		if (!parse_line(text, &line[count].entry))
			continue;
		line[count].number = count;
		count++;
	}
	*ret = line;
	*ret_count = count;
	return 0;
}

/* Of each peer the last one. */
static int take_lines(struct memory *m, struct line *line, unsigned int count)
{
	m->entry = calloc(count + 1, sizeof(m->entry[0]));
	if (m->entry == NULL)
		return -ENOMEM;
	if (count > 0)
		qsort(line, count, sizeof(*line), compare_line);
	for (unsigned int i = 0; i < count; i++) {
		if (i + 1 == count || compare(&line[i], &line[i + 1]) != 0)
			m->entry[m->count++] = line[i].entry;
	}
	return 0;
}

static int path_in(const char *dir, const char *suffix, char ret[PATH_TEXT])
{
	return snprintf(ret, PATH_TEXT, "%s/%s%s", dir, file_name, suffix) < PATH_TEXT
		? 0
		: -ENAMETOOLONG;
}

int memory_load(struct memory *m, const char *dir)
{
	char path[PATH_TEXT];
	struct line *line = NULL;
	unsigned int count = 0;
	memset(m, 0, sizeof(*m));
	if (path_in(dir, "", path) != 0)
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return 0;
	int err = read_lines(f, &line, &count, &m->clock_s);
	(void)fclose(f);
	if (err == 0)
		err = take_lines(m, line, count);
	free(line);
	return err;
}

static int write_entry(const struct memory_entry *e, FILE *f)
{
	char id[UUID_TEXT], key[KEY_BASE64_TEXT], endpoint[IP_ENDPOINT_TEXT] = "-",
						  timestamp[2 * DP_TIMESTAMP_LEN + 1];
	if (e->endpoint.port != 0)
		(void)ip_endpoint_format(&e->endpoint, endpoint);
	hex_encode(e->timestamp, sizeof(e->timestamp), timestamp);
	int n = fprintf(f, "%s %s %s %s %llu\n", uuid_format(&e->peer, id),
		key_to_base64(&e->public_key, key), endpoint, timestamp,
		(unsigned long long)e->reset);
	return n < 0 ? -EIO : 0;
}

static bool is_empty(const struct memory_entry *e)
{
	static const uint8_t none[DP_TIMESTAMP_LEN];
	return e->endpoint.port == 0 && e->reset == 0
		&& memcmp(e->timestamp, none, sizeof(none)) == 0;
}

/* The whole memory, or what changed. */
static int write_entries(struct memory *m, bool all, FILE *f)
{
	int err = 0;
	if (m->clock_s != 0 && (all || m->clock_changed)) {
		err = fprintf(f, "%s%llu\n", clock_word, (unsigned long long)m->clock_s) < 0 ? -EIO
											     : 0;
		m->lines++;
	}
	for (unsigned int i = 0; err == 0 && i < m->count; i++) {
		if (all ? is_empty(&m->entry[i]) : !m->entry[i].changed)
			continue;
		err = write_entry(&m->entry[i], f);
		m->lines++;
	}
	if (err == 0 && (fflush(f) != 0 || fsync(fileno(f)) != 0))
		err = -errno;
	return err;
}

static int write_file(struct memory *m, bool all, const char *path)
{
	FILE *f = fopen(path, all ? "we" : "ae");
	if (f == NULL)
		return -errno;
	int err = write_entries(m, all, f);
	if (fclose(f) != 0 && err == 0)
		err = -errno;
	return err;
}

static int sync_directory(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int err = fsync(fd) == 0 ? 0 : -errno;
	(void)close(fd);
	return err;
}

static int replace_file(struct memory *m, const char *dir, const char *path)
{
	char new[PATH_TEXT];
	if (path_in(dir, ".new", new) != 0)
		return -ENAMETOOLONG;
	int err = write_file(m, true, new);
	if (err == 0 && rename(new, path) != 0)
		err = -errno;
	return err == 0 ? sync_directory(dir) : err;
}

static bool has_changes(const struct memory *m)
{
	for (unsigned int i = 0; i < m->count; i++) {
		if (m->entry[i].changed)
			return true;
	}
	return m->clock_changed;
}

int memory_save(struct memory *m, const char *dir)
{
	char path[PATH_TEXT];
	if (!has_changes(m))
		return 0;
	if (path_in(dir, "", path) != 0)
		return -ENAMETOOLONG;
	bool all = m->lines == 0 || m->lines > 2 * m->count + STALE_LINES;
	if (all)
		m->lines = 0;
	int err = all ? replace_file(m, dir, path) : write_file(m, false, path);
	if (err != 0) {
		m->lines = 0; /* nobody knows how its last line ends */
		return err;
	}
	for (unsigned int i = 0; i < m->count; i++)
		m->entry[i].changed = false;
	m->clock_changed = false;
	return 0;
}

void memory_fini(struct memory *m)
{
	free(m->entry);
	memset(m, 0, sizeof(*m));
}
