/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_BASE_IP_H
#define DATAPLANE_BASE_IP_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/*
 * One address type for both families: 128 bits in network byte order, IPv4 mapped as
 * ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2). Prefix lengths count in that 128-bit space:
 * 192.0.2.0/24 has len 120. Families never mix: ::/0 does not contain an IPv4 address.
 */
struct ip_addr {
	uint8_t bytes[16];
};

struct ip_prefix {
	struct ip_addr addr;
	uint8_t len; /* 0..128; IPv4: 96..128 */
};

struct ip_endpoint {
	struct ip_addr addr;
	uint16_t port; /* host byte order */
};

enum {
	IP_V4_OFFSET = 96, /* bits in front of a mapped IPv4 address */
	IP_ADDR_TEXT = 46, /* bytes of text with the NUL */
	IP_PREFIX_TEXT = 50,
	IP_ENDPOINT_TEXT = 54, /* "[v6]:65535" */
};

/*
 * Asked of each packet, so they are inline and look at whole words: where the compiler sees that
 * an address came from ip_addr_from_v4(), nothing of the other family is left.
 */
static inline uint64_t ip_addr_word(const struct ip_addr *a, unsigned int half)
{
	uint64_t w;
	memcpy(&w, a->bytes + (size_t)8 * half, sizeof(w));
	return w;
}

static inline bool ip_addr_is_v4(const struct ip_addr *a)
{
	return ip_addr_word(a, 0) == 0
		&& (ip_addr_word(a, 1) & htole64(0xffffffff)) == htole64(0xffff0000);
}

/* be: 4 bytes in network order. One store: a load of a word waits long for two narrower ones. */
static inline struct ip_addr ip_addr_from_v4(const uint8_t be[4])
{
	struct ip_addr a = {0};
	uint32_t last;
	memcpy(&last, be, sizeof(last));
	uint64_t word = htole64((uint64_t)le32toh(last) << 32 | 0xffff0000);
	memcpy(a.bytes + 8, &word, sizeof(word));
	return a;
}

/* The other way: network order. */
static inline uint32_t ip_addr_v4(const struct ip_addr *a)
{
	uint32_t be;
	memcpy(&be, a->bytes + 12, sizeof(be));
	return be;
}

static inline bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return ((ip_addr_word(a, 0) ^ ip_addr_word(b, 0))
		       | (ip_addr_word(a, 1) ^ ip_addr_word(b, 1)))
		== 0;
}

/* :: or 0.0.0.0 */
static inline bool ip_addr_is_zero(const struct ip_addr *a)
{
	uint64_t last = ip_addr_word(a, 1);
	return ip_addr_is_v4(a) ? last == htole64(0xffff0000) : (ip_addr_word(a, 0) | last) == 0;
}

static inline bool ip_addr_is_multicast(const struct ip_addr *a)
{
	return ip_addr_is_v4(a) ? a->bytes[12] >> 4 == 0xe : a->bytes[0] == 0xff;
}

static inline bool ip_addr_is_loopback(const struct ip_addr *a)
{
	static const struct ip_addr one = {{[15] = 1}};
	return ip_addr_is_v4(a) ? a->bytes[12] == 127 : ip_addr_equal(a, &one);
}

static inline bool ip_addr_is_link_local(const struct ip_addr *a)
{
	if (ip_addr_is_v4(a))
		return a->bytes[12] == 169 && a->bytes[13] == 254;
	return a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* <0, 0, >0 in numeric order; IPv4 sorts before IPv6. */
int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b);
/* Host number n of a prefix (n counts from the network address). */
struct ip_addr ip_prefix_host(const struct ip_prefix *p, uint64_t n);
/* 0 or -EINVAL; accepts exactly what inet_pton accepts, refuses mapped IPv4 in IPv6 text. */
int ip_addr_parse(const char *text, struct ip_addr *ret);
/* Writes into buf and returns it. */
char *ip_addr_format(const struct ip_addr *a, char buf[IP_ADDR_TEXT]);

bool ip_prefix_is_v4(const struct ip_prefix *p);
/* Length as people write it: 0..32 or 0..128. */
unsigned int ip_prefix_len(const struct ip_prefix *p);
/* No bit set behind len, len within the family. */
bool ip_prefix_is_canonical(const struct ip_prefix *p);
struct ip_prefix ip_prefix_canonical(const struct ip_prefix *p);
bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b);
int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b);
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a);
bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b);
/* A full-length prefix of one address. */
struct ip_prefix ip_prefix_of(const struct ip_addr *a);
/* "ADDR/LEN" (LEN without sign or leading zero); host bits are kept: see is_canonical. -EINVAL. */
int ip_prefix_parse(const char *text, struct ip_prefix *ret);
char *ip_prefix_format(const struct ip_prefix *p, char buf[IP_PREFIX_TEXT]);

/* "1.2.3.4:51820" or "[2001:db8::1]:51820"; port 1..65535. -EINVAL. */
int ip_endpoint_parse(const char *text, struct ip_endpoint *ret);
char *ip_endpoint_format(const struct ip_endpoint *e, char buf[IP_ENDPOINT_TEXT]);
static inline bool ip_endpoint_equal(const struct ip_endpoint *a, const struct ip_endpoint *b)
{
	return a->port == b->port && ip_addr_equal(&a->addr, &b->addr);
}

#endif
