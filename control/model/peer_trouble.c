// SPDX-License-Identifier: Apache-2.0
#include "control/model/peer_trouble.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TIME_TEXT = 32,
};

static const char *format_time(int64_t at, char ret[TIME_TEXT])
{
	struct tm tm;
	time_t seconds = (time_t)at;
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(ret, TIME_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm);
	return ret;
}

/* What was decided here, and does not depend on the network. */
static const char *decided(const struct peer *p, int64_t now)
{
	if (p->is_suspended)
		return "It is suspended: nave peers resume lets it in again.";
	if (p->user_is_suspended)
		return "Its user is suspended: nave users resume lets all their devices in again.";
	if (peer_state_at(p, now) == PEER_EXPIRED)
		return "Its time is over: nave peers update --expires-at gives it more.";
	return NULL;
}

bool peer_trouble(const struct peer *p, const struct instance *i, bool hub_is_connected,
	int64_t now, char ret[PEER_TROUBLE_TEXT])
{
	const struct peer_status *s = &p->status;
	const char *text = decided(p, now);
	char at[TIME_TEXT];
	if (peer_is_connected(p, now))
		return false;
	if (text == NULL && i->state != INSTANCE_READY)
		text = "The instance is not ready: its conditions say why.";
	if (text == NULL && !hub_is_connected)
		text = "The hub has not reported lately: look at nave-node there. What is shown is old.";
	if (text == NULL && s->failure_at > s->last_seen_at)
		text = s->failure;
	if (text != NULL)
		(void)snprintf(ret, PEER_TROUBLE_TEXT, "%s", text);
	else if (s->last_seen_at == 0)
		(void)snprintf(ret, PEER_TROUBLE_TEXT,
			"Nothing authentic has ever come from it: is its profile imported and on, has it the"
			" key that is shown here, does UDP port %u of the hub reach it?",
			(unsigned int)i->wireguard_port);
	else
		(void)snprintf(ret, PEER_TROUBLE_TEXT,
			"Nothing has come from it since %s: it is off, without network, or something on the"
			" way drops UDP port %u.",
			format_time(s->last_seen_at, at), (unsigned int)i->wireguard_port);
	return true;
}
