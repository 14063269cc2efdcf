// SPDX-License-Identifier: Apache-2.0
#include "control/http/response.h"

#include "control/http/problem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void response_init(struct response *rs)
{
	memset(rs, 0, sizeof(*rs));
}

static void drop_content(struct response *rs)
{
	json_decref(rs->json);
	rs->json = NULL;
	if (rs->text != NULL)
		explicit_bzero(rs->text, rs->text_len);
	free(rs->text);
	rs->text = NULL;
	rs->text_len = 0;
}

void response_fini(struct response *rs)
{
	drop_content(rs);
	json_decref(rs->errors);
	explicit_bzero(rs, sizeof(*rs));
}

void response_json(struct response *rs, unsigned int status, json_t *json)
{
	drop_content(rs);
	if (json == NULL) {
		problem_from_errno(rs, -ENOMEM);
		return;
	}
	rs->json = json;
	rs->status = status;
}

void response_text(struct response *rs, const char *content_type, char *text, size_t len)
{
	drop_content(rs);
	rs->text = text;
	rs->text_len = len;
	rs->content_type = content_type;
	rs->status = 200;
}

void response_header(struct response *rs, const char *name, const char *value)
{
	size_t len = strlen(value);
	if (rs->header_count == RESPONSE_HEADERS_MAX || len >= RESPONSE_HEADER_TEXT)
		return;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
			return;
	struct response_header *h = &rs->headers[rs->header_count++];
	h->name = name;
	memcpy(h->value, value, len + 1);
}

int response_render(struct response *rs, const char *instance, const char *request_id)
{
	if (rs->is_problem) {
		json_t *problem = problem_render(rs, instance, request_id);
		drop_content(rs);
		rs->json = problem;
		if (problem == NULL)
			return -ENOMEM;
	}
	if (rs->json == NULL)
		return 0;
	char *text = json_dumps(rs->json, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (text == NULL)
		return -ENOMEM;
	unsigned int status = rs->status;
	response_text(rs, rs->is_problem ? "application/problem+json" : "application/json", text,
		strlen(text));
	rs->status = status;
	return 0;
}
