// SPDX-License-Identifier: Apache-2.0
/*
 * Which prefixes may stand where. Overlap with other peers is the store's to see (it needs their
 * rows); everything that one prefix alone, or one peer alone, can get wrong is refused here.
 */
#include "control/model/subnet.h"

#include <stdio.h>

const char *const subnet_private[SUBNET_PRIVATE_COUNT] = {
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"};

void subnet_pointer(char ret[MODEL_POINTER_TEXT], const char *field, size_t index)
{
	(void)snprintf(ret, MODEL_POINTER_TEXT, "/%s/%zu", field, index);
}

bool subnet_parse(
	const char *text, const char *pointer, struct ip_prefix *ret, struct model_errors *errors)
{
	char canonical_text[IP_PREFIX_TEXT];
	struct ip_prefix p;
	if (ip_prefix_parse(text, &p) < 0) {
		model_error_add(errors, pointer, "is not a prefix like 192.168.10.0/24");
		return false;
	}
	if (!ip_prefix_is_canonical(&p)) {
		struct ip_prefix canonical = ip_prefix_canonical(&p);
		model_error_add(errors, pointer, "has bits set behind its length: did you mean %s?",
			ip_prefix_format(&canonical, canonical_text));
		return false;
	}
	*ret = p;
	return true;
}

/* Prefixes in which no host of a site can be. */
static const char *special_purpose(const struct ip_prefix *p)
{
	static const struct {
		const char *prefix;
		const char *what;
	} special[] = {
		{"224.0.0.0/4", "is multicast"},
		{"ff00::/8", "is multicast"},
		{"127.0.0.0/8", "is loopback"},
		{"::1/128", "is loopback"},
		{"169.254.0.0/16", "is link-local"},
		{"fe80::/10", "is link-local"},
		{"240.0.0.0/4", "is reserved"},
		{"0.0.0.0/8", "is not for hosts"},
		{"::/128", "is not for hosts"},
	};
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		struct ip_prefix s;
		if (ip_prefix_parse(special[i].prefix, &s) == 0 && p->len >= s.len
			&& ip_prefix_contains(&s, &p->addr))
			return special[i].what;
	}
	return NULL;
}

/*
 * Mapped addresses stand for IPv4 here and in what the store compares: an IPv6 prefix around them
 * would be an IPv4 default route in disguise. ::/0 is known to be IPv6's alone.
 */
static bool has_mapped_addresses(const struct ip_prefix *p)
{
	static const uint8_t zero[4];
	struct ip_prefix around = {.addr = ip_addr_from_v4(zero), .len = p->len};
	around = ip_prefix_canonical(&around);
	return p->len > 0 && p->len < IP_V4_OFFSET && ip_addr_equal(&around.addr, &p->addr);
}

static bool is_broad(const struct ip_prefix *p)
{
	return ip_prefix_len(p) < (ip_prefix_is_v4(p) ? 8u : 16u);
}

static void check_subnet(const struct ip_prefix *p, const struct ip_prefix networks[2],
	bool allow_broad, const char *pointer, struct model_errors *errors)
{
	char text[IP_PREFIX_TEXT];
	const char *what = special_purpose(p);
	if (what == NULL && has_mapped_addresses(p))
		what = "has the addresses in it that stand for IPv4";
	if (what != NULL) {
		model_error_add(errors, pointer, "%s %s", ip_prefix_format(p, text), what);
		return;
	}
	if (is_broad(p)) {
		if (!allow_broad)
			model_error_add(errors, pointer,
				"%s is broader than a site: set allow_broad_routes to have it",
				ip_prefix_format(p, text));
		return; /* the instance's own network, more specific, wins over it */
	}
	for (size_t i = 0; i < 2; i++)
		if (networks[i].len > 0 && ip_prefix_overlaps(p, &networks[i]))
			model_error_add(errors, pointer, "overlaps the instance's own network %s",
				ip_prefix_format(&networks[i], text));
}

void subnets_check(const struct subnets *subnets, const struct ip_prefix networks[2],
	bool allow_broad, struct model_errors *errors)
{
	for (size_t i = 0; i < subnets->count; i++) {
		char pointer[MODEL_POINTER_TEXT];
		char text[IP_PREFIX_TEXT];
		subnet_pointer(pointer, "subnets", i);
		check_subnet(&subnets->list[i], networks, allow_broad, pointer, errors);
		for (size_t k = 0; k < i; k++)
			if (ip_prefix_overlaps(&subnets->list[i], &subnets->list[k]))
				model_error_add(errors, pointer, "overlaps %s in the same list",
					ip_prefix_format(&subnets->list[k], text));
	}
}

void network_check_v4(const struct ip_prefix *p, struct model_errors *errors)
{
	const char *what = special_purpose(p);
	if (!ip_prefix_is_v4(p))
		model_error_add(errors, "/networks/ipv4", "must be an IPv4 prefix");
	else if (ip_prefix_len(p) < 16 || ip_prefix_len(p) > 28)
		model_error_add(errors, "/networks/ipv4", "must be a /16 to a /28");
	else if (what != NULL)
		model_error_add(errors, "/networks/ipv4", "%s", what);
}

void network_check_v6(const struct ip_prefix *p, struct model_errors *errors)
{
	struct ip_prefix ula;
	(void)ip_prefix_parse("fc00::/7", &ula);
	if (ip_prefix_is_v4(p) || p->len != 64 || !ip_prefix_contains(&ula, &p->addr))
		model_error_add(errors, "/networks/ipv6", "must be a /64 of fc00::/7 (RFC 4193)");
}

bool subnets_equal(const struct subnets *a, const struct subnets *b)
{
	if (a->count != b->count)
		return false;
	for (size_t n = 0; n < a->count; n++) {
		if (!ip_prefix_equal(&a->list[n], &b->list[n]))
			return false;
	}
	return true;
}
