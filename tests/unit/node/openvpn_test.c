// SPDX-License-Identifier: Apache-2.0
/* Listeners on their way to a dataplane that takes them, or not; and the ports they take. */
#include "control/node/apply.h"
#include "control/node/listener_ports.h"
#include "control/node/listener_sockets.h"
#include "control/node/plan.h"
#include "control/node/report.h"
#include "tests/unit/node/fake_dataplane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct uuid bad = {{1}}, good = {{2}};
static const struct apply_point to = {.epoch = {{7}}, .generation = 5};

static int set_up(void **state)
{
	struct fake_dataplane *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	fake_dataplane_start(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	fake_dataplane_stop(*state);
	free(*state);
	return 0;
}

static void add_listener(
	struct objects *o, const struct uuid *instance, uint16_t port, enum dp_transport transport)
{
	static struct dp_listener_set l;
	l = (struct dp_listener_set){.id = {{3, (uint8_t)(o->listeners + 1)}},
		.instance = *instance,
		.port = port,
		.transport = (uint8_t)transport,
		.security_level = 1,
		.flags = DP_LISTENER_PASSWORD,
		.cipher = {DP_CIPHER_AES_128_GCM},
		.ca_len = 2,
		.certificate_len = 2,
		.private_key_len = 2,
		.pem = "a\0b\0c"};
	assert_int_equal(objects_add_listener(o, &l), 0);
}

static struct objects two_instances(void)
{
	struct objects o = {.complete = true};
	struct dp_instance_set i = {
		.number = 1, .wireguard_private_key = {{1}}, .wireguard_port = 51820, .mtu = 1420};
	assert_int_equal(ip_prefix_parse("10.0.0.1/24", &i.address4), 0);
	i.id = bad;
	assert_int_equal(objects_add_instance(&o, &i), 0);
	i = (struct dp_instance_set){.id = good,
		.number = 2,
		.wireguard_private_key = {{1}},
		.wireguard_port = 51821,
		.mtu = 1420,
		.address4 = i.address4};
	assert_int_equal(objects_add_instance(&o, &i), 0);
	const struct dp_push_set push = {.instance = good};
	assert_int_equal(objects_add_push(&o, &push), 0);
	objects_sort(&o);
	return o;
}

/* A certificate that cannot be read: a fault of its instance with what the dataplane said; the rest arrives. */
static void a_refused_listener_harms_nobody(void **state)
{
	struct fake_dataplane *f = *state;
	struct objects wanted = two_instances(), nothing = {0};
	struct faults faults = {0};
	struct plan plan;
	add_listener(&wanted, &bad, 1194, DP_TRANSPORT_UDP);
	f->refused = DP_MSG_LISTENER_SET;
	f->refusal = -EKEYREJECTED;
	assert_int_equal(plan_make(&nothing, &wanted, &plan), 0);
	assert_int_equal(apply_sync(f->client, &plan, &to, &faults), 0);
	assert_int_equal(f->taken[DP_MSG_INSTANCE_SET], 2);
	assert_int_equal(f->taken[DP_MSG_PUSH_SET], 1);
	assert_int_equal(f->taken[DP_MSG_LISTENER_SET], 1);
	assert_int_equal(f->taken[DP_MSG_SYNC_END], 1);
	assert_int_equal(faults.count, 1);
	assert_string_equal(
		faults_find(&faults, &bad), "the dataplane refused listener_set: for a reason");
	assert_null(faults_find(&faults, &good));
	/* so is a change */
	faults_clear(&faults);
	assert_int_equal(apply_delta(f->client, &plan, &to, &to, &faults), 0);
	assert_non_null(faults_find(&faults, &bad));
	assert_int_equal(f->taken[DP_MSG_GENERATION_SET], 1);
	plan_fini(&plan);
	faults_fini(&faults);
	objects_fini(&wanted);
}

/* What the API's own check refuses is not sent, and no worse. */
static void a_malformed_push_harms_nobody(void **state)
{
	struct fake_dataplane *f = *state;
	struct objects wanted = two_instances(), nothing = {0};
	struct faults faults = {0};
	struct plan plan;
	const struct dp_push_set push = {.instance = bad, .domain = {"two words"}};
	assert_int_equal(objects_add_push(&wanted, &push), 0);
	add_listener(&wanted, &good, 1194, DP_TRANSPORT_TCP);
	objects_sort(&wanted);
	assert_int_equal(plan_make(&nothing, &wanted, &plan), 0);
	assert_int_equal(apply_sync(f->client, &plan, &to, &faults), 0);
	assert_int_equal(f->taken[DP_MSG_PUSH_SET], 1);
	assert_int_equal(f->taken[DP_MSG_LISTENER_SET], 1);
	assert_int_equal(faults.count, 1);
	assert_non_null(strstr(faults_find(&faults, &bad), "domain is not a name"));
	plan_fini(&plan);
	faults_fini(&faults);
	objects_fini(&wanted);
}

/* After a restart of this program: a listener that nobody wants closes, one that stays is told again. */
static void what_is_there_is_asked(void **state)
{
	struct fake_dataplane *f = *state;
	const struct dp_listener there = {.id = {{3, 1}},
		.instance = good,
		.port = 1194,
		.transport = DP_TRANSPORT_UDP,
		.wrap = DP_WRAP_NONE};
	f->listener = &there;
	for (unsigned int stays = 0; stays < 2; stays++) {
		struct objects wanted = two_instances(), actual;
		struct faults faults = {0};
		struct plan plan;
		memset(f->taken, 0, sizeof(f->taken));
		assert_int_equal(apply_list(f->client, &actual), 0);
		assert_int_equal(actual.listeners, 1);
		add_listener(&wanted, &good, stays == 1 ? 1194 : 1195, DP_TRANSPORT_UDP);
		assert_int_equal(plan_make(&actual, &wanted, &plan), 0);
		assert_int_equal(apply_sync(f->client, &plan, &to, &faults), 0);
		assert_int_equal(faults.count, 0);
		assert_int_equal(f->taken[DP_MSG_LISTENER_DEL], stays == 1 ? 0 : 1);
		assert_int_equal(f->taken[DP_MSG_LISTENER_SET], 1);
		plan_fini(&plan);
		objects_fini(&actual);
		objects_fini(&wanted);
	}
}

/* A socket of another program: on a port that was free. */
static int bind_udp(uint16_t *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(*port)};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
		int err = -errno;
		(void)close(fd);
		return err;
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

static bool is_free(uint16_t port)
{
	int fd = bind_udp(&port);
	if (fd < 0) {
		assert_int_equal(fd, -EADDRINUSE);
		return false;
	}
	(void)close(fd);
	return true;
}

static uint16_t free_port(void)
{
	uint16_t port = 0;
	(void)close(bind_udp(&port));
	return port;
}

static unsigned int apply_ports(struct listener_ports *l, const struct objects *wanted)
{
	struct faults faults = {0};
	listener_ports_release(l, wanted);
	assert_int_equal(listener_ports_hold(l, wanted, &faults), 0);
	unsigned int count = faults.count;
	faults_fini(&faults);
	return count;
}

static void udp_ports_are_held(void **state)
{
	struct listener_ports l = {0};
	struct objects first = {0}, second = {0};
	uint16_t a = free_port(), b = free_port();
	add_listener(&first, &good, a, DP_TRANSPORT_UDP);
	add_listener(&second, &bad, a, DP_TRANSPORT_UDP); /* it changed hands */
	add_listener(&second, &good, b, DP_TRANSPORT_TCP);
	assert_int_equal(apply_ports(&l, &first), 0);
	assert_false(is_free(a));
	assert_int_equal(apply_ports(&l, &second), 0);
	assert_false(is_free(a));
	assert_true(is_free(b)); /* the dataplane's, and another protocol's */
	assert_int_equal(l.count, 1);
	second.listener[0]->port = b;
	assert_int_equal(apply_ports(&l, &second), 0);
	assert_true(is_free(a));
	assert_false(is_free(b));
	second.listener[0]->transport = DP_TRANSPORT_TCP;
	assert_int_equal(apply_ports(&l, &second), 0);
	assert_true(is_free(b));
	assert_int_equal(apply_ports(&l, &first), 0);
	listener_ports_fini(&l);
	assert_true(is_free(a));
	objects_fini(&first);
	objects_fini(&second);
}

static void a_port_of_another_program_is_a_fault(void **state)
{
	struct listener_ports l = {0};
	struct objects wanted = {0};
	struct faults faults = {0};
	uint16_t taken = 0;
	int fd = bind_udp(&taken);
	add_listener(&wanted, &bad, taken, DP_TRANSPORT_UDP);
	add_listener(&wanted, &good, free_port(), DP_TRANSPORT_UDP);
	assert_int_equal(listener_ports_hold(&l, &wanted, &faults), 0);
	assert_int_equal(faults.count, 1);
	assert_non_null(
		strstr(faults_find(&faults, &bad), "another program on this hub has it; stop"));
	assert_int_equal(l.count, 1);
	(void)close(fd);
	assert_int_equal(apply_ports(&l, &wanted), 0); /* tried again */
	assert_false(is_free(taken));
	listener_ports_fini(&l);
	faults_fini(&faults);
	objects_fini(&wanted);
}

/* A socket of another program that listens, at a port that was free. */
static int listen_tcp(uint16_t *port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	*port = ntohs(addr.sin_port);
	return fd;
}

/* Of two instances, what the control daemon is told of bad. */
static void assert_told(const struct faults *faults, const char *state, const char *reason)
{
	struct desired_instance both[] = {{.id = bad}, {.id = good}};
	struct desired d = {.instance = both, .instances = 2};
	static const struct underlay nowhere;
	struct report r = {0};
	char *text = report_text(&r, &d, 5, &good, &nowhere, faults);
	json_t *told = json_loads(text, 0, NULL);
	const json_t *instances = json_object_get(told, "instances");
	const json_t *i = json_array_get(instances, 0), *other = json_array_get(instances, 1);
	assert_string_equal(json_string_value(json_object_get(i, "state")), state);
	assert_string_equal(json_string_value(json_object_get(i, "reason")), reason);
	assert_string_equal(json_string_value(json_object_get(other, "state")), "ready");
	json_decref(told);
	free(text);
}

/* People are told which port and what to do; and once it is free nobody has to do more. */
static void a_tcp_port_of_another_program_is_a_fault_that_heals(void **state)
{
	struct fake_dataplane *f = *state;
	struct faults faults = {0};
	struct dp_listener there = {.id = {{3, 1}}, .instance = bad, .transport = DP_TRANSPORT_TCP};
	char reason[FAULT_REASON_TEXT];
	int fd = listen_tcp(&there.port);
	f->listener = &there;
	(void)snprintf(reason, sizeof(reason),
		"OpenVPN over TCP, port %u: another program on this hub has it; stop that one (ss"
		" -ltnp tells which it is)",
		(unsigned int)there.port);
	for (unsigned int again = 0; again < 2; again++) {
		faults_clear(&faults);
		assert_int_equal(listener_sockets_apply(f->client, &faults), 0);
		assert_int_equal(faults.count, 1);
		assert_int_equal(f->taken[DP_MSG_LISTENER_SOCKET_SET], 0);
		assert_told(&faults, "failed", reason);
	}
	(void)close(fd);
	faults_clear(&faults);
	assert_int_equal(listener_sockets_apply(f->client, &faults), 0);
	assert_int_equal(f->taken[DP_MSG_LISTENER_SOCKET_SET], 1);
	assert_told(&faults, "ready", "");
	there.has_socket = 1; /* and nothing is opened twice */
	assert_int_equal(listener_sockets_apply(f->client, &faults), 0);
	assert_int_equal(f->taken[DP_MSG_LISTENER_SOCKET_SET], 1);
	faults_fini(&faults);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_refused_listener_harms_nobody),
		TEST(a_malformed_push_harms_nobody),
		TEST(what_is_there_is_asked),
		TEST(a_tcp_port_of_another_program_is_a_fault_that_heals),
		cmocka_unit_test(udp_ports_are_held),
		cmocka_unit_test(a_port_of_another_program_is_a_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
