/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROL_HTTP_EVENT_JSON_H
#define CONTROL_HTTP_EVENT_JSON_H

#include "control/store/event.h"

#include <jansson.h>

/* As the API shows it and webhooks send it. NULL without memory. */
json_t *event_json(const struct event *e);

#endif
