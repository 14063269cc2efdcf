/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_PATH_FIXTURE_H
#define TESTS_UNIT_PATH_FIXTURE_H

#include "bench/memory_hub.h"
#include "dataplane/table/rings.h"

#include <stdint.h>

/*
 * One packet at a time through the whole path of a hub in memory: peers 0, 1 and 2 are sites with
 * real sessions. Counters are told as what the last packet added.
 */
enum {
	OUTER = 42, /* Ethernet, IPv4, UDP */
	OUTER6 = 62,
	DATA = 16, /* struct message_data */
	SIZE = 100,
};

extern struct memory_hub hub;

int fixture_start(void **state);
/* The same with set_underlay6(). */
int fixture_start6(void **state);
int fixture_end(void **state);

/* Receives the frame; how many were sent. ret: the first of them, or NULL. */
unsigned int path_take(struct rte_mbuf *frame, struct rte_mbuf **ret);
/* The same, at that time. */
unsigned int path_take_at(struct rte_mbuf *frame, uint64_t now_ns, struct rte_mbuf **ret);
/* Puts a packet into the inject ring's stage, the handle in place; how many were sent. */
unsigned int path_take_injected(
	struct rte_mbuf *m, enum pkt_inject how, uint64_t handle, struct rte_mbuf **ret);
uint64_t grown(enum counter c);
/* Nothing is sent, and just this reason is counted, once. */
void assert_dropped(struct rte_mbuf *frame, enum counter reason);
/* Like it, and peer 0 gets an ICMP error of that type and code. */
void assert_refused(struct rte_mbuf *frame, enum counter reason, uint8_t type, uint8_t code);
/* What the path handed to the host-I/O thread or to keying; freed. */
void drop_from_host(unsigned int wanted);
void drop_all_from_host(void);
void drop_all_from_keying(void);
void take_from_keying(struct keying_message *ret);
void assert_nothing_for_keying(void);

struct rte_mbuf *good_frame(void); /* IPv4, SIZE bytes, from peer 0 to peer 1 */
struct rte_mbuf *frame_from(unsigned int peer, const uint8_t *inner, uint16_t len);
struct rte_mbuf *frame_to(const char *destination); /* IPv4, from peer 0 */
void make_inner4(uint8_t *inner, uint16_t len, unsigned int from, unsigned int to);
/* UDP over IPv6, its checksum left zero. */
void make_inner6(uint8_t *inner, uint16_t len, unsigned int from, unsigned int to);
/* The hub has 2001:db8:f::1, and a gateway there. */
void set_underlay6(void);
/* The same UDP payload in an IPv6 frame from 2001:db8:f::9 to it. */
struct rte_mbuf *in_ipv6(struct rte_mbuf *m);
struct rte_mbuf *packet_of(const uint8_t *data, uint16_t len);
uint8_t *byte_of(struct rte_mbuf *m, uint16_t at);
void fix_inner_checksum(uint8_t *ip);
/* The sum that a receiver computes over ICMPv6, UDP or TCP behind a plain IPv6 header: 0xffff. */
uint16_t checksum6(const uint8_t *ip, uint16_t len);
uint16_t checksum(const uint8_t *data, uint16_t len);

/* Opens what the hub has sent to a peer, with that peer's key; points into the frame. */
const uint8_t *open_sent(struct rte_mbuf *m, unsigned int peer, uint16_t *ret_len);
const uint8_t *open_sent_behind(
	struct rte_mbuf *m, uint16_t outer, unsigned int peer, uint16_t *ret_len);

#endif
