// SPDX-License-Identifier: Apache-2.0
/*
 * A client's key method 2, and all that is made of its texts: options, peer info, the choice of a cipher
 * and PUSH_REPLY. What parses has texts with ends; what is written back holds no control character, and no
 * option of ours takes a comma from the client.
 */
#include "dataplane/ovpn/cipher.h"
#include "dataplane/ovpn/key_method.h"
#include "dataplane/ovpn/options.h"
#include "dataplane/ovpn/peer_info.h"
#include "dataplane/ovpn/push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
	if (!held)
		abort();
}

static void must_be_printable(const char *text)
{
	for (; *text != '\0'; text++)
		must(*text >= ' ' && *text <= '~');
}

static void answer(const char *occ)
{
	struct options o;
	char buf[KEY_METHOD_OPTIONS_MAX], again[KEY_METHOD_OPTIONS_MAX];
	ssize_t len = options_answer(occ, buf, sizeof(buf));
	must((options_parse(occ, &o) == 0) == (len >= 0));
	if (len < 0)
		return;
	must((size_t)len == strlen(occ) && strlen(buf) == (size_t)len);
	must_be_printable(buf);
	/* the answer to the answer is what was said */
	must(options_answer(buf, again, sizeof(again)) == len && strcmp(again, occ) == 0);
}

static const char *choose(const struct options *o, const struct peer_info *info)
{
	struct cipher_policy policy = {
		.cipher_count = DATA_CIPHER_COUNT, .digest_count = DATA_DIGEST_COUNT};
	struct cipher_offer offer = {.iv_ciphers = info->has_ciphers ? info->ciphers : NULL,
		.iv_ncp = info->ncp,
		.occ_cipher = o->cipher,
		.occ_auth = o->auth};
	struct cipher_choice choice = {0};
	for (size_t i = 0; i < DATA_CIPHER_COUNT; i++)
		policy.ciphers[i] = &data_ciphers[i];
	for (size_t i = 0; i < DATA_DIGEST_COUNT; i++)
		policy.digests[i] = &data_digests[i];
	enum cipher_verdict v = cipher_choose(&policy, &offer, &choice);
	must((v == CIPHER_CHOSEN) == (cipher_reason(v) == NULL));
	if (v != CIPHER_CHOSEN)
		return NULL;
	must(cipher_suite_is_valid(&choice.suite));
	return choice.is_pushed ? choice.name : NULL;
}

static void push(const struct options *o, const struct peer_info *info, const char *cipher)
{
	static struct push_parts parts;
	struct push p = {.ping_s = 10, .ping_restart_s = 60, .tun_mtu = 1420, .cipher = cipher};
	must(ip_prefix_parse("10.192.0.2/20", &p.address_v4) == 0);
	p.gateway_v4 = p.address_v4.addr;
	p.compression = push_compression(o, info);
	p.allows_key_export = true;
	must(push_reply_write(&p, info, &parts) == 0);
	for (size_t i = 0; i < parts.count; i++) {
		must(parts.part[i].len == strlen(parts.part[i].text) + 1);
		must(parts.part[i].len <= PUSH_PART_MAX);
		must_be_printable(parts.part[i].text);
	}
}

static void use(const struct key_method_client *c)
{
	struct options o;
	struct peer_info info;
	must(strlen(c->username) < sizeof(c->username));
	must(strlen(c->password) < sizeof(c->password));
	must(!c->username_too_long || c->username[0] == '\0');
	answer(c->options);
	peer_info_parse(c->peer_info, &info);
	must_be_printable(info.ciphers);
	must_be_printable(info.version);
	must_be_printable(info.platform);
	if (options_parse(c->options, &o) == 0)
		push(&o, &info, choose(&o, &info));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key_method_client c;
	static const struct key_method_client wiped;
	uint8_t *record = malloc(size + 1);
	must(record != NULL);
	if (size > 0)
		memcpy(record + 1, data, size);
	int err = key_method_parse_client(record + 1, size, &c);
	free(record); /* nothing may point into it */
	if (err == 0)
		use(&c);
	key_method_client_wipe(&c);
	must(memcmp(&c, &wiped, sizeof(c)) == 0);
	return 0;
}
