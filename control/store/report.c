// SPDX-License-Identifier: Apache-2.0
/*
 * Reports of hubs about peers. What was there before is read first, so that what is new is known:
 * it goes to the row of the peer (sums over all boots of the hub), to its hour and its day, and,
 * summed up over the report, to those of its instance. Statements are prepared once a report: with
 * 100 000 peers that move, thousands of them are told a second.
 */
#include "control/store/report.h"

#include "control/store/bandwidth.h"
#include "control/store/internal.h"
#include "control/store/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	COUNTERS = 4, /* bytes and packets, received and sent */
};

/* What the store has of a peer. */
struct known {
	struct uuid instance_id;
	bool is_told, is_same_boot;
	uint64_t sum[COUNTERS]; /* over all boots */
	uint64_t of_boot[COUNTERS]; /* the part of it that this boot has told */
	struct peer_status status; /* its counters are the first of the sums when it is read */
	char name[NAME_TEXT];
	enum peer_protocol protocol;
	int64_t window_s;
	bool is_permitted;
	struct session open; /* only what is compared; seq 0: none */
};

struct instance_sum {
	struct uuid id;
	uint64_t delta[COUNTERS];
};

struct peer_report {
	struct store *store; /* borrowed; so below */
	const struct hub *hub;
	const struct uuid *boot_id;
	sqlite3_stmt *find, *set, *count; /* owned */
	struct instance_sum *sum; /* owned */
	size_t sums;
};

static int prepare(struct peer_report *r)
{
	int rc = sql_prepare(r->store, &r->find,
		"SELECT p.instance_id, t.boot_id, t.rx_bytes, t.tx_bytes, t.rx_packets, t.tx_packets,"
		" t.boot_rx_bytes, t.boot_tx_bytes, t.boot_rx_packets, t.boot_tx_packets, t.endpoint,"
		" t.last_handshake_at, t.last_seen_at, t.timestamp, t.failure, t.failure_at, t.protocol,"
		" p.name, p.protocol, max(?3, 3 * p.keepalive), p.is_suspended = 0 AND"
		" coalesce(u.is_suspended, 0) = 0 AND (p.expires_at = 0 OR p.expires_at > ?4),"
		" x.seq, x.endpoint, x.protocol"
		" FROM peer p JOIN instance i ON i.id = p.instance_id"
		" LEFT JOIN user u ON u.id = p.user_id"
		" LEFT JOIN session x ON x.peer_id = p.id AND x.until = 0"
		" LEFT JOIN peer_status t ON t.peer_id = p.id WHERE p.id = ?1 AND i.hub_id = ?2",
		"");
	if (rc == 0)
		rc = sql_prepare(r->store, &r->set,
			"INSERT OR REPLACE INTO peer_status (peer_id, boot_id, rx_bytes, tx_bytes,"
			" rx_packets, tx_packets, boot_rx_bytes, boot_tx_bytes, boot_rx_packets,"
			" boot_tx_packets, endpoint, last_handshake_at, last_seen_at, timestamp, failure,"
			" failure_at, protocol) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			"");
	return rc == 0 ? sql_prepare(r->store, &r->count,
		       "INSERT INTO bandwidth AS b (object_id, span, at, rx_bytes, tx_bytes,"
		       " rx_packets, tx_packets) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		       " ON CONFLICT (object_id, span, at) DO UPDATE SET rx_bytes = b.rx_bytes + ?4,"
		       " tx_bytes = b.tx_bytes + ?5, rx_packets = b.rx_packets + ?6,"
		       " tx_packets = b.tx_packets + ?7",
		       "")
		       : rc;
}

static void free_report(struct peer_report *r)
{
	sql_done(r->find);
	sql_done(r->set);
	sql_done(r->count);
	free(r->sum);
	free(r);
}

int peer_report_begin(struct store *store, const struct hub *h, const struct uuid *boot_id,
	struct peer_report **ret)
{
	struct peer_report *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->store = store;
	r->hub = h;
	r->boot_id = boot_id;
	int rc = prepare(r);
	if (rc < 0)
		free_report(r);
	else
		*ret = r;
	return rc;
}

static void set_counters(struct peer_status *s, const uint64_t sum[COUNTERS])
{
	s->rx_bytes = sum[0];
	s->tx_bytes = sum[1];
	s->rx_packets = sum[2];
	s->tx_packets = sum[3];
}

static void read_known(struct peer_report *r, struct known *k)
{
	struct uuid boot;
	memset(k, 0, sizeof(*k));
	sql_uuid(r->find, 0, &k->instance_id);
	sql_uuid(r->find, 1, &boot);
	k->is_told = sqlite3_column_type(r->find, 10) != SQLITE_NULL;
	k->is_same_boot = k->is_told && uuid_equal(&boot, r->boot_id);
	for (int n = 0; n < COUNTERS; n++) {
		k->sum[n] = (uint64_t)sqlite3_column_int64(r->find, 2 + n);
		k->of_boot[n] = (uint64_t)sqlite3_column_int64(r->find, 6 + n);
	}
	sql_text(r->find, 10, k->status.endpoint, sizeof(k->status.endpoint));
	k->status.last_handshake_at = sqlite3_column_int64(r->find, 11);
	k->status.last_seen_at = sqlite3_column_int64(r->find, 12);
	sql_text(r->find, 13, k->status.timestamp, sizeof(k->status.timestamp));
	sql_text(r->find, 14, k->status.failure, sizeof(k->status.failure));
	k->status.failure_at = sqlite3_column_int64(r->find, 15);
	sql_text(r->find, 16, k->status.protocol, sizeof(k->status.protocol));
	set_counters(&k->status, k->sum);
	sql_text(r->find, 17, k->name, sizeof(k->name));
	k->protocol = sqlite3_column_int(r->find, 18) == PROTOCOL_OPENVPN ? PROTOCOL_OPENVPN
									  : PROTOCOL_WIREGUARD;
	k->window_s = sqlite3_column_int64(r->find, 19);
	k->is_permitted = sqlite3_column_int(r->find, 20) != 0;
	k->open.seq = sqlite3_column_int64(r->find, 21);
	sql_text(r->find, 22, k->open.endpoint, sizeof(k->open.endpoint));
	sql_text(r->find, 23, k->open.protocol, sizeof(k->open.protocol));
}

/* What goes on from before and what is new; what a hub does not say stays as it was. */
static void merge_status(struct peer_status *s, const struct peer_status *told)
{
	if (told->endpoint[0] != '\0')
		memcpy(s->endpoint, told->endpoint, sizeof(s->endpoint));
	if (told->protocol[0] != '\0')
		memcpy(s->protocol, told->protocol, sizeof(s->protocol));
	if (told->last_handshake_at > s->last_handshake_at)
		s->last_handshake_at = told->last_handshake_at;
	if (told->last_seen_at > s->last_seen_at)
		s->last_seen_at = told->last_seen_at;
	if (strcmp(told->timestamp, s->timestamp) > 0)
		memcpy(s->timestamp, told->timestamp, sizeof(s->timestamp));
	if (told->failure_at > s->failure_at) {
		memcpy(s->failure, told->failure, sizeof(s->failure));
		s->failure_at = told->failure_at;
	}
}

static bool is_same(const struct peer_status *a, const struct peer_status *b)
{
	return strcmp(a->endpoint, b->endpoint) == 0 && strcmp(a->protocol, b->protocol) == 0
		&& a->last_handshake_at == b->last_handshake_at
		&& a->last_seen_at == b->last_seen_at && a->failure_at == b->failure_at
		&& strcmp(a->timestamp, b->timestamp) == 0;
}

static int count_span(struct peer_report *r, const struct uuid *id, enum bandwidth_span span,
	const uint64_t delta[COUNTERS])
{
	int64_t length = bandwidth_span_length(span);
	int rc = sql_again(r->store, r->count, "uiiiiii", id, (int64_t)span,
		r->store->now / length * length, (int64_t)delta[0], (int64_t)delta[1],
		(int64_t)delta[2], (int64_t)delta[3]);
	return rc == 0 ? sql_step(r->store, r->count) : rc;
}

static int count_traffic(
	struct peer_report *r, const struct uuid *id, const uint64_t delta[COUNTERS])
{
	int rc = count_span(r, id, BANDWIDTH_HOUR, delta);
	return rc == 0 ? count_span(r, id, BANDWIDTH_DAY, delta) : rc;
}

/* A report is of few instances as a rule, and names the peers of one behind each other. */
static int add_to_instance(
	struct peer_report *r, const struct uuid *id, const uint64_t delta[COUNTERS])
{
	size_t at = r->sums;
	while (at > 0 && !uuid_equal(&r->sum[at - 1].id, id))
		at--;
	if (at == 0) {
		struct instance_sum *more = reallocarray(r->sum, r->sums + 1, sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		r->sum = more;
		r->sum[r->sums++] = (struct instance_sum){.id = *id};
		at = r->sums;
	}
	for (int n = 0; n < COUNTERS; n++)
		r->sum[at - 1].delta[n] += delta[n];
	return 0;
}

static int set_status(struct peer_report *r, const struct uuid *peer_id, const struct known *k,
	const uint64_t told[COUNTERS])
{
	const struct peer_status *s = &k->status;
	int rc = sql_again(r->store, r->set, "uuiiiiiiiitiittit", peer_id, r->boot_id,
		(int64_t)k->sum[0], (int64_t)k->sum[1], (int64_t)k->sum[2], (int64_t)k->sum[3],
		(int64_t)told[0], (int64_t)told[1], (int64_t)told[2], (int64_t)told[3], s->endpoint,
		s->last_handshake_at, s->last_seen_at, s->timestamp, s->failure, s->failure_at,
		s->protocol);
	return rc == 0 ? sql_step(r->store, r->set) : rc;
}

/* Sessions end and begin around it: what ends has the bytes of before. */
static int write_status(struct peer_report *r, const struct uuid *peer_id, struct known *k,
	const struct peer_status *before, const struct peer_status *told)
{
	const uint64_t counters[COUNTERS] = {
		told->rx_bytes, told->tx_bytes, told->rx_packets, told->tx_packets};
	const char *otherwise = peer_protocol_text(k->protocol);
	const struct session_news news = {
		.peer_id = peer_id,
		.instance_id = &k->instance_id,
		.peer_name = k->name,
		.before = before,
		.now = &k->status,
		.open = &k->open,
		.protocol = k->status.protocol[0] != '\0' ? k->status.protocol : otherwise,
		.window_s = k->window_s,
		.is_told = k->is_told,
		.is_same_boot = k->is_same_boot,
		.is_permitted = k->is_permitted,
		.has_left = told->protocol[0] == '\0' && strcmp(k->open.protocol, "openvpn") == 0,
	};
	bool goes_on = false;
	set_counters(&k->status, k->sum);
	int rc = session_end_old(r->store, &news, &goes_on);
	if (rc == 0)
		rc = set_status(r, peer_id, k, counters);
	return rc == 0 ? session_begin_new(r->store, &news, goes_on) : rc;
}

static int take_known(struct peer_report *r, const struct uuid *peer_id, struct known *k,
	const struct peer_status *s)
{
	const uint64_t told[COUNTERS] = {s->rx_bytes, s->tx_bytes, s->rx_packets, s->tx_packets};
	const struct peer_status before = k->status;
	uint64_t delta[COUNTERS], moved = 0;
	for (int n = 0; n < COUNTERS; n++) {
		/* another boot began from zero, and so did a peer that was away and is back */
		bool goes_on = k->is_same_boot && told[n] >= k->of_boot[n];
		delta[n] = told[n] - (goes_on ? k->of_boot[n] : 0);
		k->sum[n] += delta[n];
		moved |= delta[n] | (told[n] ^ k->of_boot[n]);
	}
	merge_status(&k->status, s);
	if (k->is_same_boot && moved == 0 && is_same(&k->status, &before))
		return 0;
	int rc = write_status(r, peer_id, k, &before, s);
	if (rc < 0 || (delta[0] | delta[1] | delta[2] | delta[3]) == 0)
		return rc;
	rc = count_traffic(r, peer_id, delta);
	return rc == 0 ? add_to_instance(r, &k->instance_id, delta) : rc;
}

int peer_report_take(struct peer_report *r, const struct uuid *peer_id, const struct peer_status *s)
{
	struct known known;
	int rc = sql_again(r->store, r->find, "uuii", peer_id, &r->hub->id,
		(int64_t)CONNECTED_MIN_S, r->store->now);
	if (rc == 0)
		rc = sql_first(r->store, r->find);
	if (rc == 0) {
		read_known(r, &known);
		rc = take_known(r, peer_id, &known, s);
	}
	return rc == -ENOENT ? 0 : rc;
}

int peer_report_end(struct peer_report *r, int rc)
{
	if (r == NULL)
		return rc;
	for (size_t n = 0; rc == 0 && n < r->sums; n++)
		rc = count_traffic(r, &r->sum[n].id, r->sum[n].delta);
	free_report(r);
	return rc;
}
