/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CERTIFICATE_H
#define BENCH_CERTIFICATE_H

/* ECDSA P-256, as PEM; made anew in each run. */
struct certificate {
	char *certificate, *private_key;
};

/* ca NULL: one that signs itself and may sign others. name_len bytes, which may hold a NUL. */
struct certificate certificate_make(
	const struct certificate *ca, const char *name, unsigned int name_len);
/* The same, with something about it. */
enum certificate_oddity {
	CERTIFICATE_USUAL,
	CERTIFICATE_EXPIRED,
	CERTIFICATE_NOT_YET,
	CERTIFICATE_OF_SERVER, /* extendedKeyUsage serverAuth alone */
	CERTIFICATE_SIGNS, /* an intermediate CA */
};
struct certificate certificate_make_odd(
	const struct certificate *ca, const char *name, enum certificate_oddity odd);
void certificate_free(struct certificate *c);

#endif
