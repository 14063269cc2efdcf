// SPDX-License-Identifier: Apache-2.0
#include "control/dns/key.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void a_secret_is_its_owners(void **)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *reason; /* NULL: good */
	} cases[] = {
		{"AAECAwQFBgcICQoLDA0ODw==", 0600, NULL},
		{"AAECAwQFBgcICQoLDA0ODw==\n", 0400, NULL},
		{"AAECAwQFBgcICQoLDA0ODw==\n", 0640, "may be read by others: chmod 600"},
		{"AAECAwQFBgcICQoLDA0ODw==\n", 0604, "may be read by others: chmod 600"},
		{"AAECAwQFBgcICQoLDA0O\n", 0600, "has a secret of less than 16 bytes"},
		{"", 0600, "has a secret of less than 16 bytes"},
		{"secret \"AAEC\";\n", 0600,
			"is not the secret in base64, one line and nothing else"},
		{"AAECAwQFBgcI\nCQoLDA0ODw==\n", 0600,
			"is not the secret in base64, one line and nothing else"},
	};
	char dir[] = "/tmp/nave-key-test.XXXXXX";
	char path[64], secret[DNS_SECRET_TEXT], much[400];
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key", dir);
	assert_non_null(dns_key_read(path, secret));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(path, cases[i].text, cases[i].mode);
		const char *reason = dns_key_read(path, secret);
		if (cases[i].reason == NULL)
			assert_null(reason);
		else
			assert_string_equal(reason, cases[i].reason);
	}
	assert_string_equal(secret, "AAECAwQFBgcICQoLDA0ODw==");
	memset(much, 'A', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	write_file(path, much, 0600);
	assert_string_equal(dns_key_read(path, secret), "is longer than 128 bytes of base64");
	assert_string_equal(dns_key_read(dir, secret), "is not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(dns_key_read(path, secret), "is not a regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_secret_is_its_owners)};
	return cmocka_run_group_tests_name("dns/key", tests, NULL, NULL);
}
