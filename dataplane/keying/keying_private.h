/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_KEYING_KEYING_PRIVATE_H
#define DATAPLANE_KEYING_KEYING_PRIVATE_H

/* Shared by the files of keying/ only. Everything here runs on the keying thread, unless told. */

#include "dataplane/base/random.h"
#include "dataplane/keying/keying.h"
#include "dataplane/table/counter.h"
#include "dataplane/table/hash.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/peer.h"
#include "dataplane/table/pkt.h"
#include "dataplane/table/rings.h"
#include "dataplane/table/session.h"
#include "dataplane/table/tables.h"
#include "dataplane/wg/bucket.h"
#include "dataplane/wg/cookie.h"
#include "dataplane/wg/messages.h"
#include "dataplane/wg/noise.h"
#include "dataplane/wg/ratelimiter.h"

#include <pthread.h>
#include <stdbool.h>

enum {
	WHEEL_SLOTS = 1024,
	STAGED_MAX = 128, /* packets a peer that wait for its key */
	STAGED_TOTAL_MAX = 4096, /* of all peers: the pool must never run dry */
	HELD_MAX = 256, /* messages that wait for a neighbour */
};

/* What keying keeps of an instance: instance->keying. */
struct keying_instance {
	struct keying_instance *next, **prev; /* keying.instances */
	struct instance *instance;
	struct noise_identity identity;
	struct cookie_checker checker;
	struct hash peer_by_key; /* struct peer.keying_by_key */
	struct hash peer_by_endpoint; /* struct peer.keying_by_endpoint */
	uint16_t port; /* that endpoints have */
	uint64_t under_load_until_ns;
	uint64_t loaded_second; /* admission.c counted it for that second */
	struct bucket strangers;
	struct keying_listener *listeners; /* owned; so are sockets */
	struct listener_socket *sockets;
	struct keying_push *push; /* owned; NULL: nothing */
	uint64_t ended_received_bytes, ended_sent_bytes; /* of OpenVPN's sessions that are over */
	struct hash peer_by_certificate, peer_by_username; /* struct keying_credential */
};

/* admission.c */
struct admission {
	struct bucket known, cookie, replies;
	struct ratelimiter *sources; /* those that have a cookie */
	uint64_t second;
	unsigned int loaded, loaded_before; /* instances, in that second and the one before */
};

/* Handles of peers, first in first out. */
struct handle_queue {
	uint64_t *handle;
	uint32_t size, first, count;
};

/* pace.c */
enum pace_queue {
	PACE_FIRST,
	PACE_BEHIND,
	PACE_QUEUES,
};

struct pace {
	struct bucket bucket;
	struct handle_queue queue[PACE_QUEUES];
	unsigned int turn;
	bool called; /* whoever is visited now has its turn */
};

/* neighbour.c */
struct held_message {
	uint64_t peer; /* handle */
	uint64_t since_ns;
	struct rte_mbuf *mbuf; /* NULL: none */
};

struct held_messages {
	struct held_message message[HELD_MAX];
	uint32_t arrivals; /* of neighbours, that were looked at */
};

/* Memory that a worker may still be reading. */
struct deferred {
	struct deferred *next;
	uint64_t token; /* of rte_rcu_qsbr_start() */
	void *object;
	void (*free)(void *object);
};

/* clone.c */
struct clone {
	int fd; /* where the kernel tells of a new VM generation; -1: it does not */
	uint64_t looked_ns; /* CLOCK_MONOTONIC */
	uint64_t slept_ns; /* how long the machine has slept since it booted */
};

struct keying_listener;
struct keying_openvpn;
struct keying_push;
struct listener_socket;
struct order; /* keying.c: what the server thread asked for */

struct keying {
	struct keying_config config;
	struct tables *tables;
	struct rings *rings;
	struct counters *counters;
	pthread_t thread;
	_Atomic bool stop;

	pthread_mutex_t mutex; /* holds the orders */
	pthread_cond_t done;
	struct order *orders, **orders_end;
	bool unsettled; /* server thread only: something was told since keying_settle() */

	pthread_mutex_t
		status_mutex; /* endpoint pointers and timestamps, for keying_peer_status() */

	uint64_t now_ns; /* CLOCK_MONOTONIC of this round */
	struct random_words random; /* for jitter */
	struct admission admission;
	struct pace pace;
	struct held_messages held;
	struct clone clone;
	struct keying_openvpn *openvpn;
	struct keying_instance *instances;
	struct peer *wheel[WHEEL_SLOTS];
	uint64_t wheel_at; /* the tick that was looked at last */
	unsigned int staged;
	struct deferred *deferred, **deferred_end;
};

/* keying.c. Server thread: call runs on the keying thread, after all that was told before; this waits. */
void keying_call(struct keying *k, void (*call)(struct keying *k, void *ctx), void *ctx);

/* instance.c */
int keying_instance_apply(struct keying *k, struct instance *i, const struct key *private_key);
void keying_instance_drop(struct keying *k, struct instance *i);
void keying_instance_each_peer(struct keying *k, struct keying_instance *ki,
	void (*visit)(struct keying *k, struct peer *p));
/* Without one it says nothing and answers nobody. */
bool keying_instance_has_identity(const struct keying_instance *ki);
struct peer *keying_instance_peer(const struct keying_instance *ki, const struct key *public_key);

/* peer.c */
/* Gives the peer its part of keying, if it has none. false, and counted: no memory. */
bool keying_peer_wake(struct keying *k, struct peer *p);
/* Wipes and frees it. The peer has no session; an initiation of ours is forgotten. */
void keying_peer_rest(struct keying *k, struct peer *p);
void keying_peer_apply(struct keying *k, const struct keying_peer *settings);
/* Lets go of everything: called when the peer was unlinked. */
void keying_peer_drop(struct keying *k, struct peer *p);
/* Takes the packet over: kept until there is a key, or dropped. */
void keying_peer_stage(struct keying *k, struct peer *p, struct rte_mbuf *m);
void keying_peer_flush_staged(struct keying *k, struct peer *p);
void keying_peer_purge_staged(struct keying *k, struct peer *p);
/* Its instance has an identity, and where it is was told or seen. */
bool keying_peer_can_be_called(const struct peer *p);
/* As soon as the timers let it: keying_timer_visit() comes next. Nothing for who can't be called. */
void keying_peer_want_handshake(struct keying *k, struct peer *p);
/* clock_s: how far its clock is behind ours, where that is the reason. */
void keying_peer_fail(struct keying *k, struct peer *p, enum peer_failure why, int64_t clock_s);
/* Forgets the greatest timestamp, so that a router whose clock went back is heard again. */
void keying_peer_forget_timestamp(struct keying *k, struct peer *p);

/*
 * reply.c. How to answer a frame: its own headers, turned round. Good for as long as packets come that
 * way; data goes by the peer's endpoint, and so do these once the client has floated.
 */
struct reply_path {
	uint8_t header[ENDPOINT_HEADER_MAX];
	uint8_t header_len;
	bool is_v6;
	uint8_t port; /* of the hub */
};

/* m: as classify left it. */
void keying_reply_path(const struct keying *k, struct rte_mbuf *m, struct reply_path *ret);
/* By the way that data goes; false: its neighbour is not known. */
bool keying_reply_path_to_endpoint(
	const struct keying *k, const struct endpoint *e, struct reply_path *ret);
/* false, and counted: it could not be sent. */
bool keying_reply(
	struct keying *k, const struct reply_path *path, const uint8_t *payload, size_t len);

/* credential.c. Takes c over; another one than it had ends its session. NULL: none. */
void keying_credential_set(struct keying *k, struct peer *p, struct keying_credential *c);

/* client.c */
/* Its OpenVPN session ends; it is refused from now on, if it is expired or unlinked. */
void keying_clients_cut(struct keying *k, const struct peer *p);
/* WireGuard asks for a peer: true, and its OpenVPN session has ended, when that has been silent. */
bool keying_clients_yield(struct keying *k, const struct peer *p);
/* A worker has authentic data from elsewhere. false: not of the session that the peer has now. */
bool keying_client_may_move(const struct peer *p, const struct keying_message *to);
/* The endpoint has followed; the control channel does, too. */
void keying_client_moved(struct keying *k, struct peer *p);
/* All end without a word: another machine may have the same keys. */
void keying_clients_forget(struct keying *k);

/* admission.c */
enum keying_verdict {
	KEYING_ADMIT,
	KEYING_SEND_COOKIE,
	KEYING_REFUSE,
};

/* What m tells of the queue is remembered for the instance. */
bool keying_is_under_load(
	struct keying *k, struct keying_instance *ki, const struct keying_message *m);
/* Under load, MAC1 is valid. has_cookie: MAC2 is too. */
enum keying_verdict keying_admit(struct keying *k, struct keying_instance *ki,
	const struct ip_endpoint *source, bool has_cookie);

/* pace.c */
/* An initiation to the peer is due. false: not its turn yet; it is visited when it is. */
bool keying_pace_take(struct keying *k, struct peer *p);
/* A peer of which the endpoint is known from before a restart is to be called. */
void keying_pace_return(struct keying *k, struct peer *p);
void keying_pace_run(struct keying *k);
void keying_pace_fini(struct keying *k);

/* handshake.c. Takes the message's mbuf over. */
void keying_handshake_receive(struct keying *k, const struct keying_message *message);
/* There is an endpoint, or one can be made of the hint, and an identity. */
bool keying_handshake_has_way(struct keying *k, struct peer *p);
/* It has a way. */
void keying_handshake_initiate(struct keying *k, struct peer *p);

/* session.c */
/* Derives a session from the finished handshake and puts it in its place. */
int keying_session_install(struct keying *k, struct peer *p, struct noise_handshake *h);
/* There is a key to seal with. */
bool keying_session_is_usable(const struct keying *k, const struct peer *p);
void keying_session_promote(struct keying *k, struct peer *p, uint32_t index);
void keying_sessions_drop(struct keying *k, struct peer *p);
/* Our initiation is not waited for any more; its index is free. */
void keying_session_forget_initiation(struct keying *k, struct peer *p);
/* An empty packet: proves the key, keeps the mapping. */
void keying_session_keepalive(struct keying *k, struct peer *p);

/* endpoint.c */
/* local zero: choose one. */
void keying_endpoint_set(struct keying *k, struct peer *p, const struct ip_endpoint *remote,
	const struct ip_addr *local, uint16_t local_port);
void keying_endpoint_renew(struct keying *k, struct peer *p);
void keying_endpoint_drop(struct keying *k, struct peer *p);
/* Some peer of the instance is there. */
bool keying_endpoint_is_known(const struct keying_instance *ki, const struct ip_endpoint *e);

/* neighbour.c */
/* A handshake message to the peer's endpoint, as soon as its neighbour is known; takes it over. */
void keying_send(struct keying *k, struct peer *p, struct rte_mbuf *m);
/* Lets go what waited for a neighbour that is there now. */
void keying_neighbours_watch(struct keying *k);
void keying_neighbours_fini(struct keying *k);

/* timer.c */
/* Looks at the peer's timers now and puts it back into the wheel for its next deadline. */
void keying_timer_visit(struct keying *k, struct peer *p);
void keying_timer_run(struct keying *k);
void keying_timer_remove(struct peer *p);
/* What was sent to the peer so far waits for no answer any more. */
void keying_timer_answered(struct peer *p);
/* What came from it so far has been answered. */
void keying_timer_spoken(struct peer *p);

/* clone.c */
void keying_clone_open(struct keying *k);
void keying_clone_close(struct keying *k);
/* Expires all sessions when the machine was cloned or slept. */
void keying_clone_watch(struct keying *k);
/* Ends every session of every peer; peers that had one are called in their turn. */
void keying_expire_all(struct keying *k);

/* keying.c */
/* What the thread does without a thread: for tests and bench. 0 or -errno. */
int keying_init(struct keying *k, const struct keying_config *config);
/* Lets go of everything in tables, wiped. The workers must have stopped. */
void keying_fini(struct keying *k);
/* One round at k->now_ns; 0: there was nothing to do. */
unsigned int keying_round(struct keying *k);
void keying_defer_free(struct keying *k, void *object); /* of a slab */
void keying_defer(struct keying *k, void *object, void (*free_object)(void *object));
/* A packet for a peer into the inject ring; takes it over. */
void keying_inject(struct keying *k, struct peer *p, struct rte_mbuf *m, enum pkt_inject how);
void keying_count(struct keying *k, enum counter which);
void keying_tell(struct keying *k, const struct keying_event *e);

#endif
