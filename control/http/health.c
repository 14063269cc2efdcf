// SPDX-License-Identifier: Apache-2.0
#include "control/http/api_internal.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* Made by embed.py: the file as it is. */
extern const char openapi_yaml[];
extern const size_t openapi_yaml_len;

int health_get(struct request *rq)
{
	response_json(&rq->rs, 200, json_pack("{s:s}", "status", "ok"));
	return 0;
}

enum {
	READY_BYTES_MIN = 64 << 10, /* one write at least: its pages go to the log first */
};

/*
 * The store can be read: a transaction was opened for us. Whether it can be written is asked of the
 * file system, because everybody may ask here and a write would be theirs to repeat for ever.
 */
int ready_get(struct request *rq)
{
	struct statvfs fs;
	if (statvfs(rq->api->config->state_dir, &fs) < 0)
		return -errno;
	if ((fs.f_flag & ST_RDONLY) != 0)
		return -EROFS;
	if (fs.f_bavail < READY_BYTES_MIN / fs.f_frsize + 1)
		return -ENOSPC;
	return health_get(rq);
}

int openapi_get(struct request *rq)
{
	char *text = malloc(openapi_yaml_len);
	if (text == NULL)
		return -ENOMEM;
	memcpy(text, openapi_yaml, openapi_yaml_len);
	response_text(&rq->rs, "application/yaml", text, openapi_yaml_len);
	return 0;
}
