// SPDX-License-Identifier: Apache-2.0
#include "control/process.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int drop_capabilities(uint32_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct kept[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = keep, .permitted = keep, .inheritable = keep}};
	/* The bounding set first, while it may still be changed: -EPERM means there was nothing. */
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (cap > 31 || (keep >> cap & 1) == 0)
			(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, kept) < 0)
		return -errno;
	/* for the programs that we run when we are not root */
	for (unsigned int cap = 0; cap < 32; cap++) {
		if ((keep >> cap & 1) != 0)
			(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	}
	return 0;
}

/* A process that nobody may trace cannot be searched for leaks either: sanitizer builds stay open. */
static int refuse_tracers(void)
{
#if !defined(__SANITIZE_ADDRESS__)
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#else
	return 0;
#endif
}

int process_restrict(uint32_t keep)
{
	const struct rlimit no_core = {0, 0};
	(void)umask(077);
	if (setrlimit(RLIMIT_CORE, &no_core) < 0 || refuse_tracers() < 0
		|| prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return drop_capabilities(keep);
}

/* Known to malloc, so that the whole block is wiped. */
static void wipe_and_free(void *memory)
{
	if (memory != NULL)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

void process_wipe_json(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}

int process_lock(const char *dir)
{
	char path[512];
	if (snprintf(path, sizeof(path), "%s/control.lock", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int rc = -errno;
		(void)close(fd);
		return rc;
	}
	return fd;
}
