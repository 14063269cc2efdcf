// SPDX-License-Identifier: Apache-2.0
/*
 * A whole session of OpenVPN: the input is a script of what an honest client, whoever has its keys and the
 * owner do. Packets of the script are wrapped as the client's next, so that they come past the HMAC, and
 * messages are said inside its TLS. Whatever happens: events come in an order that makes sense, there are
 * never more than three data keys, no deadline stands still, what is sent is a packet of ours, and what
 * waits to be sent is bounded.
 */
#include "bench/session_client.h"
#include "dataplane/base/clock.h"
#include "dataplane/ovpn/session_private.h"
#include "dataplane/ovpn/tls_crypt_v2.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	WIRE = 16, /* packets under way, each way */
	STEPS_MAX = 200,
	ROUNDS = 40, /* enough for a handshake */
	NOW_S = 1700000000,
	KEYS_MAX = 3,
};

enum mode {
	MODE_WRAP = 3,
	MODE_TCP = 1 << 2,
	MODE_TLS_1_2 = 1 << 3,
	MODE_DEFERS = 1 << 4,
	MODE_OLD_CLIENT = 1 << 5,
	MODE_RENEGOTIATES = 1 << 6,
	MODE_OWN_KEY_METHOD = 1 << 7, /* key method 2 is the script's */
};

struct packet {
	size_t len;
	uint8_t data[CONTROL_PACKET_MAX];
};

struct script {
	const uint8_t *at;
	size_t left;
};

struct world {
	struct ovpn_session_config config;
	struct ovpn_session *session;
	struct session_client client;
	struct wrap opener; /* what a client opens with */
	struct packet to_session[WIRE], to_client[WIRE];
	unsigned int under_way_in, under_way_out;
	uint64_t now_ns;
	bool defers, is_asked, is_connected, has_failed, has_exited;
	bool ready[8], active[8];
};

static struct certificate ca, server, alice;
static struct tls_context *tls;
static struct cipher_policy ciphers;
static const struct static_key key = {{1, 2, 3, [64] = 4, [128] = 5, [192] = 6}};
static const char peer_info[] = "IV_VER=2.7\nIV_NCP=2\nIV_CIPHERS=AES-256-GCM\nIV_PROTO=8094\n";
static uint8_t wkc[TLS_CRYPT_V2_WKC_MIN];

static void must(bool held)
{
	if (!held)
		abort();
}

static void make_once(void)
{
	const char *what;
	if (tls != NULL)
		return;
	ca = certificate_make(NULL, "ca", 2);
	server = certificate_make(&ca, "hub", 3);
	alice = certificate_make(&ca, "alice", 5);
	struct tls_config c = {
		.certificate = server.certificate,
		.private_key = server.private_key,
		.ca = ca.certificate,
		.min = TLS_VERSION_1_2,
		.security_level = 1,
	};
	must(tls_context_new(&c, &tls, &what) == 0);
	for (unsigned int i = 0; i < DATA_CIPHER_COUNT; i++)
		ciphers.ciphers[ciphers.cipher_count++] = &data_ciphers[i];
	for (unsigned int i = 0; i < DATA_DIGEST_COUNT; i++)
		ciphers.digests[ciphers.digest_count++] = &data_digests[i];
	write_be16(wkc + sizeof(wkc) - 2, sizeof(wkc));
}

static uint8_t take(struct script *s)
{
	if (s->left == 0)
		return 0;
	s->left--;
	return *s->at++;
}

static size_t take_bytes(struct script *s, const uint8_t **ret, size_t most)
{
	size_t n = most < s->left ? most : s->left;
	*ret = s->at;
	s->at += n;
	s->left -= n;
	return n;
}

static struct push push_of(unsigned int routes)
{
	static struct ip_prefix route[32];
	struct push p = {.routes = route, .route_count = routes, .peer_id = 5};
	must(ip_prefix_parse("10.8.0.2/24", &p.address_v4) == 0);
	must(ip_addr_parse("10.8.0.1", &p.gateway_v4) == 0);
	for (unsigned int i = 0; i < routes; i++)
		must(ip_prefix_parse("10.9.0.0/16", &route[i]) == 0);
	return p;
}

static void answer(struct world *w, bool accept)
{
	struct push p = push_of(20);
	if (!accept)
		ovpn_session_refuse(w->session, OVPN_FAILURE_PASSWORD, "no", w->now_ns);
	else if (ovpn_session_accept(w->session, &p, w->now_ns) == 0)
		must(w->is_asked);
	w->is_asked = false;
}

static void take_key(struct world *w, const struct ovpn_session_event *e)
{
	unsigned int count = 0;
	must(e->key != NULL && e->key->key_id == e->key_id && !w->ready[e->key_id]);
	must(cipher_suite_is_valid(&e->key->suite));
	w->ready[e->key_id] = true;
	w->active[e->key_id] = false;
	for (unsigned int i = 0; i < 8; i++)
		count += w->ready[i] ? 1 : 0;
	must(count <= KEYS_MAX);
}

static void take_event(struct world *w, const struct ovpn_session_event *e)
{
	must(!w->has_failed && e->text != NULL && e->key_id < 8);
	switch (e->type) {
	case OVPN_SESSION_AUTHENTICATE:
		if (e->credentials == NULL || e->credentials->username == NULL)
			abort();
		must(e->credentials->is_renewal == w->is_connected);
		w->is_asked = true;
		if (!w->defers)
			answer(w, true);
		break;
	case OVPN_SESSION_KEY_READY:
		take_key(w, e);
		break;
	case OVPN_SESSION_KEY_ACTIVE:
		must(w->ready[e->key_id] && !w->active[e->key_id]);
		w->active[e->key_id] = true;
		break;
	case OVPN_SESSION_KEY_EXPIRED:
		must(w->ready[e->key_id] && w->is_connected);
		w->ready[e->key_id] = false;
		break;
	case OVPN_SESSION_CONNECTED:
		must(!w->is_connected && w->active[0]);
		w->is_connected = true;
		break;
	case OVPN_SESSION_EXITED:
		must(!w->has_exited);
		w->has_exited = true;
		break;
	case OVPN_SESSION_FAILED:
		must(e->failure > OVPN_FAILURE_NONE && e->failure < OVPN_FAILURE__COUNT);
		if (e->text == NULL || e->text[0] == '\0')
			abort();
		must(!w->has_exited);
		w->has_failed = true;
		break;
	case OVPN_SESSION_NOTHING:
	default:
		must(false);
	}
}

static void check_sent(struct world *w, const uint8_t *wire, size_t len)
{
	static struct wrap_opened o;
	struct control_packet p;
	must(len <= 1250 - 48);
	must(wrap_open(&w->opener, NULL, wire, len, &o) == 0);
	must(control_packet_parse(o.plain, o.len, &p) == 0);
	must(session_id_equal(&p.session_id, &w->client.server) || !w->client.knows_server);
}

static void flush_session(struct world *w)
{
	struct ovpn_session_event e;
	static uint8_t buf[CONTROL_PACKET_MAX];
	size_t n;
	for (ovpn_session_event(w->session, &e); e.type != OVPN_SESSION_NOTHING;
		ovpn_session_event(w->session, &e))
		take_event(w, &e);
	while ((n = ovpn_session_take(w->session, buf, sizeof(buf), w->now_ns, NOW_S)) > 0) {
		check_sent(w, buf, n);
		if (w->under_way_out < WIRE) {
			memcpy(w->to_client[w->under_way_out].data, buf, n);
			w->to_client[w->under_way_out++].len = n;
		}
	}
	const struct session_key *k = w->session->current;
	must(k == NULL || tls_pending(k->tls) <= SESSION_OUT_MAX + 20000);
}

static void flush_client(struct world *w)
{
	size_t n;
	w->client.heard_len = 0;
	while (w->under_way_in < WIRE) {
		struct packet *p = &w->to_session[w->under_way_in];
		n = session_client_take(&w->client, p->data, w->now_ns, NOW_S);
		if (n == 0)
			return;
		p->len = n;
		w->under_way_in++;
	}
}

static void give(struct world *w, const uint8_t *wire, size_t len)
{
	(void)ovpn_session_receive(w->session, wire, len, w->now_ns);
	flush_session(w);
}

static void run(struct world *w, unsigned int rounds)
{
	static struct packet p;
	while (rounds-- > 0) {
		flush_client(w);
		if (w->under_way_in > 0) {
			p = w->to_session[0];
			memmove(w->to_session, w->to_session + 1,
				--w->under_way_in * sizeof(w->to_session[0]));
			give(w, p.data, p.len);
		}
		if (w->under_way_out > 0) {
			p = w->to_client[0];
			memmove(w->to_client, w->to_client + 1,
				--w->under_way_out * sizeof(w->to_client[0]));
			session_client_receive(&w->client, p.data, p.len);
		}
	}
}

/* Up to then, at each deadline; at one time there is not always something to do anew. */
static void pass_time(struct world *w, uint64_t ns)
{
	uint64_t end_ns = w->now_ns + ns;
	unsigned int still = 0;
	for (;;) {
		uint64_t at = ovpn_session_deadline(w->session);
		if (at > end_ns)
			break;
		still = at <= w->now_ns ? still + 1 : 0;
		must(still < 4);
		w->now_ns = at > w->now_ns ? at : w->now_ns;
		ovpn_session_tick(w->session, w->now_ns);
		flush_session(w);
	}
	w->now_ns = end_ns;
	ovpn_session_tick(w->session, w->now_ns);
	flush_session(w);
}

/* opcode and key id, id from the expected one on, how many acks of what, payload. */
static void forge(struct world *w, struct script *s, unsigned int acks)
{
	uint8_t buf[CONTROL_PACKET_MAX], first = take(s);
	struct session_key *k =
		w->session->negotiating != NULL ? w->session->negotiating : w->session->current;
	struct control_packet p = {
		.opcode = (enum opcode)first_byte_opcode(first),
		.key_id = first_byte_key_id(first),
		.ack_count = (uint8_t)acks,
		.session_id = w->client.own,
	};
	uint8_t delta = take(s);
	if (!opcode_is_control((unsigned int)p.opcode))
		return;
	if (p.opcode != P_ACK_V1)
		p.packet_id =
			(delta & 0x80) != 0 ? delta & 0x7fU : k->reliability.receive_next + delta;
	for (unsigned int i = 0; i < acks; i++)
		p.ack[i] = take(s);
	if (acks > 0)
		p.remote_session_id = w->client.server;
	if (acks > 0 && session_id_is_zero(&p.remote_session_id))
		return;
	p.payload_len = p.opcode != P_ACK_V1 ? take_bytes(s, &p.payload, take(s)) : 0;
	if (opcode_is_hard_reset((unsigned int)p.opcode))
		p.key_id = 0;
	if (control_packet_write(&p, buf, sizeof(buf)) < 0)
		return; /* malformed ones are fuzz_ovpn_unwrap's */
	give(w, buf, session_client_wrap(&w->client, &p, buf, NOW_S));
}

static void say(struct world *w, struct script *s, unsigned int most)
{
	const uint8_t *record;
	size_t n = take_bytes(s, &record, most);
	struct client_key *k = &w->client.key[w->client.newest];
	if (n > 0 && k->is_used && SSL_is_init_finished(k->ssl) == 1)
		(void)SSL_write(k->ssl, record, (int)n);
}

static void mistreat(struct world *w, unsigned int how)
{
	static struct packet p;
	if (how < 4) /* lost */
		w->under_way_in = how % 2 == 0 ? 0 : w->under_way_in;
	if (how >= 2 && how < 6)
		w->under_way_out = 0;
	if (how >= 6 && w->under_way_in > 1) { /* in another order */
		p = w->to_session[0];
		w->to_session[0] = w->to_session[w->under_way_in - 1];
		w->to_session[w->under_way_in - 1] = p;
	}
	if (how >= 12 && w->under_way_in > 0) { /* twice */
		p = w->to_session[0];
		give(w, p.data, p.len);
	}
}

static void owner_speaks(struct world *w, unsigned int what)
{
	struct push p = push_of(what);
	if (what < 4)
		(void)ovpn_session_command(w->session, what < 2 ? "RESTART" : "HALT", w->now_ns);
	else
		(void)ovpn_session_push_update(w->session, &p, w->now_ns);
	flush_session(w);
}

static void renegotiate(struct world *w, unsigned int who)
{
	if ((who & 1) != 0)
		ovpn_session_renegotiate(w->session, w->now_ns);
	if ((who & 2) != 0 && w->client.key[w->client.newest].has_heard)
		session_client_renegotiate(&w->client);
	flush_session(w);
}

static void step(struct world *w, struct script *s)
{
	const uint8_t *bytes;
	uint8_t op = take(s);
	unsigned int argument = op >> 4;
	switch (op & 0xf) {
	case 0:
		run(w, argument + 1);
		break;
	case 1:
		run(w, ROUNDS);
		break;
	case 2:
		forge(w, s, argument % (ACKS_MAX + 1));
		break;
	case 3: {
		size_t n = take_bytes(s, &bytes, take(s));
		give(w, bytes, n);
		break;
	}
	case 4:
		say(w, s, take(s) + argument * 256U);
		break;
	case 5:
		pass_time(w, (uint64_t)argument * argument * NS_PER_SEC);
		break;
	case 6:
		answer(w, argument < 12);
		flush_session(w);
		break;
	case 7:
		renegotiate(w, argument);
		break;
	case 8:
		owner_speaks(w, argument);
		break;
	case 9:
		mistreat(w, argument);
		break;
	case 10:
		w->client.setup.username = (argument & 1) != 0 ? "bob" : "alice";
		break;
	case 11:
		w->client.key[w->client.newest].has_said = true;
		break;
	default:
		break;
	}
}

static void begin_udp(struct world *w, struct ovpn_session_begin *b)
{
	uint8_t plain[CONTROL_PACKET_MAX], wire[CONTROL_PACKET_MAX];
	struct wrap_stamp stamp = {1, NOW_S};
	b->own = (struct session_id){{0x5e, 1}};
	b->client = w->client.own;
	b->wrap_time = NOW_S;
	flush_client(w);
	w->under_way_in = 0; /* the reset was for nobody's session */
	struct control_packet p = {
		.opcode = P_CONTROL_HARD_RESET_SERVER_V2,
		.ack_count = 1,
		.session_id = b->own,
		.remote_session_id = b->client,
	};
	ssize_t n = control_packet_write(&p, plain, sizeof(plain));
	n = wrap_seal(&b->wrap, &stamp, plain, (size_t)n, wire, sizeof(wire));
	must(n > 0);
	session_client_receive(&w->client, wire, (size_t)n);
}

static void begin(struct world *w, uint8_t mode)
{
	struct session_client_setup setup = {
		.mode = (enum wrap_mode)(mode & MODE_WRAP),
		.is_tcp = (mode & MODE_TCP) != 0,
		.tls_max = (mode & MODE_TLS_1_2) != 0 ? TLS1_2_VERSION : 0,
		.who = &alice,
		.username = "alice",
		.password = "secret",
		.peer_info = (mode & MODE_OLD_CLIENT) != 0 ? NULL : peer_info,
		.key = &key,
		.wkc = wkc,
		.wkc_len = sizeof(wkc),
	};
	struct wrap_config c = {setup.mode, WRAP_SHA256, KEY_DIRECTION_0, false, &key};
	w->config = (struct ovpn_session_config){
		.tls = tls,
		.ciphers = &ciphers,
		.is_tcp = setup.is_tcp,
		.requires_certificate = true,
		.requires_password = true,
		.renegotiate_s = (mode & MODE_RENEGOTIATES) != 0 ? 100 : 0,
		.hand_window_s = 60,
		.transition_window_s = 200,
		.tun_mtu = 1500,
	};
	struct ovpn_session_begin b = {.config = &w->config};
	must(wrap_init(&b.wrap, &c) == 0);
	c.direction = KEY_DIRECTION_1;
	c.is_client = true;
	must(wrap_init(&w->opener, &c) == 0);
	session_client_init(&w->client, &setup);
	w->client.key[0].has_said = (mode & MODE_OWN_KEY_METHOD) != 0;
	w->defers = (mode & MODE_DEFERS) != 0;
	w->now_ns = 1000 * NS_PER_SEC;
	if (!setup.is_tcp)
		begin_udp(w, &b);
	must(ovpn_session_new(&b, w->now_ns, &w->session) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct script s = {data, size};
	make_once();
	memset(&w, 0, sizeof(w));
	begin(&w, take(&s));
	for (unsigned int i = 0; i < STEPS_MAX && s.left > 0; i++)
		step(&w, &s);
	pass_time(&w, 400 * NS_PER_SEC);
	/* who is not up by now is never, and who ended is gone */
	must(w.is_connected || w.has_failed || w.has_exited);
	must((!w.has_failed && !w.has_exited) || ovpn_session_is_over(w.session));
	ovpn_session_free(w.session);
	session_client_fini(&w.client);
	wrap_fini(&w.opener);
	return 0;
}
