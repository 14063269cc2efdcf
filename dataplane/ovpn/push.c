// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/push.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	OPTION_MAX = 900, /* with the verb and the continuation it fits one part */
};

static const char more_follows[] = ",push-continuation 2";
static const char no_more[] = ",push-continuation 1";

/* The first error stays and stops the rest. */
struct writer {
	struct push_parts *parts;
	const char *verb;
	int err;
};

static void append(struct writer *w, const char *text)
{
	if (w->parts->count == 0)
		return;
	size_t i = w->parts->count - 1, len = strlen(text);
	size_t at = w->parts->part[i].len - 1;
	memcpy(w->parts->part[i].text + at, text, len + 1);
	w->parts->part[i].len += len;
}

static void begin_part(struct writer *w)
{
	if (w->parts->count == PUSH_PARTS_MAX) {
		w->err = -E2BIG;
		return;
	}
	w->parts->part[w->parts->count].len = 1;
	w->parts->count++;
	append(w, w->verb);
}

static bool is_option(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~' || *text == ',')
			return false;
	return true;
}

static void add(struct writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct writer *w, const char *format, ...)
{
	char option[OPTION_MAX];
	va_list args;
	if (w->err != 0)
		return;
	va_start(args, format);
	int len = vsnprintf(option, sizeof(option), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(option) || !is_option(option)) {
		w->err = -EINVAL;
		return;
	}
	size_t used = w->parts->part[w->parts->count - 1].len;
	if (used + 1 + (size_t)len + sizeof(more_follows) - 1 > PUSH_PART_MAX) {
		append(w, more_follows);
		begin_part(w);
	}
	if (w->err != 0)
		return;
	append(w, ",");
	append(w, option);
}

static int finish(struct writer *w)
{
	if (w->err != 0) {
		w->parts->count = 0;
		return w->err;
	}
	if (w->parts->count > 1)
		append(w, no_more);
	return 0;
}

static void v4_mask(unsigned int len, char buf[IP_ADDR_TEXT])
{
	uint32_t mask = len == 0 ? 0 : UINT32_MAX << (32 - len);
	(void)snprintf(buf, IP_ADDR_TEXT, "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32,
		mask >> 24, mask >> 16 & 0xff, mask >> 8 & 0xff, mask & 0xff);
}

static void add_routes(struct writer *w, const struct push *p)
{
	char text[IP_PREFIX_TEXT], mask[IP_ADDR_TEXT];
	for (size_t i = 0; i < p->route_count; i++) {
		struct ip_prefix route = ip_prefix_canonical(&p->routes[i]);
		if (ip_prefix_is_v4(&route)) {
			v4_mask(ip_prefix_len(&route), mask);
			add(w, "route %s %s", ip_addr_format(&route.addr, text), mask);
		} else if (p->has_v6) {
			add(w, "route-ipv6 %s", ip_prefix_format(&route, text));
		}
	}
}

static void add_redirect(struct writer *w, const struct push *p)
{
	bool v6 = p->redirect_v6 && p->has_v6;
	if (p->redirect_v4)
		add(w, "redirect-gateway def1%s", v6 ? " ipv6" : "");
	else if (v6)
		add(w, "redirect-gateway def1 ipv6 !ipv4");
	if (p->block_ipv6)
		add(w, "block-ipv6");
}

static bool is_domain(const char *text)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	size_t len = strlen(text);
	return len > 0 && len <= 253 && strspn(text, letters) == len;
}

/* "dns" overrides dhcp-option where a client knows both. One search-domains an option, as every other
 * would be forgotten: so that it fits, the names are at most OPTION_MAX together. */
static void add_dns_v2(struct writer *w, const struct push *p)
{
	char text[OPTION_MAX] = "", address[IP_ADDR_TEXT];
	size_t len = 0;
	for (size_t i = 0; i < p->dns_count; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, " %s", ip_addr_format(&p->dns[i], address));
	if (p->dns_count > 0)
		add(w, "dns server 0 address%s", text);
	len = 0;
	for (size_t i = 0; i < p->domain_count && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, " %s", p->domains[i]);
	if (len >= sizeof(text))
		w->err = -EINVAL;
	if (p->domain_count > 0)
		add(w, "dns search-domains%s", text);
}

static void add_dns(struct writer *w, const struct push *p, const struct peer_info *client)
{
	char address[IP_ADDR_TEXT];
	if (p->dns_count > PUSH_DNS_MAX || p->domain_count > PUSH_DNS_MAX) {
		w->err = -EINVAL;
		return;
	}
	for (size_t i = 0; i < p->dns_count; i++)
		add(w, "dhcp-option DNS %s", ip_addr_format(&p->dns[i], address));
	for (size_t i = 0; i < p->domain_count; i++) {
		if (!is_domain(p->domains[i])) {
			w->err = -EINVAL;
			return;
		}
		add(w, "dhcp-option DOMAIN%s %s", i == 0 ? "" : "-SEARCH", p->domains[i]);
	}
	if ((client->proto & IV_PROTO_DNS_OPTION_V2) != 0)
		add_dns_v2(w, p);
}

static void add_addresses(struct writer *w, const struct push *p)
{
	char address[IP_PREFIX_TEXT], mask[IP_ADDR_TEXT];
	if (p->has_v6) {
		add(w, "tun-ipv6");
		add(w, "ifconfig-ipv6 %s %s", ip_prefix_format(&p->address_v6, address),
			ip_addr_format(&p->gateway_v6, mask));
	}
	v4_mask(ip_prefix_len(&p->address_v4), mask);
	add(w, "ifconfig %s %s", ip_addr_format(&p->address_v4.addr, address), mask);
}

bool push_uses_key_export(const struct push *p, const struct peer_info *client)
{
	return p->allows_key_export && (client->proto & IV_PROTO_TLS_KEY_EXPORT) != 0;
}

/* Epoch packets are DATA_V2 with an AEAD and have keys from the exporter. */
static bool uses_epoch(const struct push *p, const struct peer_info *client)
{
	const uint32_t wanted = IV_PROTO_DATA_EPOCH | IV_PROTO_DATA_V2;
	return p->allows_epoch && (client->proto & wanted) == wanted && p->cipher != NULL
		&& strstr(p->cipher, "-CBC") == NULL && push_uses_key_export(p, client);
}

static void add_protocol_flags(
	struct writer *w, const struct push *p, const struct peer_info *client)
{
	bool key_export = push_uses_key_export(p, client);
	bool dyn_tls_crypt =
		p->allows_dyn_tls_crypt && (client->proto & IV_PROTO_DYN_TLS_CRYPT) != 0;
	if ((client->proto & IV_PROTO_CC_EXIT_NOTIFY) != 0)
		add(w, "protocol-flags cc-exit%s%s%s", key_export ? " tls-ekm" : "",
			dyn_tls_crypt ? " dyn-tls-crypt" : "",
			uses_epoch(p, client) ? " aead-epoch" : "");
	else if (key_export)
		add(w, "key-derivation tls-ekm");
}

static void add_data_channel(struct writer *w, const struct push *p, const struct peer_info *client)
{
	if ((client->proto & IV_PROTO_DATA_V2) != 0)
		add(w, "peer-id %" PRIu32, p->peer_id);
	if (p->cipher != NULL)
		add(w, "cipher %s", p->cipher);
	add_protocol_flags(w, p, client);
	if (p->tun_mtu != 0 && client->mtu >= p->tun_mtu)
		add(w, "tun-mtu %" PRIu32, p->tun_mtu);
	if (p->compression == PUSH_COMPRESSION_STUB_V2)
		add(w, "compress stub-v2");
	if (p->compression == PUSH_COMPRESSION_LZO_NO)
		add(w, "comp-lzo no");
}

enum push_compression push_compression(const struct options *o, const struct peer_info *client)
{
	if (!o->has_comp_lzo)
		return PUSH_COMPRESSION_ABSENT;
	return client->has_comp_stub_v2 ? PUSH_COMPRESSION_STUB_V2 : PUSH_COMPRESSION_LZO_NO;
}

static bool is_valid(const struct push *p)
{
	bool v6 =
		!p->has_v6 || (!ip_prefix_is_v4(&p->address_v6) && !ip_addr_is_v4(&p->gateway_v6));
	return v6 && ip_prefix_is_v4(&p->address_v4) && ip_addr_is_v4(&p->gateway_v4)
		&& p->peer_id < PUSH_PEER_ID_DISABLED
		&& (p->cipher == NULL || strchr(p->cipher, ' ') == NULL);
}

/* The order is that of an OpenVPN server. */
int push_reply_write(const struct push *p, const struct peer_info *client, struct push_parts *ret)
{
	struct writer w = {.parts = ret, .verb = "PUSH_REPLY"};
	char gateway[IP_ADDR_TEXT];
	ret->count = 0;
	if (!is_valid(p))
		return -EINVAL;
	begin_part(&w);
	add(&w, "topology subnet");
	add(&w, "route-gateway %s", ip_addr_format(&p->gateway_v4, gateway));
	if (p->ping_s != 0)
		add(&w, "ping %" PRIu32, p->ping_s);
	if (p->ping_restart_s != 0)
		add(&w, "ping-restart %" PRIu32, p->ping_restart_s);
	if (p->exit_notify != 0)
		add(&w, "explicit-exit-notify %" PRIu32, p->exit_notify);
	add_routes(&w, p);
	add_redirect(&w, p);
	add_dns(&w, p, client);
	add_addresses(&w, p);
	add_data_channel(&w, p, client);
	return finish(&w);
}

static bool has_route(const struct push *p, bool v4)
{
	for (size_t i = 0; i < p->route_count; i++)
		if (ip_prefix_is_v4(&p->routes[i]) == v4)
			return true;
	return false;
}

/* An option that comes replaces all of its name: only what does not come is taken back. */
int push_update_write(const struct push *p, const struct peer_info *client, struct push_parts *ret)
{
	struct writer w = {.parts = ret, .verb = "PUSH_UPDATE"};
	ret->count = 0;
	if ((client->proto & IV_PROTO_PUSH_UPDATE) == 0)
		return -EOPNOTSUPP;
	if (!is_valid(p))
		return -EINVAL;
	begin_part(&w);
	if (!has_route(p, true))
		add(&w, "-route");
	if (!p->has_v6 || !has_route(p, false))
		add(&w, "-route-ipv6");
	if (!p->redirect_v4 && !(p->redirect_v6 && p->has_v6))
		add(&w, "-redirect-gateway");
	if (!p->block_ipv6)
		add(&w, "-block-ipv6");
	if (p->dns_count == 0 && p->domain_count == 0) {
		add(&w, "-dhcp-option");
		add(&w, "-dns");
	}
	add_routes(&w, p);
	add_redirect(&w, p);
	add_dns(&w, p, client);
	return finish(&w);
}
