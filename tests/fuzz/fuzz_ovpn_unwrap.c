// SPDX-License-Identifier: Apache-2.0
/*
 * The first packets of an OpenVPN client, as bytes from the network, into unwrapping, parsing and the
 * stateless start. The first byte chooses the wrapping and what the input is: the datagram itself, a
 * good one's difference (by XOR), or a plain packet that is then wrapped with the right key, so that
 * inputs come past the HMAC. The second byte chooses the good one. Nothing forged may be accepted, and
 * whatever is answered must be what the client can use.
 */
#include "dataplane/ovpn/start.h"
#include "dataplane/ovpn/tls_crypt_v2.h"
#include "dataplane/ovpn/wrap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MODES = 4,
	MIX_GOOD = 1 << 2,
	SEAL = 1 << 3,
	NOW_NS = 1000000000,
	WKC_LEN = TLS_CRYPT_V2_WKC_MIN, /* what is in it does not matter here */
};

struct world {
	struct wrap server[MODES], client[MODES];
	struct start start;
	struct start_path path;
};

static void must(bool held)
{
	if (!held)
		abort();
}

static const struct world *make_world(void)
{
	static struct world w;
	static const struct static_key key = {{1, 2, 3, [64] = 4, [128] = 5, [192] = 6}};
	if (w.start.timeslot_ns != 0)
		return &w;
	for (unsigned int m = 0; m < MODES; m++) {
		struct wrap_config c = {
			(enum wrap_mode)m, WRAP_SHA256, KEY_DIRECTION_0, false, &key};
		must(wrap_init(&w.server[m], &c) == 0);
		c.direction = KEY_DIRECTION_1;
		c.is_client = true;
		must(wrap_init(&w.client[m], &c) == 0);
	}
	must(start_init(&w.start, 60) == 0);
	memset(w.start.secret, 7, sizeof(w.start.secret)); /* the same in each run */
	must(ip_endpoint_parse("198.51.100.7:4500", &w.path.source) == 0);
	must(ip_endpoint_parse("203.0.113.1:1194", &w.path.dest) == 0);
	return &w;
}

/* Wraps as the client does, the key behind it where there is to be one. */
static size_t seal(struct wrap *w, const uint8_t *plain, size_t len, uint8_t *wire)
{
	static const struct wrap_stamp stamp = {0x0f000001, 1764400000};
	ssize_t n = wrap_seal(w, &stamp, plain, len, wire, CONTROL_PACKET_MAX);
	if (n < 0)
		return 0;
	unsigned int opcode = first_byte_opcode(plain[0]);
	bool has_wkc = opcode == P_CONTROL_HARD_RESET_CLIENT_V3 || opcode == P_CONTROL_WKC_V1;
	if (w->mode != WRAP_TLS_CRYPT_V2 || !has_wkc || n > CONTROL_PACKET_MAX - WKC_LEN)
		return (size_t)n;
	memset(wire + n, 0x33, WKC_LEN);
	write_be16(wire + n + WKC_LEN - 2, WKC_LEN);
	return (size_t)n + WKC_LEN;
}

/* One of the packets that a good client sends first. */
static size_t good_packet(
	const struct world *w, unsigned int mode, unsigned int which, uint8_t *plain)
{
	bool v2 = mode == WRAP_TLS_CRYPT_V2;
	struct control_packet reply, p = {.session_id = {{1, 2, 3, 4, 5, 6, 7, 8}}};
	p.opcode = v2 ? P_CONTROL_HARD_RESET_CLIENT_V3 : P_CONTROL_HARD_RESET_CLIENT_V2;
	must(start_reply(&w->start, &w->path, &p, START_PLAIN, NOW_NS, &reply) == START_ACCEPTED);
	if (which % 2 == 1) {
		p.opcode = v2 ? P_CONTROL_WKC_V1 : which % 4 == 1 ? P_ACK_V1 : P_CONTROL_V1;
		p.packet_id = p.opcode == P_ACK_V1 ? 0 : 1;
		p.ack_count = 1;
		p.remote_session_id = reply.session_id;
	}
	ssize_t n = control_packet_write(&p, plain, CONTROL_PACKET_MAX);
	must(n > 0);
	return (size_t)n;
}

/* What is answered comes to the client, and lets it begin. */
static void must_begin(const struct world *w, unsigned int mode, const struct control_packet *reset)
{
	static struct wrap_opened o;
	static const struct wrap_stamp stamp = {1, 1764400000};
	uint8_t plain[64], wire[128];
	struct control_packet reply, read;
	struct wrap server = w->server[mode], client = w->client[mode];
	enum start_early_negotiation early =
		mode == WRAP_TLS_CRYPT_V2 ? START_RESEND_WKC : START_PLAIN;
	if (start_reply(&w->start, &w->path, reset, early, NOW_NS, &reply) != START_ACCEPTED)
		return;
	must(reset->key_id == 0 && reset->packet_id == 0);
	ssize_t n = control_packet_write(&reply, plain, sizeof(plain));
	must(n == (early == START_RESEND_WKC ? 32 : 26));
	n = wrap_seal(&server, &stamp, plain, (size_t)n, wire, sizeof(wire));
	must(n > 0 && wrap_open(&client, NULL, wire, (size_t)n, &o) == 0);
	must(control_packet_parse(o.plain, o.len, &read) == 0);
	must(session_id_equal(&read.remote_session_id, &reset->session_id));
	const struct control_packet echo = {.opcode = P_ACK_V1,
		.ack_count = 1,
		.session_id = reset->session_id,
		.remote_session_id = read.session_id};
	must(start_check(&w->start, &w->path, &echo, NOW_NS) == START_ACCEPTED);
}

static void take(const struct world *w, unsigned int mode, const struct wrap_opened *o)
{
	static uint8_t again[CONTROL_PACKET_MAX];
	struct control_packet p, reply;
	if (control_packet_parse(o->plain, o->len, &p) != 0)
		return;
	must(control_packet_write(&p, again, sizeof(again)) == (ssize_t)o->len);
	must(memcmp(again, o->plain, o->len) == 0);
	must_begin(w, mode, &p);
	if (start_check(&w->start, &w->path, &p, NOW_NS) != START_ACCEPTED)
		return;
	must(p.key_id == 0 && p.ack_count > 0 && p.packet_id <= 1 && p.ack[0] <= 1);
	const struct control_packet reset = {
		.opcode = P_CONTROL_HARD_RESET_CLIENT_V2, .session_id = p.session_id};
	must(start_reply(&w->start, &w->path, &reset, START_PLAIN, NOW_NS, &reply)
		== START_ACCEPTED);
	must(session_id_equal(&reply.session_id, &p.remote_session_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t plain[CONTROL_PACKET_MAX], good[CONTROL_PACKET_MAX],
		wire[CONTROL_PACKET_MAX];
	static struct wrap_opened o;
	const struct world *w = make_world();
	if (size < 2 || size - 2 > sizeof(wire))
		return 0;
	unsigned int mode = data[0] % MODES;
	struct wrap server = w->server[mode], client = w->client[mode];
	size_t good_len = seal(&client, plain, good_packet(w, mode, data[1], plain), good);
	size_t len = size - 2;
	bool sealed = (data[0] & SEAL) != 0;
	if (sealed) {
		len = seal(&client, data + 2, len, wire);
	} else if ((data[0] & MIX_GOOD) != 0) {
		memcpy(wire, good, good_len);
		for (size_t i = 0; i < len && i < good_len; i++)
			wire[i] ^= data[2 + i];
		len = good_len;
	} else {
		memcpy(wire, data + 2, len);
	}
	struct wrap_replay replay = {0};
	if (wrap_open(&server, &replay, wire, len, &o) != 0) {
		must(o.len == 0 && replay.seen == 0);
		return 0;
	}
	/* a changed packet is nobody's, but for the wrapped key, which has an HMAC of its own */
	if (mode != WRAP_NONE && !sealed)
		must(memcmp(wire, good, o.len + wrap_overhead(&server)) == 0);
	must((replay.seen != 0) == (mode != WRAP_NONE));
	take(w, mode, &o);
	return 0;
}
