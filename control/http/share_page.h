/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_SHARE_PAGE_H
#define CONTROL_HTTP_SHARE_PAGE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SHARE_PAGE_POLICY_TEXT = 256,
};

/* What a person sees of a share link. All borrowed. */
struct share_page {
	const char *peer, *network, *fqdn;
	const char *user; /* "" none */
	int64_t until; /* the end of the link, or of the reveal */
	bool is_ready; /* false: the network cannot give profiles yet */
	bool has_wireguard, has_openvpn, has_routeros;
	bool needs_own_key; /* the private key is the person's own: it is not in the profile */
	const char *file; /* name of the downloads, without what stands behind the dot */
	const char *text; /* the WireGuard profile; NULL: none */
	const char *picture; /* its QR code, an <svg>; NULL: it does not fit into one */
};

/*
 * HTML, for profile_text_free; what people have typed is escaped. 0 or -ENOMEM. The offer has the
 * button, the profile has what is behind it, and the end is for all that cannot be used any more.
 */
int share_page_offer(const struct share_page *p, char **ret);
int share_page_profile(const struct share_page *p, char **ret);
int share_page_end(char **ret);
/* The Content-Security-Policy of these pages: nothing but their own style, and forms to here. */
int share_page_policy(char ret[SHARE_PAGE_POLICY_TEXT]);

#endif
