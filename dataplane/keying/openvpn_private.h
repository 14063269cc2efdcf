/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_KEYING_OPENVPN_PRIVATE_H
#define DATAPLANE_KEYING_OPENVPN_PRIVATE_H

/* Of the files of keying/ that speak OpenVPN. Everything here runs on the keying thread, unless told. */

#include "dataplane/keying/client_status.h"
#include "dataplane/keying/keying_private.h"
#include "dataplane/keying/listener.h"
#include "dataplane/ovpn/session.h"
#include "dataplane/ovpn/start.h"
#include "dataplane/ovpn/tls_crypt_v2.h"
#include "dataplane/table/tunnel.h"

/* listener.c */
struct keying_listener {
	struct keying_listener *next; /* of the instance */
	unsigned int references; /* one of the instance's list, one a client */
	/* that are up, under this setting of it or an earlier one; read: server */
	_Atomic uint32_t sessions;
	struct uuid id;
	uint16_t port;
	enum wrap_mode wrap_mode;
	enum wrap_digest digest;
	struct static_key wrap_key;
	struct wrap stranger; /* for what belongs to no session */
	struct tls_crypt_v2_server v2;
	struct tls_context *tls; /* owned */
	struct cipher_policy ciphers;
	struct ovpn_session_config config; /* its tls is the heir's, once there is one */
	struct keying_listener *heir; /* referenced: what came after it under the same id */
};

/* A socket that listens for a listener of TCP; it outlives a change of its settings. */
struct listener_socket {
	struct listener_socket *next; /* of the instance */
	struct instance *instance;
	struct uuid listener;
	int fd;
};

struct keying_listener *keying_listener_ref(struct keying_listener *l);
void keying_listener_unref(struct keying_listener *l);
struct keying_listener *keying_listener_at(
	const struct keying_instance *ki, uint16_t port, bool is_tcp);
struct keying_listener *keying_listener_find(
	const struct keying_instance *ki, const struct uuid *id);
/* A wrapping of its own for a session whose first packet is wire. 0, -EBADMSG or -ENOMEM. */
int keying_listener_wrap(
	struct keying_listener *l, const uint8_t *wire, size_t len, struct wrap *ret);
/* Takes l over. */
void keying_listener_apply(struct keying *k, struct instance *i, struct keying_listener *l);
void keying_listener_remove(struct keying *k, struct instance *i, const struct uuid *id);
/* stream.c. Takes fd over. */
void keying_listener_socket_apply(
	struct keying *k, struct instance *i, const struct uuid *id, int fd);
/* NULL: all of the instance. */
void keying_listener_socket_close(
	struct keying *k, struct keying_instance *ki, const struct uuid *id);
/* The instance goes: its sessions end. */
void keying_listeners_drop(struct keying *k, struct keying_instance *ki);

/* What a client comes by. */
struct client_way {
	struct instance *instance;
	struct keying_listener *listener;
	struct stream *stream; /* NULL: UDP */
	struct ip_endpoint remote;
	struct ip_addr local;
	uint16_t local_port;
};

/* One client of a listener: the session and what belongs to it. */
struct client {
	struct client *next, **prev; /* keying.openvpn.clients */
	struct hash_entry by_session_id; /* the client's; of UDP */
	struct session_id client_id;
	struct keying_listener *listener; /* referenced */
	struct instance *instance;
	struct ovpn_session *session;
	struct ip_endpoint remote;
	struct ip_addr local;
	uint16_t local_port;
	struct stream *stream; /* of TCP; NULL: UDP, and answers go by reply */
	struct reply_path reply;
	uint64_t number; /* from 1, in the order in which they came */
	uint64_t up_ns, pinged_ns;
	uint64_t up_realtime_ns;
	uint64_t received_before, sent_before; /* bytes that the peer had then */
	struct peer *peer; /* who it is, once authenticated */
	struct tunnel *tunnel; /* with its peer id once authenticated */
	struct ip_addr stranger_at; /* counted there until it is known, or freed */
	bool is_known; /* its tunnel was up */
	bool is_up; /* the tunnel is the peer's */
	bool exits; /* it said in its data that it goes */
	bool wants_renewal; /* a data key is nearly used up */
	bool is_gone; /* another has taken its place: nobody finds it, it is freed soon */
	struct data_key *key[TUNNEL_KEYS]; /* owned; what the tunnel has of them */
};

/* Which of them; NULL: whatever. */
struct client_filter {
	const struct instance *instance;
	const struct uuid *listener;
	const struct peer *peer;
};

/* client.c */
struct keying_openvpn {
	struct client *clients;
	unsigned int count, strangers; /* strangers: clients and streams of whom nothing is known */
	uint64_t last_number;
	struct hash by_session_id;
	struct start start;
	struct cipher_engine *cipher; /* only makes keys */
	uint64_t looked_ns; /* at all clients */
	struct reply_limit *limit;
	/* stream.c */
	int epoll_fd;
	struct stream *streams, *ready;
	unsigned int stream_count;
	uint64_t stalls_looked_ns;
	uint32_t queued; /* packets, in all streams */
	uint8_t *read_buffer;
};

int keying_openvpn_init(struct keying *k);
void keying_openvpn_fini(struct keying *k);
/* Of UDP, by the session id that the client chose. */
struct client *keying_client_find(struct keying *k, const struct instance *i, uint16_t local_port,
	const struct session_id *client_id);
/* A session by begin, which is taken over; NULL, and counted: too many, or no memory. */
struct client *keying_client_new(
	struct keying *k, const struct client_way *way, struct ovpn_session_begin *begin);
/* One more stranger, of either transport; false: there are too many, there or altogether. */
bool keying_stranger_enter(struct keying_openvpn *o, const struct ip_addr *from);
void keying_stranger_leave(struct keying_openvpn *o, const struct ip_addr *from);
/* At once, with nothing said. */
void keying_client_free(struct keying *k, struct client *c);
/* What happened in the session, and what it has to say. c may be freed. */
void keying_client_advance(struct keying *k, struct client *c);
/* Those that fit are told RESTART, as well as that can be done, and freed. */
void keying_clients_end(struct keying *k, struct client_filter which);
/* So is this one, whose control channel says command. */
void keying_client_end(struct keying *k, struct client *c, const char *command);
/* The client whose tunnel the peer has now; NULL: none. */
struct client *keying_client_of_peer(const struct peer *p);
/* by takes the place of whoever was up for its peer until now. */
void keying_clients_replaced(struct keying *k, struct client *by);
/* What the instance pushes has changed. */
void keying_clients_push(struct keying *k, const struct instance *i);
void keying_clients_run(struct keying *k);
/* A worker's word of a tunnel. */
void keying_client_exited(struct keying *k, struct peer *p, uint32_t tunnel_id);
void keying_client_renew(struct keying *k, struct peer *p, uint32_t tunnel_id);

/* client_status.c */
/* It has come up, it goes down: what is told of sessions follows. */
void keying_client_note_up(const struct keying *k, struct client *c);
void keying_client_note_down(const struct client *c);

/* tunnel.c */
int keying_tunnel_new(struct keying *k, struct client *c, struct peer *p);
/* Replaces what the peer had, of either protocol. */
void keying_tunnel_take_over(struct keying *k, struct client *c);
int keying_tunnel_key_ready(
	struct keying *k, struct client *c, const struct ovpn_session_key *from);
void keying_tunnel_key_active(struct keying *k, struct client *c, uint8_t key_id);
void keying_tunnel_key_expired(struct keying *k, struct client *c, uint8_t key_id);
void keying_tunnel_free(struct keying *k, struct client *c);

/* credential.c */
enum {
	SHA256_LEN = 32,
};

/* The peer that c's session says it is, proven or not; NULL: there is none, or it has expired. */
struct peer *keying_credential_owner(const struct client *c, const struct ovpn_credentials *said);

/* By its certificate alone, and of whatever instance: it came to another network's port. */
struct peer *keying_credential_owner_anywhere(
	const struct keying *k, const struct ovpn_credentials *said);

/* The same, proven; NULL, and why. */
struct peer *keying_credential_check(const struct client *c, const struct ovpn_credentials *said,
	enum ovpn_session_failure *ret_why);

/* push.c */
void keying_push_write(const struct client *c, struct push *ret);
/* Takes push over. */
void keying_push_apply(struct keying *k, struct instance *i, struct keying_push *push);

/*
 * reply_limit.c. Answers to strangers, 100 a second for each network of theirs; and how many of them
 * there are: a network has 1024 at a time.
 */

int reply_limit_new(struct reply_limit **ret);
void reply_limit_free(struct reply_limit *l);
bool reply_limit_allows(struct reply_limit *l, const struct ip_addr *source, uint64_t now_ns);
/* false: there are too many. */
bool network_enter(struct reply_limit *l, const struct ip_addr *source);
void network_leave(struct reply_limit *l, const struct ip_addr *source);

/* control.c. A control packet over UDP; takes the message's mbuf over. */
void keying_control_receive(struct keying *k, const struct keying_message *message);

#endif
