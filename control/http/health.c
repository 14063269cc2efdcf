// SPDX-License-Identifier: Apache-2.0
#include "control/http/api_internal.h"
#include "control/http/request.h"
#include "control/http/resources.h"
#include "control/http/response.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Made by embed.py: the file as it is. */
extern const char openapi_yaml[];
extern const size_t openapi_yaml_len;

int health_get(struct request *rq)
{
	response_json(&rq->rs, 200, json_pack("{s:s}", "status", "ok"));
	return 0;
}

/* That a transaction was opened for us is the answer: else it would be 503. */
int ready_get(struct request *rq)
{
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
