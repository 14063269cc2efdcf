// SPDX-License-Identifier: Apache-2.0
#include "dataplane/server/management.h"

#include "dataplane/api/management.h"
#include "dataplane/base/clock.h"
#include "dataplane/keying/client_status.h"
#include "dataplane/server/bounds.h"
#include "dataplane/server/management_command.h"
#include "dataplane/server/management_status.h"
#include "dataplane/server/request.h"
#include "dataplane/server/state.h"
#include "dataplane/table/instance.h"
#include "dataplane/table/tables.h"

#include <errno.h>
#include <string.h>

enum {
	INTERFACE_VERSION = 5, /* of OpenVPN 2.6 */
	VERB = 3, /* what is answered for a level of logging that there is not */
};

/* One client. */
struct management_connection {
	struct socket_connection base;
	struct management_line line;
	struct management_status status;
};

static void management_greet(struct socket_connection *c)
{
	socket_text_add(&c->out,
		">INFO:OpenVPN Management Interface Version %d -- type 'help' for more info\r\n",
		INTERFACE_VERSION);
	c->answering = c->whole = true;
}

static void management_fini(struct socket_connection *base)
{
	struct management_connection *c = (struct management_connection *)base;
	management_status_end(&c->status);
}

static void tell_help(struct socket_text *out)
{
	static const char *const lines[] = {
		"Commands:",
		"client-kill CID [M]    : Kill client instance CID; M is RESTART (default) or HALT.",
		"exit|quit              : Close management session.",
		"help                   : Print this message.",
		"kill cn                : Kill the client instance(s) having common name cn.",
		"kill IP:port           : Kill the client instance connecting from IP:port.",
		"load-stats             : Show server load stats.",
		"log [on|off] [N|all]   : Accepted; there is no log here.",
		"state [on|off] [N|all] : Show the state, which never changes.",
		"status [n]             : Show current daemon status info using format #n.",
		"verb [n]               : Accepted; there is no log here.",
		"version                : Show current version number.",
	};
	socket_text_add(out, "Management Interface for " MANAGEMENT_TITLE "\r\n");
	for (size_t n = 0; n < sizeof(lines) / sizeof(lines[0]); n++)
		socket_text_add(out, "%s\r\n", lines[n]);
	socket_text_add(out, "END\r\n");
}

static void tell_version(struct socket_text *out)
{
	socket_text_add(out,
		"OpenVPN Version: " MANAGEMENT_TITLE
		"\r\nManagement Interface Version: %d\r\nEND\r\n",
		INTERFACE_VERSION);
}

static void tell_state(const struct instance *i, struct socket_text *out)
{
	char v4[IP_ADDR_TEXT] = "", v6[IP_ADDR_TEXT] = "";
	if (!ip_addr_is_zero(&i->address4.addr))
		(void)ip_addr_format(&i->address4.addr, v4);
	if (!ip_addr_is_zero(&i->address6.addr))
		(void)ip_addr_format(&i->address6.addr, v6);
	socket_text_add(out, "%llu,CONNECTED,SUCCESS,%s,,,,,%s\r\nEND\r\n",
		(unsigned long long)(i->created_realtime_ns / NS_PER_SEC), v4, v6);
}

static void tell_load(struct server *s, const struct instance *i, struct socket_text *out)
{
	struct keying_client_load load;
	keying_client_load(s->keying, i, &load);
	socket_text_add(out, "SUCCESS: nclients=%u,bytesin=%llu,bytesout=%llu\r\n",
		(unsigned int)load.sessions, (unsigned long long)load.received_bytes,
		(unsigned long long)load.sent_bytes);
}

static void kill_clients(struct server *s, const struct instance *i,
	const struct management_command *m, struct socket_text *out)
{
	struct keying_client_choice which = {.instance = i};
	char address[IP_ENDPOINT_TEXT];
	if (m->verb == MANAGEMENT_KILL_NAME)
		which.name = m->text;
	else if (m->verb == MANAGEMENT_KILL_ADDRESS)
		which.remote = m->address;
	else
		which.number = m->number;
	/* number 0 is nobody's, and would choose everybody */
	bool is_nobody = m->verb == MANAGEMENT_CLIENT_KILL && m->number == 0;
	unsigned int killed = is_nobody ? 0 : keying_clients_kill(s->keying, &which, m->halt);
	if (m->verb == MANAGEMENT_CLIENT_KILL)
		socket_text_add(out, "%s: client-kill command %s\r\n",
			killed > 0 ? "SUCCESS" : "ERROR", killed > 0 ? "succeeded" : "failed");
	else if (m->verb == MANAGEMENT_KILL_NAME && killed > 0)
		socket_text_add(out, "SUCCESS: common name '%s' found, %u client(s) killed\r\n",
			m->text, killed);
	else if (m->verb == MANAGEMENT_KILL_NAME)
		socket_text_add(out, "ERROR: common name '%s' not found\r\n", m->text);
	else if (killed > 0)
		socket_text_add(out, "SUCCESS: %u client(s) at address %s killed\r\n", killed,
			ip_endpoint_format(&m->address, address));
	else
		socket_text_add(out, "ERROR: client at address %s not found\r\n",
			ip_endpoint_format(&m->address, address));
}

static void begin_status(struct management_connection *c, const struct instance *i,
	const struct management_command *m)
{
	int err = management_status_begin(&c->status, i, (unsigned int)m->number);
	if (err != 0)
		socket_text_add(&c->base.out, "ERROR: %s\r\n", strerrordesc_np(-err));
}

/* A switch is taken and changes nothing: of what it would tell, nothing ever happens. */
static void answer_switch(
	const struct instance *i, const struct management_command *m, struct socket_text *out)
{
	bool is_state = m->verb == MANAGEMENT_STATE_SWITCH;
	socket_text_add(out, "SUCCESS: real-time %s notification set to %s\r\n",
		is_state ? "state" : "log", m->is_on ? "ON" : "OFF");
	if (!m->is_all)
		return;
	if (is_state)
		tell_state(i, out);
	else
		socket_text_add(out, "END\r\n");
}

static void answer(struct server *s, struct management_connection *c, const struct instance *i,
	const struct management_command *m)
{
	struct socket_text *out = &c->base.out;
	switch (m->verb) {
	case MANAGEMENT_NOTHING:
		break;
	case MANAGEMENT_REFUSED:
		socket_text_add(out, "ERROR: %s\r\n", m->error);
		break;
	case MANAGEMENT_HELP:
		tell_help(out);
		break;
	case MANAGEMENT_VERSION:
		tell_version(out);
		break;
	case MANAGEMENT_STATE:
		tell_state(i, out);
		break;
	case MANAGEMENT_STATE_SWITCH:
	case MANAGEMENT_LOG_SWITCH:
		answer_switch(i, m, out);
		break;
	case MANAGEMENT_LOAD_STATS:
		tell_load(s, i, out);
		break;
	case MANAGEMENT_STATUS:
		begin_status(c, i, m);
		break;
	case MANAGEMENT_KILL_NAME:
	case MANAGEMENT_KILL_ADDRESS:
	case MANAGEMENT_CLIENT_KILL:
		kill_clients(s, i, m, out);
		break;
	case MANAGEMENT_LOG:
		socket_text_add(out, "END\r\n");
		break;
	case MANAGEMENT_VERB:
		socket_text_add(out, "SUCCESS: verb=%d\r\n", VERB);
		break;
	case MANAGEMENT_VERB_SET:
		socket_text_add(out, "SUCCESS: verb level changed\r\n");
		break;
	case MANAGEMENT_QUIT:
		c->base.closing = true;
		break;
	}
}

/* One line at a time; those behind it stay in the socket until it is answered. */
static void management_read(struct server *s, struct socket_connection *base)
{
	struct management_connection *c = (struct management_connection *)base;
	struct management_command m;
	size_t used;
	size_t n = socket_connection_peek(base, s->rx, MANAGEMENT_PEEK);
	if (n == 0) {
		base->dead = base->dead || base->closing;
		return;
	}
	bool complete = management_line_feed(&c->line, (const char *)s->rx, n, &used);
	socket_connection_take(base, s->rx, n, used);
	if (!complete)
		return;
	management_command_read(&c->line, &m);
	answer(s, c, instance_from_handle(s->tables, base->instance), &m);
	base->answering = true;
	base->whole = management_status_is_over(&c->status);
}

static void management_answer_more(struct server *s, struct socket_connection *base)
{
	struct management_connection *c = (struct management_connection *)base;
	management_status_continue(&c->status, s, &base->out);
	base->whole = management_status_is_over(&c->status);
}

const struct socket_kind management_kind = {
	.name = "management",
	.connections_max = MANAGEMENT_CONNECTIONS_MAX,
	.silence_ms = MANAGEMENT_SILENCE_MS,
	.size = sizeof(struct management_connection),
	.greet = management_greet,
	.read = management_read,
	.answer_more = management_answer_more,
	.fini = management_fini,
};

int serve_management_set(struct request *q)
{
	return instance_socket_set(q, &q->server->management);
}
