// SPDX-License-Identifier: Apache-2.0
#include "control/node/control_client.h"

#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 256 << 20, /* bytes: 100 000 peers with ten subnets each */
	LONG_POLL_S = 25,
	PATIENCE_S = 10, /* for an answer, on top of a long poll */
	BACK_OFF_MIN_MS = 100,
	BACK_OFF_MAX_MS = 5000,
	URL_TEXT = 512,
	TOKEN_TEXT = 128,
};

enum kind {
	KIND_ENROL,
	KIND_DESIRED,
	KIND_REPORT,
	KIND_CAPTURE,
	KIND__COUNT,
};

struct call {
	CURL *easy;
	struct curl_slist *headers; /* owned while it runs; hold the token */
	bool running;
	char *body; /* owned */
	char *answer; /* owned; NUL behind it */
	size_t answer_len, answer_size;
};

struct control_client {
	const struct node_config *config;
	struct control_events events;
	CURLM *multi;
	struct call call[KIND__COUNT];
	struct uuid capture; /* that is on its way */
	char token[TOKEN_TEXT]; /* "": not enrolled */
	char token_file[320]; /* where it is kept; "": we enrol by the socket as often as we like */
	uint64_t not_before_ns; /* after a failure */
	unsigned int back_off_ms;
	bool complained;
};

static void wipe(char *text, size_t len)
{
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
}

static size_t take_answer(char *data, size_t size, size_t count, void *ctx)
{
	struct call *k = ctx;
	size_t len = size * count;
	if (len > ANSWER_MAX - k->answer_len)
		return 0;
	if (k->answer_len + len + 1 > k->answer_size) {
		/* by hand: realloc would leave keys behind */
		size_t room = (k->answer_len + len + 1) * 2;
		char *new = malloc(room);
		if (new == NULL)
			return 0;
		if (k->answer_len > 0)
			memcpy(new, k->answer, k->answer_len);
		wipe(k->answer, k->answer_size);
		k->answer = new;
		k->answer_size = room;
	}
	memcpy(k->answer + k->answer_len, data, len);
	k->answer_len += len;
	k->answer[k->answer_len] = '\0';
	return len;
}

static void free_headers(struct call *k)
{
	for (struct curl_slist *h = k->headers; h != NULL; h = h->next)
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(k->headers);
	k->headers = NULL;
}

static bool add_header(struct call *k, const char *text)
{
	struct curl_slist *longer = curl_slist_append(k->headers, text);
	if (longer != NULL)
		k->headers = longer;
	return longer != NULL;
}

static void end_call(struct control_client *c, struct call *k)
{
	(void)curl_multi_remove_handle(c->multi, k->easy);
	k->running = false;
	free_headers(k);
	free(k->body);
	k->body = NULL;
	wipe(k->answer, k->answer_size);
	k->answer = NULL;
	k->answer_len = 0;
	k->answer_size = 0;
}

/* Takes body over; NULL: a GET. Without a token none is sent. */
static int start_call_with(
	struct control_client *c, enum kind kind, const char *path, char *body, const char *token)
{
	struct call *k = &c->call[kind];
	char url[URL_TEXT], authorization[TOKEN_TEXT + 32];
	(void)snprintf(url, sizeof(url), "%s%s", c->config->control_url, path);
	(void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", token);
	bool good = body == NULL || add_header(k, "Content-Type: application/json");
	if (token[0] != '\0')
		good = good && add_header(k, authorization);
	explicit_bzero(authorization, sizeof(authorization));
	k->body = body;
	curl_easy_reset(k->easy);
	(void)curl_easy_setopt(k->easy, CURLOPT_URL, url);
	if (c->config->control_socket[0] != '\0')
		(void)curl_easy_setopt(
			k->easy, CURLOPT_UNIX_SOCKET_PATH, c->config->control_socket);
	if (c->config->control_ca[0] != '\0')
		(void)curl_easy_setopt(k->easy, CURLOPT_CAINFO, c->config->control_ca);
	(void)curl_easy_setopt(k->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(k->easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	(void)curl_easy_setopt(k->easy, CURLOPT_TIMEOUT,
		(long)PATIENCE_S + (kind == KIND_DESIRED ? LONG_POLL_S : 0));
	(void)curl_easy_setopt(k->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(k->easy, CURLOPT_HTTPHEADER, k->headers);
	(void)curl_easy_setopt(k->easy, CURLOPT_WRITEFUNCTION, take_answer);
	(void)curl_easy_setopt(k->easy, CURLOPT_WRITEDATA, k);
	(void)curl_easy_setopt(k->easy, CURLOPT_PRIVATE, k);
	if (body != NULL)
		(void)curl_easy_setopt(k->easy, CURLOPT_POSTFIELDS, body);
	if (!good || curl_multi_add_handle(c->multi, k->easy) != CURLM_OK) {
		end_call(c, k);
		return -ENOMEM;
	}
	k->running = true;
	return 0;
}

static int start_call(struct control_client *c, enum kind kind, const char *path, char *body)
{
	return start_call_with(c, kind, path, body, c->token);
}

static void back_off(struct control_client *c, const char *what, const char *why)
{
	c->back_off_ms = c->back_off_ms == 0 ? BACK_OFF_MIN_MS : c->back_off_ms * 2;
	if (c->back_off_ms > BACK_OFF_MAX_MS)
		c->back_off_ms = BACK_OFF_MAX_MS;
	c->not_before_ns = clock_monotonic_ns() + c->back_off_ms * 1000000ULL;
	if (!c->complained)
		log_message(LOG_LEVEL_WARNING,
			"cannot %s at the control daemon: %s; trying again, traffic goes on", what,
			why);
	c->complained = true;
}

static void note_success(struct control_client *c)
{
	if (c->complained)
		log_message(LOG_LEVEL_INFO, "the control daemon answers again");
	c->complained = false;
	c->back_off_ms = 0;
	c->not_before_ns = 0;
}

/* One line, without its end. */
static bool token_read(const char *file, char ret[TOKEN_TEXT])
{
	FILE *f = file[0] != '\0' ? fopen(file, "re") : NULL;
	if (f == NULL)
		return false;
	ret[0] = '\0';
	bool good = fgets(ret, TOKEN_TEXT, f) != NULL;
	(void)fclose(f);
	ret[strcspn(ret, "\r\n")] = '\0';
	return good && ret[0] != '\0';
}

/* The file gets its name last: a crash leaves the token of before, or this one. */
static bool token_write(const char *file, const char *token)
{
	char new[336];
	(void)snprintf(new, sizeof(new), "%s.new", file);
	int fd = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return false;
	bool good = dprintf(fd, "%s\n", token) > 0 && fsync(fd) == 0;
	return close(fd) == 0 && good && rename(new, file) == 0;
}

static bool take_token(struct control_client *c, const struct call *k)
{
	json_t *all = json_loadb(k->answer, k->answer_len, JSON_REJECT_DUPLICATES, NULL);
	const char *token = json_string_value(json_object_get(all, "token"));
	bool good = token != NULL && strlen(token) < sizeof(c->token) && token[0] != '\0'
		&& strpbrk(token, "\r\n") == NULL;
	if (good)
		(void)snprintf(c->token, sizeof(c->token), "%s", token);
	json_decref(all);
	/* one that is not kept is lost with us: better none than that */
	if (good && c->token_file[0] != '\0' && !token_write(c->token_file, c->token)) {
		log_error("cannot keep the hub's token in %s: %s", c->token_file,
			strerrordesc_np(errno));
		explicit_bzero(c->token, sizeof(c->token));
		good = false;
	}
	return good;
}

static void finish_call(struct control_client *c, struct call *k, CURLcode result)
{
	static const char *const what[KIND__COUNT] = {
		"enrol", "ask what is desired", "report", "leave a capture"};
	enum kind kind = (enum kind)(k - c->call);
	long status = 0;
	char reason[128];
	(void)curl_easy_getinfo(k->easy, CURLINFO_RESPONSE_CODE, &status);
	bool good = result == CURLE_OK && (status == 200 || status == 204);
	if (kind == KIND_CAPTURE && (status == 404 || status == 422))
		good = true; /* it is not wanted any more */
	if (result != CURLE_OK)
		(void)snprintf(reason, sizeof(reason), "%s", curl_easy_strerror(result));
	else
		(void)snprintf(reason, sizeof(reason), "status %ld%s", status,
			status == 401 && kind == KIND_ENROL
				? "; an enrol token counts once and for a day, make another"
				: "");
	if (good && kind == KIND_ENROL && !take_token(c, k)) {
		good = false;
		(void)snprintf(reason, sizeof(reason), "no token in the answer");
	}
	if (good && kind == KIND_DESIRED
		&& !c->events.desired(c->events.ctx, k->answer, k->answer_len)) {
		good = false;
		(void)snprintf(reason, sizeof(reason), "the answer makes no sense");
	}
	if (status == 401 && kind != KIND_ENROL)
		explicit_bzero(c->token, sizeof(c->token)); /* enrol again */
	end_call(c, k);
	if (kind == KIND_REPORT)
		c->events.reported(c->events.ctx, good);
	if (kind == KIND_CAPTURE)
		c->events.captured(c->events.ctx, &c->capture, good);
	if (good)
		note_success(c);
	else
		back_off(c, what[kind], reason);
}

static int start_enrol(struct control_client *c)
{
	char token[TOKEN_TEXT] = "";
	if (c->token_file[0] != '\0' && !token_read(c->config->enrol_token_file, token)) {
		back_off(c, "enrol", "there is no enrol token in enrol_token_file of node.conf");
		return 0;
	}
	json_t *o = json_pack("{ssss}", "name", c->config->name, "region", c->config->region);
	char *body = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	int err = body != NULL ? start_call_with(c, KIND_ENROL, "/node/v1/enrol", body, token)
			       : -ENOMEM;
	explicit_bzero(token, sizeof(token));
	return err;
}

static int start_desired(struct control_client *c)
{
	char path[160], id[UUID_TEXT];
	struct uuid epoch;
	uint64_t generation;
	c->events.position(c->events.ctx, &epoch, &generation);
	if (uuid_is_zero(&epoch))
		(void)snprintf(path, sizeof(path), "/node/v1/desired?wait=0");
	else
		(void)snprintf(path, sizeof(path), "/node/v1/desired?epoch=%s&after=%llu&wait=%d",
			uuid_format(&epoch, id), (unsigned long long)generation, LONG_POLL_S);
	return start_call(c, KIND_DESIRED, path, NULL);
}

/* Keeps going what should always be going. */
static void start_calls(struct control_client *c)
{
	int err = 0;
	if (clock_monotonic_ns() < c->not_before_ns)
		return;
	if (c->token[0] == '\0' && !c->call[KIND_ENROL].running && !c->call[KIND_DESIRED].running)
		err = start_enrol(c);
	else if (c->token[0] != '\0' && !c->call[KIND_DESIRED].running)
		err = start_desired(c);
	if (err != 0)
		back_off(c, "ask", strerrordesc_np(-err));
}

int control_client_new(const struct node_config *config, const struct control_events *events,
	struct control_client **ret)
{
	struct control_client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return -ENOMEM;
	c->config = config;
	c->events = *events;
	if (config->control_socket[0] == '\0') {
		(void)snprintf(c->token_file, sizeof(c->token_file), "%s/control.token",
			config->state_dir);
		(void)token_read(c->token_file, c->token);
	}
	c->multi = curl_multi_init();
	bool good = c->multi != NULL;
	for (unsigned int i = 0; i < KIND__COUNT; i++) {
		c->call[i].easy = curl_easy_init();
		good = good && c->call[i].easy != NULL;
	}
	if (!good) {
		control_client_free(c);
		return -ENOMEM;
	}
	*ret = c;
	return 0;
}

void control_client_free(struct control_client *c)
{
	if (c == NULL)
		return;
	for (unsigned int i = 0; i < KIND__COUNT; i++) {
		if (c->call[i].running)
			end_call(c, &c->call[i]);
		curl_easy_cleanup(c->call[i].easy);
	}
	(void)curl_multi_cleanup(c->multi);
	explicit_bzero(c, sizeof(*c));
	free(c);
}

/* Our own moments to wake up come on top of the caller's. */
static int shorten(const struct control_client *c, int timeout_ms)
{
	uint64_t now = clock_monotonic_ns();
	if (c->not_before_ns <= now)
		return timeout_ms;
	uint64_t left_ms = (c->not_before_ns - now) / 1000000 + 1;
	return left_ms < (uint64_t)timeout_ms ? (int)left_ms : timeout_ms;
}

void control_client_wait(
	struct control_client *c, struct pollfd *others, unsigned int count, int timeout_ms)
{
	struct curl_waitfd extra[16] = {0};
	int running, left;
	start_calls(c);
	(void)curl_multi_perform(c->multi, &running);
	for (unsigned int i = 0; i < count && i < 16; i++)
		extra[i] = (struct curl_waitfd){.fd = others[i].fd, .events = CURL_WAIT_POLLIN};
	(void)curl_multi_poll(c->multi, extra, count, shorten(c, timeout_ms), NULL);
	for (unsigned int i = 0; i < count && i < 16; i++)
		others[i].revents = extra[i].revents;
	(void)curl_multi_perform(c->multi, &running);
	for (CURLMsg *m = curl_multi_info_read(c->multi, &left); m != NULL;
		m = curl_multi_info_read(c->multi, &left)) {
		char *private = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		CURLcode result = m->data.result;
		(void)curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private);
		finish_call(c, (struct call *)(void *)private, result);
	}
}

static bool can_post(const struct control_client *c, enum kind kind)
{
	return c->token[0] != '\0' && !c->call[kind].running
		&& clock_monotonic_ns() >= c->not_before_ns;
}

bool control_client_can_report(const struct control_client *c)
{
	return can_post(c, KIND_REPORT);
}

int control_client_report(struct control_client *c, char *json)
{
	if (!control_client_can_report(c))
		return -EAGAIN;
	return start_call(c, KIND_REPORT, "/node/v1/report", json);
}

bool control_client_can_capture(const struct control_client *c)
{
	return can_post(c, KIND_CAPTURE);
}

int control_client_capture(struct control_client *c, const struct uuid *id, char *json)
{
	char path[64], text[UUID_TEXT];
	if (!control_client_can_capture(c))
		return -EAGAIN;
	c->capture = *id;
	(void)snprintf(path, sizeof(path), "/node/v1/captures/%s", uuid_format(id, text));
	return start_call(c, KIND_CAPTURE, path, json);
}
