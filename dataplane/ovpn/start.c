// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/start.h"

#include "dataplane/base/clock.h"
#include "dataplane/base/random.h"
#include "dataplane/crypto/blake2s.h"
#include "dataplane/ovpn/tls_crypt_v2.h"

#include <errno.h>
#include <string.h>

enum {
	SLOTS_BACK = 2, /* accepted besides the current one */
	ENDPOINT_LEN = sizeof(struct ip_addr) + 2,
	BOUND_LEN = 8 + 2 * ENDPOINT_LEN + SESSION_ID_LEN,
};

static const uint8_t resend_wkc[EARLY_NEG_LEN] = {0, 1, 0, 2, 0, EARLY_NEG_FLAG_RESEND_WKC};

int start_init(struct start *s, uint32_t hand_window_s)
{
	if (hand_window_s == 0)
		return -EINVAL;
	s->timeslot_ns = ((uint64_t)hand_window_s + 1) / 2 * NS_PER_SEC;
	return random_bytes(s->secret, sizeof(s->secret));
}

void start_fini(struct start *s)
{
	explicit_bzero(s, sizeof(*s));
}

static uint8_t *write_endpoint(uint8_t *at, const struct ip_endpoint *e)
{
	memcpy(at, e->addr.bytes, sizeof(e->addr.bytes));
	write_be16(at + sizeof(e->addr.bytes), e->port);
	return at + ENDPOINT_LEN;
}

static struct session_id server_session_id(const struct start *s, const struct start_path *path,
	const struct session_id *client, uint64_t slot)
{
	uint8_t bound[BOUND_LEN], mac[BLAKE2S_MAC_LEN];
	struct session_id ret;
	write_be64(bound, slot);
	uint8_t *at = write_endpoint(bound + 8, &path->source);
	at = write_endpoint(at, &path->dest);
	memcpy(at, client->bytes, SESSION_ID_LEN);
	blake2s_mac(mac, s->secret, sizeof(s->secret), bound, sizeof(bound));
	memcpy(ret.bytes, mac, SESSION_ID_LEN);
	if (session_id_is_zero(&ret)) /* means none on the wire */
		ret.bytes[0] = 1;
	return ret;
}

enum start_verdict start_reply(const struct start *s, const struct start_path *path,
	const struct control_packet *reset, enum start_early_negotiation early, uint64_t now_ns,
	struct control_packet *ret)
{
	uint16_t flags;
	if (reset->opcode != P_CONTROL_HARD_RESET_CLIENT_V2
		&& reset->opcode != P_CONTROL_HARD_RESET_CLIENT_V3)
		return START_OPCODE;
	if (reset->key_id != 0)
		return START_KEY_ID;
	if (reset->packet_id != 0) /* the second reset of RouterOS: for the session, later */
		return START_PACKET_ID;
	if (session_id_is_zero(&reset->session_id))
		return START_SESSION_ID;
	if (early_negotiation_read(reset, &flags) != 0)
		return START_PAYLOAD;
	*ret = (struct control_packet){
		.opcode = P_CONTROL_HARD_RESET_SERVER_V2,
		.ack_count = 1,
		.ack = {reset->packet_id},
		.session_id =
			server_session_id(s, path, &reset->session_id, now_ns / s->timeslot_ns),
		.remote_session_id = reset->session_id,
		.payload = early == START_RESEND_WKC ? resend_wkc : NULL,
		.payload_len = early == START_RESEND_WKC ? sizeof(resend_wkc) : 0,
	};
	return START_ACCEPTED;
}

static bool ids_are_first(const struct control_packet *p)
{
	for (unsigned int i = 0; i < p->ack_count; i++)
		if (p->ack[i] > 1)
			return false;
	return p->packet_id <= 1;
}

enum start_verdict start_check(const struct start *s, const struct start_path *path,
	const struct control_packet *p, uint64_t now_ns)
{
	if (p->opcode != P_ACK_V1 && p->opcode != P_CONTROL_V1 && p->opcode != P_CONTROL_WKC_V1)
		return START_OPCODE;
	if (p->key_id != 0)
		return START_KEY_ID;
	if (p->ack_count == 0)
		return START_NO_ACK;
	if (!ids_are_first(p)) /* else a floated client's packet would begin a session */
		return START_PACKET_ID;
	uint64_t slot = now_ns / s->timeslot_ns;
	for (uint64_t back = 0; back <= SLOTS_BACK && back <= slot; back++) {
		struct session_id wanted = server_session_id(s, path, &p->session_id, slot - back);
		if (session_id_equal(&wanted, &p->remote_session_id))
			return START_ACCEPTED;
	}
	return START_SESSION_ID;
}
