// SPDX-License-Identifier: Apache-2.0
/* Who is let in: certificates, passwords, expiry, changed credentials, and which protocol a peer speaks. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/openvpn_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct caller a, b;

static void begin(struct caller *c, uint8_t number, const struct certificate *who,
	const char *username, const char *password)
{
	caller_prepare(c, number, who);
	c->setup.username = username;
	c->setup.password = password;
	caller_begin(c);
}

static void assert_refused(struct caller *c)
{
	assert_false(caller_connects(c));
	assert_int_equal(counted(COUNTER_OVPN_SESSIONS_UP), 0);
	caller_end(c);
}

/* It hears why, at once, and need not wait for its hand window. */
static void assert_refused_with_alert(struct caller *c, const char *words)
{
	assert_false(caller_connects(c));
	assert_int_equal(counted(COUNTER_OVPN_SESSIONS_UP), 0);
	assert_true(c->ovpn.tls_failed);
	assert_non_null(c->ovpn.tls_failure);
	assert_non_null(strstr(c->ovpn.tls_failure, words));
	caller_end(c);
}

static void assert_let_in(struct caller *c, const struct peer *p)
{
	assert_true(caller_connects(c));
	assert_non_null(p->tunnel);
	assert_true(ip_endpoint_equal(&p->endpoint->remote, &c->at));
	caller_end(c);
}

static void both_are_needed_and_of_one_peer(void **state)
{
	openvpn_listen(&(struct listen){.password = true});
	struct peer *p = openvpn_peer(7, &openvpn_alice, "alice", "right");
	(void)openvpn_peer(8, &openvpn_bob, "bob", "his");
	begin(&a, 7, &openvpn_alice, "alice", "wrong");
	assert_refused(&a);
	assert_int_equal(p->last_failure, PEER_FAILURE_OPENVPN_PASSWORD);
	begin(&a, 7, &openvpn_alice, "bob", "his"); /* another's pair */
	assert_refused(&a);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_refused(&a);
	begin(&a, 7, &openvpn_bob, "alice", "right");
	assert_refused(&a);
	begin(&a, 7, NULL, "alice", "right");
	assert_refused(&a);
	begin(&a, 7, &openvpn_alice, "alice", "right");
	assert_let_in(&a, p);
}

static void a_wrong_password_is_told(void **state)
{
	openvpn_listen(&(struct listen){.password = true, .no_certificate = true});
	(void)openvpn_peer(7, NULL, "alice", "right");
	begin(&a, 7, NULL, "alice", "wrong");
	assert_false(caller_connects(&a));
	assert_true(caller_heard(&a, "AUTH_FAILED"));
	caller_end(&a);
}

static void a_password_alone_is_enough_where_it_is_asked_for(void **state)
{
	openvpn_listen(&(struct listen){.password = true, .no_certificate = true});
	struct peer *p = openvpn_peer(7, NULL, "alice", "right");
	(void)openvpn_peer(8, &openvpn_bob, NULL, NULL); /* has no password at all */
	begin(&a, 7, NULL, "alice", "");
	assert_refused(&a);
	begin(&a, 7, NULL, "", "");
	assert_refused(&a);
	begin(&a, 7, NULL, "nobody", "right");
	assert_refused(&a);
	begin(&a, 7, NULL, "alice", "righ");
	assert_refused(&a);
	begin(&a, 7, NULL, "alice", "right");
	assert_let_in(&a, p);
}

static void a_listener_asks_for_something(void **state)
{
	struct keying_listener_settings s = {.port = HUB_PORT};
	struct keying_listener *l = NULL;
	const char *what = NULL;
	assert_int_equal(keying_listener_new(&s, &l, &what), -EINVAL);
	assert_string_equal(what, "authentication");
	assert_null(l);
}

static void certificates_of_others_are_refused(void **state)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	begin(&a, 7, &openvpn_stranger, NULL, NULL); /* of another CA, the same name */
	assert_refused_with_alert(&a, "unknown ca");
	assert_int_equal(p->last_failure, PEER_FAILURE_NONE); /* a name says nothing */
	begin(&a, 7, &openvpn_bob, NULL, NULL); /* of the CA, but nobody's */
	assert_refused(&a);
	begin(&a, 7, NULL, NULL, NULL);
	assert_refused_with_alert(&a, "certificate required");
	assert_null(p->tunnel);
	assert_int_equal(f.k.tables->tunnels->count, 0);
}

/* The hub has another instance, where the stranger is somebody; people there are told. */
static void a_certificate_of_another_instance_is_refused_and_told(void **state)
{
	struct instance *ours = f.instance;
	struct instance_settings s = {
		.id.bytes = {2}, .number = 2, .wireguard_port = 51821, .mtu = 1420};
	assert_int_equal(ip_prefix_parse("10.1.0.1/16", &s.address4), 0);
	assert_int_equal(instance_set(f.tables, &s, &f.instance), 0);
	assert_int_equal(keying_instance_apply(&f.k, f.instance, &f.hub_private), 0);
	struct peer *other = openvpn_peer(9, &openvpn_stranger, NULL, NULL);
	f.instance = ours;
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	for (unsigned int tcp = 0; tcp < 2; tcp++) {
		atomic_store(&other->last_failure, 0);
		caller_prepare(&a, 7, &openvpn_stranger);
		if (tcp == 0) {
			openvpn_listen(&(struct listen){0});
			caller_begin(&a);
		} else {
			openvpn_listen_tcp(&(struct listen){.number = 10});
			caller_begin_tcp(&a);
		}
		assert_refused_with_alert(&a, "unknown ca");
		assert_int_equal(other->last_failure, PEER_FAILURE_OPENVPN_CERTIFICATE);
		assert_event(KEYING_EVENT_HANDSHAKE_FAILED, other);
		assert_int_equal(p->last_failure, PEER_FAILURE_NONE);
		assert_null(other->tunnel);
	}
}

/* Its own, and TLS refuses it: then it is known whose it is. */
static void a_certificate_that_has_expired_is_told(void **state)
{
	struct certificate old = certificate_make_odd(&openvpn_ca, "alice", CERTIFICATE_EXPIRED);
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &old, NULL, NULL);
	begin(&a, 7, &old, NULL, NULL);
	assert_refused_with_alert(&a, "certificate expired");
	assert_int_equal(p->last_failure, PEER_FAILURE_OPENVPN_CERTIFICATE);
	certificate_free(&old);
}

static void who_is_expired_is_cut_and_refused(void **state)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	atomic_store(&p->expires_at_s, 1);
	keying_timer_visit(&f.k, p);
	assert_null(p->tunnel);
	openvpn_hand_out();
	openvpn_run(1);
	assert_true(caller_heard(&a, "RESTART"));
	caller_end(&a);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_false(caller_connects(&a));
	assert_null(p->tunnel);
	atomic_store(&p->expires_at_s, 0);
	keying_timer_visit(&f.k, p);
	caller_end(&a);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_let_in(&a, p);
}

static void another_credential_cuts_and_the_same_does_not(void **state)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	openvpn_give(p, openvpn_credential(7, &openvpn_alice, NULL, NULL));
	assert_non_null(p->tunnel);
	openvpn_give(p, openvpn_credential(7, &openvpn_bob, NULL, NULL));
	assert_null(p->tunnel);
	caller_end(&a);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_false(caller_connects(&a));
	caller_end(&a);
	begin(&a, 7, &openvpn_bob, NULL, NULL);
	assert_let_in(&a, p);
	openvpn_give(p, NULL);
	assert_null(p->tunnel);
	assert_null(p->credential);
	begin(&a, 8, &openvpn_bob, NULL, NULL);
	assert_false(caller_connects(&a));
	caller_end(&a);
}

/* A renewal with the certificate that was taken away meanwhile. */
static void a_peer_that_goes_takes_its_session_along(void **state)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	(void)openvpn_peer(8, &openvpn_bob, NULL, NULL);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	begin(&b, 8, &openvpn_bob, NULL, NULL);
	assert_true(caller_connects(&b));
	keying_peer_drop(&f.k, p);
	assert_null(p->tunnel);
	assert_int_equal(f.k.openvpn->count, 1);
	session_client_renegotiate(&a.ovpn);
	openvpn_run(20);
	assert_null(p->tunnel);
	caller_end(&b);
	caller_end(&a);
}

/* The one who is half-way when it loses its peer: nothing may point to it. */
static void a_peer_goes_in_the_middle_of_a_handshake(void **state)
{
	openvpn_listen(&(struct listen){0});
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	for (unsigned int n = 0; n < 60 && f.k.tables->tunnels->count == 0; n++)
		openvpn_run(1);
	assert_int_equal(f.k.tables->tunnels->count, 1);
	keying_peer_drop(&f.k, p);
	assert_int_equal(f.k.openvpn->count, 0);
	assert_int_equal(f.k.openvpn->strangers, 0);
	assert_int_equal(f.k.tables->tunnels->count, 0);
	openvpn_run(5);
	caller_end(&a);
}

static void openvpn_takes_over_and_wireguard_after_silence(void **state)
{
	struct wg_client c;
	struct message_handshake_initiation i;
	struct message_handshake_response r;
	struct peer *p = client_new(&c, 7, NULL);
	openvpn_give(p, openvpn_credential(7, &openvpn_alice, NULL, NULL));
	client_handshake(&c);
	assert_non_null(p->next);
	openvpn_listen(&(struct listen){0});
	begin(&a, 8, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	assert_non_null(p->tunnel);
	assert_null(p->next);
	assert_null(p->keying);
	assert_false(keying_peer_can_be_called(p));
	client_initiation(&c, &i); /* OpenVPN is in use */
	deliver(&c, &i, sizeof(i));
	assert_int_equal(counted(COUNTER_DROP_HANDSHAKE_OPENVPN), 1);
	assert_non_null(p->tunnel);
	f.k.now_ns += 11 * NS_PER_SEC;
	client_initiation(&c, &i);
	deliver(&c, &i, sizeof(i));
	take_message(p, &r, sizeof(r));
	assert_null(p->tunnel);
	assert_non_null(p->next);
	assert_int_equal(p->endpoint->local_port, 51820);
	caller_end(&a);
}

/* Where an OpenVPN client was, no WireGuard is called. */
static void an_endpoint_of_openvpn_is_none_of_wireguard(void **state)
{
	struct wg_client c;
	struct keying_peer moves = {.moves = true,
		.keeps_credential = true,
		.keeps_preshared_key = true,
		.keeps_keepalive = true};
	struct peer *p = client_new(&c, 7, NULL);
	openvpn_give(p, openvpn_credential(7, &openvpn_alice, NULL, NULL));
	openvpn_listen(&(struct listen){0});
	begin(&a, 8, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	moves.peer = p;
	assert_int_equal(ip_endpoint_parse("192.0.2.5:51820", &moves.endpoint), 0);
	keying_peer_apply(&f.k, &moves);
	assert_true(ip_endpoint_equal(&p->endpoint->remote, &a.at));
	keying_clients_cut(&f.k, p);
	assert_null(p->endpoint);
	assert_true(keying_peer_can_be_called(p)); /* where it was told to be */
	caller_end(&a);
}

static bool shows(struct session_client *c, const char *name)
{
	char shown[64] = "";
	X509 *x = SSL_get1_peer_certificate(c->key[c->newest].ssl);
	if (x != NULL)
		(void)X509_NAME_get_text_by_NID(
			X509_get_subject_name(x), NID_commonName, shown, sizeof(shown));
	X509_free(x);
	return strcmp(shown, name) == 0;
}

/* Twice: each certificate hands over to the next, whoever came under which. */
static void a_new_certificate_reaches_who_is_up(void **state)
{
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	openvpn_listen(&(struct listen){0});
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	for (unsigned int n = 0; n < 2; n++) {
		const char *name = n == 0 ? "second" : "third";
		struct certificate next =
			certificate_make(&openvpn_ca, name, (unsigned int)strlen(name));
		openvpn_listen(&(struct listen){.server = &next});
		certificate_free(&next);
		f.k.now_ns += 10 * NS_PER_SEC;
		session_client_renegotiate(&a.ovpn);
		openvpn_run(40);
		assert_non_null(p->tunnel);
		assert_true(shows(&a.ovpn, name));
	}
	caller_end(&a);
}

static void assert_data_goes_both_ways(const struct peer *p, struct caller *c)
{
	static const uint8_t packet[100] = {0x45, [3] = 100};
	unsigned int to_hub = o.data, to_client = c->data;
	caller_send_data(c, packet, sizeof(packet));
	enqueue_data(p, packet, sizeof(packet));
	openvpn_run(2);
	assert_int_equal(o.data, to_hub + 1);
	assert_int_equal(c->data, to_client + 1);
}

/*
 * As nave-control does at two thirds of its time. Who is up goes on under the old one until the hub renews, and then
 * with the same tunnel; who comes sees the new one.
 */
static void a_new_certificate_cuts_nobody(void **state)
{
	static struct caller late;
	struct listen udp = {.renegotiate_s = 30};
	struct listen tcp = {.is_tcp = true, .number = 10, .renegotiate_s = 30};
	struct certificate next = certificate_make(&openvpn_ca, "second", 6);
	struct peer *p = openvpn_peer(7, &openvpn_alice, NULL, NULL);
	struct peer *q = openvpn_peer(8, &openvpn_bob, NULL, NULL);
	openvpn_listen(&udp);
	openvpn_listen_tcp(&tcp);
	begin(&a, 7, &openvpn_alice, NULL, NULL);
	assert_true(caller_connects(&a));
	caller_prepare(&b, 8, &openvpn_bob);
	caller_begin_tcp(&b);
	assert_true(caller_connects(&b));
	const struct tunnel *of_p = p->tunnel, *of_q = q->tunnel;
	udp.server = tcp.server = &next;
	openvpn_listen(&udp);
	openvpn_listen(&tcp);
	assert_data_goes_both_ways(q, &b);
	assert_true(shows(&a.ovpn, "hub") && shows(&b.ovpn, "hub"));
	struct certificate carol = certificate_make(&openvpn_ca, "carol", 5);
	struct peer *r = openvpn_peer(9, &carol, NULL, NULL);
	begin(&late, 9, &carol, NULL, NULL);
	assert_true(caller_connects(&late));
	assert_true(shows(&late.ovpn, "second"));
	for (unsigned int n = 0; n < 31 * 17; n++) { /* the hub renews, each at its time */
		openvpn_run(1);
		if (n % 100 == 0 && b.ovpn.newest == 0)
			assert_data_goes_both_ways(q, &b);
	}
	assert_true(a.ovpn.newest > 0 && b.ovpn.newest > 0);
	assert_true(shows(&a.ovpn, "second") && shows(&b.ovpn, "second"));
	assert_ptr_equal(p->tunnel, of_p);
	assert_ptr_equal(q->tunnel, of_q);
	assert_non_null(r->tunnel);
	assert_int_equal(counted(COUNTER_OVPN_SESSIONS_UP), 3);
	assert_false(caller_heard(&a, "RESTART") || caller_heard(&b, "RESTART"));
	caller_takes_newest_key(&b);
	assert_data_goes_both_ways(q, &b);
	caller_end(&late);
	caller_end(&b);
	caller_end(&a);
	certificate_free(&carol);
	certificate_free(&next);
}

#define T(t) cmocka_unit_test_setup_teardown(t, openvpn_start, openvpn_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_are_needed_and_of_one_peer),
		T(a_wrong_password_is_told),
		T(a_password_alone_is_enough_where_it_is_asked_for),
		T(a_listener_asks_for_something),
		T(certificates_of_others_are_refused),
		T(a_certificate_of_another_instance_is_refused_and_told),
		T(a_certificate_that_has_expired_is_told),
		T(who_is_expired_is_cut_and_refused),
		T(another_credential_cuts_and_the_same_does_not),
		T(a_peer_that_goes_takes_its_session_along),
		T(a_peer_goes_in_the_middle_of_a_handshake),
		T(openvpn_takes_over_and_wireguard_after_silence),
		T(an_endpoint_of_openvpn_is_none_of_wireguard),
		T(a_new_certificate_reaches_who_is_up),
		T(a_new_certificate_cuts_nobody),
	};
	return cmocka_run_group_tests(tests, openvpn_group_start, openvpn_group_end);
}
