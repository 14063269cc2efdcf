// SPDX-License-Identifier: Apache-2.0
/* counters SOCKET: the dataplane's counters as they are now, "name value" a line; what /metrics shows
 * comes with the node's reports and is seconds older. */
#include "dataplane/api/client.h"
#include "dataplane/api/counter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int print(void *ctx, const uint8_t *payload, size_t len)
{
	struct dp_counter c;
	(void)ctx;
	(void)len; /* the client has checked it */
	memcpy(&c, payload, sizeof(c));
	(void)printf("%s %" PRIu64 "\n", c.name, c.value);
	return 0;
}

int main(int argc, char **argv)
{
	struct dp_client *dp = NULL;
	if (argc != 2) {
		(void)fprintf(stderr, "usage: counters SOCKET\n");
		return 2;
	}
	int err = dp_client_open(argv[1], &dp);
	if (err == 0)
		err = dp_client_list(dp, DP_MSG_COUNTER_LIST, NULL, 0, print, NULL);
	if (err != 0)
		(void)fprintf(stderr, "counters: %s: %s\n", argv[1], strerrordesc_np(-err));
	dp_client_free(dp);
	return err == 0 ? 0 : 1;
}
