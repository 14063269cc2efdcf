// SPDX-License-Identifier: Apache-2.0
/*
 * A client's wrapped key behind the first packet of tls-crypt-v2. The first byte chooses what the input
 * is: the datagram, the difference to a good one, or metadata, which are wrapped with the right key.
 */
#include "dataplane/ovpn/tls_crypt_v2.h"
#include "dataplane/ovpn/wrap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	PACKET_LEN = 56, /* in front of the key: head 9, stamp 8, tag 32, text 7 */
};

static void must(bool held)
{
	if (!held)
		abort();
}

static struct tls_crypt_v2_server *make_server(void)
{
	static struct tls_crypt_v2_server s;
	static const struct tls_crypt_v2_server_key key = {{1, 2, 3, [64] = 4, 5, 6}};
	if (s.cipher.mac == NULL)
		must(tls_crypt_v2_server_init(&s, &key) == 0);
	return &s;
}

/* The packet, as if it came: its key opened, and with that the packet. */
static int take(const uint8_t *wire, size_t len, struct tls_crypt_v2_client *ret)
{
	static struct wrap_opened o;
	struct wrap w;
	ssize_t wkc_len = tls_crypt_v2_wkc_len(wire, len);
	if (wkc_len < 0)
		return (int)wkc_len;
	must(wkc_len >= TLS_CRYPT_V2_WKC_MIN && wkc_len <= TLS_CRYPT_V2_WKC_MAX);
	must((size_t)wkc_len < len);
	const uint8_t *wkc = wire + len - (size_t)wkc_len;
	int err = tls_crypt_v2_unwrap(make_server(), wkc, (size_t)wkc_len, ret);
	must((err == 0) == (ret->metadata_len != 0));
	if (err != 0)
		return err;
	const struct wrap_config c = {.mode = WRAP_TLS_CRYPT_V2, .key = &ret->key};
	must(wrap_init(&w, &c) == 0);
	err = wrap_open(&w, NULL, wire, len, &o);
	if (err == 0)
		must(o.len + wrap_overhead(&w) + (size_t)wkc_len == len);
	wrap_fini(&w);
	return err;
}

/* The good one: 56 bytes and the WKc of these metadata. */
static size_t make_good(const struct tls_crypt_v2_client *c, uint8_t *wire)
{
	static const struct wrap_stamp stamp = {0x0f000001, 1764400000};
	const uint8_t plain[16] = {first_byte(P_CONTROL_HARD_RESET_CLIENT_V3, 0), 1};
	const struct wrap_config config = {
		.mode = WRAP_TLS_CRYPT_V2, .is_client = true, .key = &c->key};
	struct wrap w;
	must(wrap_init(&w, &config) == 0);
	must(wrap_seal(&w, &stamp, plain, sizeof(plain), wire, PACKET_LEN) == PACKET_LEN);
	wrap_fini(&w);
	ssize_t n = tls_crypt_v2_wrap(make_server(), c, wire + PACKET_LEN);
	must(n > 0);
	return PACKET_LEN + (size_t)n;
}

static void try_metadata(struct tls_crypt_v2_client *c, const uint8_t *data, size_t size)
{
	static uint8_t wire[CONTROL_PACKET_MAX];
	struct tls_crypt_v2_client read;
	int64_t issued_s;
	if (size == 0 || size > sizeof(c->metadata))
		return;
	c->metadata_len = size;
	memcpy(c->metadata, data, size);
	must(take(wire, make_good(c, wire), &read) == 0);
	must(memcmp(&read.key, &c->key, sizeof(read.key)) == 0);
	must(read.metadata_len == size && memcmp(read.metadata, data, size) == 0);
	if (tls_crypt_v2_issued(&read, &issued_s) == 0)
		must(data[0] == METADATA_TYPE_TIMESTAMP && size == 9);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t good[CONTROL_PACKET_MAX], wire[CONTROL_PACKET_MAX];
	struct tls_crypt_v2_client read,
		c = {.key = {{9, 8, 7}}, .metadata_len = 9, .metadata = {1}};
	if (size == 0)
		return 0;
	uint8_t kind = *data++ % 3;
	size--;
	if (kind == 0)
		(void)take(data, size, &read);
	if (kind == 1)
		try_metadata(&c, data, size);
	if (kind != 2)
		return 0;
	size_t len = make_good(&c, good);
	memcpy(wire, good, len);
	for (size_t i = 0; i < size && i < len; i++)
		wire[i] ^= data[i];
	/* a changed packet is nobody's */
	must((take(wire, len, &read) == 0) == (memcmp(wire, good, len) == 0));
	return 0;
}
