// SPDX-License-Identifier: Apache-2.0
/*
 * One table says which keys there are, whose they are and who reads their values; a line that is
 * in none of its rows refuses the request. Numbers are digits without sign, key material is hex of
 * exactly its length.
 */
#include "dataplane/server/uapi_request.h"

#include "dataplane/base/hex.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Room for one element more. Elements hold keys, so realloc() will not do: it forgets to wipe. */
static int make_room(void **array, uint32_t count, uint32_t *room, uint32_t most, size_t size)
{
	if (count < *room)
		return 0;
	if (count == most)
		return -E2BIG;
	uint32_t wanted = *room == 0 ? 16 : *room * 2;
	void *new = calloc(wanted, size);
	if (new == NULL)
		return -ENOMEM;
	if (count > 0) {
		memcpy(new, *array, count * size);
		explicit_bzero(*array, count * size);
	}
	free(*array);
	*array = new;
	*room = wanted;
	return 0;
}

static struct uapi_peer *last_peer(const struct uapi_request *r)
{
	return &r->peer[r->peers - 1];
}

static int read_key(const char *value, struct key *ret)
{
	size_t len = strlen(value);
	return len == (size_t)2 * KEY_LEN && hex_decode(value, len, ret->bytes, KEY_LEN) == KEY_LEN
		? 0
		: -EINVAL;
}

/* 0..65535 */
static int read_number(const char *value, uint16_t *ret)
{
	size_t len = strlen(value);
	uint32_t number = 0;
	if (len == 0 || len > 5 || strspn(value, "0123456789") != len
		|| (len > 1 && value[0] == '0'))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		number = number * 10 + (uint32_t)(value[i] - '0');
	if (number > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)number;
	return 0;
}

static int read_true(struct uapi_request *r, const char *value)
{
	return strcmp(value, "true") == 0 ? 0 : -EINVAL;
}

static int read_private_key(struct uapi_request *r, const char *value)
{
	return read_key(value, &r->private_key);
}

static int read_listen_port(struct uapi_request *r, const char *value)
{
	return read_number(value, &r->listen_port);
}

/* The packets of a port that is not Linux's have no mark. */
static int read_fwmark(struct uapi_request *r, const char *value)
{
	return strcmp(value, "0") == 0 ? 0 : -EOPNOTSUPP;
}

static int read_public_key(struct uapi_request *r, const char *value)
{
	struct uapi_peer p = {.allowed_at = r->alloweds};
	int err = read_key(value, &p.public_key);
	if (err == 0)
		err = make_room(
			(void **)&r->peer, r->peers, &r->peers_room, UAPI_PEERS_MAX, sizeof(p));
	if (err == 0)
		r->peer[r->peers++] = p;
	return err;
}

static int read_preshared_key(struct uapi_request *r, const char *value)
{
	return read_key(value, &last_peer(r)->preshared_key);
}

static int read_endpoint(struct uapi_request *r, const char *value)
{
	return ip_endpoint_parse(value, &last_peer(r)->endpoint);
}

static int read_keepalive(struct uapi_request *r, const char *value)
{
	return read_number(value, &last_peer(r)->keepalive_s);
}

static int read_allowed_ip(struct uapi_request *r, const char *value)
{
	struct ip_prefix p;
	int err = ip_prefix_parse(value, &p);
	if (err == 0)
		err = make_room((void **)&r->allowed, r->alloweds, &r->alloweds_room,
			UAPI_ALLOWED_MAX, sizeof(p));
	if (err != 0)
		return err;
	r->allowed[r->alloweds++] = ip_prefix_canonical(&p);
	last_peer(r)->allowed_count++;
	return 0;
}

static int read_protocol_version(struct uapi_request *r, const char *value)
{
	return strcmp(value, "1") == 0 ? 0 : -EPROTONOSUPPORT;
}

static const struct row {
	const char *key;
	int (*read)(struct uapi_request *r, const char *value);
	bool of_peer;
	uint16_t field; /* 0: may come again */
} rows[] = {
	{"private_key", read_private_key, false, UAPI_PRIVATE_KEY},
	{"listen_port", read_listen_port, false, UAPI_LISTEN_PORT},
	{"fwmark", read_fwmark, false, UAPI_FWMARK},
	{"replace_peers", read_true, false, UAPI_REPLACE_PEERS},
	{"public_key", read_public_key, false, 0},
	{"remove", read_true, true, UAPI_REMOVE},
	{"update_only", read_true, true, UAPI_UPDATE_ONLY},
	{"preshared_key", read_preshared_key, true, UAPI_PRESHARED_KEY},
	{"endpoint", read_endpoint, true, UAPI_ENDPOINT},
	{"persistent_keepalive_interval", read_keepalive, true, UAPI_KEEPALIVE},
	{"replace_allowed_ips", read_true, true, UAPI_REPLACE_ALLOWED},
	{"allowed_ip", read_allowed_ip, true, 0},
	{"protocol_version", read_protocol_version, true, UAPI_PROTOCOL_VERSION},
};

static const struct row *find_row(const char *key)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

/* Keys of the device stand before the first peer, keys of a peer behind its public_key. */
static int read_setting(struct uapi_request *r, const char *key, const char *value)
{
	const struct row *row = find_row(key);
	if (row == NULL || (row->of_peer && r->peers == 0)
		|| (!row->of_peer && row->field != 0 && r->peers > 0))
		return -EINVAL;
	uint16_t *fields = row->of_peer ? &last_peer(r)->fields : &r->fields;
	if ((*fields & row->field) != 0)
		return -EINVAL;
	*fields |= row->field;
	return row->read(r, value);
}

static int read_operation(struct uapi_request *r, const char *key, const char *value)
{
	bool get = strcmp(key, "get") == 0;
	r->operation = get ? UAPI_GET : UAPI_SET;
	return (get || strcmp(key, "set") == 0) && strcmp(value, "1") == 0 ? 0 : -EINVAL;
}

/* line has its NUL. */
static int read_line(struct uapi_request *r, char *line)
{
	char *equals = strchr(line, '=');
	if (equals == NULL)
		return -EINVAL;
	*equals = '\0';
	if (r->operation == UAPI_NONE)
		return read_operation(r, line, equals + 1);
	return r->operation == UAPI_SET ? read_setting(r, line, equals + 1) : -EINVAL;
}

/* true: that was the end of the request. */
static bool end_line(struct uapi_request *r)
{
	if (r->line_len == 0) {
		if (r->operation == UAPI_NONE)
			r->error = -EINVAL;
		return true;
	}
	if (r->error == 0) {
		r->line[r->line_len] = '\0';
		r->error = read_line(r, r->line);
	}
	explicit_bzero(r->line, sizeof(r->line));
	r->line_len = 0;
	return false;
}

bool uapi_request_feed(struct uapi_request *r, const char *bytes, size_t len, size_t *ret_used)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n') {
			*ret_used = i + 1;
			if (end_line(r))
				return true;
		} else if (bytes[i] == '\0' || r->line_len == UAPI_LINE_MAX - 1) {
			r->error = -EINVAL; /* and the rest of the line is not kept */
			r->line_len = 1;
		} else {
			r->line[r->line_len++] = bytes[i];
		}
	}
	*ret_used = len;
	return false;
}

void uapi_request_fini(struct uapi_request *r)
{
	if (r->peer != NULL)
		explicit_bzero(r->peer, r->peers_room * sizeof(r->peer[0]));
	free(r->peer);
	free(r->allowed);
	explicit_bzero(r, sizeof(*r));
}
