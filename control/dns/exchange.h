/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_DNS_EXCHANGE_H
#define CONTROL_DNS_EXCHANGE_H

#include "dataplane/base/ip.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	DNS_CONNECT_MS = 2000,
	DNS_EXCHANGE_MS = 5000, /* with the connection */
	DNS_ANSWER_MAX = 4096, /* of an update: header, zone and TSIG */
};

/*
 * One message and its answer over a TCP connection of their own. Gives up at once when ends_fd is
 * readable. The answer's length; -ETIMEDOUT: connected, and no answer; -EPROTO: what came is none;
 * -ECANCELED; another -errno: no connection.
 */
ssize_t dns_exchange(const struct ip_endpoint *server, int ends_fd, const uint8_t *message,
	size_t len, uint8_t answer[DNS_ANSWER_MAX]);

#endif
