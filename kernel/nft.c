// SPDX-License-Identifier: Apache-2.0
#include "kernel/nft.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_all(int fd, const char *text)
{
	size_t len = strlen(text);
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int spawn_nft(int input, pid_t *ret_pid)
{
	static char program[] = "nft", json[] = "-j", file[] = "-f", dash[] = "-";
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *argv[] = {program, json, file, dash, NULL}, *envp[] = {path, NULL};
	posix_spawn_file_actions_t actions;
	int err = posix_spawn_file_actions_init(&actions);
	if (err != 0)
		return -err;
	err = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
	if (err == 0)
		err = posix_spawnp(ret_pid, program, &actions, NULL, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -err;
}

static int wait_for(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EINVAL;
}

int nft_apply(const char *json)
{
	int ends[2];
	pid_t pid = -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -errno;
	int err = spawn_nft(ends[0], &pid);
	(void)close(ends[0]);
	if (err != 0) {
		(void)close(ends[1]);
		return err;
	}
	int written = write_all(ends[1], json);
	(void)close(ends[1]);
	err = wait_for(pid);
	return err != 0 ? err : written;
}

int nft_delete_table(const char *family, const char *name)
{
	char json[512];
	/* added first, so that there is one to delete; names are our own, nothing to escape */
	int len = snprintf(json, sizeof(json),
		"{\"nftables\":[{\"add\":{\"table\":{\"family\":\"%s\",\"name\":\"%s\"}}},"
		"{\"delete\":{\"table\":{\"family\":\"%s\",\"name\":\"%s\"}}}]}",
		family, name, family, name);
	return len < (int)sizeof(json) ? nft_apply(json) : -ENAMETOOLONG;
}
