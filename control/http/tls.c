// SPDX-License-Identifier: Apache-2.0
/*
 * A handshake that has been given a chain uses it until it is over, and nobody tells when that is. So
 * what was replaced stays for longer than any handshake may take.
 */
#include "control/http/tls.h"

#include "control/http/limits.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/log.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
	CHAIN_MAX = 8,
	KEY_ID_LEN = 20,
	KEPT_S = 2 * HTTP_REQUEST_TIMEOUT_S,
};

/* What two files had at one time. */
struct pair {
	struct pair *older;
	uint64_t replaced_ns; /* when the next one came */
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned int len;
	gnutls_privkey_t key;
	struct timespec changed[2];
};

struct tls {
	const char *file[2]; /* certificate, key */
	pthread_mutex_t lock; /* what follows */
	struct pair *newest;
	struct timespec refused[2]; /* when the files were changed that were no pair: said once */
};

static pthread_mutex_t shown_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tls *shown;

static void pair_free(struct pair *p)
{
	while (p != NULL) {
		struct pair *older = p->older;
		for (unsigned int n = 0; n < p->len; n++)
			gnutls_pcert_deinit(&p->chain[n]);
		gnutls_privkey_deinit(p->key);
		free(p);
		p = older;
	}
}

static int refuse(const char *file, const char *reason)
{
	log_error("%s: %s", file, reason);
	return -EINVAL;
}

static bool stat_files(const struct tls *t, struct timespec ret[2])
{
	struct stat st[2];
	if (stat(t->file[0], &st[0]) != 0 || stat(t->file[1], &st[1]) != 0)
		return false;
	ret[0] = st[0].st_mtim;
	ret[1] = st[1].st_mtim;
	return true;
}

static int load_chain(const char *file, struct pair *p)
{
	unsigned int len = CHAIN_MAX;
	int rc = gnutls_pcert_list_import_x509_file(
		p->chain, &len, file, GNUTLS_X509_FMT_PEM, NULL, NULL, 0);
	if (rc < 0)
		return refuse(file, gnutls_strerror(rc));
	p->len = len;
	return len > 0 ? 0 : refuse(file, "there is no certificate in it");
}

static int load_key(const char *file, struct pair *p)
{
	gnutls_datum_t text;
	struct stat st;
	if (stat(file, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return refuse(file, "others may read it, or its group may write it; chmod 0640 it");
	int rc = gnutls_load_file(file, &text);
	if (rc < 0)
		return refuse(file, gnutls_strerror(rc));
	rc = gnutls_privkey_import_x509_raw(p->key, &text, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero(text.data, text.size);
	gnutls_free(text.data);
	return rc < 0 ? refuse(file, gnutls_strerror(rc)) : 0;
}

static bool is_pair(const struct pair *p)
{
	unsigned char id[2][KEY_ID_LEN];
	size_t len[2] = {KEY_ID_LEN, KEY_ID_LEN};
	gnutls_pubkey_t own;
	if (gnutls_pubkey_init(&own) < 0)
		return false;
	bool same = gnutls_pubkey_import_privkey(own, p->key, 0, 0) >= 0
		&& gnutls_pubkey_get_key_id(own, 0, id[0], &len[0]) >= 0
		&& gnutls_pubkey_get_key_id(p->chain[0].pubkey, 0, id[1], &len[1]) >= 0
		&& len[0] == len[1] && memcmp(id[0], id[1], len[0]) == 0;
	gnutls_pubkey_deinit(own);
	return same;
}

static int load_files(const struct tls *t, struct pair *p)
{
	int rc = load_chain(t->file[0], p);
	if (rc == 0)
		rc = load_key(t->file[1], p);
	if (rc == 0 && !is_pair(p))
		rc = refuse(
			t->file[1], "is not the key of the first certificate in the other file");
	return rc;
}

static int pair_load(const struct tls *t, struct pair **ret)
{
	struct pair *p = calloc(1, sizeof(*p));
	if (p == NULL || gnutls_privkey_init(&p->key) < 0) {
		free(p);
		return -ENOMEM;
	}
	(void)stat_files(
		t, p->changed); /* before they are read: a change in between is seen later */
	int rc = load_files(t, p);
	if (rc < 0) {
		pair_free(p);
		return rc;
	}
	*ret = p;
	return 0;
}

static void tell_end(const struct tls *t, const struct pair *p)
{
	gnutls_x509_crt_t certificate;
	char day[16] = "?";
	struct tm tm;
	if (gnutls_pcert_export_x509((gnutls_pcert_st *)&p->chain[0], &certificate) < 0)
		return;
	time_t end = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	if (gmtime_r(&end, &tm) != NULL)
		(void)strftime(day, sizeof(day), "%Y-%m-%d", &tm);
	if (end < time(NULL))
		log_warning("%s: this certificate ended on %s; clients refuse it", t->file[0], day);
	else
		log_info("%s: shown to clients; it ends on %s", t->file[0], day);
}

static void put(struct tls *t, struct pair *p)
{
	uint64_t now_ns = clock_monotonic_ns();
	struct pair **at = &t->newest;
	if (*at != NULL)
		(*at)->replaced_ns = now_ns;
	while (*at != NULL && now_ns - (*at)->replaced_ns < KEPT_S * NS_PER_SEC)
		at = &(*at)->older;
	pair_free(*at); /* and all behind it, which are older */
	*at = NULL;
	p->older = t->newest;
	t->newest = p;
}

int tls_new(const char *certificate, const char *key, struct tls **ret)
{
	struct pair *p;
	struct tls *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->file[0] = certificate;
	t->file[1] = key;
	int rc = pair_load(t, &p);
	if (rc < 0) {
		free(t);
		return rc;
	}
	(void)pthread_mutex_init(&t->lock, NULL);
	put(t, p);
	tell_end(t, p);
	(void)pthread_mutex_lock(&shown_lock);
	shown = t;
	(void)pthread_mutex_unlock(&shown_lock);
	*ret = t;
	return 0;
}

void tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	(void)pthread_mutex_lock(&shown_lock);
	if (shown == t)
		shown = NULL;
	(void)pthread_mutex_unlock(&shown_lock);
	pair_free(t->newest);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
}

void tls_reload(struct tls *t)
{
	struct pair *p;
	struct timespec tried[2] = {0};
	(void)pthread_mutex_lock(&t->lock);
	(void)stat_files(t, tried);
	if (pair_load(t, &p) == 0) {
		put(t, p);
		tell_end(t, p);
	} else {
		log_warning("%s: the certificate of before is shown on", t->file[0]);
		memcpy(t->refused, tried, sizeof(tried));
	}
	(void)pthread_mutex_unlock(&t->lock);
}

static bool same_times(const struct timespec a[2], const struct timespec b[2])
{
	return a[0].tv_sec == b[0].tv_sec && a[0].tv_nsec == b[0].tv_nsec
		&& a[1].tv_sec == b[1].tv_sec && a[1].tv_nsec == b[1].tv_nsec;
}

void tls_follow(struct tls *t)
{
	struct timespec now[2];
	if (!stat_files(t, now))
		return; /* between two steps of an ACME client: it comes back */
	(void)pthread_mutex_lock(&t->lock);
	bool is_known = same_times(now, t->newest->changed) || same_times(now, t->refused);
	(void)pthread_mutex_unlock(&t->lock);
	if (!is_known)
		tls_reload(t);
}

/* The signature of GnuTLS. NOLINTNEXTLINE(readability-function-size) */
int tls_retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int count,
	const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **ret_chain,
	unsigned int *ret_len, gnutls_privkey_t *ret_key)
{
	int rc = -1;
	(void)pthread_mutex_lock(&shown_lock);
	if (shown != NULL) {
		(void)pthread_mutex_lock(&shown->lock);
		*ret_chain = shown->newest->chain;
		*ret_len = shown->newest->len;
		*ret_key = shown->newest->key;
		(void)pthread_mutex_unlock(&shown->lock);
		rc = 0;
	}
	(void)pthread_mutex_unlock(&shown_lock);
	return rc;
}
