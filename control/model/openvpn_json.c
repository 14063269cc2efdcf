// SPDX-License-Identifier: Apache-2.0
#include "control/model/openvpn_json.h"

#include <stdio.h>

json_t *openvpn_listener_json(const struct openvpn_listener *l)
{
	json_t *ciphers = json_array();
	for (size_t i = 0; i < l->cipher_count; i++)
		(void)json_array_append_new(
			ciphers, json_string(openvpn_cipher_text(l->ciphers[i])));
	return json_pack("{s:s, s:s, s:i, s:I, s:o, s:s, s:b, s:b}", "wrap",
		openvpn_wrap_text(l->wrap), "tls_minimum", openvpn_tls_text(l->tls_minimum),
		"security_level", (int)l->security_level, "renegotiate_seconds",
		(json_int_t)l->renegotiate_s, "ciphers", ciphers, "tls_auth_digest",
		openvpn_digest_text(l->digest), "requires_certificate",
		(int)l->requires_certificate, "requires_password", (int)l->requires_password);
}

static void refuse(
	const char *pointer, const char *field, const char *words, struct model_errors *errors)
{
	char whole[MODEL_POINTER_TEXT];
	(void)snprintf(whole, sizeof(whole), "%s/%s", pointer, field);
	model_error_add(errors, whole, "must be %s", words);
}

static const char *word(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static void read_words(struct openvpn_listener *l, const json_t *json, const char *pointer,
	struct model_errors *errors)
{
	const char *wrap = word(json, "wrap"), *tls = word(json, "tls_minimum"),
		   *digest = word(json, "tls_auth_digest");
	enum openvpn_wrap w;
	enum openvpn_tls t;
	enum openvpn_digest d;
	if (wrap != NULL && openvpn_wrap_parse(wrap, &w))
		l->wrap = w;
	else if (wrap != NULL)
		refuse(pointer, "wrap", "\"none\", \"tls-auth\", \"tls-crypt\" or \"tls-crypt-v2\"",
			errors);
	if (tls != NULL && openvpn_tls_parse(tls, &t))
		l->tls_minimum = t;
	else if (tls != NULL)
		refuse(pointer, "tls_minimum", "\"1.0\", \"1.2\" or \"1.3\"", errors);
	if (digest != NULL && openvpn_digest_parse(digest, &d))
		l->digest = d;
	else if (digest != NULL)
		refuse(pointer, "tls_auth_digest", "\"SHA1\", \"SHA256\" or \"SHA512\"", errors);
}

static void read_ciphers(struct openvpn_listener *l, const json_t *list, const char *pointer,
	struct model_errors *errors)
{
	size_t i;
	json_t *item;
	if (!json_is_array(list))
		return;
	l->cipher_count = 0;
	json_array_foreach(list, i, item)
	{
		char field[32];
		enum openvpn_cipher c;
		const char *text = json_string_value(item);
		(void)snprintf(field, sizeof(field), "ciphers/%zu", i);
		if (text == NULL || !openvpn_cipher_parse(text, &c)) {
			refuse(pointer, field,
				"AES-256-GCM, AES-128-GCM, CHACHA20-POLY1305, AES-256-CBC, AES-192-CBC or"
				" AES-128-CBC",
				errors);
		} else if (l->cipher_count == OPENVPN_CIPHER__COUNT) {
			refuse(pointer, "ciphers", "shorter: one is there twice", errors);
			return;
		} else {
			l->ciphers[l->cipher_count++] = c;
		}
	}
}

/* What does not fit the field is refused by the check all the same. */
static uint32_t number(const json_t *json, const char *name, uint32_t otherwise, uint32_t most)
{
	const json_t *v = json_object_get(json, name);
	json_int_t value = json_is_integer(v) ? json_integer_value(v) : otherwise;
	return value >= 0 && value <= most ? (uint32_t)value : most;
}

static bool flag(const json_t *json, const char *name, bool otherwise)
{
	const json_t *v = json_object_get(json, name);
	return json_is_boolean(v) ? json_is_true(v) : otherwise;
}

void openvpn_listener_read(struct openvpn_listener *l, enum openvpn_transport transport,
	const json_t *json, const char *pointer, struct model_errors *errors)
{
	struct openvpn_listener fresh;
	openvpn_listener_init(&fresh, transport);
	fresh.id = l->id;
	fresh.port = l->port;
	read_words(&fresh, json, pointer, errors);
	read_ciphers(&fresh, json_object_get(json, "ciphers"), pointer, errors);
	fresh.security_level =
		(uint8_t)number(json, "security_level", fresh.security_level, UINT8_MAX);
	fresh.renegotiate_s = number(json, "renegotiate_seconds", fresh.renegotiate_s, UINT32_MAX);
	fresh.requires_certificate = flag(json, "requires_certificate", fresh.requires_certificate);
	fresh.requires_password = flag(json, "requires_password", fresh.requires_password);
	*l = fresh;
}
