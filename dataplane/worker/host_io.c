// SPDX-License-Identifier: Apache-2.0
/*
 * The host-I/O thread. Descriptors are handed over by the server thread under a mutex that this
 * thread takes once a round; no worker touches it. A device that a handle no longer names (the
 * instance went, or was made anew) is skipped, so a packet never leaves by another's TUN.
 */
#include "dataplane/worker/host_io.h"

#include "dataplane/base/clock.h"
#include "dataplane/table/counter.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/tables.h"
#include "dataplane/worker/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

enum {
	VNET_HEADER_LEN = 10, /* struct virtio_net_hdr, all zero: no offloads */
	READ_BURST = 32, /* frames of one device in a row: others get their turn */
	WRITE_BURST = 64,
	EVENTS = 64,
};

/* One TAP or TUN; freed only by the thread itself or after it ended. */
struct device {
	struct device *next;
	int fd;
	bool is_tap;
	uint32_t port; /* TAP */
	uint64_t instance; /* TUN: handle */
	bool gone; /* set: server, under the mutex */
};

struct host_io {
	struct tables *tables;
	struct rings *rings;
	struct counters *counters;
	unsigned int idle_sleep_us;
	int epoll;
	pthread_t thread;
	_Atomic bool stop;
	pthread_mutex_t mutex; /* holds the list */
	_Atomic unsigned int
		waiting; /* server threads that want the mutex: it is not fair by itself */
	struct captures captures;
	struct device *devices;
	struct device *tun[TABLE_MAX_INSTANCES]; /* by slot */
	struct device *tap[PORT_MAX];
};

static void count(struct host_io *h, enum counter which)
{
	counter_add(h->counters, which, 1);
}

static struct device *device_of(struct host_io *h, const struct pkt *k)
{
	if (k->host == PKT_HOST_TAP)
		return k->port < PORT_MAX ? h->tap[k->port] : NULL;
	uint32_t slot = (uint32_t)k->handle;
	struct device *d = slot < TABLE_MAX_INSTANCES ? h->tun[slot] : NULL;
	return d != NULL && d->instance == k->handle ? d : NULL;
}

static void write_capture(struct host_io *h, struct rte_mbuf *m)
{
	const struct pkt *k = pkt_of(m);
	capture_write(&h->captures, k->handle, k->outbound, rte_pktmbuf_mtod(m, const void *),
		m->data_len, clock_realtime_ns());
}

static void write_packet(struct host_io *h, struct rte_mbuf *m)
{
	if (pkt_of(m)->host == PKT_HOST_CAPTURE) {
		write_capture(h, m);
		return;
	}
	static const uint8_t header[VNET_HEADER_LEN];
	struct device *d = device_of(h, pkt_of(m));
	if (d == NULL) {
		count(h, COUNTER_DROP_NO_DEVICE);
		return;
	}
	void *zeros = (void *)(uintptr_t)header; // NOLINT(performance-no-int-to-ptr): only read
	struct iovec parts[2] = {
		{.iov_base = zeros, .iov_len = sizeof(header)},
		{.iov_base = rte_pktmbuf_mtod(m, void *), .iov_len = m->data_len},
	};
	if (writev(d->fd, parts, 2) < 0)
		count(h, COUNTER_DROP_HOST_WRITE);
}

static unsigned int write_packets(struct host_io *h)
{
	struct rte_mbuf *packets[WRITE_BURST];
	unsigned int n =
		rte_ring_dequeue_burst(h->rings->host, (void **)packets, WRITE_BURST, NULL);
	for (unsigned int i = 0; i < n; i++)
		write_packet(h, packets[i]);
	rte_pktmbuf_free_bulk(packets, n);
	return n;
}

static void describe(const struct device *d, struct rte_mbuf *m)
{
	struct pkt *k = pkt_of(m);
	memset(k, 0, sizeof(*k));
	k->inject = d->is_tap ? PKT_INJECT_TX : PKT_INJECT_ROUTE;
	k->port = (uint8_t)d->port;
	k->handle = d->instance;
}

/*
 * Frames from the TAP go to the worker of the port's first queue. Inner packets: those of one pair
 * of addresses stay in order, by one worker. Any header is good enough for that; the path checks it.
 */
static unsigned int worker_for(const struct host_io *h, const struct device *d, struct rte_mbuf *m)
{
	unsigned int workers = h->tables->workers;
	if (d->is_tap)
		return port_queue_worker(d->port, 0, workers);
	const uint8_t *ip = rte_pktmbuf_mtod(m, const uint8_t *);
	bool v6 = ip[0] >> 4 == 6;
	unsigned int at = v6 ? 8 : 12, len = v6 ? 32 : 8;
	uint32_t hash = 0;
	for (unsigned int end = at + len; at < end && at < m->data_len; at++)
		hash = hash * 31 + ip[at];
	return (hash ^ hash >> 16) % workers;
}

/* false: nothing (more) to read. */
static bool read_packet(struct host_io *h, struct device *d)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(h->rings->pool);
	if (m == NULL) {
		count(h, COUNTER_DROP_NO_BUFFER);
		return false;
	}
	uint8_t header[VNET_HEADER_LEN];
	struct iovec parts[2] = {
		{.iov_base = header, .iov_len = sizeof(header)},
		{.iov_base = rte_pktmbuf_mtod(m, void *), .iov_len = rte_pktmbuf_tailroom(m)},
	};
	ssize_t n = readv(d->fd, parts, 2);
	if (n <= VNET_HEADER_LEN) {
		rte_pktmbuf_free(m);
		return false;
	}
	(void)rte_pktmbuf_append(m, (uint16_t)(n - VNET_HEADER_LEN));
	describe(d, m);
	if (!rings_inject_put(h->rings, worker_for(h, d, m), m)) {
		count(h, COUNTER_DROP_INJECT_FULL);
		rte_pktmbuf_free(m);
	}
	return true;
}

/* 0 ms when busy, else a nap in epoll_pwait2, which the next frame of a device ends. */
static unsigned int read_devices(struct host_io *h, bool idle)
{
	struct epoll_event events[EVENTS];
	struct timespec nap = {.tv_nsec = idle ? (long)h->idle_sleep_us * 1000 : 0};
	(void)pthread_mutex_unlock(&h->mutex);
	int n = epoll_pwait2(h->epoll, events, EVENTS, &nap, NULL);
	while (atomic_load_explicit(&h->waiting, memory_order_acquire) > 0)
		(void)sched_yield();
	(void)pthread_mutex_lock(&h->mutex);
	unsigned int total = 0;
	for (int i = 0; i < n; i++) {
		struct device *d = events[i].data.ptr;
		/* somebody deleted it: it would say so for ever */
		if ((events[i].events & (EPOLLERR | EPOLLHUP)) != 0 && !d->gone)
			(void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, d->fd, NULL);
		for (unsigned int r = 0; r < READ_BURST && !d->gone && read_packet(h, d); r++)
			total++;
	}
	return total;
}

static void free_gone(struct host_io *h)
{
	struct device **at = &h->devices;
	while (*at != NULL) {
		struct device *d = *at;
		if (!d->gone) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		(void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, d->fd, NULL);
		(void)close(d->fd);
		free(d);
	}
}

static void *run(void *arg)
{
	struct host_io *h = arg;
	bool idle = false;
	(void)pthread_mutex_lock(&h->mutex);
	while (!atomic_load_explicit(&h->stop, memory_order_relaxed)) {
		free_gone(h);
		capture_expire(&h->captures, clock_monotonic_ns());
		unsigned int n = write_packets(h);
		n += read_devices(h, idle);
		idle = n == 0;
	}
	(void)pthread_mutex_unlock(&h->mutex);
	return NULL;
}

int host_io_start(struct tables *t, struct rings *r, struct counters *c, unsigned int idle_sleep_us,
	struct host_io **ret)
{
	struct host_io *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return -ENOMEM;
	h->tables = t;
	h->rings = r;
	h->counters = c;
	h->idle_sleep_us = idle_sleep_us;
	(void)pthread_mutex_init(&h->mutex, NULL);
	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	int err = h->epoll < 0 ? -errno : -pthread_create(&h->thread, NULL, run, h);
	if (err != 0) {
		if (h->epoll >= 0)
			(void)close(h->epoll);
		free(h);
		return err;
	}
	(void)pthread_setname_np(h->thread, "nave-host-io");
	*ret = h;
	return 0;
}

void host_io_stop(struct host_io *h)
{
	if (h == NULL)
		return;
	atomic_store_explicit(&h->stop, true, memory_order_relaxed);
	(void)pthread_join(h->thread, NULL);
	for (struct device *d = h->devices; d != NULL; d = d->next)
		d->gone = true;
	free_gone(h);
	captures_fini(&h->captures);
	(void)close(h->epoll);
	(void)pthread_mutex_destroy(&h->mutex);
	free(h);
}

static void lock_from_server(struct host_io *h)
{
	(void)atomic_fetch_add_explicit(&h->waiting, 1, memory_order_acq_rel);
	(void)pthread_mutex_lock(&h->mutex);
	(void)atomic_fetch_sub_explicit(&h->waiting, 1, memory_order_acq_rel);
}

/* Puts the device in place of the one in *at. */
static int replace_device(struct host_io *h, struct device **at, const struct device *what)
{
	struct device *d = malloc(sizeof(*d));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = d};
	int err = d == NULL ? -ENOMEM : 0;
	if (err == 0 && fcntl(what->fd, F_SETFL, O_NONBLOCK) != 0)
		err = -EINVAL;
	lock_from_server(h);
	if (err == 0) {
		*d = *what;
		err = epoll_ctl(h->epoll, EPOLL_CTL_ADD, d->fd, &event) != 0 ? -EINVAL : 0;
	}
	if (err == 0) {
		if (*at != NULL)
			(*at)->gone = true;
		*at = d;
		d->next = h->devices;
		h->devices = d;
	}
	(void)pthread_mutex_unlock(&h->mutex);
	if (err != 0) {
		(void)close(what->fd);
		free(d);
	}
	return err;
}

int host_io_tap_set(struct host_io *h, uint32_t port, int fd)
{
	if (port >= PORT_MAX) {
		(void)close(fd);
		return -EINVAL;
	}
	return replace_device(
		h, &h->tap[port], &(struct device){.fd = fd, .is_tap = true, .port = port});
}

int host_io_tun_set(struct host_io *h, const struct instance *i, int fd)
{
	return replace_device(
		h, &h->tun[i->slot], &(struct device){.fd = fd, .instance = instance_handle(i)});
}

void host_io_tun_del(struct host_io *h, const struct instance *i)
{
	lock_from_server(h);
	struct device *d = h->tun[i->slot];
	if (d != NULL && d->instance == instance_handle(i)) {
		d->gone = true;
		h->tun[i->slot] = NULL;
	}
	(void)pthread_mutex_unlock(&h->mutex);
}

int host_io_capture_open(struct host_io *h, const struct capture_settings *s, int fd)
{
	lock_from_server(h);
	int place = capture_open(&h->captures, s, fd);
	(void)pthread_mutex_unlock(&h->mutex);
	return place;
}

bool host_io_capture_is_open(struct host_io *h, uint64_t peer)
{
	lock_from_server(h);
	bool open = capture_is_open(&h->captures, peer);
	(void)pthread_mutex_unlock(&h->mutex);
	return open;
}

void host_io_capture_close(struct host_io *h, uint64_t peer)
{
	lock_from_server(h);
	capture_close(&h->captures, peer);
	(void)pthread_mutex_unlock(&h->mutex);
}
