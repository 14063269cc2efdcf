// SPDX-License-Identifier: Apache-2.0
/* What the dataplane refuses of the network is told: once, with the thing and the reason. */
#include "control/node/underlay.h"

#include "dataplane/base/log.h"
#include "kernel/link.h"
#include "tests/unit/node/fake_dataplane.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a mirror writes to standard error. */
static char *log_of_mirror(struct underlay *u, struct fake_dataplane *dp)
{
	char *text = NULL;
	size_t len = 0;
	FILE *to = tmpfile(), *in_memory = open_memstream(&text, &len);
	int old = dup(STDERR_FILENO), c;
	assert_true(to != NULL && in_memory != NULL && old >= 0);
	(void)dup2(fileno(to), STDERR_FILENO);
	int err = underlay_mirror(u, dp->client);
	(void)dup2(old, STDERR_FILENO);
	(void)close(old);
	assert_int_equal(err, 0);
	rewind(to);
	while ((c = fgetc(to)) != EOF)
		(void)fputc(c, in_memory);
	(void)fclose(to);
	(void)fclose(in_memory);
	return text;
}

/* Loopback plays the TAP: its address is none that the dataplane takes. */
static void refusals_are_told_once(void **state)
{
	const struct node_config config = {.port = {{.name = "wan0", .tap = "lo"}}, .ports = 1};
	struct fake_dataplane dp = {0};
	struct underlay u;
	struct nl nl;
	assert_int_equal(netlink_open(&nl), 0);
	underlay_init(&u, &config, &nl);
	u.port[0].tap = (struct device){.name = "lo",
		.keeper = open("/dev/null", O_RDONLY | O_CLOEXEC),
		.ifindex = link_find("lo")};
	log_init("test", LOG_LEVEL_INFO);
	fake_dataplane_start(&dp);
	for (unsigned int round = 0; round < 4; round++) {
		u.ports = round == 2 ? 0 : 1; /* then there is nothing to refuse */
		char *log = log_of_mirror(&u, &dp);
		bool is_news = round == 0 || round == 3;
		assert_int_equal(strstr(log, "127.0.0.1/8: address_set: ") != NULL, is_news);
		assert_int_equal(log[0] != '\0', is_news);
		free(log);
	}
	fake_dataplane_stop(&dp);
	underlay_fini(&u);
	netlink_close(&nl);
}

static struct dp_peer_set *peer_at(const char *endpoint)
{
	struct dp_peer_set *p = calloc(1, sizeof(*p));
	assert_non_null(p);
	assert_int_equal(ip_endpoint_parse(endpoint, &p->endpoint), 0);
	return p;
}

/* The hub has been given the address at which a peer was seen last. */
static void own_addresses_are_no_hints(void **state)
{
	struct dp_peer_set *peer[] = {
		peer_at("198.51.100.1:7"), peer_at("198.51.100.2:7"), peer_at("[2001:db8::1]:7")};
	struct objects wanted = {.peer = peer, .peers = 3};
	struct underlay u = {.addresses = 2};
	assert_int_equal(ip_addr_parse("198.51.100.1", &u.address[0]), 0);
	assert_int_equal(ip_addr_parse("2001:db8::1", &u.address[1]), 0);
	underlay_clear_hints(&u, &wanted);
	assert_int_equal(peer[0]->endpoint.port, 0);
	assert_true(ip_addr_is_zero(&peer[0]->endpoint.addr));
	assert_int_equal(peer[1]->endpoint.port, 7);
	assert_int_equal(peer[2]->endpoint.port, 0);
	for (unsigned int i = 0; i < 3; i++)
		free(peer[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_are_told_once),
		cmocka_unit_test(own_addresses_are_no_hints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
