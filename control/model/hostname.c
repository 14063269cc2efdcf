// SPDX-License-Identifier: Apache-2.0
/*
 * The public name of an instance. The reserved names are those under which mail, web and name
 * service software looks for its own machines (RFC 2142 and custom), so that a customer's
 * instance can never be taken for the operator's service.
 */
#include "control/model/hostname.h"

#include <stddef.h>
#include <string.h>

static const char *const reserved[] = {"www", "api", "vpn", "mail", "cdn", "ns", "ns0", "ns1",
	"ns2", "ns3", "ns4", "ns5", "ns6", "ns7", "ns8", "ns9", "mx", "mx0", "mx1", "mx2", "mx3",
	"smtp", "imap", "pop", "pop3", "ftp", "sftp", "ssh", "dns", "ntp", "admin", "administrator",
	"root", "portal", "console", "dashboard", "app", "auth", "login", "sso", "oauth", "account",
	"accounts", "billing", "status", "support", "help", "docs", "blog", "static", "assets",
	"localhost", "localdomain", "broadcasthost", "wpad", "isatap", "autodiscover", "autoconfig",
	"webmail", "postmaster", "hostmaster", "webmaster", "abuse", "noc", "security", "hub",
	"hubs", "node", "nodes", "control", "nave", "default", "test", "example", "invalid",
	"internal"};

static const char *check_characters(const char *label, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = label[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
			return "may have only the letters a-z, digits and -";
	}
	if (label[0] == '-' || label[len - 1] == '-')
		return "must begin and end with a letter or a digit";
	/* RFC 5891 section 4.2.3.1: kept for encoded international names. */
	if (label[2] == '-' && label[3] == '-')
		return "must not have -- in the third and fourth place";
	return NULL;
}

const char *hostname_check(const char *label, char ret[HOSTNAME_TEXT])
{
	size_t len = strlen(label);
	if (len < HOSTNAME_MIN || len > HOSTNAME_MAX)
		return "must have 3 to 20 characters";
	char folded[HOSTNAME_TEXT];
	for (size_t i = 0; i <= len; i++)
		folded[i] = label[i] >= 'A' && label[i] <= 'Z' ? (char)(label[i] + 32) : label[i];
	const char *reason = check_characters(folded, len);
	if (reason != NULL)
		return reason;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(reserved[i], folded) == 0)
			return "is reserved";
	memcpy(ret, folded, len + 1);
	return NULL;
}
