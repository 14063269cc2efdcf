// SPDX-License-Identifier: Apache-2.0
/* Everything that a peer could have imported goes in, without secrets and certificates. */
#include "control/profile/profile.h"
#include "dataplane/base/hex.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int add_text(EVP_MD_CTX *ctx, const struct profile *p,
	int (*format)(const struct profile *p, char **ret))
{
	char *text = NULL;
	if (format(p, &text) != 0)
		return -ENOMEM;
	int ok = EVP_DigestUpdate(ctx, text, strlen(text));
	profile_text_free(text);
	return ok == 1 ? 0 : -ENOMEM;
}

static int add_texts(EVP_MD_CTX *ctx, const struct profile *p)
{
	struct profile bare = *p;
	int rc = 0;
	bare.private_key = NULL;
	bare.preshared_key = NULL;
	bare.authority = NULL;
	bare.certificate = NULL;
	bare.certificate_key = NULL;
	bare.password = NULL;
	bare.wrap_keys = NULL;
	if (peer_speaks_wireguard(p->peer))
		rc = add_text(ctx, &bare, profile_wireguard);
	for (int t = 0; t < OPENVPN__TRANSPORTS && peer_speaks_openvpn(p->peer) && rc == 0; t++) {
		bare.transport = (enum openvpn_transport)t;
		rc = add_text(ctx, &bare, profile_openvpn);
	}
	return rc;
}

int profile_digest(const struct profile *p, char ret[PROFILE_DIGEST_TEXT])
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
		&& add_texts(ctx, p) == 0 && EVP_DigestFinal_ex(ctx, digest, &len) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok || 2 * len + 1 != PROFILE_DIGEST_TEXT)
		return -ENOMEM;
	hex_encode(digest, len, ret);
	return 0;
}

void profile_text_free(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}
