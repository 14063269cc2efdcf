// SPDX-License-Identifier: Apache-2.0
/*
 * The pages behind a share link, for somebody who was sent one and has never heard of Nave: no
 * script, nothing from elsewhere, one style. Names were typed by somebody: each is escaped, and
 * stands alone, so that it turns no line around.
 */
#include "control/http/share_page.h"

#include "control/profile/text.h"
#include "dataplane/base/base64.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	PAGE_BYTES = 24 << 10, /* of the longest page without its profile */
	ESCAPED_BYTES = 6, /* of one character at the most: &quot; */
	HASH_BYTES = 32,
};

static const char style[] =
	"body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;"
	"color:#1c2430;background:#fff}"
	"h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}h3{font-size:1rem;margin:1rem 0 0}"
	"ol{margin:.2rem 0;padding-left:1.4rem}"
	"button,.get{display:inline-block;font:inherit;padding:.6rem 1.2rem;margin:.3rem .5rem .3rem 0;"
	"border:0;border-radius:.4rem;background:#0b57d0;color:#fff;text-decoration:none;cursor:pointer}"
	".note{border-left:.3rem solid #f2a600;padding:.2rem .8rem;background:#fff8e6}"
	"pre{overflow:auto;padding:.8rem;background:#f2f4f7;font-size:.85rem}"
	"svg{display:block;max-width:100%;height:auto}";

struct platform {
	const char *name;
	const char *lines[3];
};

static const struct platform wireguard[] = {
	{"Windows",
		{"Install WireGuard from wireguard.com/install.",
			"Download the profile. In WireGuard choose “Import tunnel(s) from file” and take it.",
			"Press “Activate”."}},
	{"macOS",
		{"Install WireGuard from the App Store.",
			"Download the profile. In WireGuard choose “Import Tunnel(s) from File” and take it.",
			"Allow it to add a VPN configuration, and press “Activate”."}},
	{"iOS",
		{"Install WireGuard from the App Store.",
			"Press +. Choose “Create from QR code” when this page is on another screen;"
			" else download the profile and choose “Create from file or archive”.",
			"Allow it to add a VPN configuration, and turn the switch on."}},
	{"Android",
		{"Install WireGuard from Google Play.",
			"Press +. Choose “Scan from QR code” when this page is on another screen; else"
			" download the profile and choose “Import from file or archive”.",
			"Turn the switch on, and allow the connection."}},
	{"Linux",
		{"Install wireguard-tools with the package manager.",
			"Put the downloaded file into /etc/wireguard, readable for root only.",
			"Run: sudo wg-quick up and the name of the file, without .conf."}},
	{0},
};

static const struct platform openvpn[] = {
	{"Windows",
		{"Install OpenVPN Connect from openvpn.net/client.",
			"Download the profile. In OpenVPN Connect choose “Upload file” and take it.",
			"Press “Connect”."}},
	{"macOS",
		{"Install OpenVPN Connect from openvpn.net/client, or Tunnelblick.",
			"Download the profile and open it.",
			"Press “Connect”, and allow it to add a VPN configuration."}},
	{"iOS",
		{"Install OpenVPN Connect from the App Store.",
			"Download the profile, press “Share” and choose OpenVPN.",
			"Press “Add”, and turn the switch on."}},
	{"Android",
		{"Install OpenVPN Connect, or OpenVPN for Android, from Google Play.",
			"Download the profile and open it with that app.",
			"Press “Add”, and turn the switch on."}},
	{"Linux",
		{"Install openvpn 2.6 or later with the package manager.",
			"Put the downloaded file into /etc/openvpn/client, readable for root only.",
			"Run: sudo openvpn --config and the name of the file."}},
	{0},
};

static void print_escaped(struct text *t, const char *s)
{
	for (; *s != '\0'; s++) {
		switch (*s) {
		case '&':
			text_print(t, "&amp;");
			break;
		case '<':
			text_print(t, "&lt;");
			break;
		case '>':
			text_print(t, "&gt;");
			break;
		case '"':
			text_print(t, "&quot;");
			break;
		case '\'':
			text_print(t, "&#39;");
			break;
		default:
			text_print(t, "%c", *s);
		}
	}
}

static void print_name(struct text *t, const char *before, const char *name, const char *after)
{
	text_print(t, "%s<b><bdi>", before);
	print_escaped(t, name);
	text_print(t, "</bdi></b>%s", after);
}

static void print_time(struct text *t, int64_t at)
{
	static const char *const months[] = {"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December"};
	struct tm tm;
	time_t seconds = (time_t)at;
	if (gmtime_r(&seconds, &tm) == NULL)
		return;
	text_print(t, "<b>%d %s %d, %02d:%02d UTC</b>", tm.tm_mday, months[tm.tm_mon],
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min);
}

static int begin(struct text *t, size_t more, const char *title)
{
	int rc = text_init(t, PAGE_BYTES + more);
	if (rc == 0)
		text_print(t,
			"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			"<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
			"<title>%s</title><style>%s</style></head><body>\n<h1>%s</h1>\n",
			title, style, title);
	return rc;
}

static int end(struct text *t, char **ret)
{
	text_print(t, "</body></html>\n");
	*ret = t->start;
	return 0;
}

static void print_whose(struct text *t, const struct share_page *p)
{
	print_name(t, "<p>This is the profile ", p->peer, "");
	if (p->user[0] != '\0')
		print_name(t, " of ", p->user, "");
	print_name(t, " for the network ", p->network, " (");
	print_escaped(t, p->fqdn);
	text_print(t, ").</p>\n");
}

int share_page_offer(const struct share_page *p, char **ret)
{
	struct text t;
	int rc = begin(&t, 0, "Your VPN profile");
	if (rc < 0)
		return rc;
	print_whose(&t, p);
	text_print(&t, "<p>This link can be used once, until ");
	print_time(&t, p->until);
	text_print(&t, ".</p>\n");
	if (p->is_ready)
		text_print(&t,
			"<p class=\"note\">A profile is a key: nobody else should see it. Press the button"
			" on the device that is to use it, or where its camera can see the screen. From then"
			" on this browser can show it for ten minutes.</p>\n"
			"<form method=\"post\"><button type=\"submit\">Show my profile</button></form>\n");
	else
		text_print(&t,
			"<p class=\"note\">The network is still being set up. Load this page again in a"
			" minute; the link is not used up.</p>\n");
	return end(&t, ret);
}

static void print_platforms(struct text *t, const char *title, const struct platform *list)
{
	text_print(t, "<h2>%s</h2>\n", title);
	for (const struct platform *p = list; p->name != NULL; p++)
		text_print(t, "<h3>%s</h3><ol><li>%s</li><li>%s</li><li>%s</li></ol>\n", p->name,
			p->lines[0], p->lines[1], p->lines[2]);
}

static void print_download(struct text *t, const char *format, const char *file, const char *label)
{
	text_print(t, "<a class=\"get\" href=\"?format=%s\" download=\"", format);
	print_escaped(t, file);
	text_print(t, "\">%s</a>\n", label);
}

static void print_downloads(struct text *t, const struct share_page *p)
{
	text_print(t, "<p>");
	if (p->has_wireguard)
		print_download(t, "wireguard", p->file, "Download for WireGuard");
	if (p->has_openvpn) {
		print_download(t, "openvpn", p->file, "Download for OpenVPN");
		print_download(t, "openvpn-tcp", p->file, "OpenVPN, where UDP is blocked");
	}
	if (p->has_routeros)
		print_download(t, "routeros", p->file, "Script for RouterOS");
	text_print(t, "</p>\n");
}

/* For those who import by camera or by hand. */
static void print_text(struct text *t, const struct share_page *p)
{
	text_print(t, "<h2>As a QR code</h2>\n%s\n",
		p->picture != NULL ? p->picture : "<p>This profile is too long for one.</p>");
	text_print(t, "<details><summary>As text</summary><pre>");
	print_escaped(t, p->text);
	text_print(t, "</pre></details>\n");
}

int share_page_profile(const struct share_page *p, char **ret)
{
	struct text t;
	size_t more = p->text != NULL ? strlen(p->text) * ESCAPED_BYTES : 0;
	more += p->picture != NULL ? strlen(p->picture) : 0;
	int rc = begin(&t, more, "Your VPN profile");
	if (rc < 0)
		return rc;
	print_whose(&t, p);
	text_print(&t, "<p class=\"note\">This browser can show it until ");
	print_time(&t, p->until);
	text_print(&t,
		"; then it is gone for good, and the link cannot be used any more. Import it now, and keep"
		" it on one device only.</p>\n");
	if (p->needs_own_key)
		text_print(
			&t, "<p>The private key is your own: put it behind “PrivateKey =”.</p>\n");
	print_downloads(&t, p);
	if (p->text != NULL)
		print_text(&t, p);
	if (p->has_wireguard)
		print_platforms(&t, "How to use it with WireGuard", wireguard);
	if (p->has_openvpn)
		print_platforms(&t, "How to use it with OpenVPN", openvpn);
	return end(&t, ret);
}

int share_page_end(char **ret)
{
	struct text t;
	int rc = begin(&t, 0, "This link cannot be used");
	if (rc < 0)
		return rc;
	text_print(&t,
		"<p>It was used before, it has expired, it was taken back, or it has never been one.</p>\n"
		"<p>Ask whoever has sent it for a new one. If you have not used it yourself, say so.</p>\n");
	return end(&t, ret);
}

int share_page_policy(char ret[SHARE_PAGE_POLICY_TEXT])
{
	uint8_t hash[HASH_BYTES];
	char text[BASE64_TEXT(HASH_BYTES)];
	if (EVP_Digest(style, strlen(style), hash, NULL, EVP_sha256(), NULL) != 1)
		return -ENOMEM;
	base64_encode(hash, sizeof(hash), text);
	(void)snprintf(ret, SHARE_PAGE_POLICY_TEXT,
		"default-src 'none'; style-src 'sha256-%s'; form-action 'self'; base-uri 'none';"
		" frame-ancestors 'none'",
		text);
	return 0;
}
