// SPDX-License-Identifier: Apache-2.0
/*
 * The thread that sends webhooks: up to TRANSFERS at once by libcurl's multi interface, two to one
 * webhook. Between two looks at the network it makes deliveries of new events, notes how those that
 * have ended have ended, and claims the next ones; each in a short transaction of its own.
 *
 * A target is somebody else's machine: no redirects, no proxy, limits on time and on what is read of
 * the answer, and each address is judged when the socket for it is made, after DNS has spoken.
 */
#include "control/webhook/sender.h"

#include "control/store/webhook.h"
#include "control/webhook/target.h"
#include "dataplane/base/hex.h"
#include "dataplane/base/log.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum {
	TRANSFERS = 16,
	LOOK_MS = 1000, /* retries are due to the second */
	CONNECT_TIMEOUT_S = 5,
	TIMEOUT_S = 15,
	ANSWER_MAX_BYTES = 65536, /* read and thrown away; more ends it */
	RETRY_MOST_S = 6 * 3600,
	ROUNDS_A_LOOK = 10, /* of deliveries_make */
	MAC_LEN = 32,
};

struct transfer {
	struct webhook_sender *sender; /* borrowed */
	CURL *easy; /* owned; NULL: free */
	struct curl_slist *headers; /* owned */
	char *body; /* owned */
	int64_t seq;
	size_t received;
	bool is_refused; /* by its address */
};

struct webhook_sender {
	const struct control_config *config; /* borrowed; so below */
	struct store *store;
	char *(*make)(const struct event *e);
	CURLM *multi; /* owned */
	struct transfer transfers[TRANSFERS]; /* the thread's own */
	bool complained;
	pthread_t thread;
	bool is_started;
	atomic_bool ends;
};

static size_t drop_answer(char *data, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	t->received += size * count;
	return t->received <= ANSWER_MAX_BYTES ? size * count : 0;
}

static bool read_address(const struct sockaddr *sa, struct ip_addr *ret)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		uint8_t be[4];
		memcpy(be, &in.sin_addr, sizeof(be));
		*ret = ip_addr_from_v4(be);
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		memcpy(ret->bytes, &in6.sin6_addr, sizeof(ret->bytes));
		return true;
	}
	return false;
}

/* libcurl has asked DNS and is about to connect to just this address. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = ctx;
	struct ip_addr a = {0};
	if (!read_address(&address->addr, &a)
		|| !webhook_address_is_allowed(t->sender->config, &a)) {
		t->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* "t=TIME,v1=HEX": HMAC-SHA256 under the secret over "TIME.BODY". */
static void sign(const struct parcel *p, long long now, char *ret, size_t size)
{
	uint8_t mac[MAC_LEN] = {0};
	char hex[2 * MAC_LEN + 1], *text = NULL;
	unsigned int len = MAC_LEN;
	ret[0] = '\0';
	int n = asprintf(&text, "%lld.%s", now, p->body);
	if (n < 0)
		return;
	if (HMAC(EVP_sha256(), p->secret, (int)strlen(p->secret), (const uint8_t *)text, (size_t)n,
		    mac, &len)
		!= NULL) {
		hex_encode(mac, sizeof(mac), hex);
		(void)snprintf(ret, size, "Nave-Signature: t=%lld,v1=%s", now, hex);
	}
	free(text);
}

static struct curl_slist *make_headers(const struct parcel *p)
{
	char line[256], id[UUID_TEXT];
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	list = curl_slist_append(list, "Expect:");
	(void)snprintf(line, sizeof(line), "Nave-Event: %s", p->type);
	list = curl_slist_append(list, line);
	(void)snprintf(line, sizeof(line), "Nave-Delivery: %s", uuid_format(&p->id, id));
	list = curl_slist_append(list, line);
	sign(p, (long long)time(NULL), line, sizeof(line));
	return curl_slist_append(list, line);
}

static void set_options(struct transfer *t, const char *url)
{
	CURL *e = t->easy;
	(void)curl_easy_setopt(e, CURLOPT_URL, url);
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L); /* each is judged anew */
	(void)curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	(void)curl_easy_setopt(e, CURLOPT_USERAGENT, "nave/" NAVE_VERSION);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, t->headers);
	(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->body);
	(void)curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, drop_answer);
	(void)curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	(void)curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
	(void)curl_easy_setopt(e, CURLOPT_PRIVATE, t);
}

static void free_transfer(struct transfer *t)
{
	if (t->easy != NULL)
		(void)curl_multi_remove_handle(t->sender->multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	free(t->body);
	memset(t, 0, sizeof(*t));
}

/* Takes the body over. What cannot be begun stays on its way until the next start. */
static void begin_transfer(struct webhook_sender *s, struct transfer *t, struct parcel *p)
{
	*t = (struct transfer){.sender = s, .easy = curl_easy_init(), .seq = p->seq};
	t->headers = make_headers(p);
	t->body = p->body;
	p->body = NULL;
	if (t->easy == NULL || t->headers == NULL) {
		free_transfer(t);
		return;
	}
	set_options(t, p->url);
	if (curl_multi_add_handle(s->multi, t->easy) != CURLM_OK)
		free_transfer(t);
}

static struct transfer *find_free(struct webhook_sender *s)
{
	for (size_t n = 0; n < TRANSFERS; n++) {
		if (s->transfers[n].easy == NULL)
			return &s->transfers[n];
	}
	return NULL;
}

static int begin_write(struct webhook_sender *s)
{
	static const struct store_actor actor = {.type = "system", .name = "webhooks"};
	int rc = store_begin(s->store, STORE_WRITE);
	if (rc == 0)
		store_set_actor(s->store, &actor);
	return rc;
}

/* rc of what was written: 0 and more is committed. */
static int end_write(struct webhook_sender *s, int rc)
{
	int ended = store_end(s->store, rc >= 0);
	return rc < 0 ? rc : ended;
}

static int make_deliveries(struct webhook_sender *s)
{
	int more = 1, rc = 0;
	for (int n = 0; n < ROUNDS_A_LOOK && more > 0 && rc == 0; n++) {
		rc = begin_write(s);
		if (rc < 0)
			break;
		more = deliveries_make(s->store, s->make);
		rc = end_write(s, more);
	}
	return rc;
}

/* Sent only once it is written that it is on its way. */
static int begin_next(struct webhook_sender *s, struct transfer *t)
{
	struct parcel p;
	int rc = begin_write(s);
	if (rc < 0)
		return rc;
	int claimed = delivery_claim(s->store, &p);
	rc = store_end(s->store, claimed == 0);
	if (claimed < 0)
		return claimed;
	if (rc == 0)
		begin_transfer(s, t, &p);
	parcel_fini(&p);
	return rc;
}

static int begin_transfers(struct webhook_sender *s)
{
	struct transfer *t;
	int rc = 0;
	while (rc == 0 && (t = find_free(s)) != NULL)
		rc = begin_next(s, t);
	return rc == -ENOENT ? 0 : rc;
}

/* Four times as long each time. 0: that was the last. */
static int64_t retry_after(const struct control_config *config, int64_t attempts)
{
	int64_t wait = config->webhook_retry_s;
	if (attempts >= config->webhook_attempts)
		return 0;
	for (int64_t n = 1; n < attempts && wait < RETRY_MOST_S; n++)
		wait *= 4;
	return wait < RETRY_MOST_S ? wait : RETRY_MOST_S;
}

/* NULL: it was taken. */
static const char *why_failed(
	const struct transfer *t, CURLcode result, char ret[WEBHOOK_FAILURE_TEXT])
{
	long status = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->is_refused)
		(void)snprintf(ret, WEBHOOK_FAILURE_TEXT,
			"it leads to a private address that webhook_allow does not list");
	else if (result != CURLE_OK)
		(void)snprintf(ret, WEBHOOK_FAILURE_TEXT, "%s", curl_easy_strerror(result));
	else if (status < 200 || status > 299)
		(void)snprintf(ret, WEBHOOK_FAILURE_TEXT, "it was answered with %ld", status);
	else
		return NULL;
	return ret;
}

static int end_transfer(struct webhook_sender *s, struct transfer *t, CURLcode result)
{
	char text[WEBHOOK_FAILURE_TEXT];
	int64_t attempts = 0;
	const char *failure = why_failed(t, result, text);
	int rc = begin_write(s);
	if (rc < 0)
		return rc;
	rc = delivery_attempts(s->store, t->seq, &attempts);
	if (rc == 0)
		rc = delivery_end(s->store, t->seq, failure, retry_after(s->config, attempts));
	if (rc == -ENOENT)
		rc = 0; /* its webhook was deleted meanwhile */
	return end_write(s, rc);
}

static int end_transfers(struct webhook_sender *s)
{
	CURLMsg *m;
	int left, rc = 0;
	while ((m = curl_multi_info_read(s->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		CURLcode result = m->data.result;
		if (m->msg != CURLMSG_DONE
			|| curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&t)
				!= CURLE_OK)
			continue;
		int ended = end_transfer(s, t, result);
		rc = rc < 0 ? rc : ended;
		free_transfer(t);
	}
	return rc;
}

static int look(struct webhook_sender *s)
{
	int rc = store_begin(s->store, STORE_READ);
	if (rc < 0)
		return rc;
	int due = deliveries_are_due(s->store);
	(void)store_end(s->store, false);
	if (due <= 0)
		return due;
	rc = make_deliveries(s);
	return rc == 0 ? begin_transfers(s) : rc;
}

static int recall(struct webhook_sender *s)
{
	int rc = begin_write(s);
	return rc == 0 ? end_write(s, deliveries_recall(s->store)) : rc;
}

static void *run(void *arg)
{
	struct webhook_sender *s = arg;
	int running, rc = recall(s);
	while (!atomic_load(&s->ends)) {
		int looked = look(s);
		rc = rc < 0 ? rc : looked;
		(void)curl_multi_perform(s->multi, &running);
		int ended = end_transfers(s);
		rc = rc < 0 ? rc : ended;
		if (rc < 0 && !s->complained)
			log_message(LOG_LEVEL_ERROR, "webhooks: %s; trying again",
				strerrordesc_np(-rc));
		s->complained = rc < 0;
		rc = 0;
		(void)curl_multi_poll(s->multi, NULL, 0, LOOK_MS, NULL);
	}
	return NULL;
}

int webhook_sender_new(const struct control_config *config, struct store *store,
	char *(*make)(const struct event *e), struct webhook_sender **ret)
{
	struct webhook_sender *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->config = config;
	s->store = store;
	s->make = make;
	s->multi = curl_multi_init();
	int rc = s->multi == NULL ? -ENOMEM : -pthread_create(&s->thread, NULL, run, s);
	s->is_started = rc == 0;
	if (rc < 0)
		webhook_sender_free(s);
	else
		*ret = s;
	return rc;
}

void webhook_sender_wake(struct webhook_sender *s)
{
	(void)curl_multi_wakeup(s->multi);
}

void webhook_sender_free(struct webhook_sender *s)
{
	if (s == NULL)
		return;
	atomic_store(&s->ends, true);
	if (s->is_started) {
		webhook_sender_wake(s);
		(void)pthread_join(s->thread, NULL);
	}
	for (size_t n = 0; n < TRANSFERS; n++)
		free_transfer(&s->transfers[n]);
	(void)curl_multi_cleanup(s->multi);
	free(s);
}
