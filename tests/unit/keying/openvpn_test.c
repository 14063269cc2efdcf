// SPDX-License-Identifier: Apache-2.0
/* OpenVPN over UDP: whole clients at the real keying, and strangers who stay strangers. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/openvpn_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct caller a, b;

static struct client *client_of(const struct peer *p)
{
	return p->tunnel != NULL ? p->tunnel->client : NULL;
}

static struct peer *connect_alice(void)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	caller_prepare(&a, 7, &openvpn_alice);
	caller_begin(&a);
	assert_true(caller_connects(&a));
	return p;
}

static void connects(enum wrap_mode mode)
{
	openvpn_listen(&(struct listen){.wrap = mode});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	caller_prepare(&a, 7, &openvpn_alice);
	a.setup.mode = mode;
	caller_begin(&a);
	assert_true(caller_connects(&a));
	assert_true(caller_heard(&a, "ifconfig 10.0.0.7 255.255.0.0"));
	assert_true(caller_heard(&a, "route-gateway 10.0.0.1"));
	assert_non_null(p->tunnel);
	assert_non_null(atomic_load(&p->tunnel->send));
	assert_true(ip_endpoint_equal(&p->endpoint->remote, &a.at));
	assert_int_equal(p->endpoint->local_port, HUB_PORT);
	assert_int_equal(counted(COUNTER_OVPN_SESSIONS_UP), 1);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_int_equal(o.lost, 0);
	caller_end(&a);
}

static void plain_connects(void **state)
{
	connects(WRAP_NONE);
}

static void tls_auth_connects(void **state)
{
	connects(WRAP_TLS_AUTH);
}

static void tls_crypt_connects(void **state)
{
	connects(WRAP_TLS_CRYPT);
}

static void tls_crypt_v2_connects(void **state)
{
	connects(WRAP_TLS_CRYPT_V2);
}

/* A plain reset of a made-up sender. */
static void spoof(uint32_t n)
{
	uint8_t wire[CONTROL_PACKET_MIN] = {P_CONTROL_HARD_RESET_CLIENT_V2 << 3};
	struct ip_endpoint from = {.port = 4500};
	memcpy(wire + 1, &n, sizeof(n));
	wire[8] = 1;
	assert_int_equal(ip_addr_parse("10.0.0.0", &from.addr), 0);
	from.addr.bytes[13] = (uint8_t)(n >> 16);
	from.addr.bytes[14] = (uint8_t)(n >> 8);
	from.addr.bytes[15] = (uint8_t)n;
	deliver_openvpn(&from, HUB_PORT, wire, sizeof(wire));
	openvpn_hand_out();
}

/* O-cases: what is asked of the hub before a cookie came back leaves nothing behind. */
static void a_million_resets_leave_nothing(void **state)
{
	openvpn_listen(&(struct listen){0});
	spoof(0);
	size_t before = openvpn_heap();
	for (uint32_t n = 1; n <= 1000000; n++)
		spoof(n);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_true(openvpn_heap() <= before + 4096);
	/* 15 x 256 + networks of 256 hosts, none of which gets more than its burst at one time */
	uint64_t answered = counted(COUNTER_OVPN_RESETS_ANSWERED);
	assert_true(answered > 100000 && answered <= 3907UL * 50 + 51);
	assert_int_equal(answered + counted(COUNTER_DROP_OVPN_FLOOD), 1000001);
}

static void a_network_gets_a_hundred_answers_a_second(void **state)
{
	openvpn_listen(&(struct listen){0});
	for (unsigned int n = 0; n < 10000; n++) {
		spoof(n % 256);
		f.k.now_ns += NS_PER_MS;
	}
	uint64_t answered = counted(COUNTER_OVPN_RESETS_ANSWERED);
	assert_in_range(answered, 1000, 1060);
	spoof(0x10000); /* another network */
	assert_int_equal(counted(COUNTER_OVPN_RESETS_ANSWERED), answered + 1);
}

static void strangers_of_one_network_leave_room_for_others(void **state)
{
	struct keying_openvpn *v = f.k.openvpn;
	struct ip_addr from, other, far;
	unsigned int n = 0;
	assert_int_equal(ip_addr_parse("192.0.2.1", &from), 0);
	assert_int_equal(ip_addr_parse("198.51.100.1", &other), 0);
	assert_int_equal(ip_addr_parse("2001:db8:5::1", &far), 0);
	for (; keying_stranger_enter(v, &from); n++)
		from.bytes[15]++;
	assert_int_equal(n, 1024);
	assert_true(keying_stranger_enter(v, &other));
	for (n = 0; keying_stranger_enter(v, &far); n++)
		far.bytes[15]++;
	assert_int_equal(n, 1023); /* together */
	assert_int_equal(v->strangers, 2048);
	for (n = 0; n < 1023; n++)
		keying_stranger_leave(v, &far);
	assert_true(keying_stranger_enter(v, &far));
	assert_false(keying_stranger_enter(v, &from));
}

static void garbage_is_counted_and_no_more(void **state)
{
	struct ip_endpoint from;
	uint8_t wire[300] = {P_CONTROL_V1 << 3, 1, 2, 3};
	assert_int_equal(ip_endpoint_parse("198.51.100.9:4500", &from), 0);
	deliver_openvpn(&from, HUB_PORT, wire, 50);
	assert_int_equal(counted(COUNTER_DROP_INJECT_STALE), 1); /* nobody listens */
	openvpn_listen(&(struct listen){.wrap = WRAP_TLS_AUTH});
	for (size_t len = 0; len < 9; len++)
		deliver_openvpn(&from, HUB_PORT, wire, len);
	assert_int_equal(counted(COUNTER_DROP_OVPN_LENGTH), 9);
	for (size_t len = 9; len < 49; len++)
		deliver_openvpn(&from, HUB_PORT, wire, len);
	assert_int_equal(counted(COUNTER_DROP_OVPN_UNWRAP), 40);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_nothing_injected();
}

/* Without the cookie that was sent to its address nobody gets a session. */
static void a_made_up_cookie_begins_nothing(void **state)
{
	uint8_t wire[CONTROL_PACKET_MIN + 12] = {P_CONTROL_V1 << 3, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	struct ip_endpoint from;
	openvpn_listen(&(struct listen){0});
	assert_int_equal(ip_endpoint_parse("198.51.100.9:4500", &from), 0);
	memset(wire + 14, 0x5a, 8); /* of one ack, to a session id of ours */
	wire[25] = 1;
	deliver_openvpn(&from, HUB_PORT, wire, sizeof(wire));
	assert_int_equal(counted(COUNTER_DROP_OVPN_START), 1);
	assert_int_equal(f.k.openvpn->count, 0);
}

/* An older session ends when the newer one has authenticated, and not before. */
static void the_newer_session_wins_when_it_is_authentic(void **state)
{
	struct peer *p = connect_alice();
	struct tunnel *first = p->tunnel;
	caller_prepare(&b, 8, &openvpn_stranger); /* says that it is alice; of another CA */
	caller_begin(&b);
	assert_false(caller_connects(&b));
	assert_ptr_equal(p->tunnel, first);
	caller_end(&b);
	caller_prepare(&b, 8, &openvpn_alice);
	caller_begin(&b);
	for (unsigned int n = 0; n < 60 && p->tunnel == first; n++) {
		assert_non_null(first->client);
		assert_true(((struct client *)first->client)->is_up);
		openvpn_run(1);
	}
	assert_true(p->tunnel != NULL && p->tunnel != first);
	openvpn_run(2);
	assert_true(ip_endpoint_equal(&p->endpoint->remote, &b.at));
	assert_int_equal(client_of(p)->remote.addr.bytes[15], 8);
	for (struct client *c = f.k.openvpn->clients; c != NULL; c = c->next)
		assert_true(c == client_of(p) || c->peer != p);
	caller_end(&b);
	caller_end(&a);
}

/* A worker stamps with a later clock than that of the round. */
static void a_stamp_of_a_moment_later_is_no_silence(void **state)
{
	struct peer *p = connect_alice();
	atomic_store(&p->received.last_any_ns, f.k.now_ns + NS_PER_SEC);
	atomic_store(&p->sent.last_any_ns, f.k.now_ns + NS_PER_SEC);
	o.pings = 0;
	assert_false(keying_clients_yield(&f.k, p));
	openvpn_run(2);
	assert_non_null(p->tunnel);
	assert_int_equal(o.pings, 0);
	caller_end(&a);
}

static void silence_ends_it_and_pings_keep_it(void **state)
{
	struct peer *p = connect_alice();
	o.pings = 0;
	f.k.now_ns += 10 * NS_PER_SEC;
	openvpn_run(1);
	assert_int_equal(o.pings, 1);
	f.k.now_ns += 100 * NS_PER_SEC;
	openvpn_run(1);
	assert_non_null(p->tunnel);
	f.k.now_ns += 11 * NS_PER_SEC;
	openvpn_run(1);
	assert_null(p->tunnel);
	assert_int_equal(f.k.openvpn->count, 0);
	caller_end(&a);
}

static void float_to(struct peer *p, struct caller *c, uint16_t local_port)
{
	struct keying_message m = {.type = KEYING_ROAM,
		.peer = peer_handle(p),
		.remote = c->at.addr,
		.remote_port = c->at.port,
		.local_port = local_port};
	assert_int_equal(ip_addr_parse("203.0.113.1", &m.local), 0);
	assert_true(rings_keying_put(&f.rings, &m));
	(void)keying_round(&f.k);
}

/* O-cases: after a NAT forgot the client its control channel goes to the new address, too. */
static void control_follows_a_client_that_floats(void **state)
{
	struct peer *p = connect_alice();
	a.at.port = 9;
	float_to(p, &a, HUB_PORT);
	assert_int_equal(p->endpoint->remote.port, 9);
	assert_int_equal(client_of(p)->remote.port, 9);
	unsigned int before = a.answers;
	ovpn_session_renegotiate(client_of(p)->session, f.k.now_ns);
	keying_client_advance(&f.k, client_of(p));
	openvpn_hand_out();
	assert_int_equal(a.answers, before + 1); /* the hub begins */
	openvpn_run(30);
	assert_true(a.ovpn.key[1].has_heard);
	assert_int_equal(o.lost, 0);
	assert_int_equal(client_of(p)->tunnel->send->key_id, 1);
	caller_end(&a);
}

/* Of WireGuard, whose data was on its way when OpenVPN took over. */
static void a_word_of_another_port_moves_nobody(void **state)
{
	struct peer *p = connect_alice();
	a.at.port = 9;
	float_to(p, &a, 51820);
	assert_int_equal(p->endpoint->remote.port, 4500);
	assert_int_equal(p->roaming, 0);
	caller_end(&a);
}

static void a_clone_keeps_no_key(void **state)
{
	struct peer *p = connect_alice();
	keying_expire_all(&f.k);
	assert_null(p->tunnel);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
	caller_end(&a);
}

static struct keying_push *push_of(const char *route)
{
	struct keying_push *push = calloc(1, sizeof(*push) + sizeof(push->route[0]));
	assert_non_null(push);
	push->route_count = 1;
	assert_int_equal(ip_prefix_parse(route, &push->route[0]), 0);
	return push;
}

/* O-cases: routes change without a reconnect for who knows how; others hear nothing. */
static void a_change_reaches_who_knows_push_update(void **state)
{
	connect_alice();
	(void)openvpn_peer(8, &openvpn_bob, NULL, NULL);
	caller_prepare(&b, 8, &openvpn_bob);
	b.setup.peer_info = openvpn_peer_info_update;
	caller_begin(&b);
	keying_push_apply(&f.k, f.instance, push_of("192.168.1.0/24"));
	assert_true(caller_connects(&b));
	assert_true(caller_heard(&b, "route 192.168.1.0 255.255.255.0"));
	size_t alice = a.ovpn.heard_len, bob = b.ovpn.heard_len;
	keying_push_apply(&f.k, f.instance, push_of("192.168.1.0/24")); /* as a full sync does */
	openvpn_run(5);
	assert_int_equal(b.ovpn.heard_len, bob);
	keying_push_apply(&f.k, f.instance, push_of("192.168.2.0/24"));
	openvpn_run(5);
	assert_true(caller_heard(&b, "PUSH_UPDATE"));
	assert_true(caller_heard(&b, "route 192.168.2.0 255.255.255.0"));
	assert_int_equal(a.ovpn.heard_len, alice);
	assert_non_null(keying_client_find(&f.k, f.instance, HUB_PORT, &a.ovpn.own));
	caller_end(&b);
	caller_end(&a);
}

static void a_renewal_keeps_the_tunnel(void **state)
{
	struct peer *p = connect_alice();
	const struct tunnel *t = p->tunnel;
	for (uint8_t n = 1; n <= 8; n++) {
		session_client_renegotiate(&a.ovpn);
		atomic_store(&p->received.last_any_ns, f.k.now_ns);
		openvpn_run(50);
		assert_ptr_equal(p->tunnel, t);
		assert_int_equal(t->send->key_id, (n - 1) % 7 + 1);
	}
	keying_client_renew(&f.k, p, t->id + 1); /* of a tunnel that is no more */
	assert_nothing_injected();
	keying_client_exited(&f.k, p, t->id + 1);
	assert_non_null(p->tunnel);
	keying_client_exited(&f.k, p, t->id);
	assert_null(p->tunnel);
	caller_end(&a);
}

/* A listener that changes keeps its sessions; one that goes ends them, with a word. */
static void a_listener_comes_and_goes(void **state)
{
	struct peer *p = connect_alice();
	struct uuid id = {.bytes = {LISTENER}};
	openvpn_listen(&(struct listen){.wrap = WRAP_TLS_CRYPT});
	session_client_renegotiate(&a.ovpn);
	openvpn_run(50);
	assert_int_equal(p->tunnel->send->key_id, 1);
	openvpn_listen(&(struct listen){.number = 10, .port = 1195});
	keying_listener_remove(&f.k, f.instance, &(struct uuid){.bytes = {10}});
	assert_non_null(p->tunnel);
	keying_listener_remove(&f.k, f.instance, &id);
	assert_null(p->tunnel);
	openvpn_hand_out();
	openvpn_run(1);
	assert_true(caller_heard(&a, "RESTART"));
	assert_null(keying_listener_at(f.instance->keying, HUB_PORT, false));
	assert_int_equal(f.k.openvpn->count, 0);
	caller_end(&a);
}

/* Two ports of an instance, and the same session id at both. */
static void a_session_belongs_to_its_port(void **state)
{
	connect_alice();
	openvpn_listen(&(struct listen){.number = 10, .port = 1195});
	(void)openvpn_peer(8, &openvpn_bob, NULL, NULL);
	caller_prepare(&b, 8, &openvpn_bob);
	b.port = 1195;
	caller_begin(&b);
	b.ovpn.own = a.ovpn.own;
	assert_true(caller_connects(&b));
	assert_int_equal(f.k.openvpn->count, 2);
	assert_int_equal(counted(COUNTER_DROP_OVPN_CONTROL), 0);
	caller_end(&b);
	caller_end(&a);
}

/* What begins and never goes on is gone after its window. */
static void who_never_goes_on_is_forgotten(void **state)
{
	openvpn_listen(&(struct listen){0});
	caller_prepare(&a, 7, &openvpn_alice);
	caller_begin(&a);
	for (unsigned int n = 0; n < 10 && f.k.openvpn->count == 0; n++)
		openvpn_run(1);
	assert_int_equal(f.k.openvpn->count, 1);
	assert_int_equal(f.k.openvpn->strangers, 1);
	caller_end(&a);
	for (unsigned int n = 0; n < 90; n++) {
		f.k.now_ns += NS_PER_SEC;
		openvpn_run(1);
	}
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
}

#define T(t) cmocka_unit_test_setup_teardown(t, openvpn_start, openvpn_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(plain_connects),
		T(tls_auth_connects),
		T(tls_crypt_connects),
		T(tls_crypt_v2_connects),
		T(a_million_resets_leave_nothing),
		T(a_network_gets_a_hundred_answers_a_second),
		T(strangers_of_one_network_leave_room_for_others),
		T(garbage_is_counted_and_no_more),
		T(a_made_up_cookie_begins_nothing),
		T(the_newer_session_wins_when_it_is_authentic),
		T(a_stamp_of_a_moment_later_is_no_silence),
		T(silence_ends_it_and_pings_keep_it),
		T(control_follows_a_client_that_floats),
		T(a_word_of_another_port_moves_nobody),
		T(a_clone_keeps_no_key),
		T(a_change_reaches_who_knows_push_update),
		T(a_renewal_keeps_the_tunnel),
		T(a_listener_comes_and_goes),
		T(a_session_belongs_to_its_port),
		T(who_never_goes_on_is_forgotten),
	};
	return cmocka_run_group_tests(tests, openvpn_group_start, openvpn_group_end);
}
