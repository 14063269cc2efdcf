/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_START_H
#define DATAPLANE_OVPN_START_H

#include "dataplane/base/ip.h"
#include "dataplane/ovpn/framing.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The stateless start on UDP (reference/openvpn-protocol.md, section 1.4): the server answers a
 * client's reset with a session id that is a MAC over who asked and when, and remembers nothing.
 * Only who echoes it from the same address gets a session.
 */
struct start {
	uint8_t secret[32];
	uint64_t timeslot_ns;
};

/* Both ends of the datagram: one secret may serve many ports. */
struct start_path {
	struct ip_endpoint source, dest;
};

enum start_verdict {
	START_ACCEPTED,
	START_OPCODE, /* neither ACK_V1, CONTROL_V1 nor CONTROL_WKC_V1 (or a client's reset) */
	START_KEY_ID, /* not 0 */
	START_NO_ACK, /* so no session id of ours to verify */
	START_PACKET_ID, /* an ack or the packet's own id is above 1 */
	START_SESSION_ID, /* not ours: forged, another source, or too old */
	START_PAYLOAD, /* of a reset: not the type-length-values of early negotiation */
};

/* A fresh secret; hand_window_s as configured, seconds, above 0. 0, -EINVAL or -errno. */
int start_init(struct start *s, uint32_t hand_window_s);
void start_fini(struct start *s);

/* What the answer to a reset carries as payload. */
enum start_early_negotiation {
	START_PLAIN, /* nothing */
	START_RESEND_WKC, /* tls-crypt-v2: the client is to send P_CONTROL_WKC_V1 */
};

/*
 * The answer to a client's first packet, out of its wrapping: START_ACCEPTED, and
 * P_CONTROL_HARD_RESET_SERVER_V2 in ret; else ret is untouched. Its payload lives in the program.
 * The caller wraps it with replay id 1. now_ns: CLOCK_MONOTONIC or CLOCK_BOOTTIME, the same in
 * start_check().
 */
enum start_verdict start_reply(const struct start *s, const struct start_path *path,
	const struct control_packet *reset, enum start_early_negotiation early, uint64_t now_ns,
	struct control_packet *ret);
/*
 * Whether a packet that belongs to no session may begin one. It then starts with
 * remote_session_id as the server's own, both next packet ids 1 and replay send counter 1, and
 * takes this same packet normally.
 */
enum start_verdict start_check(const struct start *s, const struct start_path *path,
	const struct control_packet *p, uint64_t now_ns);

#endif
