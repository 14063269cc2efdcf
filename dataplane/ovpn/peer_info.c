// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/peer_info.h"

#include <stddef.h>
#include <string.h>

/* Of a line; not NUL-terminated. */
struct value {
	const char *text;
	size_t len;
};

/* The first line with this key. A line without '=' is none. */
static bool find(const char *text, const char *key, struct value *ret)
{
	size_t key_len = strlen(key);
	while (*text != '\0') {
		size_t len = strcspn(text, "\n");
		if (len > key_len && text[key_len] == '=' && memcmp(text, key, key_len) == 0) {
			ret->text = text + key_len + 1;
			ret->len = len - key_len - 1;
			if (ret->len > 0 && ret->text[ret->len - 1] == '\r')
				ret->len--;
			return true;
		}
		text += len;
		if (*text == '\n')
			text++;
	}
	return false;
}

static uint32_t number(const char *text, const char *key)
{
	struct value v;
	uint64_t n = 0;
	if (!find(text, key, &v))
		return 0;
	for (size_t i = 0; i < v.len; i++) {
		if (v.text[i] < '0' || v.text[i] > '9')
			return 0;
		n = n * 10 + (uint64_t)(v.text[i] - '0');
		if (n > UINT32_MAX)
			return 0;
	}
	return (uint32_t)n;
}

static void copy_printable(const char *from, size_t len, char *ret)
{
	for (size_t i = 0; i < len; i++)
		ret[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '_';
	ret[len] = '\0';
}

static void words(const char *text, const char *key, char ret[PEER_INFO_TEXT_MAX])
{
	struct value v;
	if (!find(text, key, &v))
		return;
	copy_printable(v.text, v.len < PEER_INFO_TEXT_MAX ? v.len : PEER_INFO_TEXT_MAX - 1, ret);
}

static void take_ciphers(const char *text, struct peer_info *ret)
{
	struct value v;
	ret->has_ciphers = find(text, "IV_CIPHERS", &v);
	if (!ret->has_ciphers)
		return;
	bool is_cut = v.len >= PEER_INFO_CIPHERS_MAX;
	copy_printable(v.text, is_cut ? PEER_INFO_CIPHERS_MAX - 1 : v.len, ret->ciphers);
	/* half a name could be the name of another */
	char *last = strrchr(ret->ciphers, ':');
	if (is_cut)
		*(last != NULL ? last : ret->ciphers) = '\0';
}

void peer_info_parse(const char *text, struct peer_info *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->proto = number(text, "IV_PROTO");
	ret->ncp = number(text, "IV_NCP");
	ret->mtu = number(text, "IV_MTU");
	ret->has_comp_stub_v2 = number(text, "IV_COMP_STUBv2") == 1;
	take_ciphers(text, ret);
	words(text, "IV_VER", ret->version);
	words(text, "IV_PLAT", ret->platform);
}
