// SPDX-License-Identifier: Apache-2.0
/* A machine that was cloned, or that slept, keeps no session. The kernel's event comes by a socket pair
 * here, and the clock that goes on while it sleeps is the test's. */
#include "dataplane/base/clock.h"
#include "tests/unit/keying/fixture.h"

#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* put_aside_ns: how long the thread does not run before it reads the clock that goes on. */
static uint64_t slept_ns, put_aside_ns, stood_ns;

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
uint64_t __real_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void)
{
	return __real_clock_monotonic_ns() + stood_ns;
}

uint64_t __wrap_clock_boottime_ns(void);
uint64_t __wrap_clock_boottime_ns(void)
{
	stood_ns += put_aside_ns;
	return clock_monotonic_ns() + slept_ns;
}
// NOLINTEND(bugprone-reserved-identifier)

static const char new_generation[] = "change@/devices/platform/VMGENCTR:00\0ACTION=change\0"
				     "NEW_VMGENID=1\0SEQNUM=1234";

static struct peer *peer_with_session(struct wg_client *c)
{
	struct peer *p = client_new(c, 1, NULL);
	client_handshake(c);
	keying_session_promote(&f.k, p, c->keys.remote_index);
	client_handshake(c); /* and one that is not confirmed */
	assert_non_null(p->current);
	assert_non_null(p->next);
	return p;
}

/* The hub speaks first: its peer's keys are void and it does not know. */
static void assert_all_ended(struct wg_client *c, const struct peer *p)
{
	struct message_handshake_initiation i;
	assert_null(p->current);
	assert_null(p->next);
	assert_null(p->previous);
	assert_null(session_lookup(f.tables->sessions, c->keys.remote_index));
	take_message(p, &i, sizeof(i));
	assert_int_equal(i.type[0], MESSAGE_HANDSHAKE_INITIATION);
}

static int open_pair(int *ret_far)
{
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	keying_clone_close(&f.k);
	f.k.clone.fd = pair[0];
	*ret_far = pair[1];
	return pair[0];
}

static void pass(uint64_t ns)
{
	f.k.now_ns += ns;
	(void)keying_round(&f.k);
}

static void a_clone_has_no_sessions(void **state)
{
	static const char synthetic[] =
		"change@/devices/x\0ACTION=change\0SYNTH_ARG_NEW_VMGENID=1\0"
		"NEW_VMGENID=12";
	struct wg_client c;
	struct keying_instance *ki = f.instance->keying;
	struct random_words *indices = &f.tables->sessions->random;
	int far;
	struct peer *p = peer_with_session(&c);
	(void)open_pair(&far);
	ki->checker.has_secret = true;
	indices->left = 2;
	assert_int_equal(send(far, synthetic, sizeof(synthetic), 0), sizeof(synthetic));
	assert_int_equal(send(far, "NEW_VMGENID=1", 13, 0), 13); /* no NUL: not the kernel's */
	pass(NS_PER_SEC);
	assert_non_null(p->current);
	for (int n = 0; n < 3; n++)
		assert_int_equal(send(far, synthetic, sizeof(synthetic), 0), sizeof(synthetic));
	assert_int_equal(
		send(far, new_generation, sizeof(new_generation), 0), sizeof(new_generation));
	pass(100 * NS_PER_MS); /* well within a second */
	assert_all_ended(&c, p);
	assert_false(ki->checker.has_secret); /* the twin knows it */
	assert_true(indices->left > 2); /* and the numbers that were drawn */
	client_handshake(&c); /* and they come again */
	assert_non_null(p->next);
	(void)close(far);
}

static void a_sleeper_has_no_sessions(void **state)
{
	struct wg_client c;
	struct peer *p = peer_with_session(&c);
	pass(NS_PER_SEC);
	assert_non_null(p->current);
	slept_ns += 3600 * NS_PER_SEC;
	pass(100 * NS_PER_MS);
	assert_all_ended(&c, p);
	pass(NS_PER_SEC);
	assert_nothing_injected(); /* once */
}

/* Between its two looks at the clocks: a busy core, or somebody stopped it. */
static void a_thread_put_aside_has_not_slept(void **state)
{
	struct wg_client c;
	struct peer *p = peer_with_session(&c);
	put_aside_ns = 5 * NS_PER_SEC;
	pass(100 * NS_PER_MS);
	put_aside_ns = 0;
	assert_non_null(p->current);
	pass(100 * NS_PER_MS);
	assert_non_null(p->current);
	slept_ns += 2 * NS_PER_SEC;
	pass(100 * NS_PER_MS);
	assert_all_ended(&c, p);
}

/* Whoever has CAP_NET_ADMIN can send to the kernel's group: that is not the kernel's word. */
static void only_the_kernel_is_believed(void **state)
{
	struct wg_client c;
	struct sockaddr_nl group = {.nl_family = AF_NETLINK, .nl_groups = 1};
	struct peer *p = peer_with_session(&c);
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	assert_true(f.k.clone.fd >= 0);
	assert_true(fd >= 0);
	ssize_t n = sendto(fd, new_generation, sizeof(new_generation), 0,
		(const struct sockaddr *)&group, sizeof(group));
	(void)close(fd);
	if (n < 0 && geteuid() != 0)
		skip(); /* only root can play the kernel */
	assert_int_equal(n, sizeof(new_generation));
	pass(NS_PER_SEC);
	assert_non_null(p->current);
}

#define test(name) cmocka_unit_test_setup_teardown(name, fixture_start, fixture_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_clone_has_no_sessions),
		test(a_sleeper_has_no_sessions),
		test(a_thread_put_aside_has_not_slept),
		test(only_the_kernel_is_believed),
	};
	return cmocka_run_group_tests(tests, fixture_start_eal, fixture_stop_eal);
}
