// SPDX-License-Identifier: Apache-2.0
/*
 * One HTTP call after the other, by libcurl: to the daemon's unix socket, or to a URL with a key.
 *
 * Every failure is told here, once and in full, and comes back as the exit code that the program
 * ends with: callers only clean up. A POST whose answer was lost is sent once more with the same
 * Idempotency-Key, which makes that safe. Answers may hold private keys: they are wiped.
 * What the daemon says is data from outside: it is bounded, and printed by text_print only.
 */
#include "control/cli/client.h"

#include "control/cli/text.h"
#include "dataplane/base/uuid.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	ANSWER_MAX = 64 << 20,
	PATIENCE_S = 60,
};

struct client {
	struct client_place place;
	CURL *easy;
};

struct transfer {
	struct answer *answer;
	size_t size;
};

struct client *client_new(const struct client_place *place)
{
	struct client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->place = *place;
	c->easy = curl_easy_init();
	if (c->easy == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void client_free(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->easy);
	free(c);
}

void answer_fini(struct answer *a)
{
	json_decref(a->json);
	if (a->text != NULL)
		explicit_bzero(a->text, a->len);
	free(a->text);
	memset(a, 0, sizeof(*a));
}

static size_t take_body(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;
	if (t->answer->len + len + 1 > t->size) {
		size_t room = (t->answer->len + len + 1) * 2;
		char *new = room > ANSWER_MAX ? NULL : realloc(t->answer->text, room);
		if (new == NULL)
			return 0;
		t->answer->text = new;
		t->size = room;
	}
	memcpy(t->answer->text + t->answer->len, data, len);
	t->answer->len += len;
	t->answer->text[t->answer->len] = '\0';
	return len;
}

static size_t take_header(char *data, size_t size, size_t count, void *ctx)
{
	static const char replayed[] = "Idempotency-Replayed:";
	struct transfer *t = ctx;
	size_t len = size * count, from = 5;
	if (len >= sizeof(replayed) && strncasecmp(data, replayed, sizeof(replayed) - 1) == 0)
		t->answer->is_replayed = true;
	if (len > 5 && strncasecmp(data, "ETag:", 5) == 0) {
		while (from < len && data[from] == ' ')
			from++;
		while (len > from && (data[len - 1] == '\r' || data[len - 1] == '\n'))
			len--;
		(void)snprintf(t->answer->etag, sizeof(t->answer->etag), "%.*s", (int)(len - from),
			data + from);
	}
	return size * count;
}

static struct curl_slist *make_headers(const struct client *c, const char *method, bool has_body,
	const char *if_match, const char *idempotency_key)
{
	char line[512];
	struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");
	if (c->place.token != NULL) {
		(void)snprintf(line, sizeof(line), "Authorization: Bearer %s", c->place.token);
		list = curl_slist_append(list, line);
		explicit_bzero(line, sizeof(line));
	}
	if (has_body)
		list = curl_slist_append(list,
			strcmp(method, "PATCH") == 0 ? "Content-Type: application/merge-patch+json"
						     : "Content-Type: application/json");
	else
		list = curl_slist_append(list, "Content-Type:"); /* libcurl would call it a form */
	if (if_match != NULL) {
		(void)snprintf(line, sizeof(line), "If-Match: %s", if_match);
		list = curl_slist_append(list, line);
	}
	if (idempotency_key[0] != '\0') {
		(void)snprintf(line, sizeof(line), "Idempotency-Key: %s", idempotency_key);
		list = curl_slist_append(list, line);
	}
	return list;
}

static CURLcode transfer(struct client *c, const char *method, const char *url, const char *body,
	struct curl_slist *headers, struct answer *ret)
{
	struct transfer t = {.answer = ret};
	curl_easy_reset(c->easy);
	(void)curl_easy_setopt(c->easy, CURLOPT_URL, url);
	if (c->place.url == NULL)
		(void)curl_easy_setopt(c->easy, CURLOPT_UNIX_SOCKET_PATH, c->place.socket);
	(void)curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(c->easy, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT, 10L);
	(void)curl_easy_setopt(c->easy, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	(void)curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, take_body);
	(void)curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, &t);
	(void)curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, take_header);
	(void)curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, &t);
	if (body != NULL)
		(void)curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
	else if (strcmp(method, "POST") == 0)
		(void)curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, "");
	CURLcode result = curl_easy_perform(c->easy);
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &ret->status);
	return result;
}

static enum exit_code complain_unreachable(const struct client *c, CURLcode result)
{
	bool local = c->place.url == NULL;
	(void)fprintf(stderr, "nave: nave-control does not answer at %s: %s\n",
		local ? c->place.socket : c->place.url, curl_easy_strerror(result));
	(void)fprintf(stderr, "%s\n",
		local ? "Is it running (systemctl status nave-control)? Are you root or its user?"
			" Another place: --socket PATH, or --url URL with --token-file FILE."
		      : "Check the URL, and that nave-control listens there.");
	return EXIT_CODE_UNREACHABLE;
}

static void print_problem_line(const json_t *o, const char *before)
{
	const char *pointer = json_string_value(json_object_get(o, "pointer")),
		   *detail = json_string_value(json_object_get(o, "detail"));
	(void)fprintf(stderr, "%s", before);
	if (pointer != NULL && pointer[0] != '\0') {
		text_print(stderr, pointer);
		(void)fprintf(stderr, ": ");
	}
	text_print(stderr, detail != NULL ? detail : "");
	(void)fprintf(stderr, "\n");
}

/* The whole problem: title, detail, each field, and the number under which the log has it. */
static enum exit_code complain_refused(const struct answer *a)
{
	const char *title = json_string_value(json_object_get(a->json, "title"));
	const char *id = json_string_value(json_object_get(a->json, "request_id"));
	const json_t *errors = json_object_get(a->json, "errors");
	(void)fprintf(stderr, "nave: %ld ", a->status);
	text_print(stderr, title != NULL ? title : "");
	(void)fprintf(stderr, "\n");
	print_problem_line(a->json, "  ");
	for (size_t i = 0; i < json_array_size(errors); i++)
		print_problem_line(json_array_get(errors, i), "  ");
	if (id != NULL && a->status >= 500) {
		(void)fprintf(stderr, "  request ");
		text_print(stderr, id);
		(void)fprintf(stderr, "\n");
	}
	return a->status >= 500 ? EXIT_CODE_FAILED : EXIT_CODE_REFUSED;
}

static enum exit_code finish(struct client *c, CURLcode result, struct answer *ret)
{
	enum exit_code code = EXIT_CODE_OK;
	if (result != CURLE_OK)
		code = complain_unreachable(c, result);
	else if (ret->text != NULL && (ret->text[0] == '{' || ret->text[0] == '['))
		ret->json = json_loadb(ret->text, ret->len, 0, NULL);
	if (code == EXIT_CODE_OK && (ret->status < 200 || ret->status > 299))
		code = complain_refused(ret);
	if (code != EXIT_CODE_OK)
		answer_fini(ret);
	return code;
}

struct call {
	const char *method, *path;
	const json_t *body; /* NULL: none */
	const char *if_match; /* NULL: none */
	const char *key; /* "": none */
};

static enum exit_code run_call(struct client *c, const struct call *o, struct answer *ret)
{
	char *url = NULL;
	char *text = o->body != NULL ? json_dumps(o->body, JSON_COMPACT) : NULL;
	if (asprintf(
		    &url, "%s%s", c->place.url != NULL ? c->place.url : "http://localhost", o->path)
		< 0) {
		free(text);
		return EXIT_CODE_FAILED;
	}
	struct curl_slist *headers = make_headers(c, o->method, text != NULL, o->if_match, o->key);
	memset(ret, 0, sizeof(*ret));
	CURLcode result = transfer(c, o->method, url, text, headers, ret);
	/* the key makes it safe: what was carried out is only answered again */
	if (o->key[0] != '\0' && (result == CURLE_RECV_ERROR || result == CURLE_GOT_NOTHING)) {
		answer_fini(ret);
		result = transfer(c, o->method, url, text, headers, ret);
		ret->is_replayed = false; /* it was this run that has asked */
	}
	curl_slist_free_all(headers);
	free(text);
	free(url);
	return finish(c, result, ret);
}

enum exit_code client_call(struct client *c, const char *method, const char *path,
	const json_t *body, const char *if_match, struct answer *ret)
{
	char key[UUID_TEXT] = "";
	struct uuid id;
	const struct call o = {method, path, body, if_match, key};
	if (strcmp(method, "POST") == 0 && uuid_generate(&id) == 0)
		(void)uuid_format(&id, key);
	return run_call(c, &o, ret);
}

enum exit_code client_post(
	struct client *c, const char *path, const json_t *body, const char *key, struct answer *ret)
{
	const struct call o = {"POST", path, body, NULL, key};
	return run_call(c, &o, ret);
}

char *client_query(struct client *c, const char *path, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(c->easy, value, 0), *whole = NULL;
	if (escaped == NULL
		|| asprintf(&whole, "%s%c%s=%s", path, strchr(path, '?') != NULL ? '&' : '?', name,
			   escaped)
			< 0)
		whole = NULL;
	curl_free(escaped);
	return whole;
}

/* A web server that is no nave-control, as a rule. */
static enum exit_code complain_no_list(const char *path)
{
	(void)fprintf(stderr, "nave: %s: the answer is no list; is that nave-control?\n", path);
	return EXIT_CODE_FAILED;
}

enum exit_code client_list(struct client *c, const char *path, json_t **ret)
{
	json_t *all = json_array();
	char *first = client_query(c, path, "limit", "200"), *page = NULL;
	enum exit_code code = first != NULL ? EXIT_CODE_OK : EXIT_CODE_FAILED;
	bool more = true;
	while (code == EXIT_CODE_OK && more) {
		struct answer a;
		code = client_call(c, "GET", page != NULL ? page : first, NULL, NULL, &a);
		if (code != EXIT_CODE_OK)
			break;
		if (json_array_extend(all, json_object_get(a.json, "items")) != 0)
			code = complain_no_list(path);
		const char *cursor = json_string_value(json_object_get(a.json, "next_cursor"));
		free(page);
		page = cursor != NULL ? client_query(c, first, "cursor", cursor) : NULL;
		more = page != NULL;
		answer_fini(&a);
	}
	free(page);
	free(first);
	if (code == EXIT_CODE_OK)
		*ret = all;
	else
		json_decref(all);
	return code;
}
