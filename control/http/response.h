/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_RESPONSE_H
#define CONTROL_HTTP_RESPONSE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
	RESPONSE_HEADERS_MAX = 8,
	RESPONSE_HEADER_TEXT = 512,
	RESPONSE_DETAIL_TEXT = 512,
};

struct response_header {
	const char *name; /* static */
	char value[RESPONSE_HEADER_TEXT];
};

/*
 * What a handler answers. Either json, or text with a content type, or nothing; or a problem
 * (problem.h), which wins over both. One thread at a time.
 */
struct response {
	unsigned int status; /* 0 until something was set */
	json_t *json; /* owned */
	char *text; /* owned, wiped when freed */
	size_t text_len;
	const char *content_type; /* of text; static */
	struct response_header headers[RESPONSE_HEADERS_MAX];
	size_t header_count;
	bool close; /* the connection cannot be used again */
	bool is_problem;
	int problem; /* enum problem_kind */
	char detail[RESPONSE_DETAIL_TEXT];
	json_t *errors; /* owned array, or NULL */
};

void response_init(struct response *rs);
void response_fini(struct response *rs);
/* Takes over json, NULL answers 503: memory ran out while it was built. */
void response_json(struct response *rs, unsigned int status, json_t *json);
/* Takes over text (heap). */
void response_text(struct response *rs, const char *content_type, char *text, size_t len);
/* name must be static. A value with a control character, or one too many, is left out. */
void response_header(struct response *rs, const char *name, const char *value);
/* Turns json into text. instance and request_id go into problems. 0 or -ENOMEM. */
int response_render(struct response *rs, const char *instance, const char *request_id);

#endif
