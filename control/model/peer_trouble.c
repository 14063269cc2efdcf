// SPDX-License-Identifier: Apache-2.0
#include "control/model/peer_trouble.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
	TIME_TEXT = 32,
	PORTS_TEXT = 64,
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

/* Which port the peer comes to, for whoever looks at a firewall. */
static const char *name_ports(const struct peer *p, const struct instance *i, char ret[PORTS_TEXT])
{
	unsigned int wireguard = i->wireguard_port, udp = i->openvpn[OPENVPN_UDP].port,
		     tcp = i->openvpn[OPENVPN_TCP].port;
	if (p->protocol == PROTOCOL_WIREGUARD)
		(void)snprintf(ret, PORTS_TEXT, "UDP port %u", wireguard);
	else if (p->protocol == PROTOCOL_OPENVPN)
		(void)snprintf(ret, PORTS_TEXT, "UDP port %u or TCP port %u", udp, tcp);
	else
		(void)snprintf(
			ret, PORTS_TEXT, "UDP port %u or %u or TCP port %u", wireguard, udp, tcp);
	return ret;
}

bool peer_trouble(const struct peer *p, const struct instance *i, bool hub_is_connected,
	int64_t now, char ret[PEER_TROUBLE_TEXT])
{
	const struct peer_status *s = &p->status;
	const char *text = decided(p, now);
	char at[TIME_TEXT], ports[PORTS_TEXT];
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
			"Nothing authentic has ever come from it: is its profile imported and on%s, does"
			" %s of the hub reach it?",
			peer_speaks_wireguard(p) ? ", has it the key that is shown here" : "",
			name_ports(p, i, ports));
	else
		(void)snprintf(ret, PEER_TROUBLE_TEXT,
			"Nothing has come from it since %s: it is off, without network, or something on the"
			" way drops %s.",
			format_time(s->last_seen_at, at), name_ports(p, i, ports));
	return true;
}

static const char *failure_words(const char *reason)
{
	static const struct {
		const char *name, *words;
	} known[] = {
		{"old_timestamp",
			"Its handshake is older than one seen before: its clock went back, or somebody"
			" replays packets. Set its clock, or run nave peers reset-clock."},
		{"flood", "It starts handshakes faster than the limit."},
		{"bad_handshake",
			"Its handshake does not authenticate: its preshared key differs. Import the"
			" profile again."},
		{"clock_ahead",
			"Its clock is more than a day ahead. It may connect, but not any more once the clock"
			" is right: then run nave peers reset-clock."},
		{"no_response", "It does not answer handshakes at its last known address."},
		{"openvpn_password",
			"It sends another username or password than its profile has, or none: import the"
			" profile again, or type them anew."},
		{"openvpn_certificate",
			"It shows no certificate, not the one of this peer, or this peer's at another"
			" network's port: import its profile again, and look at the device's clock."},
		{"openvpn_cipher",
			"It offers no cipher that the listener allows: choose one of its list on the"
			" device (RouterOS begins with blowfish), or add it with PATCH openvpn.ciphers."},
		{"openvpn_tls",
			"Its TLS handshake fails: its TLS is older than the listener's tls_minimum, or its"
			" security_level is too high for the device."},
		{"openvpn_timeout",
			"It began to connect and then went silent: something on the way drops packets,"
			" often the long ones, or its wrapping key (tls-crypt) is another."},
		{"openvpn_options",
			"Its options do not fit: fragment and compression are not possible here. Import"
			" its profile again and leave it as it is."},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(known[i].name, reason) == 0)
			return known[i].words;
	}
	return "The hub gave no known reason.";
}

void peer_failure_describe(const char *reason, int64_t detail, char ret[PEER_FAILURE_TEXT])
{
	if (strcmp(reason, "old_timestamp") == 0 && detail > 0)
		(void)snprintf(ret, PEER_FAILURE_TEXT,
			"Its handshake is %lld s behind the hub's clock and older than one seen before: its"
			" clock went back, or somebody replays packets. Set its clock (NTP); if it was ahead"
			" before, run nave peers reset-clock.",
			(long long)detail);
	else
		(void)snprintf(ret, PEER_FAILURE_TEXT, "%s", failure_words(reason));
}
