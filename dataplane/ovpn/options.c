// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/options.h"

#include <errno.h>
#include <string.h>

/* One option: len characters up to the comma or the end, name and value parted by a blank. */
struct option {
	const char *name, *value;
	size_t name_len, value_len;
};

static bool is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* Returns what follows; NULL after the last. */
static const char *split(const char *text, struct option *ret)
{
	size_t len = strcspn(text, ",");
	const char *blank = memchr(text, ' ', len);
	ret->name = text;
	ret->name_len = blank != NULL ? (size_t)(blank - text) : len;
	ret->value = blank != NULL ? blank + 1 : text + len;
	ret->value_len = len - (size_t)(ret->value - text);
	return text[len] == ',' ? text + len + 1 : NULL;
}

static bool equals(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static bool is_named(const struct option *o, const char *name)
{
	return equals(o->name, o->name_len, name);
}

static void copy_value(const struct option *o, char ret[OPTIONS_NAME_MAX])
{
	size_t len = o->value_len < OPTIONS_NAME_MAX ? o->value_len : OPTIONS_NAME_MAX - 1;
	memcpy(ret, o->value, len);
	ret[len] = '\0';
}

static enum options_dev_type dev_type(const struct option *o)
{
	if (equals(o->value, o->value_len, "tun"))
		return OPTIONS_DEV_TUN;
	return equals(o->value, o->value_len, "tap") ? OPTIONS_DEV_TAP : OPTIONS_DEV_OTHER;
}

static void note(const struct option *o, struct options *ret)
{
	if (is_named(o, "cipher"))
		copy_value(o, ret->cipher);
	else if (is_named(o, "auth"))
		copy_value(o, ret->auth);
	else if (is_named(o, "dev-type"))
		ret->dev_type = dev_type(o);
	else if (is_named(o, "comp-lzo"))
		ret->has_comp_lzo = true;
	else if (is_named(o, "mtu-dynamic"))
		ret->has_fragment = true;
}

int options_parse(const char *occ, struct options *ret)
{
	struct option o;
	memset(ret, 0, sizeof(*ret));
	if (!is_printable(occ))
		return -EBADMSG;
	while (occ != NULL) {
		occ = split(occ, &o);
		note(&o, ret);
	}
	ret->has_null_cipher =
		strcmp(ret->cipher, "[null-cipher]") == 0 || strcmp(ret->cipher, "none") == 0;
	ret->has_null_auth =
		strcmp(ret->auth, "[null-digest]") == 0 || strcmp(ret->auth, "none") == 0;
	return 0;
}

/* Both words have one length: the string keeps its own. */
static void exchange(char *text, size_t len, const char *a, const char *b)
{
	size_t word = strlen(a);
	if (len < word)
		return;
	char *at = text + len - word;
	if (memcmp(at, a, word) == 0)
		memcpy(at, b, word);
	else if (memcmp(at, b, word) == 0)
		memcpy(at, a, word);
}

ssize_t options_answer(const char *occ, char *buf, size_t size)
{
	struct option o;
	size_t len = strlen(occ);
	if (!is_printable(occ))
		return -EBADMSG;
	if (len >= size)
		return -ENOSPC;
	memcpy(buf, occ, len + 1);
	const char *rest = buf;
	while (rest != NULL) {
		rest = split(rest, &o);
		char *value = buf + (o.value - buf);
		if (is_named(&o, "proto"))
			exchange(value, o.value_len, "CLIENT", "SERVER");
		else if (is_named(&o, "keydir") && o.value_len == 1)
			exchange(value, 1, "0", "1");
		else if (is_named(&o, "tls-client") || is_named(&o, "tls-server"))
			exchange(buf + (o.name - buf), o.name_len, "tls-client", "tls-server");
	}
	return (ssize_t)len;
}
