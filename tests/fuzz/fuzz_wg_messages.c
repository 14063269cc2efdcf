// SPDX-License-Identifier: Apache-2.0
/*
 * Every WireGuard handshake message into the code that reads it, as bytes from the network. The first
 * two bytes choose what the hub waits for; the others are the message, of which the MACs are made right
 * on request, so that inputs come past them. Whatever is accepted must leave a state that holds.
 * Further kinds read the bytes as a story: counters for the replay window, moments for the timers,
 * sources for the rate limiter.
 */
#include "dataplane/wg/cookie.h"
#include "dataplane/wg/noise.h"
#include "dataplane/wg/ratelimiter.h"
#include "dataplane/wg/timers.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SIGN_MACS = 1 << 0, /* MAC1 is made right */
	MIX_GOOD = 1 << 1, /* the input is laid over a good message, byte for byte by XOR */
	HAS_PSK = 1 << 2,
	NOW_S = 1000,
};

struct world {
	struct noise_identity hub, peer;
	struct noise_remote peer_of_hub, hub_of_peer;
	struct noise_handshake answered;
	struct cookie_checker checker;
	struct cookie_maker to_hub, to_peer;
	struct ip_endpoint from;
};

static void must(bool held)
{
	if (!held)
		abort();
}

static void make_world(struct world *w, bool has_psk)
{
	static const struct key hub = {{1, 2, 3, 4}}, peer = {{5, 6, 7, 8}};
	const struct key psk = {{has_psk ? 9 : 0}}; /* zero: none */
	memset(w, 0, sizeof(*w));
	must(noise_identity_init(&w->hub, &hub) == 0);
	must(noise_identity_init(&w->peer, &peer) == 0);
	noise_remote_init(&w->peer_of_hub, &w->peer.public_key, &psk);
	noise_remote_init(&w->hub_of_peer, &w->hub.public_key, &psk);
	cookie_checker_init(&w->checker, &w->hub.public_key);
	cookie_maker_init(&w->to_hub, &w->hub.public_key);
	cookie_maker_init(&w->to_peer, &w->peer.public_key);
	must(ip_endpoint_parse("198.51.100.7:4500", &w->from) == 0);
}

/* The input, alone or over a good message; short inputs are filled with zeros. */
static void lay(uint8_t *message, size_t len, const uint8_t *data, size_t size, bool mix)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t in = i < size ? data[i] : 0;
		message[i] = mix ? message[i] ^ in : in;
	}
}

static void must_be_same(const void *a, const void *b, size_t len)
{
	must(memcmp(a, b, len) == 0);
}

/* What the hub knows of the peer, but for a secret that it may have computed meanwhile. */
static void must_be_as_before(const struct noise_remote *r, struct noise_remote *before)
{
	before->has_static_static = r->has_static_static;
	before->static_static = r->static_static;
	must_be_same(r, before, sizeof(*r));
}

static int take_initiation(
	struct world *w, const struct message_handshake_initiation *m, uint64_t now_ns)
{
	struct noise_initiation opened;
	int err = noise_initiation_open(&w->hub, m, &opened);
	if (err != 0 || !key_equal(&opened.remote_static, &w->peer.public_key))
		return -1;
	return noise_initiation_accept(&w->hub, &w->peer_of_hub, &opened, now_ns, &w->answered);
}

static void try_initiation(struct world *w, unsigned int flags, const uint8_t *data, size_t size)
{
	struct message_handshake_initiation m = {0}, good;
	struct message_handshake_response answer;
	struct keypair keys;
	must(noise_initiation_create(&w->peer, &w->hub_of_peer, 7, NS_PER_SEC, &m) == 0);
	good = m;
	lay((uint8_t *)&m, sizeof(m), data, size, (flags & MIX_GOOD) != 0);
	if ((flags & SIGN_MACS) != 0)
		cookie_macs_add(&w->to_hub, &m, sizeof(m), NOW_S * NS_PER_SEC);
	enum cookie_verdict v =
		cookie_check(&w->checker, &m, sizeof(m), &w->from, NOW_S * NS_PER_SEC);
	if ((flags & SIGN_MACS) != 0)
		must(v == COOKIE_MAC1_VALID);
	if (v == COOKIE_MAC_INVALID)
		return;
	struct noise_remote before = w->peer_of_hub;
	if (take_initiation(w, &m, NOW_S * NS_PER_SEC) != 0) {
		must_be_as_before(&w->peer_of_hub, &before);
		return;
	}
	/* a changed message is nobody's: only what no AEAD covers (type, index, MACs) may differ */
	must_be_same(m.unencrypted_ephemeral, good.unencrypted_ephemeral,
		sizeof(m) - 8 - sizeof(m.macs));
	must(take_initiation(w, &m, (NOW_S + 1) * NS_PER_SEC) == -ESTALE); /* once */
	must(noise_response_create(&w->peer_of_hub, &w->answered, 9, &answer) == 0);
	must(noise_session_begin(&w->answered, NOW_S * NS_PER_SEC, &keys) == 0);
	must(!key_is_zero(&keys.send_key) && keys.local_index == 9);
}

static void try_response(struct world *w, unsigned int flags, const uint8_t *data, size_t size)
{
	struct message_handshake_initiation m;
	struct message_handshake_response r = {0}, good;
	struct noise_initiation opened;
	struct keypair keys;
	must(noise_initiation_create(&w->hub, &w->peer_of_hub, 7, NS_PER_SEC, &m) == 0);
	must(noise_initiation_open(&w->peer, &m, &opened) == 0);
	must(noise_initiation_accept(&w->peer, &w->hub_of_peer, &opened, NS_PER_SEC, &w->answered)
		== 0);
	must(noise_response_create(&w->hub_of_peer, &w->answered, 9, &r) == 0);
	good = r;
	lay((uint8_t *)&r, sizeof(r), data, size, (flags & MIX_GOOD) != 0);
	struct noise_remote before = w->peer_of_hub;
	if (noise_response_consume(&w->hub, &w->peer_of_hub, &r) != 0) {
		must_be_as_before(&w->peer_of_hub, &before);
		return;
	}
	must_be_same(r.receiver_index, good.receiver_index, sizeof(r) - 8 - sizeof(r.macs));
	must(noise_session_begin(&w->peer_of_hub.initiation, NS_PER_SEC, &keys) == 0);
	must(keys.is_initiator && keys.local_index == 7);
}

static void try_cookie(struct world *w, unsigned int flags, const uint8_t *data, size_t size)
{
	struct message_handshake_initiation m = {.type = {1}};
	struct message_handshake_cookie c = {0}, good;
	cookie_macs_add(&w->to_hub, &m, sizeof(m), NS_PER_SEC);
	must(cookie_reply_create(&w->checker, &m, sizeof(m), &w->from, NS_PER_SEC, &c) == 0);
	good = c;
	lay((uint8_t *)&c, sizeof(c), data, size, (flags & MIX_GOOD) != 0);
	struct cookie_maker before = w->to_hub;
	if (!cookie_reply_consume(&w->to_hub, &c, NS_PER_SEC)) {
		must_be_same(&w->to_hub, &before, sizeof(before));
		return;
	}
	must_be_same(c.nonce, good.nonce, sizeof(c) - 8);
	cookie_macs_add(&w->to_hub, &m, sizeof(m), NS_PER_SEC);
	must(cookie_check(&w->checker, &m, sizeof(m), &w->from, NS_PER_SEC) == COOKIE_MAC2_VALID);
}

/* The next bytes of a story as a number; zeros after its end. */
static uint64_t take(const uint8_t **data, size_t *size, size_t bytes)
{
	uint64_t v = 0;
	for (; bytes > 0 && *size > 0; bytes--, (*size)--)
		v = v << 8 | *(*data)++;
	return v;
}

/* A byte says how far the counter is from the last one, or that all eight of it follow. The twin
 * remembers what was accepted. */
static void try_counters(const uint8_t *data, size_t size)
{
	static struct replay r;
	static uint64_t seen[256];
	unsigned int count = 0;
	uint64_t counter = 0, greatest = 0;
	replay_init(&r);
	while (size > 0 && count < 256) {
		uint64_t step = take(&data, &size, 1);
		counter = step == 255 ? take(&data, &size, 8) : counter + step - 100;
		bool old = counter >= REJECT_AFTER_MESSAGES
			|| (count > 0 && counter < greatest && greatest - counter >= REPLAY_WINDOW);
		for (unsigned int i = 0; i < count; i++)
			old = old || seen[i] == counter;
		must(replay_accept(&r, counter) == !old);
		must(!replay_accept(&r, counter)); /* once */
		if (old)
			continue;
		greatest = counter > greatest ? counter : greatest;
		seen[count++] = counter;
	}
}

/* What was sent and received, moment by moment: a byte says what happens, another how much later. */
static void try_timers(const uint8_t *data, size_t size)
{
	struct timers t;
	struct timer_stamps s = {0};
	uint64_t now = NOW_S * NS_PER_SEC, next, last_initiation = 0;
	timers_init(&t, now);
	while (size > 0) {
		uint64_t what = take(&data, &size, 1);
		now += take(&data, &size, 1) * NS_PER_SEC / 4;
		if ((what & 1) != 0)
			timers_want_handshake(&t);
		if ((what & 2) != 0)
			s.first_data_sent_since_receive_ns = now;
		if ((what & 4) != 0)
			s.last_any_received_ns = s.first_data_received_since_send_ns = now;
		if ((what & 8) != 0)
			timers_set_keepalive(&t, (uint16_t)(what >> 4), now);
		if ((what & 16) != 0)
			timers_handshake_received(&t, now);
		if ((what & 32) != 0)
			timers_session_derived(&t, now);
		if ((what & 64) != 0)
			timers_handshake_complete(&t);
		unsigned int due = timers_step(&t, &s, now, &next);
		must(next > now || (due & TIMERS_SEND_INITIATION) != 0);
		if ((due & TIMERS_SILENCE) != 0)
			s.first_data_sent_since_receive_ns = 0;
		if ((due & TIMERS_SEND_INITIATION) == 0)
			continue;
		must(last_initiation == 0 || now - last_initiation >= REKEY_TIMEOUT);
		last_initiation = now;
		timers_initiation_sent(&t, now, (uint32_t)what << 24);
		timers_handshake_sent(&t, now);
		must((timers_step(&t, &s, now, &next) & TIMERS_SEND_INITIATION) == 0);
	}
}

/* Sources of both families; none gets more than its share. */
static void try_sources(const uint8_t *data, size_t size)
{
	static struct ratelimiter *r;
	uint64_t now = NOW_S * NS_PER_SEC;
	unsigned int allowed[16] = {0};
	must(ratelimiter_new(&r) == 0);
	while (size > 0) {
		uint64_t who = take(&data, &size, 1);
		struct ip_addr a = {
			{0x20, 1, 0x0d, 0xb8, 0, 0, 0, (uint8_t)(who & 7), (uint8_t)who}};
		if ((who & 8) != 0)
			a = ip_addr_from_v4((const uint8_t[]){192, 0, 2, (uint8_t)(who & 7)});
		now += (who >> 4) * 10 * NS_PER_MS;
		if (who == 255)
			now += 2 * NS_PER_SEC;
		allowed[who & 15] += ratelimiter_allow(r, &a, now);
		must(allowed[who & 15] <= RATELIMITER_BURST
				+ (now - NOW_S * NS_PER_SEC)
					/ (NS_PER_SEC / RATELIMITER_PER_SECOND));
		must(ratelimiter_sources(r) > 0 && ratelimiter_sources(r) <= 16);
	}
	ratelimiter_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	if (size < 2)
		return 0;
	make_world(&w, (data[0] & HAS_PSK) != 0);
	switch (data[1] % 6) {
	case 0:
		try_initiation(&w, data[0], data + 2, size - 2);
		break;
	case 1:
		try_response(&w, data[0], data + 2, size - 2);
		break;
	case 2:
		try_cookie(&w, data[0], data + 2, size - 2);
		break;
	case 3:
		try_counters(data + 2, size - 2);
		break;
	case 4:
		try_timers(data + 2, size - 2);
		break;
	default:
		try_sources(data + 2, size - 2);
		break;
	}
	noise_remote_fini(&w.peer_of_hub);
	noise_remote_fini(&w.hub_of_peer);
	return 0;
}
