/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OVPN_CERTIFICATE_H
#define TESTS_UNIT_OVPN_CERTIFICATE_H

/* ECDSA P-256, as PEM; made anew in each run. */
struct certificate {
	char *certificate, *private_key;
};

/* ca NULL: one that signs itself and may sign others. name_len bytes, which may hold a NUL. */
struct certificate certificate_make(
	const struct certificate *ca, const char *name, unsigned int name_len);
void certificate_free(struct certificate *c);

#endif
