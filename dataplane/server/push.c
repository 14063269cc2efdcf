// SPDX-License-Identifier: Apache-2.0
#include "dataplane/api/push.h"

#include "dataplane/keying/listener.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)DP_PUSH_DNS_MAX == (int)KEYING_PUSH_DNS_MAX
	&& (int)DP_PUSH_DOMAINS_MAX == (int)KEYING_PUSH_DOMAINS_MAX
	&& (int)DP_PUSH_DOMAIN_LEN == (int)KEYING_PUSH_DOMAIN_LEN);

static struct keying_push *push_from_set(const struct dp_push_set *m)
{
	struct keying_push *p = calloc(1, sizeof(*p) + m->route_count * sizeof(p->route[0]));
	if (p == NULL)
		return NULL;
	while (p->dns_count < DP_PUSH_DNS_MAX && !ip_addr_is_zero(&m->dns[p->dns_count]))
		p->dns_count++;
	while (p->domain_count < DP_PUSH_DOMAINS_MAX && m->domain[p->domain_count][0] != 0)
		p->domain_count++;
	memcpy(p->dns, m->dns, sizeof(p->dns));
	memcpy(p->domain, m->domain, sizeof(p->domain));
	p->route_count = m->route_count;
	memcpy(p->route, m->route, m->route_count * sizeof(p->route[0]));
	return p;
}

int serve_push_set(struct request *q)
{
	struct dp_push_set m = {0};
	memcpy(&m, q->payload, q->header.payload_len);
	struct instance *i = instance_find(q->server->tables, &m.instance);
	if (i == NULL)
		return request_refuse_unknown(q, "instance", &m.instance);
	struct keying_push *p = push_from_set(&m);
	int err = p != NULL ? keying_push_set(q->server->keying, i, p) : -ENOMEM;
	return err != 0 ? request_refuse(q, err, "what is pushed: %s", strerrordesc_np(-err)) : 0;
}
