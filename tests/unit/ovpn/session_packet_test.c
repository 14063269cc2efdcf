// SPDX-License-Identifier: Apache-2.0
/* What a session takes and what it does not, once it is up: strangers, replays, commands, floods. */
#include "dataplane/ovpn/session_private.h"
#include "tests/unit/ovpn/session_world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOW_S 1700001005

static void still_works(struct world *w)
{
	world_forget(w);
	ovpn_session_renegotiate(w->session, w->now_ns);
	world_expect(w, 5, "AUTHENTICATE READY1 ACTIVE1");
	world_keys_agree(w, 1, true);
}

/* All that ever came, once more: wrapped it is known, plain it is at most acked. */
static void replays(void **state)
{
	for (unsigned int mode = WRAP_NONE; mode <= WRAP_TLS_CRYPT_V2; mode++) {
		struct world w;
		unsigned int taken = 0;
		world_init(&w, (enum wrap_mode)mode);
		world_connect(&w);
		world_forget(&w);
		w.cut = true;
		unsigned int count = w.kept_count;
		for (unsigned int i = 0; i < count; i++) {
			const struct wire_packet *p = &w.kept[i];
			int err = world_inject(&w, p->data, p->len);
			if (!p->to_session) /* its own, thrown back */
				assert_int_equal(err, -EBADMSG);
			else if (mode != WRAP_NONE && i > 0) /* its reset was not the session's */
				assert_int_equal(err, -EALREADY);
			taken += err == 0 ? 1 : 0;
		}
		assert_true(mode == WRAP_NONE ? taken > 3 : taken <= 1);
		assert_string_equal(w.said, "");
		w.cut = false;
		still_works(&w);
		world_fini(&w);
	}
}

/* With one tls-auth key for both ways its own packets are authentic. */
static void reflected(void **state)
{
	uint8_t buf[CONTROL_PACKET_MAX];
	struct world w;
	world_init(&w, WRAP_NONE);
	world_connect(&w);
	struct control_packet p = {
		.opcode = P_CONTROL_V1,
		.session_id = ovpn_session_own_id(w.session),
		.packet_id = 9,
	};
	size_t n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	p.session_id = w.client.own; /* the client's, but an ack to somebody else */
	p.ack_count = 1;
	p.remote_session_id = w.client.own;
	n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	p = (struct control_packet){
		.opcode = P_CONTROL_HARD_RESET_SERVER_V2, .session_id = w.client.own};
	n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	still_works(&w);
	world_fini(&w);
}

/* Others have the same key of tls-crypt: what they say must not even move the window. */
static void of_another_session(void **state)
{
	static const enum opcode opcodes[] = {
		P_CONTROL_HARD_RESET_CLIENT_V2, P_CONTROL_V1, P_CONTROL_SOFT_RESET_V1, P_ACK_V1};
	uint8_t buf[CONTROL_PACKET_MAX];
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	struct wrap_stamp mine = w.client.stamp;
	for (unsigned int i = 0; i < 4; i++) {
		struct control_packet p = {.opcode = opcodes[i], .session_id = {{0x77}}};
		p.ack_count = p.opcode == P_ACK_V1 ? 1 : 0;
		p.remote_session_id.bytes[0] = p.ack_count;
		w.client.stamp = (struct wrap_stamp){1000 + i, NOW_S + 100000};
		size_t n = session_client_wrap(&w.client, &p, buf, NOW_S);
		assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	}
	w.client.stamp = mine;
	still_works(&w);
	world_fini(&w);
}

/* The client's own reset once more, and its wrapped key behind it: at most acked. */
static void resets_change_nothing(void **state)
{
	for (unsigned int v2 = 0; v2 < 2; v2++) {
		uint8_t buf[CONTROL_PACKET_MAX];
		struct world w;
		world_init(&w, v2 == 1 ? WRAP_TLS_CRYPT_V2 : WRAP_TLS_CRYPT);
		world_connect(&w);
		struct control_packet p = {
			.opcode = v2 == 1 ? P_CONTROL_HARD_RESET_CLIENT_V3
					  : P_CONTROL_HARD_RESET_CLIENT_V2,
			.session_id = w.client.own,
		};
		size_t n = session_client_wrap(&w.client, &p, buf, NOW_S);
		assert_int_equal(world_inject(&w, buf, n), 0);
		if (v2 == 1) {
			buf[n - 3] ^= 1; /* which is not looked at, but it is a replay */
			assert_int_equal(world_inject(&w, buf, n), -EALREADY);
		}
		still_works(&w);
		world_fini(&w);
	}
}

static void malformed(void **state)
{
	uint8_t buf[CONTROL_PACKET_MAX + 1] = {0};
	struct world w;
	world_init(&w, WRAP_NONE);
	world_connect(&w);
	for (size_t len = 0; len <= sizeof(buf); len++)
		assert_int_equal(world_inject(&w, buf, len), -EBADMSG);
	struct control_packet p = {.opcode = P_CONTROL_V1, .session_id = w.client.own};
	p.packet_id = 1000; /* far ahead */
	size_t n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	p.packet_id = w.session->current->reliability.receive_next;
	uint8_t large[RELIABILITY_RECEIVE_MAX + 1] = {0};
	p.payload = large;
	p.payload_len = sizeof(large);
	n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	p.key_id = 3; /* no such key */
	p.payload_len = 1;
	n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), -EBADMSG);
	still_works(&w);
	world_fini(&w);
}

/* Plain, whoever has seen the ids can spoil the TLS of a key. Its data goes on, and a new one is made. */
static void spoilt_tls(void **state)
{
	uint8_t buf[CONTROL_PACKET_MAX];
	static const uint8_t junk[100] = {0x17, 3, 3, 0, 20};
	struct world w;
	world_init(&w, WRAP_NONE);
	world_connect(&w);
	world_forget(&w);
	struct control_packet p = {
		.opcode = P_CONTROL_V1,
		.session_id = w.client.own,
		.packet_id = w.session->current->reliability.receive_next,
		.payload = junk,
		.payload_len = sizeof(junk),
	};
	size_t n = session_client_wrap(&w.client, &p, buf, NOW_S);
	assert_int_equal(world_inject(&w, buf, n), 0);
	world_run_ms(&w, 5);
	assert_int_equal(ovpn_session_command(w.session, "HALT", w.now_ns), -ENOTCONN);
	world_expect(&w, 5, "AUTHENTICATE READY1 ACTIVE1");
	assert_int_equal(ovpn_session_command(w.session, "INFO,here", w.now_ns), 0);
	world_run(&w, 1);
	assert_non_null(strstr(w.client.heard, "INFO,here"));
	world_fini(&w);
}

/* A restart on the same port, and its packets: the first session knows nothing of it. */
static void another_client_on_the_same_port(void **state)
{
	static struct world w, other;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_init(&other, WRAP_TLS_CRYPT);
	world_start(&other);
	memset(other.client.own.bytes, 0xd2, SESSION_ID_LEN);
	other.now_ns += 7 * NS_PER_SEC;
	world_expect(&other, 5, "AUTHENTICATE READY0 ACTIVE0 CONNECTED");
	for (unsigned int i = 1; i < other.kept_count; i++)
		assert_int_equal(world_inject(&w, other.kept[i].data, other.kept[i].len), -EBADMSG);
	still_works(&w);
	world_fini(&w);
	world_fini(&other);
}

static void the_client_goes(void **state)
{
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	session_client_say(&w.client, "EXIT", 5);
	world_expect(&w, 1, "EXITED");
	assert_false(ovpn_session_is_over(w.session)); /* it may not have our ack */
	assert_true(reliability_all_acked(&w.client.key[0].reliability));
	session_client_say(&w.client, "EXIT", 5); /* does not put it off */
	world_run(&w, 3);
	session_client_say(&w.client, "EXIT", 5);
	world_expect(&w, 2, "EXITED");
	assert_true(ovpn_session_is_over(w.session));
	assert_int_equal(ovpn_session_push_update(w.session, &w.push, w.now_ns), -ENOTCONN);
	world_fini(&w);
}

static void commands(void **state)
{
	char text[COMMAND_MAX + 1];
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	w.defers = true;
	world_start(&w);
	world_run(&w, 2);
	assert_int_equal(ovpn_session_command(w.session, "HALT", w.now_ns), -ENOTCONN);
	assert_int_equal(ovpn_session_push_update(w.session, &w.push, w.now_ns), -ENOTCONN);
	assert_int_equal(ovpn_session_accept(w.session, &w.push, w.now_ns), 0);
	world_run(&w, 2);
	world_forget(&w);
	memset(text, 'x', sizeof(text));
	text[COMMAND_MAX] = '\0';
	assert_int_equal(ovpn_session_command(w.session, text, w.now_ns), -EINVAL);
	assert_int_equal(ovpn_session_command(w.session, "", w.now_ns), -EINVAL);
	assert_int_equal(ovpn_session_command(w.session, "RESTART\n", w.now_ns), -EINVAL);
	/* 2.6 does not know it */
	assert_int_equal(ovpn_session_push_update(w.session, &w.push, w.now_ns), -EOPNOTSUPP);
	assert_int_equal(ovpn_session_command(w.session, "RESTART", w.now_ns), 0);
	text[COMMAND_MAX - 1] = '\0';
	assert_int_equal(ovpn_session_command(w.session, text, w.now_ns), 0);
	assert_int_equal(ovpn_session_command(w.session, "HALT,bye", w.now_ns), 0);
	world_run(&w, 1);
	assert_memory_equal(w.client.heard, "RESTART\nxxx", 11);
	assert_string_equal(w.client.heard + w.client.heard_len - 10, "x\nHALT,bye\n" + 1);
	world_fini(&w);
}

static void push_update(void **state)
{
	struct world w;
	struct ip_prefix route;
	world_init(&w, WRAP_TLS_CRYPT);
	w.setup.peer_info = "IV_NCP=2\nIV_CIPHERS=AES-256-GCM\nIV_PROTO=8094\n";
	world_connect(&w);
	world_forget(&w);
	assert_int_equal(ip_prefix_parse("10.9.0.0/16", &route), 0);
	w.push.routes = &route;
	w.push.route_count = 1;
	assert_int_equal(ovpn_session_push_update(w.session, &w.push, w.now_ns), 0);
	world_run(&w, 40);
	assert_memory_equal(w.client.heard, "PUSH_UPDATE,", 12);
	assert_non_null(strstr(w.client.heard, "route 10.9.0.0 255.255.0.0"));
	world_forget(&w);
	session_client_say(&w.client, "PUSH_REQUEST", 13); /* now it is told the same */
	world_run(&w, 1);
	assert_memory_equal(w.client.heard, "PUSH_REPLY,", 11);
	assert_non_null(strstr(w.client.heard, "route 10.9.0.0 255.255.0.0"));
	world_fini(&w);
}

/* What is no command, and many of them. */
static void nonsense_inside(void **state)
{
	char text[1000];
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	world_forget(&w);
	for (unsigned int i = 0; i < 300; i++) {
		memset(text, (int)i, sizeof(text));
		session_client_say(&w.client, text, i + 1);
		session_client_say(&w.client, "CR_RESPONSE,eA==", 17);
		world_expect(&w, 1, "");
	}
	assert_int_equal(w.client.heard_len, 0);
	still_works(&w);
	world_fini(&w);
}

/* The owner says more and more and nothing is acked. */
static void memory_is_bounded_outwards(void **state)
{
	char text[COMMAND_MAX];
	struct world w;
	int err = 0;
	unsigned int said = 0;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	w.cut = true;
	memset(text, 'x', sizeof(text));
	text[COMMAND_MAX - 1] = '\0';
	while (err == 0 && said++ < 1000)
		err = ovpn_session_command(w.session, text, w.now_ns);
	assert_int_equal(err, -ENOBUFS);
	assert_true(tls_pending(w.session->current->tls) < SESSION_OUT_MAX + 4000);
	world_fini(&w);
}

/* Every key update of TLS 1.3 wants one of ours, and the client acks none of them. */
static void memory_is_bounded_inwards(void **state)
{
	uint8_t buf[1000];
	uint8_t out[CONTROL_PACKET_MAX];
	struct world w;
	int n;
	world_init(&w, WRAP_NONE);
	w.setup.tls_min = TLS1_3_VERSION;
	world_connect(&w);
	struct client_key *k = &w.client.key[0];
	uint32_t id = w.session->current->reliability.receive_next;
	unsigned int refused = 0;
	for (unsigned int i = 0; i < 4000; i++) {
		assert_int_equal(SSL_key_update(k->ssl, SSL_KEY_UPDATE_REQUESTED), 1);
		(void)SSL_do_handshake(k->ssl);
		n = BIO_read(k->out, buf, sizeof(buf));
		struct control_packet p = {.opcode = P_CONTROL_V1, .session_id = w.client.own};
		p.payload = buf;
		p.payload_len = n > 0 ? (size_t)n : 0;
		p.packet_id = id + i;
		size_t len = session_client_wrap(&w.client, &p, out, NOW_S);
		if (ovpn_session_receive(w.session, out, len, w.now_ns) != 0)
			refused++;
		while (ovpn_session_take(w.session, out, sizeof(out), w.now_ns, NOW_S) > 0)
			;
		assert_true(tls_pending(w.session->current->tls) < SESSION_OUT_MAX + 4000);
	}
	assert_true(refused > 0 || w.session->current->is_tls_over);
	world_fini(&w);
}

/* An owner who does not ask is told less, in order, and never anything wrong. */
static void events_are_bounded(void **state)
{
	struct world w;
	struct ovpn_session_event e;
	unsigned int told = 0;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	for (unsigned int i = 0; i < 100; i++)
		session_tell_expired(w.session, 1);
	ovpn_session_refuse(w.session, OVPN_FAILURE_PASSWORD, "go", w.now_ns);
	for (;;) {
		ovpn_session_event(w.session, &e);
		if (e.type != OVPN_SESSION_KEY_EXPIRED)
			break;
		told++;
	}
	assert_int_equal(told, SESSION_EVENTS_MAX - 1);
	assert_int_equal(e.type, OVPN_SESSION_FAILED);
	assert_string_equal(e.text, "go");
	ovpn_session_event(w.session, &e);
	assert_int_equal(e.type, OVPN_SESSION_NOTHING);
	world_fini(&w);
}

/* A key is told once, and then nobody has it but the owner. */
static void told_keys_are_wiped(void **state)
{
	static const struct ovpn_session_key none;
	struct world w;
	world_init(&w, WRAP_TLS_CRYPT);
	world_connect(&w);
	assert_memory_equal(&w.session->told, &none, sizeof(none));
	assert_memory_equal(&w.session->current->data.block, &none.block, sizeof(none.block));
	static const struct key_source no_source;
	assert_memory_equal(&w.session->current->source, &no_source, sizeof(no_source));
	assert_null(w.session->asked);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replays),
		cmocka_unit_test(reflected),
		cmocka_unit_test(of_another_session),
		cmocka_unit_test(resets_change_nothing),
		cmocka_unit_test(malformed),
		cmocka_unit_test(spoilt_tls),
		cmocka_unit_test(another_client_on_the_same_port),
		cmocka_unit_test(the_client_goes),
		cmocka_unit_test(commands),
		cmocka_unit_test(push_update),
		cmocka_unit_test(nonsense_inside),
		cmocka_unit_test(memory_is_bounded_outwards),
		cmocka_unit_test(memory_is_bounded_inwards),
		cmocka_unit_test(events_are_bounded),
		cmocka_unit_test(told_keys_are_wiped),
	};
	return cmocka_run_group_tests(tests, world_certificates_make, world_certificates_free);
}
