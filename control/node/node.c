// SPDX-License-Identifier: Apache-2.0
/*
 * One loop, one thread. What is to be done has a moment at which it is due (0: not at all); each
 * round does what is due and sleeps until the next moment or an event. Every step compares what is
 * with what should be, so a step that failed is simply due again a little later, and it makes no
 * odds in which order the three daemons start or die.
 */
#include "control/node/node.h"

#include "control/node/apply.h"
#include "control/node/captures.h"
#include "control/node/control_client.h"
#include "control/node/desired.h"
#include "control/node/egress.h"
#include "control/node/faults.h"
#include "control/node/instance_socket.h"
#include "control/node/listener_sockets.h"
#include "control/node/memory.h"
#include "control/node/report.h"
#include "control/node/underlay.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"
#include "kernel/monitor.h"
#include "kernel/nl.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define MS 1000000ULL

enum {
	RETRY_MIN_MS = 100,
	RETRY_MAX_MS = 5000,
	PEERS_A_RETRY = 5000, /* of RETRY_MAX_MS, when everything is compared */
	SETTLE_MS = 1500, /* for gateways to answer: Linux asks again after a second */
	MIRROR_GAP_MS = 10, /* a flapping neighbour costs at most this many dumps */
	BIG_ANSWER = 1 << 20, /* bytes: reading it took many times that, which goes back */
	EVENTS_MAX = 256, /* of a round: then others have their turn */
	EVENT_REPORT_MS = 100, /* what comes meanwhile goes along */
	REPORT_MS = 10000, /* even without news */
	MEMORY_MS = 2000,
	WAIT_MS = 1000,
};

enum waited {
	WAIT_STOP,
	WAIT_MONITOR,
	WAIT_DATAPLANE, /* readable: gone */
	WAIT_EVENTS,
	WAIT__COUNT,
};

struct node {
	const struct node_config *config;
	struct nl nl;
	struct monitor monitor;
	struct control_client *control;
	struct underlay underlay;
	struct egress egress;
	struct memory memory;
	struct desired desired;
	struct objects actual; /* what the dataplane has, as far as is_synced */
	struct faults faults;
	struct faults missing_sockets; /* of wg(8): no instance is worse for it */
	struct report report;
	struct captures captures;
	struct apply_point applied;

	struct dp_client *dp, *events; /* both or none */
	struct uuid boot_id;
	bool is_synced; /* actual and applied are true */
	bool ask_all; /* the last answer made no sense */
	bool complained;
	char told_fault[FAULT_REASON_TEXT], told_socket[FAULT_REASON_TEXT]; /* "": all is well */
	unsigned int retry_ms;
	uint64_t connect_due, mirror_due, apply_due, stats_due, report_due, memory_due;
	uint64_t connected_at, mirrored_at, reported_at;
};

static uint64_t after_ms(uint64_t ms)
{
	return clock_monotonic_ns() + ms * MS;
}

static bool is_due(uint64_t moment)
{
	return moment != 0 && moment <= clock_monotonic_ns();
}

static void back_off(struct node *n, unsigned int max_ms)
{
	n->retry_ms = n->retry_ms == 0 ? RETRY_MIN_MS : n->retry_ms * 2;
	if (n->retry_ms > max_ms)
		n->retry_ms = max_ms;
}

/* Whatever broke: a new connection compares everything again. */
static void disconnect(struct node *n, const char *what, const char *why)
{
	if (!n->complained)
		log_message(LOG_LEVEL_WARNING, "%s: %s; trying again", what, why);
	n->complained = true;
	dp_client_free(n->dp);
	dp_client_free(n->events);
	n->dp = NULL;
	n->events = NULL;
	n->is_synced = false;
	back_off(n, RETRY_MAX_MS);
	n->connect_due = after_ms(n->retry_ms);
	n->mirror_due = 0;
	n->apply_due = 0;
	n->stats_due = 0;
}

static int open_connections(struct node *n)
{
	int err = dp_client_open(n->config->dataplane_socket, &n->dp);
	if (err == 0)
		err = dp_client_open(n->config->dataplane_socket, &n->events);
	if (err == 0)
		err = dp_client_subscribe(n->events);
	return err;
}

static void save_memory(struct node *n)
{
	n->memory_due = after_ms(MEMORY_MS);
	memory_clock(&n->memory, clock_realtime_ns() / NS_PER_SEC);
	int err = memory_save(&n->memory, n->config->state_dir);
	if (err != 0)
		log_message(LOG_LEVEL_WARNING, "cannot keep endpoints in %s: %s",
			n->config->state_dir, strerrordesc_np(-err));
}

static void connect_dataplane(struct node *n)
{
	n->connect_due = 0;
	int err = open_connections(n);
	if (err != 0) {
		disconnect(n, "dataplane", strerrordesc_np(-err));
		return;
	}
	if (!uuid_equal(&n->boot_id, dp_client_boot_id(n->dp))) {
		report_forget(&n->report);
		memory_new_dataplane(&n->memory);
		save_memory(n);
	}
	n->boot_id = *dp_client_boot_id(n->dp);
	if (underlay_connect(&n->underlay, n->dp) != 0) {
		disconnect(n, "network", n->underlay.error);
		return;
	}
	log_message(LOG_LEVEL_INFO, "connected to the dataplane, process %u",
		(unsigned int)dp_client_pid(n->dp));
	n->connected_at = clock_monotonic_ns();
	n->complained = false;
	n->retry_ms = 0;
	n->mirror_due = after_ms(0);
	n->apply_due = after_ms(0);
	n->stats_due = after_ms(0); /* a report needs them */
}

static void mirror_network(struct node *n)
{
	struct hub_state before = n->underlay.hub;
	n->mirror_due = 0;
	n->mirrored_at = clock_monotonic_ns();
	if (underlay_mirror(&n->underlay, n->dp) != 0) {
		disconnect(n, "network", n->underlay.error);
		return;
	}
	if (!egress_is_whole(&n->egress))
		n->apply_due = after_ms(0);
	if (before.egress4 == n->underlay.hub.egress4 && before.egress6 == n->underlay.hub.egress6)
		return;
	n->apply_due = after_ms(0);
	n->report_due = n->apply_due;
}

/* Brings the dataplane to wanted. */
static int apply_objects(struct node *n, const struct objects *wanted, const struct apply_point *to)
{
	struct plan plan;
	int err = 0;
	if (!n->is_synced) {
		objects_fini(&n->actual);
		err = apply_list(n->dp, &n->actual);
	}
	if (err == 0)
		err = plan_make(&n->actual, wanted, &plan);
	if (err != 0)
		return err;
	if (n->is_synced)
		err = apply_delta(n->dp, &plan, &n->applied, to, &n->faults);
	else
		err = apply_sync(n->dp, &plan, to, &n->faults);
	if (err == 0 && plan.count > 0)
		log_message(LOG_LEVEL_INFO, "generation %llu: %u changes%s",
			(unsigned long long)to->generation, plan.count,
			n->is_synced ? "" : ", everything compared");
	plan_fini(&plan);
	return err;
}

/* What is the matter is said once; it is tried again until it is not. */
static void say_once(const struct faults *f, const char *whose, char told[FAULT_REASON_TEXT])
{
	const char *first = f->count > 0 ? f->fault[0].reason : "";
	if (first[0] != '\0' && strcmp(first, told) != 0)
		log_message(LOG_LEVEL_WARNING, "%u %s are not well; the first: %s; trying again",
			f->count, whose, first);
	if (first[0] == '\0' && told[0] != '\0')
		log_message(LOG_LEVEL_INFO, "all %s are well again", whose);
	(void)snprintf(told, FAULT_REASON_TEXT, "%s", first);
}

/*
 * -ESTALE and -ECANCELED: the dataplane is whole, but must be told everything. So it must when it
 * refused something (taken is false); what Linux refused is tried again without that.
 */
static void note_apply(struct node *n, int err, bool taken, struct objects *wanted)
{
	unsigned int patience = 1 + n->desired.peers / PEERS_A_RETRY;
	if (err == -ESTALE || err == -ECANCELED) {
		n->is_synced = false;
		back_off(n, RETRY_MAX_MS * patience);
		n->apply_due = after_ms(n->retry_ms);
		return;
	}
	if (err != 0) {
		disconnect(n, "dataplane", strerrordesc_np(-err));
		return;
	}
	objects_fini(&n->actual);
	n->actual = *wanted;
	*wanted = (struct objects){0};
	n->is_synced = taken;
	say_once(&n->faults, "instances", n->told_fault);
	say_once(&n->missing_sockets, "sockets for wg", n->told_socket);
	if (n->faults.count == 0 && n->missing_sockets.count == 0) {
		n->retry_ms = 0;
		return;
	}
	back_off(n, taken ? RETRY_MAX_MS : RETRY_MAX_MS * patience);
	n->apply_due = after_ms(n->retry_ms);
}

/*
 * The dataplane speaks first to every peer that has an endpoint, and only seconds later again: not
 * before there is a way out.
 */
static bool waits_for_gateways(const struct node *n)
{
	return !n->is_synced && !n->underlay.is_settled
		&& clock_monotonic_ns() - n->connected_at < SETTLE_MS * MS;
}

static void apply_desired(struct node *n)
{
	struct objects wanted = {0};
	struct apply_point to = {n->desired.epoch, n->desired.generation};
	n->apply_due = 0;
	if (!n->desired.known)
		return;
	if (waits_for_gateways(n)) {
		n->apply_due = after_ms(MIRROR_GAP_MS);
		return;
	}
	faults_clear(&n->faults);
	faults_clear(&n->missing_sockets);
	int err = objects_from_desired(&n->desired, &n->underlay.hub, &wanted);
	if (err == 0)
		err = memory_follow(&n->memory, &n->desired);
	if (err == 0) {
		memory_apply(&n->memory, &wanted);
		underlay_clear_hints(&n->underlay, &wanted);
		err = apply_objects(n, &wanted, &to);
	}
	if (err == 0)
		err = apply_resets(n->dp, &n->desired, &n->memory, &n->faults);
	n->memory_due =
		after_ms(0); /* a reset that was followed is not followed again after a crash */
	bool taken = n->faults.count == 0;
	if (err == 0)
		err = egress_apply(&n->egress, &wanted, n->dp, &n->faults);
	if (err == 0)
		err = listener_sockets_apply(n->dp, &n->faults);
	if (err == 0)
		err = instance_sockets_apply(n->config, &wanted, n->dp, &n->missing_sockets);
	if (err == 0) {
		n->applied = to;
		n->report_due = after_ms(0);
	}
	note_apply(n, err, taken, &wanted);
	objects_fini(&wanted);
	if (err == 0)
		captures_begin(&n->captures, n->dp);
}

static void read_stats(struct node *n)
{
	int err = report_read(&n->report, n->dp, &n->memory);
	n->stats_due = after_ms(report_period_ms(&n->report));
	if (err != 0 && dp_client_is_broken(n->dp))
		disconnect(n, "dataplane", strerrordesc_np(-err));
	if (report_has_news(&n->report) && n->report_due == 0)
		n->report_due = after_ms(0);
}

/* Without a dataplane nothing is known to be well, and without desires there is no epoch. */
static bool can_report(const struct node *n)
{
	return n->dp != NULL && n->report.counters != NULL && n->desired.known
		&& control_client_can_report(n->control);
}

static void send_report(struct node *n)
{
	if (!can_report(n))
		return;
	n->report_due = 0;
	n->reported_at = clock_monotonic_ns();
	char *text = report_text(&n->report, &n->desired, n->applied.generation, &n->boot_id,
		&n->underlay, &n->faults);
	if (text == NULL || control_client_report(n->control, text) != 0) {
		report_note(&n->report, false);
		n->report_due = after_ms(RETRY_MAX_MS);
	}
}

static bool has_capture(const struct node *n)
{
	return n->captures.count > 0 && control_client_can_capture(n->control);
}

static void send_capture(struct node *n)
{
	struct uuid id;
	char *text = has_capture(n) ? captures_text(&n->captures, &id) : NULL;
	if (text != NULL && control_client_capture(n->control, &id, text) != 0)
		captures_done(&n->captures, &id); /* no memory: the control daemon stops waiting */
}

static void note_capture(void *ctx, const struct uuid *id, bool done)
{
	struct node *n = ctx;
	if (done)
		captures_done(&n->captures, id);
}

static bool take_desired(void *ctx, const char *json, size_t len)
{
	struct node *n = ctx;
	char error[DESIRED_ERROR_TEXT];
	struct uuid epoch = n->desired.epoch;
	uint64_t generation = n->desired.generation;
	int err = desired_merge(&n->desired, json, len, error);
	if (err != 0) {
		log_message(LOG_LEVEL_ERROR, "the control daemon's answer is refused: %s",
			err == -EINVAL ? error : strerrordesc_np(-err));
		n->ask_all = true;
		return false;
	}
	n->ask_all = false;
	captures_take(&n->captures, &n->desired);
	if (len > BIG_ANSWER)
		(void)malloc_trim(0);
	if (!uuid_equal(&epoch, &n->desired.epoch))
		report_forget(&n->report);
	if (n->dp != NULL
		&& (!uuid_equal(&epoch, &n->desired.epoch) || generation != n->desired.generation))
		n->apply_due = after_ms(0);
	return true;
}

static void tell_position(void *ctx, struct uuid *ret_epoch, uint64_t *ret_generation)
{
	const struct node *n = ctx;
	bool knows = n->desired.known && !n->ask_all;
	*ret_epoch = knows ? n->desired.epoch : (struct uuid){0};
	*ret_generation = knows ? n->desired.generation : 0;
}

static void note_report(void *ctx, bool taken)
{
	struct node *n = ctx;
	report_note(&n->report, taken);
	if (n->report_due == 0 && (!taken || report_has_news(&n->report)))
		n->report_due = after_ms(taken ? 0 : RETRY_MIN_MS);
}

static void take_event(struct node *n, const struct dp_event *e)
{
	if (e->type == DP_EVENT_NEIGHBOUR_MISSING) {
		underlay_resolve(&n->underlay, e->port, &e->endpoint.addr);
		return;
	}
	if (e->type == DP_EVENT_LOST) { /* nobody knows what: look at everybody */
		n->stats_due = after_ms(0);
		return;
	}
	report_take_event(&n->report, e, &n->memory);
	if (n->report_due == 0)
		n->report_due = after_ms(EVENT_REPORT_MS);
}

static void read_events(struct node *n)
{
	struct dp_event e;
	int err = 0;
	for (unsigned int i = 0; err == 0 && i < EVENTS_MAX; i++) {
		err = dp_client_event(n->events, &e);
		if (err == 0)
			take_event(n, &e);
	}
	if (err != 0 && err != -EAGAIN)
		disconnect(n, "dataplane", strerrordesc_np(-err));
}

static void note_network_change(struct node *n)
{
	monitor_drain(&n->monitor);
	if (n->dp == NULL || n->mirror_due != 0)
		return;
	n->mirror_due = n->mirrored_at + MIRROR_GAP_MS * MS;
}

static void do_what_is_due(struct node *n)
{
	if (is_due(n->connect_due))
		connect_dataplane(n);
	if (n->dp != NULL && is_due(n->mirror_due))
		mirror_network(n);
	if (n->dp != NULL && is_due(n->apply_due))
		apply_desired(n);
	if (n->dp != NULL && is_due(n->stats_due))
		read_stats(n);
	if (is_due(n->report_due) || clock_monotonic_ns() - n->reported_at > REPORT_MS * MS)
		send_report(n);
	if (is_due(captures_due(&n->captures)))
		send_capture(n);
	if (is_due(n->memory_due))
		save_memory(n);
}

static int wait_ms(const struct node *n)
{
	/* a report that cannot be sent yet waits for an event or the next second */
	const uint64_t moments[] = {n->connect_due, n->mirror_due, n->apply_due, n->stats_due,
		n->memory_due, can_report(n) ? n->report_due : 0,
		has_capture(n) ? captures_due(&n->captures) : 0};
	uint64_t now = clock_monotonic_ns(), least = WAIT_MS * MS;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		if (moments[i] != 0 && moments[i] <= now)
			return 0;
		if (moments[i] != 0 && moments[i] - now < least)
			least = moments[i] - now;
	}
	return (int)(least / MS) + 1;
}

/* false: asked to stop. */
static bool wait_for_events(struct node *n, int stop_fd)
{
	struct pollfd fds[WAIT__COUNT] = {
		[WAIT_STOP] = {.fd = stop_fd},
		[WAIT_MONITOR] = {.fd = monitor_fd(&n->monitor)},
	};
	unsigned int count = WAIT_DATAPLANE;
	if (n->dp != NULL) {
		fds[WAIT_DATAPLANE].fd = dp_client_fd(n->dp);
		fds[WAIT_EVENTS].fd = dp_client_fd(n->events);
		count = WAIT__COUNT;
	}
	control_client_wait(n->control, fds, count, wait_ms(n));
	if (fds[WAIT_MONITOR].revents != 0)
		note_network_change(n);
	if (n->dp != NULL && fds[WAIT_DATAPLANE].revents != 0)
		disconnect(n, "dataplane", "it ended");
	if (n->dp != NULL && fds[WAIT_EVENTS].revents != 0)
		read_events(n);
	return fds[WAIT_STOP].revents == 0;
}

static int start(struct node *n)
{
	struct control_events events = {.desired = take_desired,
		.position = tell_position,
		.reported = note_report,
		.captured = note_capture,
		.ctx = n};
	int err = netlink_open(&n->nl);
	if (err == 0)
		err = monitor_open(&n->monitor);
	if (err == 0)
		err = memory_load(&n->memory, n->config->state_dir);
	if (err == 0)
		err = control_client_new(n->config, &events, &n->control);
	underlay_init(&n->underlay, n->config, &n->nl);
	egress_init(&n->egress, n->config, &n->nl);
	n->connect_due = after_ms(0);
	n->memory_due = after_ms(MEMORY_MS);
	return err;
}

static void end(struct node *n)
{
	control_client_free(n->control);
	if (n->dp != NULL) /* for the memory: the last second counts too */
		(void)report_read(&n->report, n->dp, &n->memory);
	dp_client_free(n->dp);
	dp_client_free(n->events);
	save_memory(n);
	egress_fini(&n->egress);
	underlay_fini(&n->underlay);
	report_fini(&n->report);
	captures_fini(&n->captures);
	faults_fini(&n->faults);
	faults_fini(&n->missing_sockets);
	objects_fini(&n->actual);
	desired_fini(&n->desired);
	memory_fini(&n->memory);
	monitor_close(&n->monitor);
	netlink_close(&n->nl);
}

int node_run(const struct node_config *config, int stop_fd)
{
	struct node n = {.config = config};
	int err = start(&n);
	if (err == 0) {
		do {
			do_what_is_due(&n);
		} while (wait_for_events(&n, stop_fd));
	}
	end(&n);
	return err;
}

int node_remove(const struct node_config *config)
{
	struct nl nl;
	int err = netlink_open(&nl);
	if (err != 0)
		return err;
	int egress = egress_remove(&nl);
	int underlay = underlay_remove(config, &nl);
	instance_sockets_remove(config);
	netlink_close(&nl);
	return egress != 0 ? egress : underlay;
}
