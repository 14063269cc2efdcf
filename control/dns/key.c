// SPDX-License-Identifier: Apache-2.0
#include "control/dns/key.h"

#include "dataplane/base/base64.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool dns_algorithm_is_known(const char *name)
{
	static const char *const known[] = {"hmac-sha256", "hmac-sha384", "hmac-sha512"};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return true;
	return false;
}

static const char *check_text(char *text, ssize_t len)
{
	uint8_t bytes[DNS_SECRET_TEXT];
	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len >= DNS_SECRET_TEXT)
		return "is longer than 128 bytes of base64";
	text[len] = '\0';
	ssize_t n = base64_decode(text, (size_t)len, bytes, sizeof(bytes));
	explicit_bzero(bytes, sizeof(bytes));
	if (n < 0 || strlen(text) != (size_t)len)
		return "is not the secret in base64, one line and nothing else";
	return n < DNS_SECRET_MIN ? "has a secret of less than 16 bytes" : NULL;
}

static const char *check_file(int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return strerrordesc_np(errno);
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	return (st.st_mode & 077) != 0 ? "may be read by others: chmod 600" : NULL;
}

const char *dns_key_read(const char *path, char ret[DNS_SECRET_TEXT])
{
	char text[DNS_SECRET_TEXT + 16];
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return strerrordesc_np(errno);
	const char *reason = check_file(fd);
	ssize_t len = reason == NULL ? read(fd, text, sizeof(text)) : 0;
	if (len < 0)
		reason = strerrordesc_np(errno);
	(void)close(fd);
	if (reason == NULL)
		reason = check_text(text, len);
	if (reason == NULL)
		memcpy(ret, text, strlen(text) + 1);
	explicit_bzero(text, sizeof(text));
	return reason;
}
