/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_STORE_CREDENTIAL_H
#define CONTROL_STORE_CREDENTIAL_H

#include "control/model/certificate.h"
#include "control/model/openvpn.h"
#include "control/model/peer.h"
#include "control/store/store.h"

#include <stdint.h>

/* By what a peer proves itself in OpenVPN: what the hub is told of it. */
struct credential {
	char username[OPENVPN_USERNAME_TEXT];
	uint8_t salt[OPENVPN_SALT_LEN];
	uint8_t hash[OPENVPN_HASH_LEN];
	char certificate[CERTIFICATE_TEXT]; /* "": not yet, and then its hash is zero */
	uint8_t certificate_hash[CERTIFICATE_HASH_LEN];
};

/* And what only the peer itself may know. The holder wipes it. */
struct credential_secrets {
	char password[OPENVPN_PASSWORD_TEXT];
	char private_key[CERTIFICATE_KEY_TEXT];
};

/* Is the username another peer's of this instance? 1, 0 or -errno. */
int credential_is_taken(struct store *store, const struct uuid *instance_id, const char *username);
/*
 * For a peer that has none: a password, and a certificate if the instance has its authority. Takes
 * p->username, or makes one of its name. 0 or -errno.
 */
int credential_add(struct store *store, struct peer *p);
/* Certificates for the peers of an instance that lack one, with the rest where it is missing. */
int credentials_complete(
	struct store *store, const struct uuid *instance_id, const struct certificate *authority);
/* -ENOENT: the peer speaks no OpenVPN, or the instance waits for its authority. */
int credential_find(struct store *store, const struct uuid *peer_id, struct credential *ret);
/* -ENOENT when they are not kept any more. The caller wipes. */
int credential_find_secrets(
	struct store *store, const struct uuid *peer_id, struct credential_secrets *ret);
/* Forgets the secrets that were revealed and whose time is over. Their number. */
int credentials_forget(struct store *store);

#endif
