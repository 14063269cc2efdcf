// SPDX-License-Identifier: Apache-2.0
#include "dataplane/base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>

int ip_addr_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	bool a4 = ip_addr_is_v4(a), b4 = ip_addr_is_v4(b);
	if (a4 != b4)
		return a4 ? -1 : 1;
	return memcmp(a, b, sizeof(*a));
}

struct ip_addr ip_prefix_host(const struct ip_prefix *p, uint64_t n)
{
	struct ip_addr a = ip_prefix_canonical(p).addr;
	for (int i = 15; i >= 0 && n > 0; i--) {
		n += a.bytes[i];
		a.bytes[i] = (uint8_t)n;
		n >>= 8;
	}
	return a;
}

int ip_addr_parse(const char *text, struct ip_addr *ret)
{
	struct ip_addr a;
	uint8_t be[4];
	if (inet_pton(AF_INET, text, be) == 1) {
		*ret = ip_addr_from_v4(be);
		return 0;
	}
	if (inet_pton(AF_INET6, text, a.bytes) != 1 || ip_addr_is_v4(&a))
		return -EINVAL;
	*ret = a;
	return 0;
}

char *ip_addr_format(const struct ip_addr *a, char buf[IP_ADDR_TEXT])
{
	if (ip_addr_is_v4(a))
		(void)inet_ntop(AF_INET, a->bytes + 12, buf, IP_ADDR_TEXT);
	else
		(void)inet_ntop(AF_INET6, a->bytes, buf, IP_ADDR_TEXT);
	return buf;
}

bool ip_prefix_is_v4(const struct ip_prefix *p)
{
	return p->len >= IP_V4_OFFSET && ip_addr_is_v4(&p->addr);
}

unsigned int ip_prefix_len(const struct ip_prefix *p)
{
	return ip_prefix_is_v4(p) ? p->len - (unsigned int)IP_V4_OFFSET : p->len;
}

struct ip_prefix ip_prefix_canonical(const struct ip_prefix *p)
{
	struct ip_prefix c = *p;
	unsigned int whole = c.len / 8;
	if (whole >= 16)
		return c;
	c.addr.bytes[whole] &= (uint8_t)(0xff00 >> (c.len % 8));
	memset(c.addr.bytes + whole + 1, 0, 15 - whole);
	return c;
}

bool ip_prefix_is_canonical(const struct ip_prefix *p)
{
	if (p->len > 128)
		return false;
	struct ip_prefix c = ip_prefix_canonical(p);
	return ip_addr_equal(&c.addr, &p->addr);
}

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_addr_equal(&a->addr, &b->addr);
}

int ip_prefix_compare(const struct ip_prefix *a, const struct ip_prefix *b)
{
	int c = ip_addr_compare(&a->addr, &b->addr);
	return c != 0 ? c : (int)a->len - (int)b->len;
}

/* A short IPv6 prefix such as ::/0 covers the mapped range by its bits, but not by its family. */
bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (ip_prefix_is_v4(p) != ip_addr_is_v4(a))
		return false;
	unsigned int whole = p->len / 8, rest = p->len % 8;
	if (memcmp(p->addr.bytes, a->bytes, whole) != 0)
		return false;
	return rest == 0 || (p->addr.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

bool ip_prefix_overlaps(const struct ip_prefix *a, const struct ip_prefix *b)
{
	if (ip_prefix_is_v4(a) != ip_prefix_is_v4(b))
		return false;
	return a->len <= b->len ? ip_prefix_contains(a, &b->addr) : ip_prefix_contains(b, &a->addr);
}

struct ip_prefix ip_prefix_of(const struct ip_addr *a)
{
	return (struct ip_prefix){*a, 128};
}

/* A decimal number of at most five digits without sign or leading zero; -1 for anything else. */
static long parse_number(const char *text)
{
	long n = 0;
	size_t len = strlen(text);
	if (len == 0 || len > 5 || (text[0] == '0' && len > 1))
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
	}
	return n;
}

/* Copies the part of text before `end` into buf. */
static int copy_before(const char *text, const char *end, char *buf, size_t size)
{
	size_t len = (size_t)(end - text);
	if (len >= size)
		return -EINVAL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return 0;
}

int ip_prefix_parse(const char *text, struct ip_prefix *ret)
{
	char addr[IP_ADDR_TEXT];
	struct ip_prefix p;
	const char *slash = strchr(text, '/');
	if (slash == NULL || copy_before(text, slash, addr, sizeof(addr)) != 0
		|| ip_addr_parse(addr, &p.addr) != 0)
		return -EINVAL;
	bool v4 = ip_addr_is_v4(&p.addr);
	long len = parse_number(slash + 1);
	if (len < 0 || len > (v4 ? 32 : 128))
		return -EINVAL;
	p.len = (uint8_t)(len + (v4 ? IP_V4_OFFSET : 0));
	*ret = p;
	return 0;
}

char *ip_prefix_format(const struct ip_prefix *p, char buf[IP_PREFIX_TEXT])
{
	char addr[IP_ADDR_TEXT];
	(void)snprintf(
		buf, IP_PREFIX_TEXT, "%s/%u", ip_addr_format(&p->addr, addr), ip_prefix_len(p));
	return buf;
}

int ip_endpoint_parse(const char *text, struct ip_endpoint *ret)
{
	char addr[IP_ADDR_TEXT];
	struct ip_endpoint e;
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	if (colon == NULL || (bracket && (colon == text || colon[-1] != ']')))
		return -EINVAL;
	const char *from = text + bracket, *to = colon - bracket;
	if (to < from || copy_before(from, to, addr, sizeof(addr)) != 0
		|| ip_addr_parse(addr, &e.addr) != 0 || ip_addr_is_v4(&e.addr) == bracket)
		return -EINVAL;
	long port = parse_number(colon + 1);
	if (port < 1 || port > 65535)
		return -EINVAL;
	e.port = (uint16_t)port;
	*ret = e;
	return 0;
}

char *ip_endpoint_format(const struct ip_endpoint *e, char buf[IP_ENDPOINT_TEXT])
{
	char addr[IP_ADDR_TEXT];
	bool v4 = ip_addr_is_v4(&e->addr);
	(void)ip_addr_format(&e->addr, addr);
	(void)snprintf(
		buf, IP_ENDPOINT_TEXT, "%s%s%s:%u", v4 ? "" : "[", addr, v4 ? "" : "]", e->port);
	return buf;
}
