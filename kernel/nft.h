/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KERNEL_NFT_H
#define KERNEL_NFT_H

/* Runs "nft -j -f -" with this JSON (libnftables-json(5)): all of it is applied or nothing.
 * 0, -EINVAL: nft refused it (its words went to standard error), or -errno. */
int nft_apply(const char *json);
/* One that is not there is fine. */
int nft_delete_table(const char *family, const char *name);

#endif
