// SPDX-License-Identifier: Apache-2.0
#include "control/node/pipeline.h"

#include <errno.h>

static int receive(struct pipeline *p)
{
	struct dp_reply reply;
	int err = dp_client_receive(p->dp, &reply);
	if (err != 0)
		return err;
	unsigned int number = p->answered++;
	if (reply.status < 0 && p->refused != NULL)
		p->refused(p->ctx, number, reply.status, dp_client_error(p->dp));
	return 0;
}

int pipeline_send(struct pipeline *p, enum dp_msg_type type, const void *payload, size_t len)
{
	int err = 0;
	while (err == 0 && p->sent - p->answered >= DP_CLIENT_WINDOW)
		err = receive(p);
	if (err == 0)
		err = dp_client_send(p->dp, type, payload, len, -1, NULL);
	if (err == 0) {
		p->sent++;
		return 0;
	}
	if (err != -EINVAL || dp_client_is_broken(p->dp))
		return err;
	/* the client's own check refused it, nothing was sent: answer the older ones first */
	err = pipeline_finish(p);
	if (err != 0)
		return err;
	if (p->refused != NULL)
		p->refused(p->ctx, p->sent, -EINVAL, dp_client_error(p->dp));
	p->sent++;
	p->answered++;
	return 0;
}

int pipeline_finish(struct pipeline *p)
{
	while (p->answered < p->sent) {
		int err = receive(p);
		if (err != 0)
			return err;
	}
	return 0;
}
