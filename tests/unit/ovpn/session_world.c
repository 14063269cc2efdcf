// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/ovpn/session_world.h"

#include "tests/unit/ovpn/vectors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN_NS (1000 * NS_PER_SEC)
#define TRIP_NS (10 * NS_PER_MS)

static struct certificate ca, other_ca, server;
struct certificate world_alice, world_bob, world_stranger;

static const char peer_info_2_6[] =
	"IV_VER=2.6.14\nIV_PLAT=linux\nIV_TCPNL=1\nIV_MTU=1600\nIV_NCP=2\n"
	"IV_CIPHERS=AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305\nIV_PROTO=990\n";

int world_certificates_make(void **state)
{
	(void)state;
	ca = certificate_make(NULL, "ca", 2);
	other_ca = certificate_make(NULL, "other", 5);
	server = certificate_make(&ca, "hub", 3);
	world_alice = certificate_make(&ca, "alice", 5);
	world_bob = certificate_make(&ca, "bob", 3);
	world_stranger = certificate_make(&other_ca, "alice", 5);
	return 0;
}

int world_certificates_free(void **state)
{
	(void)state;
	certificate_free(&ca);
	certificate_free(&other_ca);
	certificate_free(&server);
	certificate_free(&world_alice);
	certificate_free(&world_bob);
	certificate_free(&world_stranger);
	return 0;
}

static void set_policy(struct world *w)
{
	for (unsigned int i = 0; i < DATA_CIPHER_COUNT; i++)
		w->ciphers.ciphers[w->ciphers.cipher_count++] = &data_ciphers[i];
	for (unsigned int i = 0; i < DATA_DIGEST_COUNT; i++)
		w->ciphers.digests[w->ciphers.digest_count++] = &data_digests[i];
}

static void set_push(struct world *w)
{
	assert_int_equal(ip_prefix_parse("10.8.0.2/24", &w->push.address_v4), 0);
	assert_int_equal(ip_addr_parse("10.8.0.1", &w->push.gateway_v4), 0);
	w->push.ping_s = 10;
	w->push.ping_restart_s = 60;
	w->push.peer_id = PEER_ID;
}

void world_init(struct world *w, enum wrap_mode mode)
{
	memset(w, 0, sizeof(*w));
	w->now_ns = BEGIN_NS;
	w->config = (struct ovpn_session_config){
		.ciphers = &w->ciphers,
		.requires_certificate = true,
		.renegotiate_s = 3600,
		.hand_window_s = 60,
		.transition_window_s = 3600,
		.tun_mtu = 1500,
	};
	set_policy(w);
	set_push(w);
	const char *key = mode == WRAP_TLS_CRYPT_V2 ? tls_crypt_v2_kc : vector_static_key;
	assert_int_equal(unhex(key, w->key.bytes, sizeof(w->key.bytes)), STATIC_KEY_LEN);
	w->setup = (struct session_client_setup){
		.mode = mode,
		.who = &world_alice,
		.peer_info = peer_info_2_6,
		.key = &w->key,
		.wkc = w->wkc,
		.wkc_len = unhex(tls_crypt_v2_wkc, w->wkc, sizeof(w->wkc)),
	};
	assert_int_equal(start_init(&w->start, 60), 0);
	assert_int_equal(ip_endpoint_parse("198.51.100.7:4500", &w->path.source), 0);
	assert_int_equal(ip_endpoint_parse("203.0.113.1:1194", &w->path.dest), 0);
}

void world_start(struct world *w)
{
	const char *what;
	struct tls_config t = {
		.certificate = server.certificate,
		.private_key = server.private_key,
		.ca = ca.certificate,
		.certificate_required = w->config.requires_certificate,
		.min = TLS_VERSION_1_2,
		.security_level = 1,
	};
	assert_int_equal(tls_context_new(&t, &w->tls, &what), 0);
	w->config.tls = w->tls;
	w->config.is_tcp = w->setup.is_tcp;
	session_client_init(&w->client, &w->setup);
	world_flush(w);
}

void world_fini(struct world *w)
{
	ovpn_session_free(w->session);
	session_client_fini(&w->client);
	tls_context_free(w->tls);
	start_fini(&w->start);
}

static bool happens(struct world *w, unsigned int percent)
{
	/* splitmix64 */
	uint64_t x = w->seed += 0x9e3779b97f4a7c15;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return (x ^ x >> 31) % 100 < percent;
}

static void put(struct world *w, bool to_session, const uint8_t *data, size_t len)
{
	if (len > w->longest)
		w->longest = (unsigned int)len;
	if (w->kept_count < KEPT_MAX) {
		struct wire_packet *p = &w->kept[w->kept_count++];
		p->to_session = to_session;
		p->len = len;
		memcpy(p->data, data, len);
	}
	if (w->cut || happens(w, w->lost))
		return;
	unsigned int copies = happens(w, w->doubled) ? 2 : 1;
	for (unsigned int i = 0; i < copies; i++) {
		assert_true(w->under_way < WIRE_MAX);
		struct wire_packet *p = &w->wire[w->under_way++];
		p->to_session = to_session;
		p->at_ns = w->now_ns + TRIP_NS * (happens(w, w->late) ? 5 : 1) + i;
		p->len = len;
		memcpy(p->data, data, len);
	}
}

static uint32_t now_s(const struct world *w)
{
	return (uint32_t)(w->now_ns / NS_PER_SEC) + 1700000000;
}

static struct wrap server_wrap(const struct world *w)
{
	struct wrap wrap;
	struct wrap_config c = {w->setup.mode, WRAP_SHA256, KEY_DIRECTION_0, false, &w->key};
	assert_int_equal(wrap_init(&wrap, &c), 0);
	return wrap;
}

static void say(struct world *w, const char *word, unsigned int number, bool has_number)
{
	size_t len = strlen(w->said);
	char text[40];
	(void)snprintf(text, sizeof(text), has_number ? "%s%u" : "%s", word, number);
	assert_true(len + strlen(text) + 2 < sizeof(w->said));
	(void)snprintf(w->said + len, sizeof(w->said) - len, "%s%s", len > 0 ? " " : "", text);
}

static void authenticate(struct world *w, const struct ovpn_credentials *c)
{
	w->authenticated++;
	w->renewals += c->is_renewal ? 1 : 0;
	w->has_certificate = c->has_certificate;
	(void)snprintf(w->username, sizeof(w->username), "%s", c->username);
	(void)snprintf(w->name, sizeof(w->name), "%s", c->name);
	if (w->defers)
		return;
	if (w->right_password != NULL && strcmp(c->password, w->right_password) != 0)
		ovpn_session_refuse(w->session, OVPN_FAILURE_PASSWORD, "wrong password", w->now_ns);
	else
		assert_int_equal(ovpn_session_accept(w->session, &w->push, w->now_ns), 0);
}

static void take_event(struct world *w, const struct ovpn_session_event *e)
{
	switch (e->type) {
	case OVPN_SESSION_AUTHENTICATE:
		say(w, "AUTHENTICATE", 0, false);
		authenticate(w, e->credentials);
		break;
	case OVPN_SESSION_KEY_READY:
		say(w, "READY", e->key_id, true);
		assert_int_equal(e->key->key_id, e->key_id);
		assert_false(w->has_key[e->key_id]);
		w->keys[e->key_id] = *e->key;
		w->has_key[e->key_id] = true;
		break;
	case OVPN_SESSION_KEY_ACTIVE:
		say(w, "ACTIVE", e->key_id, true);
		assert_true(w->has_key[e->key_id]);
		break;
	case OVPN_SESSION_KEY_EXPIRED:
		say(w, "EXPIRED", e->key_id, true);
		assert_true(w->has_key[e->key_id]);
		w->has_key[e->key_id] = false;
		break;
	case OVPN_SESSION_CONNECTED:
		say(w, "CONNECTED", 0, false);
		break;
	case OVPN_SESSION_EXITED:
		say(w, "EXITED", 0, false);
		break;
	case OVPN_SESSION_FAILED:
		say(w, "FAILED", 0, false);
		w->failure = e->failure;
		w->has_certificate = e->credentials->has_certificate;
		(void)snprintf(w->text, sizeof(w->text), "%s", e->text);
		break;
	case OVPN_SESSION_NOTHING:
	default:
		fail();
	}
}

void world_flush(struct world *w)
{
	uint8_t buf[CONTROL_PACKET_MAX];
	struct ovpn_session_event e;
	size_t n;
	while (w->session != NULL) {
		ovpn_session_event(w->session, &e);
		if (e.type == OVPN_SESSION_NOTHING)
			break;
		take_event(w, &e);
	}
	while (w->session != NULL
		&& (n = ovpn_session_take(w->session, buf, sizeof(buf), w->now_ns, now_s(w))) > 0) {
		w->sent_by_session++;
		put(w, false, buf, n);
	}
	while ((n = session_client_take(&w->client, buf, w->now_ns, now_s(w))) > 0)
		put(w, true, buf, n);
}

static void answer_reset(struct world *w, struct wrap *wrap, const struct control_packet *reset)
{
	uint8_t plain[CONTROL_PACKET_MAX], buf[CONTROL_PACKET_MAX];
	struct control_packet p;
	struct wrap_stamp stamp = {1, now_s(w)};
	bool v2 = w->setup.mode == WRAP_TLS_CRYPT_V2;
	if (start_reply(
		    &w->start, &w->path, reset, v2 ? START_RESEND_WKC : START_PLAIN, w->now_ns, &p)
		!= START_ACCEPTED)
		return;
	ssize_t n = control_packet_write(&p, plain, sizeof(plain));
	n = wrap_seal(wrap, &stamp, plain, (size_t)n, buf, sizeof(buf));
	put(w, false, buf, (size_t)n);
}

/* What the owner does with packets of nobody. */
static void begin(struct world *w, const uint8_t *wire, size_t len)
{
	struct ovpn_session_begin b = {.config = &w->config, .wrap = server_wrap(w)};
	struct wrap_opened o;
	struct control_packet p;
	assert_int_equal(wrap_open(&b.wrap, NULL, wire, len, &o), 0);
	assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
	if (!w->config.is_tcp && opcode_is_hard_reset((unsigned int)p.opcode)) {
		answer_reset(w, &b.wrap, &p);
		wrap_fini(&b.wrap);
		return;
	}
	if (!w->config.is_tcp
		&& start_check(&w->start, &w->path, &p, w->now_ns) != START_ACCEPTED) {
		wrap_fini(&b.wrap);
		return;
	}
	if (!w->config.is_tcp) {
		b.own = p.remote_session_id;
		b.client = p.session_id;
		b.wrap_time = now_s(w); /* not before that of the reply, which nobody kept */
	}
	assert_int_equal(ovpn_session_new(&b, w->now_ns, &w->session), 0);
	assert_int_equal(ovpn_session_receive(w->session, wire, len, w->now_ns), 0);
}

int world_inject(struct world *w, const uint8_t *wire, size_t len)
{
	int err = ovpn_session_receive(w->session, wire, len, w->now_ns);
	world_flush(w);
	return err;
}

static void deliver(struct world *w, unsigned int which)
{
	static struct wire_packet p;
	p = w->wire[which];
	w->wire[which] = w->wire[--w->under_way];
	if (!p.to_session)
		session_client_receive(&w->client, p.data, p.len);
	else if (w->session == NULL)
		begin(w, p.data, p.len);
	else if (ovpn_session_receive(w->session, p.data, p.len, w->now_ns) != 0)
		w->refused++;
	world_flush(w);
}

/* When something is next; which: the packet, or WIRE_MAX for a timer. */
static uint64_t next(const struct world *w, unsigned int *ret_which)
{
	uint64_t at = session_client_deadline(&w->client);
	*ret_which = WIRE_MAX;
	if (w->session != NULL && ovpn_session_deadline(w->session) < at)
		at = ovpn_session_deadline(w->session);
	for (unsigned int i = 0; i < w->under_way; i++)
		if (w->wire[i].at_ns < at || (w->wire[i].at_ns == at && *ret_which == WIRE_MAX)) {
			at = w->wire[i].at_ns;
			*ret_which = i;
		}
	return at;
}

void world_run_ms(struct world *w, uint64_t ms)
{
	uint64_t end_ns = w->now_ns + ms * NS_PER_MS;
	unsigned int which, still = 0;
	world_flush(w);
	for (;;) {
		uint64_t at = next(w, &which);
		if (at > end_ns)
			break;
		still = at <= w->now_ns && which == WIRE_MAX ? still + 1 : 0;
		assert_true(still < 10); /* a deadline that does not go away */
		w->now_ns = at > w->now_ns ? at : w->now_ns;
		if (which < WIRE_MAX) {
			deliver(w, which);
			continue;
		}
		if (w->session != NULL)
			ovpn_session_tick(w->session, w->now_ns);
		world_flush(w);
	}
	w->now_ns = end_ns;
}

void world_run(struct world *w, uint64_t seconds)
{
	world_run_ms(w, seconds * 1000);
}

void world_expect(struct world *w, uint64_t seconds, const char *said)
{
	world_run(w, seconds);
	assert_string_equal(w->said, said);
}

void world_connect(struct world *w)
{
	world_start(w);
	world_expect(w, 5, "AUTHENTICATE READY0 ACTIVE0 CONNECTED");
	assert_int_equal(w->refused, 0);
	assert_int_equal(w->client.refused, 0);
}

void world_keys_agree(const struct world *w, unsigned int key_id, bool exported)
{
	const struct client_key *k = &w->client.key[key_id];
	assert_true(w->has_key[key_id]);
	assert_memory_equal(w->keys[key_id].block.bytes, (exported ? &k->exported : &k->prf)->bytes,
		KEY_BLOCK_LEN);
}

void world_forget(struct world *w)
{
	w->said[0] = '\0';
	w->client.heard_len = 0;
	w->client.heard[0] = '\0';
}
