/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_OVPN_OPTIONS_H
#define DATAPLANE_OVPN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The options string of key method 2 (OpenVPN's OCC, options_string() in options.c): what a client is
 * configured for, "V4,dev-type tun,link-mtu 1559,cipher AES-256-CBC,auth SHA1,tls-client". An answer
 * that does not fit only makes clients warn, so it is echoed.
 */
enum {
	OPTIONS_NAME_MAX = 32, /* with the NUL; longer names are none of ours and cut */
};

enum options_dev_type {
	OPTIONS_DEV_ABSENT,
	OPTIONS_DEV_TUN,
	OPTIONS_DEV_TAP,
	OPTIONS_DEV_OTHER,
};

struct options {
	enum options_dev_type dev_type;
	char cipher[OPTIONS_NAME_MAX]; /* empty: absent */
	char auth[OPTIONS_NAME_MAX]; /* empty: absent */
	bool has_null_cipher; /* "cipher [null-cipher]": data in the clear */
	bool has_null_auth; /* "auth [null-digest]", which AEAD clients say */
	bool has_comp_lzo;
	bool has_fragment; /* "mtu-dynamic" */
};

/* occ: NUL-terminated; empty: nothing is known. 0 or -EBADMSG (a character is not printable). */
int options_parse(const char *occ, struct options *ret);
/*
 * The server's string for a client's: the same with the sides changed (CLIENT and SERVER of proto,
 * tls-client and tls-server, keydir 0 and 1). buf gets a NUL. Length, or -EBADMSG or -ENOSPC.
 */
ssize_t options_answer(const char *occ, char *buf, size_t size);

#endif
