/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_WG_MESSAGES_H
#define DATAPLANE_WG_MESSAGES_H

#include "dataplane/base/clock.h"

#include <assert.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

/*
 * WireGuard on the wire (paper, section 5.4) and its limits (section 6.1, table 1). All numbers
 * are little-endian; structs hold bytes only, so they have no padding and no alignment. The type
 * is one byte followed by three that are zero.
 */
enum message_type {
	MESSAGE_HANDSHAKE_INITIATION = 1,
	MESSAGE_HANDSHAKE_RESPONSE = 2,
	MESSAGE_HANDSHAKE_COOKIE = 3,
	MESSAGE_DATA = 4,
};

enum {
	NOISE_PUBLIC_KEY_LEN = 32,
	NOISE_TIMESTAMP_LEN = 12,
	NOISE_AUTHTAG_LEN = 16,
	COOKIE_LEN = 16,
	COOKIE_NONCE_LEN = 24,
	MESSAGE_PADDING = 16, /* plaintext is a multiple of it, up to the MTU */
};

struct message_macs {
	uint8_t mac1[COOKIE_LEN];
	uint8_t mac2[COOKIE_LEN];
};

struct message_handshake_initiation {
	uint8_t type[4];
	uint8_t sender_index[4];
	uint8_t unencrypted_ephemeral[NOISE_PUBLIC_KEY_LEN];
	uint8_t encrypted_static[NOISE_PUBLIC_KEY_LEN + NOISE_AUTHTAG_LEN];
	uint8_t encrypted_timestamp[NOISE_TIMESTAMP_LEN + NOISE_AUTHTAG_LEN];
	struct message_macs macs;
};

struct message_handshake_response {
	uint8_t type[4];
	uint8_t sender_index[4];
	uint8_t receiver_index[4];
	uint8_t unencrypted_ephemeral[NOISE_PUBLIC_KEY_LEN];
	uint8_t encrypted_nothing[NOISE_AUTHTAG_LEN];
	struct message_macs macs;
};

struct message_handshake_cookie {
	uint8_t type[4];
	uint8_t receiver_index[4];
	uint8_t nonce[COOKIE_NONCE_LEN];
	uint8_t encrypted_cookie[COOKIE_LEN + NOISE_AUTHTAG_LEN];
};

struct message_data {
	uint8_t type[4];
	uint8_t receiver_index[4];
	uint8_t counter[8];
};

static_assert(sizeof(struct message_handshake_initiation) == 148, "paper, section 5.4.2");
static_assert(sizeof(struct message_handshake_response) == 92, "paper, section 5.4.3");
static_assert(sizeof(struct message_handshake_cookie) == 64, "paper, section 5.4.7");
static_assert(sizeof(struct message_data) == 16, "paper, section 5.4.6");

/* Times in nanoseconds of CLOCK_MONOTONIC. */
#define REKEY_AFTER_TIME (120 * NS_PER_SEC)
#define REJECT_AFTER_TIME (180 * NS_PER_SEC)
#define REKEY_ATTEMPT_TIME (90 * NS_PER_SEC)
#define REKEY_TIMEOUT (5 * NS_PER_SEC)
#define REKEY_TIMEOUT_JITTER_MAX (333 * NS_PER_MS)
#define KEEPALIVE_TIMEOUT (10 * NS_PER_SEC)
#define INITIATIONS_PER_SECOND 50
#define COOKIE_SECRET_MAX_AGE (120 * NS_PER_SEC)
#define COOKIE_SECRET_LATENCY (5 * NS_PER_SEC)
#define REKEY_AFTER_MESSAGES (1ULL << 60)
#define REPLAY_WINDOW 8128ULL
#define REJECT_AFTER_MESSAGES (UINT64_MAX - REPLAY_WINDOW - 1)

static inline uint32_t message_read_le32(const uint8_t at[4])
{
	uint32_t v;
	memcpy(&v, at, sizeof(v));
	return le32toh(v);
}

static inline void message_write_le32(uint8_t at[4], uint32_t v)
{
	v = htole32(v);
	memcpy(at, &v, sizeof(v));
}

static inline uint64_t message_read_le64(const uint8_t at[8])
{
	uint64_t v;
	memcpy(&v, at, sizeof(v));
	return le64toh(v);
}

static inline void message_write_le64(uint8_t at[8], uint64_t v)
{
	v = htole64(v);
	memcpy(at, &v, sizeof(v));
}

#endif
