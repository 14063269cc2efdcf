// SPDX-License-Identifier: Apache-2.0
/*
 * A machine that was copied while it ran has a twin with the same keys and counters: both would seal
 * different packets with the same nonce. The hypervisor tells the kernel by the VM generation id, and
 * the kernel's driver tells user space by a uevent with NEW_VMGENID=1: then all sessions are void. So
 * are they after the machine slept: keys do not wait in a memory that somebody may have carried away.
 * The socket is opened before the sandbox. Where the kernel does not send the event (Debian 12's 6.1
 * does not) a clone is not noticed: nothing else in user space tells one for sure.
 */
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"
#include "dataplane/keying/keying_private.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	UEVENT_MAX = 8192,
	EVENTS_MAX = 64, /* in one look */
	KERNEL_EVENTS = 1, /* multicast group */
};

#define LOOK_INTERVAL_NS (50 * NS_PER_MS)
#define SLEEP_MIN_NS NS_PER_SEC
#define READ_MAX_NS NS_PER_MS

static const char new_generation[] = "NEW_VMGENID=1";

/* Since it booted. The clock that goes on is read behind the other, so it is never less. false: the thread
 * was put aside between the two, and they tell nothing. */
static bool read_slept(uint64_t *ret_ns)
{
	uint64_t awake_ns = clock_monotonic_ns();
	*ret_ns = clock_boottime_ns() - awake_ns;
	return clock_monotonic_ns() - awake_ns < READ_MAX_NS;
}

void keying_clone_open(struct keying *k)
{
	struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_EVENTS};
	k->clone.fd = socket(
		AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	if (k->clone.fd >= 0
		&& bind(k->clone.fd, (const struct sockaddr *)&group, sizeof(group)) != 0)
		keying_clone_close(k);
	(void)read_slept(&k->clone.slept_ns); /* too much: the next look knows better */
}

void keying_clone_close(struct keying *k)
{
	if (k->clone.fd >= 0)
		(void)close(k->clone.fd);
	k->clone.fd = -1;
}

/* A uevent is a list of texts, each with a NUL. */
static bool has_text(const char *event, size_t len, const char *text)
{
	for (size_t at = 0; at < len; at += strnlen(event + at, len - at) + 1) {
		if (len - at > strlen(text) && strcmp(event + at, text) == 0)
			return true;
	}
	return false;
}

/* Only the kernel's word counts: any process with CAP_NET_ADMIN can send to the group. */
static bool is_new_generation(int fd)
{
	char event[UEVENT_MAX];
	bool found = false;
	for (unsigned int events = 0; events < EVENTS_MAX; events++) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {event, sizeof(event)};
		struct msghdr m = {.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1};
		ssize_t n = recvmsg(fd, &m, 0);
		if (n < 0 && errno == ENOBUFS)
			continue; /* some did not fit */
		if (n <= 0)
			break;
		if (from.nl_pid == 0 && has_text(event, (size_t)n, new_generation))
			found = true;
	}
	return found;
}

static bool has_slept(struct clone *c)
{
	uint64_t now_ns;
	if (!read_slept(&now_ns))
		return false;
	bool more = now_ns > c->slept_ns + SLEEP_MIN_NS;
	c->slept_ns = now_ns;
	return more;
}

void keying_clone_watch(struct keying *k)
{
	struct clone *c = &k->clone;
	if (k->now_ns - c->looked_ns < LOOK_INTERVAL_NS)
		return;
	c->looked_ns = k->now_ns;
	bool cloned = c->fd >= 0 && is_new_generation(c->fd);
	bool slept = has_slept(c);
	if (!cloned && !slept)
		return;
	log_info("this machine %s: all sessions end and are made anew",
		cloned ? "was cloned" : "slept");
	keying_expire_all(k);
}

static void expire_peer(struct keying *k, struct peer *p)
{
	bool had_session = p->current != NULL || p->next != NULL;
	keying_sessions_drop(k, p);
	if (had_session && p->endpoint != NULL)
		keying_pace_return(k, p);
}

void keying_expire_all(struct keying *k)
{
	k->random.left = 0; /* the twin has the same words */
	k->tables->sessions->random.left = 0;
	keying_clients_forget(k);
	for (unsigned int slot = 0; slot < TABLE_MAX_INSTANCES; slot++) {
		const struct instance *i =
			atomic_load_explicit(&k->tables->instance_slot[slot], memory_order_acquire);
		struct keying_instance *ki = i != NULL ? i->keying : NULL;
		if (ki == NULL)
			continue;
		ki->checker.has_secret = false;
		keying_instance_each_peer(k, ki, expire_peer);
	}
}
