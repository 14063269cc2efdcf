// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/key_method.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

enum {
	METHOD = 2,
	METHOD_MASK = 0x0f,
	HEADER_LEN = 5,
	STRINGS_AT = HEADER_LEN + KEY_SOURCE_PRE_MASTER_LEN + 2 * KEY_SOURCE_RANDOM_LEN,
	EMPTY_STRINGS_LEN = 6, /* username, password and peer_info of the server */
};

struct reader {
	const uint8_t *at;
	size_t left;
};

static void take(struct reader *r, void *ret, size_t len)
{
	memcpy(ret, r->at, len);
	r->at += len;
	r->left -= len;
}

/* -EMSGSIZE leaves the reader behind the string. */
static int take_string(struct reader *r, char *ret, size_t size)
{
	uint8_t be[2];
	ret[0] = '\0';
	if (r->left == 0)
		return 0;
	if (r->left < sizeof(be))
		return -EBADMSG;
	take(r, be, sizeof(be));
	size_t len = (size_t)be[0] << 8 | be[1];
	if (len > r->left)
		return -EBADMSG;
	if (len == 0)
		return 0;
	const uint8_t *text = r->at;
	r->at += len;
	r->left -= len;
	if (memchr(text, '\0', len) != text + len - 1)
		return -EBADMSG;
	if (len > size)
		return -EMSGSIZE;
	memcpy(ret, text, len);
	return 0;
}

/* Too long is not malformed: such a client is told AUTH_FAILED. */
static int take_credential(struct reader *r, char *ret, size_t size, bool *ret_too_long)
{
	int err = take_string(r, ret, size);
	*ret_too_long = err == -EMSGSIZE;
	return *ret_too_long ? 0 : err;
}

static int take_strings(struct reader *r, struct key_method_client *ret)
{
	if (r->left == 0)
		return -EBADMSG;
	int err = take_string(r, ret->options, sizeof(ret->options));
	if (err == 0)
		err = take_credential(
			r, ret->username, sizeof(ret->username), &ret->username_too_long);
	if (err == 0)
		err = take_credential(
			r, ret->password, sizeof(ret->password), &ret->password_too_long);
	if (err != 0)
		return err;
	ret->has_peer_info = r->left > 0;
	return take_string(r, ret->peer_info, sizeof(ret->peer_info));
}

int key_method_parse_client(const uint8_t *record, size_t len, struct key_method_client *ret)
{
	static const uint8_t zero[4];
	struct reader r = {record, len};
	uint8_t header[HEADER_LEN];
	memset(ret, 0, sizeof(*ret));
	if (len < STRINGS_AT)
		return -EBADMSG;
	take(&r, header, sizeof(header));
	if (memcmp(header, zero, sizeof(zero)) != 0)
		return -EBADMSG;
	if ((header[4] & METHOD_MASK) != METHOD)
		return -EPROTONOSUPPORT;
	take(&r, ret->pre_master, sizeof(ret->pre_master));
	take(&r, ret->random.random1, sizeof(ret->random.random1));
	take(&r, ret->random.random2, sizeof(ret->random.random2));
	int err = take_strings(&r, ret);
	if (err != 0)
		key_method_client_wipe(ret);
	return err;
}

void key_method_client_wipe(struct key_method_client *c)
{
	OPENSSL_cleanse(c, sizeof(*c));
}

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

ssize_t key_method_write_server(
	const struct key_source_random *random, const char *options, uint8_t *buf, size_t size)
{
	static const uint8_t header[HEADER_LEN] = {0, 0, 0, 0, METHOD};
	static const uint8_t empty[EMPTY_STRINGS_LEN];
	size_t text = strnlen(options, KEY_METHOD_OPTIONS_MAX) + 1;
	size_t string = text == 1 ? 0 : text; /* the empty string has no NUL */
	if (text > KEY_METHOD_OPTIONS_MAX)
		return -EMSGSIZE;
	size_t len = sizeof(header) + sizeof(*random) + 2 + string + sizeof(empty);
	if (len > size)
		return -ENOSPC;
	uint8_t be[2] = {(uint8_t)(string >> 8), (uint8_t)string};
	uint8_t *at = put(buf, header, sizeof(header));
	at = put(at, random->random1, sizeof(random->random1));
	at = put(at, random->random2, sizeof(random->random2));
	at = put(at, be, sizeof(be));
	at = put(at, options, string);
	(void)put(at, empty, sizeof(empty));
	return (ssize_t)len;
}
