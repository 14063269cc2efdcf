/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_KEYING_OPENVPN_WORLD_H
#define TESTS_UNIT_KEYING_OPENVPN_WORLD_H

#include "bench/session_client.h"
#include "dataplane/keying/stream.h"
#include "tests/unit/keying/fixture.h"

/*
 * OpenVPN at the fixture's hub: clients made of session_client.h, whose packets go through
 * keying_control_receive() or a real TCP connection over loopback, and keying's real rounds. Time is
 * f.k.now_ns.
 */
enum {
	HUB_PORT = 1194,
	LISTENER = 9, /* its id */
	DATA_MAX = 2048,
	CALLERS_MAX = 1024,
};

/* Zeroed: UDP, a certificate, no password, nothing wrapped, HUB_PORT. */
struct listen {
	bool is_tcp, password, no_certificate;
	enum wrap_mode wrap;
	uint16_t port;
	uint8_t number; /* 0: LISTENER */
	uint32_t renegotiate_s; /* 0: never */
	const struct certificate *server; /* NULL: the usual one */
};

struct caller {
	struct session_client_setup setup;
	struct session_client ovpn;
	struct ip_endpoint at;
	uint16_t port; /* of the hub */
	int fd; /* of TCP */
	struct tcp_framer framer;
	uint8_t packet[STREAM_PACKET_MAX];
	bool is_closed; /* the hub has closed the connection */
	bool has_news; /* something came that it may answer */
	unsigned int answers, data; /* packets that came */
	uint8_t last[DATA_MAX]; /* the newest of data */
	size_t last_len;
	struct data_send send;
	struct data_receive receive;
	bool has_keys;
	size_t piece; /* how many bytes it writes at a time; 0: all */
};

struct openvpn_world {
	struct static_key key;
	uint8_t wkc[1024];
	size_t wkc_len;
	struct cipher_engine *engine;
	/* whom answers are brought to; NULL: nobody any more, or not for now */
	struct caller *caller[CALLERS_MAX];
	unsigned int callers; /* behind the last one */
	unsigned int lost; /* answers to nobody of them */
	unsigned int data; /* inner packets that came out of streams */
	uint8_t last[DATA_MAX]; /* the newest */
	size_t last_len;
	unsigned int pings;
	int listening; /* our copy of the listening socket */
	uint16_t tcp_port;
};

extern struct openvpn_world o;
extern struct certificate openvpn_ca, openvpn_alice, openvpn_bob, openvpn_stranger;
extern const char openvpn_peer_info[], openvpn_peer_info_update[];

int openvpn_group_start(void **state);
int openvpn_group_end(void **state);
int openvpn_start(void **state);
int openvpn_end(void **state);

void openvpn_listen(const struct listen *l);
/* Of TCP, and its socket, of which we keep a copy. */
void openvpn_listen_tcp(const struct listen *l);
/* A peer without WireGuard. NULL: without. */
struct peer *openvpn_peer(
	uint16_t number, const struct certificate *who, const char *username, const char *password);
struct keying_credential *openvpn_credential(
	uint16_t number, const struct certificate *who, const char *username, const char *password);
/* Gives any peer a credential, and takes nothing away; NULL: takes it. */
void openvpn_give(struct peer *p, struct keying_credential *c);

/* A connection to the listener by TCP, from 127.0.network.1, on which nothing is said. */
int connect_raw(uint8_t network);
/* Takes what there is, and so sees the end. */
bool is_closed(int fd);

/* At 198.51.100.number. c->setup may be changed in between. */
void caller_prepare(struct caller *c, uint8_t number, const struct certificate *who);
void caller_begin(struct caller *c);
/* Connects first. */
void caller_begin_tcp(struct caller *c);
void caller_end(struct caller *c);
/* A packet of UDP from there to the hub's port. */
void deliver_openvpn(
	const struct ip_endpoint *from, uint16_t port, const uint8_t *wire, size_t len);
/* Both ends work, for so many rounds of 60 ms. */
void openvpn_run(unsigned int rounds);
/* What the hub has to send, to whom it belongs. */
void openvpn_hand_out(void);
/* Bytes that the whole program has from malloc(), with and without sanitizers. */
size_t openvpn_heap(void);
/* Runs until the client has its PUSH_REPLY; false: never. */
bool caller_connects(struct caller *c);
/* It has its PUSH_REPLY, and then also the keys for its data. */
bool caller_is_up(struct caller *c);
/* Its data goes by the key of its last renegotiation from now on. */
void caller_takes_newest_key(struct caller *c);
bool caller_heard(const struct caller *c, const char *text);
/* A packet that the workers have for the peer's stream; of no bytes it is a ping. */
void enqueue_data(const struct peer *p, const uint8_t *payload, uint16_t len);
/* Its data, of TCP: one packet onto the wire, sealed. */
void caller_send_data(struct caller *c, const uint8_t *payload, size_t len);
void caller_write(struct caller *c, const void *data, size_t len);
void caller_read(struct caller *c);

#endif
