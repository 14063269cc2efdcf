/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_API_SAMPLE_H
#define TESTS_UNIT_API_SAMPLE_H

#include "dataplane/api/msg.h"

#include <stddef.h>
#include <stdint.h>

/* A good payload of each message, one direction; filled into buf of DP_PAYLOAD_MAX bytes. */
size_t sample_request(enum dp_msg_type type, uint8_t *buf);
/* Of a list: one object. */
size_t sample_reply(enum dp_msg_type type, uint8_t *buf);

#endif
