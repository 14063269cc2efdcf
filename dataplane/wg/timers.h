/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_TIMERS_H
#define DATAPLANE_WG_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The timers of one peer (paper, section 6) as a pure state machine: stamps of what happened and
 * the time go in, what to do and when to look again comes out. All times in nanoseconds of
 * CLOCK_MONOTONIC, 0 is never.
 */

/* What whoever moves packets noted. "Data" has an inner packet; "any" includes keepalives. */
struct timer_stamps {
	uint64_t last_any_sent_ns, last_any_received_ns;
	uint64_t
		first_data_sent_since_receive_ns; /* cleared when anything authentic arrives, and by TIMERS_SILENCE */
	uint64_t first_data_received_since_send_ns; /* cleared when anything is sent */
};

struct timers {
	uint64_t keepalive_interval_ns; /* persistent keepalive; 0: none */
	uint64_t last_initiation_ns;
	uint64_t attempt_ns; /* when the first initiation of this attempt was sent */
	uint64_t retry_at_ns; /* while a handshake is on its way */
	uint64_t zero_keys_at_ns;
	uint64_t silence_seen_ns; /* when silence last made us ask for a handshake */
	uint64_t silence_jitter_ns;
	uint64_t keepalive_sent_ns;
	uint64_t handshake_sent_ns, handshake_received_ns; /* last message of a handshake */
	bool wanted; /* a handshake, as soon as REKEY_TIMEOUT lets us */
	bool on_its_way; /* an initiation was sent and not answered */
};

enum timers_action {
	TIMERS_SEND_INITIATION = 1 << 0, /* due until timers_initiation_sent() */
	TIMERS_SEND_KEEPALIVE = 1 << 1,
	TIMERS_GIVE_UP = 1 << 2, /* nobody answers: drop what waits for a key */
	TIMERS_ZERO_KEYS = 1 << 3, /* no session for too long: wipe all keys */
	TIMERS_SILENCE =
		1 << 4, /* a handshake is wanted: what was sent so far waits for no answer */
};

/* What was stamped before now calls for nothing. */
void timers_init(struct timers *t, uint64_t now_ns);
/* seconds 0: none. */
void timers_set_keepalive(struct timers *t, uint16_t seconds, uint64_t now_ns);
/* Something waits to be sent, or a key is due for a change. One that is on its way goes on. */
void timers_want_handshake(struct timers *t);
/* What was due was tried; the next try is due REKEY_TIMEOUT and a jitter later. random: 32 fresh
 * bits. */
void timers_initiation_sent(struct timers *t, uint64_t now_ns, uint32_t random);
/* A handshake message that we sent / that was authentic. */
void timers_handshake_sent(struct timers *t, uint64_t now_ns);
void timers_handshake_received(struct timers *t, uint64_t now_ns);
/* New keys exist (both roles) / are known to work for both sides. */
void timers_session_derived(struct timers *t, uint64_t now_ns);
void timers_handshake_complete(struct timers *t);

/*
 * What is due now (bits of enum timers_action, taken as done by the caller, but for an initiation)
 * and when to call again at the latest (UINT64_MAX: only after something happened). Stamps that
 * change in between arm nothing shorter than KEEPALIVE_TIMEOUT, so a caller that looks more often
 * misses nothing.
 */
unsigned int timers_step(
	struct timers *t, const struct timer_stamps *s, uint64_t now_ns, uint64_t *ret_next_ns);

#endif
