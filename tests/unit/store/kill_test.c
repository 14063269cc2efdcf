// SPDX-License-Identifier: Apache-2.0
/*
 * A writer is killed at a random moment, over and over. What it had acknowledged is there
 * afterwards, whole; of the write that it was in, all or nothing.
 */
#include "tests/unit/store/fixture.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	ROUNDS = 12,
	PEERS_EACH = 2,
};

/* Never returns. Says each number on the pipe once it is committed. */
static void write_until_killed(struct fixture *f, int first, int fd)
{
	static const int ready = -1;
	fixture_open(f);
	if (write(fd, &ready, sizeof(ready)) != sizeof(ready))
		_exit(1);
	for (int n = first;; n++) {
		struct instance i;
		char name[16];
		(void)snprintf(name, sizeof(name), "net%d", n);
		if (store_begin(f->store, STORE_WRITE) != 0
			|| fixture_add_instance(f, name, &i) != 0)
			_exit(1);
		for (int k = 0; k < PEERS_EACH; k++) {
			struct peer p;
			(void)snprintf(name, sizeof(name), "p%d", k);
			if (fixture_add_peer(f, &i, name, k == 0 ? NULL : "192.168.1.0/24", &p)
				!= 0)
				_exit(1);
			peer_fini(&p);
		}
		instance_fini(&i);
		if (store_end(f->store, true) != 0 || write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

/* The first number that was not acknowledged. */
static int run_and_kill(struct fixture *f, int first, useconds_t after_us)
{
	int fds[2], status, n, next = first;
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		write_until_killed(f, first, fds[1]);
	}
	(void)close(fds[1]);
	/* its time begins when it can write: on a busy machine all of it would go into opening */
	assert_int_equal(read(fds[0], &n, sizeof(n)), sizeof(n));
	(void)usleep(after_us);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	while (read(fds[0], &n, sizeof(n)) == sizeof(n)) {
		assert_int_equal(n, next);
		next = n + 1;
	}
	(void)close(fds[0]);
	return next;
}

static void no_acknowledged_write_is_lost(void **)
{
	struct fixture f;
	unsigned int seed = 7;
	int next = 0;
	fixture_init(&f);
	fixture_close(&f);
	for (int round = 0; round < ROUNDS; round++) {
		next = run_and_kill(&f, next, 20000 + (useconds_t)rand_r(&seed) % 60000);
		fixture_open(&f);
		int64_t found = fixture_number(&f, "SELECT count(*) FROM instance");
		assert_true(found == next || found == next + 1);
		assert_int_equal(
			fixture_number(&f, "SELECT count(*) FROM peer"), found * PEERS_EACH);
		assert_int_equal(fixture_number(&f, "SELECT count(*) FROM subnet"), found);
		assert_int_equal(
			fixture_number(&f, "SELECT count(*) FROM audit"), found * (1 + PEERS_EACH));
		assert_int_equal(fixture_number(&f, "SELECT next_instance FROM meta"), found + 1);
		assert_int_equal(fixture_number(&f,
					 "SELECT count(*) FROM pragma_integrity_check"
					 " WHERE integrity_check = 'ok'"),
			1);
		fixture_close(&f);
		next = (int)found;
	}
	assert_true(next > 0);
	fixture_open(&f);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_acknowledged_write_is_lost),
	};
	return cmocka_run_group_tests_name("store/kill", tests, NULL, NULL);
}
