// SPDX-License-Identifier: Apache-2.0
#include "control/webhook/target.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <stddef.h>
#include <string.h>

/* RFC 6890 and what has come since: not the internet. IPv6 is what is not in 2000::/3, and these. */
static const char *const special[] = {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8",
	"169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
	"240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16"};

static bool is_public(const struct ip_addr *a)
{
	if (!ip_addr_is_v4(a) && (a->bytes[0] & 0xe0) != 0x20)
		return false;
	for (size_t n = 0; n < sizeof(special) / sizeof(special[0]); n++) {
		struct ip_prefix p;
		if (ip_prefix_parse(special[n], &p) < 0 || ip_prefix_contains(&p, a))
			return false;
	}
	return true;
}

bool webhook_address_is_allowed(const struct control_config *config, const struct ip_addr *a)
{
	for (size_t n = 0; n < config->webhook_allow_count; n++) {
		if (ip_prefix_contains(&config->webhook_allow[n], a))
			return true;
	}
	return is_public(a);
}

/* "[::1]" and "127.0.0.1"; false: it is a name. */
static bool read_address(const char *host, struct ip_addr *ret)
{
	char text[IP_ADDR_TEXT];
	size_t len = strlen(host);
	if (host[0] != '[')
		return ip_addr_parse(host, ret) == 0;
	if (len < 3 || len - 2 >= sizeof(text) || host[len - 1] != ']')
		return false;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	/* ip_addr_parse() takes no mapped IPv4 address, libcurl does */
	return inet_pton(AF_INET6, text, ret->bytes) == 1;
}

static void check_parts(const struct control_config *config, const char *scheme, const char *host,
	struct model_errors *errors)
{
	struct ip_addr a;
	bool is_address = read_address(host, &a);
	bool is_loopback =
		strcasecmp(host, "localhost") == 0 || (is_address && ip_addr_is_loopback(&a));
	bool is_plain = strcasecmp(scheme, "http") == 0;
	if (!is_plain && strcasecmp(scheme, "https") != 0)
		model_error_add(errors, "/url", "must begin with https://");
	else if (is_plain && !is_loopback && !config->webhook_plain_http)
		model_error_add(errors, "/url",
			"must begin with https://: http is for this machine itself (webhook_plain_http in"
			" control.conf permits it)");
	else if (is_address && !webhook_address_is_allowed(config, &a))
		model_error_add(errors, "/url",
			"leads to %s, which is no address of the internet (webhook_allow in control.conf"
			" lists those that may be called)",
			host);
}

void webhook_url_check(
	const struct control_config *config, const char *url, struct model_errors *errors)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *user = NULL, *fragment = NULL;
	bool good = u != NULL && strcspn(url, " \t\r\n") == strlen(url)
		&& curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK
		&& curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
		&& curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
	if (!good)
		model_error_add(errors, "/url", "is no URL like https://example.net/nave");
	else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		model_error_add(errors, "/url",
			"must hold no name and password: the signature says who calls");
	else if (curl_url_get(u, CURLUPART_FRAGMENT, &fragment, 0) == CURLUE_OK)
		model_error_add(errors, "/url", "must have no fragment");
	else
		check_parts(config, scheme, host, errors);
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_free(fragment);
	curl_url_cleanup(u);
}
