// SPDX-License-Identifier: Apache-2.0
#include "dataplane/path/ecn.h"

#include "dataplane/path/checksum.h"

enum {
	DROP = 4,
};

/* RFC 6040 figure 4: [inner][outer]. */
static const uint8_t decapsulated[4][4] = {
	[ECN_NOT_ECT] = {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, DROP},
	[ECN_ECT1] = {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
	[ECN_ECT0] = {ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE},
	[ECN_CE] = {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
};

bool ecn_decapsulate(uint8_t *inner, uint8_t outer_tos)
{
	uint8_t before = ecn_tos(inner) & ECN_MASK;
	uint8_t after = decapsulated[before][outer_tos & ECN_MASK];
	if (after == DROP)
		return false;
	if (inner[0] >> 4 == 4) {
		inner[1] = (uint8_t)((inner[1] & ~ECN_MASK) | after);
		checksum_adjust(inner + 10, before, after);
	} else {
		inner[1] = (uint8_t)((inner[1] & ~(ECN_MASK << 4)) | after << 4);
	}
	return true;
}
