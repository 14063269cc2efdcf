// SPDX-License-Identifier: Apache-2.0
/*
 * Every WireGuard handshake message into the code that reads it, as bytes from the network. The first
 * byte chooses what the hub waits for; the others are the message, of which the MACs are made right on
 * request, so that inputs come past them. Whatever is accepted must leave a state that holds.
 */
#include "dataplane/wg/cookie.h"
#include "dataplane/wg/noise.h"

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
	static const struct key hub = {{1, 2, 3, 4}}, peer = {{5, 6, 7, 8}}, psk = {{9}};
	memset(w, 0, sizeof(*w));
	must(noise_identity_init(&w->hub, &hub) == 0);
	must(noise_identity_init(&w->peer, &peer) == 0);
	noise_remote_init(&w->peer_of_hub, &w->peer.public_key, has_psk ? &psk : NULL);
	noise_remote_init(&w->hub_of_peer, &w->hub.public_key, has_psk ? &psk : NULL);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	if (size < 2)
		return 0;
	make_world(&w, (data[0] & HAS_PSK) != 0);
	switch (data[1] % 3) {
	case 0:
		try_initiation(&w, data[0], data + 2, size - 2);
		break;
	case 1:
		try_response(&w, data[0], data + 2, size - 2);
		break;
	default:
		try_cookie(&w, data[0], data + 2, size - 2);
		break;
	}
	noise_remote_fini(&w.peer_of_hub);
	noise_remote_fini(&w.hub_of_peer);
	return 0;
}
