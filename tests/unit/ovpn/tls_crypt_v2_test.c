// SPDX-License-Identifier: Apache-2.0
/* The wrapped client key: OpenVPN's own, lengths that lie, metadata, and early negotiation. */
#include "dataplane/ovpn/tls_crypt_v2.h"

#include "dataplane/ovpn/wrap.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>

static void vector_server(struct tls_crypt_v2_server *s)
{
	struct tls_crypt_v2_server_key k;
	assert_int_equal(unhex(tls_crypt_v2_server_key, k.bytes, sizeof(k.bytes)), sizeof(k.bytes));
	assert_int_equal(tls_crypt_v2_server_init(s, &k), 0);
}

static void wkc_of_the_wire(void **state)
{
	struct tls_crypt_v2_server s;
	struct tls_crypt_v2_client c;
	uint8_t wkc[512], again[TLS_CRYPT_V2_WKC_MAX], kc[256], metadata[16];
	int64_t issued_s = 0;
	vector_server(&s);
	size_t len = unhex(tls_crypt_v2_wkc, wkc, sizeof(wkc));
	assert_int_equal(len, 299);
	assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, len, &c), 0);
	(void)unhex(tls_crypt_v2_kc, kc, sizeof(kc));
	assert_memory_equal(c.key.bytes, kc, sizeof(kc));
	assert_int_equal(c.metadata_len, unhex(tls_crypt_v2_metadata, metadata, sizeof(metadata)));
	assert_memory_equal(c.metadata, metadata, c.metadata_len);
	assert_int_equal(tls_crypt_v2_issued(&c, &issued_s), 0);
	assert_int_equal(issued_s, 0x6b00e18d);
	assert_int_equal(tls_crypt_v2_wrap(&s, &c, again), len);
	assert_memory_equal(again, wkc, len);
	tls_crypt_v2_server_fini(&s);
}

/* The whole of section 1.3 as it was on a wire: reset, answer, and the key once more. */
static void packets_of_the_wire(void **state)
{
	static const struct {
		const char *wire, *text;
		uint32_t replay_id;
	} from_client[] = {
		{tls_crypt_v2_c_hard_reset_v3, tls_crypt_v2_c_hard_reset_v3_text, 0x0f000001},
		{tls_crypt_v2_c_wkc_v1, tls_crypt_v2_c_wkc_v1_text, 0x0f000002},
	};
	struct tls_crypt_v2_server s;
	struct tls_crypt_v2_client c;
	struct wrap w;
	struct wrap_opened o;
	struct control_packet p;
	uint8_t wire[1024], text[512];
	vector_server(&s);
	for (unsigned int i = 0; i < 2; i++) {
		size_t len = unhex(from_client[i].wire, wire, sizeof(wire));
		ssize_t wkc_len = tls_crypt_v2_wkc_len(wire, len);
		assert_int_equal(wkc_len, 299);
		assert_int_equal(
			tls_crypt_v2_unwrap(&s, wire + len - (size_t)wkc_len, (size_t)wkc_len, &c),
			0);
		const struct wrap_config config = {.mode = WRAP_TLS_CRYPT_V2, .key = &c.key};
		assert_int_equal(wrap_init(&w, &config), 0);
		assert_int_equal(wrap_open(&w, NULL, wire, len, &o), 0);
		assert_int_equal(o.stamp.id, from_client[i].replay_id);
		assert_true(early_negotiation_is_supported(o.stamp.id));
		len = unhex(from_client[i].text, text, sizeof(text));
		assert_memory_equal(o.plain + CONTROL_HEAD_LEN, text, len);
		assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
		assert_int_equal(p.packet_id, i);
		wrap_fini(&w);
	}
	/* the answer between them, as the client reads it */
	const struct wrap_config config = {
		.mode = WRAP_TLS_CRYPT_V2, .is_client = true, .key = &c.key};
	uint16_t flags = 0;
	assert_int_equal(wrap_init(&w, &config), 0);
	size_t len = unhex(tls_crypt_v2_s_hard_reset, wire, sizeof(wire));
	assert_int_equal(len, 72);
	assert_int_equal(wrap_open(&w, NULL, wire, len, &o), 0);
	assert_int_equal(control_packet_parse(o.plain, o.len, &p), 0);
	assert_int_equal(early_negotiation_read(&p, &flags), 0);
	assert_int_equal(flags, EARLY_NEG_FLAG_RESEND_WKC);
	wrap_fini(&w);
	tls_crypt_v2_server_fini(&s);
}

static void every_bit_of_a_wkc_counts(void **state)
{
	static const struct tls_crypt_v2_client nobody;
	struct tls_crypt_v2_server s;
	struct tls_crypt_v2_client c;
	uint8_t wkc[512];
	vector_server(&s);
	size_t len = unhex(tls_crypt_v2_wkc, wkc, sizeof(wkc));
	for (size_t bit = 0; bit < 8 * len; bit++) {
		memset(&c, 0x55, sizeof(c));
		wkc[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, len, &c), -EBADMSG);
		assert_memory_equal(&c, &nobody, sizeof(c)); /* nothing of it gets out */
		wkc[bit / 8] ^= (uint8_t)(1 << (bit % 8));
	}
	for (size_t n = 0; n < len; n++) { /* cut, with a length that is right */
		uint8_t cut[512];
		memcpy(cut, wkc, len);
		if (n >= 2)
			write_be16(cut + n - 2, (uint16_t)n);
		assert_int_equal(tls_crypt_v2_unwrap(&s, cut, n, &c), -EBADMSG);
	}
	assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, len, &c), 0);
	tls_crypt_v2_server_fini(&s);
}

/* Sealed with the right key, but about a length that it has not. */
static void an_authentic_lie(void **state)
{
	const uint8_t plain[STATIC_KEY_LEN + 9] = {0};
	const size_t len = TLS_CRYPT_TAG_LEN + sizeof(plain) + 2;
	struct tls_crypt_v2_server s;
	struct tls_crypt_v2_client c;
	uint8_t wkc[512];
	vector_server(&s);
	for (size_t says = len - 1; says <= len + 1; says++) {
		write_be16(wkc + len - 2, (uint16_t)says);
		struct tls_crypt_text in = {wkc + len - 2, 2, plain, sizeof(plain)};
		assert_int_equal(tls_crypt_seal(&s.cipher, &in, wkc, wkc + TLS_CRYPT_TAG_LEN), 0);
		assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, len, &c), says == len ? 0 : -EBADMSG);
	}
	tls_crypt_v2_server_fini(&s);
}

static void another_servers_key(void **state)
{
	struct tls_crypt_v2_server_key k;
	struct tls_crypt_v2_server s;
	struct tls_crypt_v2_client c;
	uint8_t wkc[512];
	size_t len = unhex(tls_crypt_v2_wkc, wkc, sizeof(wkc));
	for (size_t at = 0; at < sizeof(k.bytes); at++) {
		/* of 128 bytes 64 are used */
		bool used = at % 64 < 32;
		(void)unhex(tls_crypt_v2_server_key, k.bytes, sizeof(k.bytes));
		k.bytes[at] ^= 4;
		assert_int_equal(tls_crypt_v2_server_init(&s, &k), 0);
		assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, len, &c), used ? -EBADMSG : 0);
		tls_crypt_v2_server_fini(&s);
	}
}

static void lengths_of_metadata(void **state)
{
	struct tls_crypt_v2_server s;
	struct tls_crypt_v2_client c = {0}, read;
	uint8_t wkc[TLS_CRYPT_V2_WKC_MAX + 1];
	vector_server(&s);
	assert_int_equal(TLS_CRYPT_V2_METADATA_MAX, 734);
	for (size_t n = 0; n <= TLS_CRYPT_V2_METADATA_MAX + 1; n++) {
		bool ok = n >= 1 && n <= TLS_CRYPT_V2_METADATA_MAX;
		c.metadata_len = n;
		if (ok)
			memset(c.metadata, (int)n, n);
		ssize_t len = tls_crypt_v2_wrap(&s, &c, wkc);
		assert_int_equal(len, ok ? 290 + (ssize_t)n : -EINVAL);
		if (!ok)
			continue;
		assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, (size_t)len, &read), 0);
		assert_int_equal(read.metadata_len, n);
		assert_memory_equal(read.metadata, c.metadata, n);
	}
	write_be16(wkc + sizeof(wkc) - 2, sizeof(wkc)); /* 1025 and says so */
	assert_int_equal(tls_crypt_v2_unwrap(&s, wkc, sizeof(wkc), &read), -EBADMSG);
	tls_crypt_v2_server_fini(&s);
}

/* What the last two bytes say is believed only within the packet, and for two opcodes. */
static void lengths_that_lie(void **state)
{
	uint8_t wire[2048] = {0};
	const size_t len = sizeof(wire);
	wire[0] = first_byte(P_CONTROL_WKC_V1, 0);
	for (unsigned int says = 0; says < 65536; says++) {
		bool ok = says >= 291 && says <= 1024;
		write_be16(wire + len - 2, (uint16_t)says);
		assert_int_equal(tls_crypt_v2_wkc_len(wire, len), ok ? (ssize_t)says : -EBADMSG);
	}
	for (unsigned int opcode = 0; opcode < 32; opcode++) {
		wire[0] = (uint8_t)(opcode << 3);
		write_be16(wire + len - 2, 291);
		assert_int_equal(tls_crypt_v2_wkc_len(wire, len),
			opcode == 10 || opcode == 11 ? 291 : -EBADMSG);
	}
	wire[0] = first_byte(P_CONTROL_HARD_RESET_CLIENT_V3, 0);
	for (size_t n = 0; n < 1100; n++) { /* something must be left in front: 50 bytes */
		uint8_t cut[1100] = {wire[0]};
		for (unsigned int says = 291; n >= 2 && says <= 1024; says += 733) {
			write_be16(cut + n - 2, (uint16_t)says);
			if (n == 2)
				cut[0] = wire[0];
			assert_int_equal(tls_crypt_v2_wkc_len(cut, n),
				n >= says + 50 ? (ssize_t)says : -EBADMSG);
		}
	}
	assert_int_equal(tls_crypt_v2_wkc_len(wire, 0), -EBADMSG);
}

/* Item 23: a reset that comes again opens with the session's key, whatever key it brings along. */
static void a_resent_reset_changes_no_key(void **state)
{
	struct wrap w;
	struct wrap_opened o;
	struct wrap_replay replay = {0};
	struct static_key kc;
	uint8_t wire[1024];
	(void)unhex(tls_crypt_v2_kc, kc.bytes, sizeof(kc.bytes));
	const struct wrap_config config = {.mode = WRAP_TLS_CRYPT_V2, .key = &kc};
	assert_int_equal(wrap_init(&w, &config), 0);
	size_t len = unhex(tls_crypt_v2_c_hard_reset_v3, wire, sizeof(wire));
	memset(wire + len - 299, 0xee, 297); /* not a WKc of anybody */
	assert_int_equal(wrap_open(&w, &replay, wire, len, &o), 0);
	assert_int_equal(wrap_open(&w, &replay, wire, len, &o), -EALREADY);
	wire[len - 1] ^= 1; /* but its length says where the packet ends */
	assert_int_equal(wrap_open(&w, NULL, wire, len, &o), -EBADMSG);
	wrap_fini(&w);
}

static void when_it_was_issued(void **state)
{
	struct tls_crypt_v2_client c;
	int64_t at_s = 7;
	assert_int_equal(tls_crypt_v2_client_generate(&c, 1764400000), 0);
	assert_int_equal(c.metadata_len, 9);
	assert_int_equal(tls_crypt_v2_issued(&c, &at_s), 0);
	assert_int_equal(at_s, 1764400000);
	at_s = 7;
	c.metadata_len = 8;
	assert_int_equal(tls_crypt_v2_issued(&c, &at_s), -EBADMSG);
	c.metadata_len = 10;
	assert_int_equal(tls_crypt_v2_issued(&c, &at_s), -EBADMSG);
	c.metadata_len = 9;
	c.metadata[0] = METADATA_TYPE_USER;
	assert_int_equal(tls_crypt_v2_issued(&c, &at_s), -ENOENT);
	c.metadata_len = 0;
	assert_int_equal(tls_crypt_v2_issued(&c, &at_s), -ENOENT);
	assert_int_equal(at_s, 7);
}

static void key_files(void **state)
{
	static const struct tls_crypt_v2_client no_client;
	static const struct tls_crypt_v2_server_key no_key;
	struct tls_crypt_v2_server_key k, read = {{7}};
	struct tls_crypt_v2_client c;
	char text[TLS_CRYPT_V2_SERVER_KEY_TEXT], client[TLS_CRYPT_V2_CLIENT_KEY_TEXT];
	uint8_t wkc[TLS_CRYPT_V2_WKC_MAX] = {0};
	assert_int_equal(tls_crypt_v2_server_key_generate(&k), 0);
	assert_int_equal(tls_crypt_v2_server_key_to_text(&k, text), 0);
	const char *begin = "-----BEGIN OpenVPN tls-crypt-v2 server key-----\n";
	assert_memory_equal(text, begin, strlen(begin));
	for (size_t n = 0; n < strlen(text) - 6; n++)
		assert_int_equal(tls_crypt_v2_server_key_from_text(text, n, &read), -EINVAL);
	assert_int_equal(read.bytes[0], 7); /* untouched */
	assert_int_equal(tls_crypt_v2_server_key_from_text(text, strlen(text), &read), 0);
	assert_memory_equal(&read, &k, sizeof(k));
	assert_int_equal(tls_crypt_v2_client_generate(&c, 1), 0);
	assert_int_equal(tls_crypt_v2_client_key_to_text(&c.key, wkc, 290, client), -EINVAL);
	assert_int_equal(tls_crypt_v2_client_key_to_text(&c.key, wkc, 1025, client), -EINVAL);
	assert_int_equal(tls_crypt_v2_client_key_to_text(&c.key, wkc, 1024, client), 0);
	begin = "-----BEGIN OpenVPN tls-crypt-v2 client key-----\n";
	assert_memory_equal(client, begin, strlen(begin));
	assert_int_equal(tls_crypt_v2_server_key_from_text(client, strlen(client), &read), -EINVAL);
	tls_crypt_v2_client_wipe(&c);
	assert_memory_equal(&c, &no_client, sizeof(c));
	tls_crypt_v2_server_key_wipe(&k);
	assert_memory_equal(&k, &no_key, sizeof(k));
}

static void the_top_byte_tells(void **state)
{
	assert_true(early_negotiation_is_supported(0x0f000000));
	assert_true(early_negotiation_is_supported(0x0f000001));
	assert_true(early_negotiation_is_supported(0x0fffffff));
	assert_false(early_negotiation_is_supported(1));
	assert_false(early_negotiation_is_supported(0x0effffff));
	assert_false(early_negotiation_is_supported(0x10000000));
	assert_false(early_negotiation_is_supported(0x8f000001));
}

static int read_tlv(const uint8_t *payload, size_t len, uint16_t *ret)
{
	uint8_t exact[32]; /* what is behind must not be read as a value */
	memset(exact, 0xff, sizeof(exact));
	memcpy(exact, payload, len);
	const struct control_packet p = {
		.opcode = P_CONTROL_HARD_RESET_CLIENT_V3, .payload = exact, .payload_len = len};
	return early_negotiation_read(&p, ret);
}

static void type_length_value(void **state)
{
	static const uint8_t unknown_first[] = {0, 9, 0, 1, 5, 0, 1, 0, 2, 0, 1};
	static const uint8_t lies[] = {0, 9, 0, 2, 5}, three[] = {0, 1, 0, 3, 0, 0, 1};
	static const uint8_t empty[] = {0, 9, 0, 0};
	uint8_t good[EARLY_NEG_LEN];
	uint16_t flags = 7;
	early_negotiation_write(good, EARLY_NEG_FLAG_RESEND_WKC);
	assert_memory_equal(good, ((const uint8_t[]){0, 1, 0, 2, 0, 1}), sizeof(good));
	assert_int_equal(read_tlv(good, 6, &flags), 0);
	assert_int_equal(flags, 1);
	assert_int_equal(read_tlv(good, 0, &flags), 0);
	assert_int_equal(flags, 0);
	for (size_t n = 1; n < 6; n++) /* four bytes are what a scanner sends */
		assert_int_equal(read_tlv(good, n, &flags), -EBADMSG);
	assert_int_equal(read_tlv(unknown_first, sizeof(unknown_first), &flags), 0);
	assert_int_equal(flags, 1);
	assert_int_equal(read_tlv(empty, sizeof(empty), &flags), 0);
	assert_int_equal(read_tlv(lies, sizeof(lies), &flags), -EBADMSG);
	assert_int_equal(read_tlv(three, sizeof(three), &flags), -EBADMSG);
	/* elsewhere the payload is TLS, and not read */
	struct control_packet p = {.opcode = P_CONTROL_V1, .payload = lies, .payload_len = 5};
	assert_int_equal(early_negotiation_read(&p, &flags), 0);
	p.opcode = P_CONTROL_HARD_RESET_CLIENT_V3;
	p.packet_id = 1;
	assert_int_equal(early_negotiation_read(&p, &flags), 0);
	assert_int_equal(flags, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wkc_of_the_wire),
		cmocka_unit_test(packets_of_the_wire),
		cmocka_unit_test(every_bit_of_a_wkc_counts),
		cmocka_unit_test(an_authentic_lie),
		cmocka_unit_test(another_servers_key),
		cmocka_unit_test(lengths_of_metadata),
		cmocka_unit_test(lengths_that_lie),
		cmocka_unit_test(a_resent_reset_changes_no_key),
		cmocka_unit_test(when_it_was_issued),
		cmocka_unit_test(key_files),
		cmocka_unit_test(the_top_byte_tells),
		cmocka_unit_test(type_length_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
