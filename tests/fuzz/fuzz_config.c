// SPDX-License-Identifier: Apache-2.0
/* control.conf: any bytes are either refused with a reason or give settings within their limits. */
#include "control/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 forgets a string token before a syntax error; the daemon exits then. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct control_config config;
	char error[CONFIG_ERROR_TEXT] = "";
	int rc = control_config_parse((const char *)data, size, "control.conf", &config, error);
	if (rc < 0 && strncmp(error, "control.conf:", 13) != 0)
		abort();
	if (rc < 0)
		return 0;
	if (config.region_count < 1 || config.region_count > CONFIG_REGIONS_MAX
		|| config.hub_address_count > CONFIG_HUB_ADDRESSES_MAX
		|| config.wireguard_ports.first > config.wireguard_ports.last
		|| config.listen.port == 0 || !ip_prefix_is_canonical(&config.inner_pool))
		abort();
	return 0;
}
