// SPDX-License-Identifier: Apache-2.0
#include "dataplane/table/port.h"

#include "dataplane/table/tables.h"

#include <stddef.h>

const struct port *port_find(const struct tables *t, unsigned int id)
{
	return id < t->ports ? &t->port[id] : NULL;
}
