// SPDX-License-Identifier: Apache-2.0
/*
 * A worker says once a round that it holds no pointers (QSBR), and goes offline to sleep: who has done
 * neither for WATCHDOG_STALL_MS hangs. It is said in words and counted, and the supervisor is fed no
 * more: it ends us and starts us anew, and nave-node brings the state back. The same happens when this
 * thread itself hangs, because it waits for that worker or for keying.
 */
#include "dataplane/server/watchdog.h"

#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"
#include "dataplane/table/tables.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_rcu_qsbr.h>

enum {
	QSBR_OFFLINE = 0, /* of a reader's count; DPDK's name for it is private */
};

/* A name that begins with @ is an abstract one. */
static int open_notify(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path != NULL ? strlen(path) : 0;
	if (len < 2 || len >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) != 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

void watchdog_init(struct watchdog *w)
{
	/* The main thread, before all others. NOLINTBEGIN(concurrency-mt-unsafe) */
	w->notify_fd = open_notify(getenv("NOTIFY_SOCKET"));
	w->feeds = w->notify_fd >= 0 && getenv("WATCHDOG_USEC") != NULL;
	/* NOLINTEND(concurrency-mt-unsafe) */
}

void watchdog_fini(struct watchdog *w)
{
	if (w->notify_fd >= 0)
		(void)close(w->notify_fd);
}

static void notify(const struct watchdog *w, const char *text)
{
	if (w->notify_fd >= 0)
		(void)send(w->notify_fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void watchdog_ready(struct watchdog *w)
{
	notify(w, "READY=1");
}

static void name_stalled(const struct tables *t, uint64_t token)
{
	for (unsigned int n = 0; n < t->workers; n++) {
		uint64_t seen = __atomic_load_n(&t->qsbr->qsbr_cnt[n].cnt, __ATOMIC_RELAXED);
		if (seen != QSBR_OFFLINE && seen < token)
			log_error("worker %u: no round finished for %d s: it hangs", n,
				WATCHDOG_STALL_MS / 1000);
	}
}

void watchdog_tick(struct watchdog *w, const struct tables *t, uint64_t now_ns)
{
	if (w->token == 0 || rte_rcu_qsbr_check(t->qsbr, w->token, false) == 1) {
		if (w->stalled)
			log_warning("workers: all go their rounds again");
		w->stalled = false;
		w->token = rte_rcu_qsbr_start(t->qsbr);
		w->since_ns = now_ns;
	} else if (!w->stalled && now_ns - w->since_ns >= WATCHDOG_STALL_MS * NS_PER_MS) {
		w->stalled = true;
		w->stalls++;
		name_stalled(t, w->token);
	}
	if (!w->feeds || w->stalled || now_ns - w->fed_ns < WATCHDOG_TICK_MS * NS_PER_MS)
		return;
	w->fed_ns = now_ns;
	notify(w, "WATCHDOG=1");
}
