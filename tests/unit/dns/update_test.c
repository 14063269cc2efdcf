// SPDX-License-Identifier: Apache-2.0
/*
 * The update on the wire, byte by byte as RFC 2136 has it, and what is made of answers: signed,
 * forged, of another question, cut short.
 */
#include "control/dns/update.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct dns_key key = {
	.name = "nave",
	.algorithm = "hmac-sha256",
	.secret = "b25lIHNlY3JldCBvZiB0aGlydHktdHdvIGJ5dGVzISE=",
};

static const char other_secret[] = "YSBzZWNvbmQgb25lLCBvZiBhcyBtYW55IGJ5dGVzISE=";

static struct dns_request ask(void)
{
	struct ip_addr list[2];
	struct dns_request rq;
	assert_int_equal(ip_addr_parse("203.0.113.1", &list[0]), 0);
	assert_int_equal(ip_addr_parse("2001:db8::1", &list[1]), 0);
	const struct dns_records r = {.zone = "example.net",
		.name = "acme.vpn.example.net",
		.ttl = 60,
		.addresses = list,
		.count = 2};
	assert_int_equal(dns_update_build(&r, &key, &rq), 0);
	return rq;
}

/* Names are written whole or as a pointer to an earlier one: both are read by ldns, not here. */
static void the_update_is_what_rfc_2136_wants(void **)
{
	static const char sections[] = "example.net.\tIN\tSOA\n" /* the zone */
				       "acme.vpn.example.net.\t0\tANY\tA\t\\# 0\n"
				       "acme.vpn.example.net.\t0\tANY\tAAAA\t\\# 0\n"
				       "acme.vpn.example.net.\t60\tIN\tA\t203.0.113.1\n"
				       "acme.vpn.example.net.\t60\tIN\tAAAA\t2001:db8::1\n";
	struct dns_request rq = ask();
	/* id, opcode 5 and nothing else, one zone, no prerequisite, four updates, one TSIG */
	const uint8_t header[] = {0, 0, 5 << 3, 0, 0, 1, 0, 0, 0, 4, 0, 1};
	assert_memory_equal(rq.wire + 2, header + 2, sizeof(header) - 2);
	ldns_pkt *pkt = NULL;
	assert_int_equal(ldns_wire2pkt(&pkt, rq.wire, rq.len), LDNS_STATUS_OK);
	char *zone = ldns_rr_list2str(ldns_pkt_question(pkt));
	char *updates = ldns_rr_list2str(ldns_pkt_authority(pkt));
	char text[512];
	(void)snprintf(text, sizeof(text), "%s%s", zone, updates);
	for (char *tail = strstr(text, " \n"); tail != NULL; tail = strstr(text, " \n"))
		memmove(tail, tail + 1, strlen(tail));
	assert_string_equal(text, sections);
	assert_true(ldns_pkt_tsig_verify(pkt, rq.wire, rq.len, key.name, key.secret, NULL));
	assert_false(ldns_pkt_tsig_verify(pkt, rq.wire, rq.len, key.name, other_secret, NULL));
	free(zone);
	free(updates);
	ldns_pkt_free(pkt);
	dns_request_fini(&rq);
}

static void a_removal_only_deletes(void **)
{
	const struct dns_records r = {.zone = "example.net", .name = "acme.example.net"};
	struct dns_request rq;
	assert_int_equal(dns_update_build(&r, &key, &rq), 0);
	assert_int_equal(rq.wire[8] << 8 | rq.wire[9], 2);
	dns_request_fini(&rq);
}

static void what_cannot_be_said_is_refused(void **)
{
	char label[80];
	struct dns_request rq;
	memset(label, 'a', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	const struct dns_records long_label = {.zone = "example.net", .name = label};
	assert_int_equal(dns_update_build(&long_label, &key, &rq), -EINVAL);
}

struct answer {
	int rcode;
	const char *secret; /* NULL: not signed */
	uint16_t error; /* in its TSIG */
	int64_t server_time; /* behind BADTIME */
	int id_change;
	bool is_query;
};

static void put_error(ldns_rr *tsig, const struct answer *a)
{
	uint8_t other[8] = {0, 6};
	for (int i = 0; i < 6; i++)
		other[2 + i] = (uint8_t)(a->server_time >> (8 * (5 - i)));
	ldns_rdf_deep_free(
		ldns_rr_set_rdf(tsig, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, a->error), 5));
	if (a->server_time != 0)
		ldns_rdf_deep_free(ldns_rr_set_rdf(tsig,
			ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, sizeof(other), other), 6));
}

/* As a server would say it. The caller frees. */
static uint8_t *say(const struct dns_request *rq, const struct answer *a, size_t *len)
{
	uint8_t *wire = NULL;
	ldns_rdf *zone = ldns_dname_new_frm_str("example.net");
	ldns_rdf *mac = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, rq->mac_len, rq->mac);
	ldns_rr_list *none = ldns_rr_list_new();
	ldns_pkt *pkt = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, NULL, none, NULL);
	ldns_rr_list_free(none);
	assert_non_null(pkt);
	ldns_pkt_set_id(pkt, (uint16_t)(rq->id + a->id_change));
	ldns_pkt_set_qr(pkt, !a->is_query);
	ldns_pkt_set_rcode(pkt, (uint8_t)a->rcode);
	if (a->secret != NULL)
		assert_int_equal(
			ldns_pkt_tsig_sign(pkt, key.name, a->secret, 300, "hmac-sha256.", mac),
			LDNS_STATUS_OK);
	if (a->error != 0)
		put_error(ldns_pkt_tsig(pkt), a);
	assert_int_equal(ldns_pkt2wire(&wire, pkt, len), LDNS_STATUS_OK);
	ldns_pkt_free(pkt);
	ldns_rdf_deep_free(mac);
	return wire;
}

static struct dns_outcome hear(const struct answer *a)
{
	struct dns_request rq = ask();
	struct dns_outcome o;
	size_t len;
	uint8_t *wire = say(&rq, a, &len);
	dns_update_read(&rq, &key, wire, len, &o);
	free(wire);
	dns_request_fini(&rq);
	return o;
}

static void only_what_is_signed_is_done(void **)
{
	assert_int_equal(hear(&(struct answer){.secret = key.secret}).result, DNS_DONE);
	assert_int_equal(hear(&(struct answer){0}).result, DNS_BAD_ANSWER);
	assert_int_equal(hear(&(struct answer){.secret = other_secret}).result, DNS_BAD_ANSWER);
	assert_int_equal(hear(&(struct answer){.secret = key.secret, .id_change = 1}).result,
		DNS_BAD_ANSWER);
	assert_int_equal(hear(&(struct answer){.secret = key.secret, .is_query = true}).result,
		DNS_BAD_ANSWER);
}

/* A signed answer to another update: its signature covers that one's. */
static void an_answer_of_before_is_none(void **)
{
	struct dns_request first = ask(), second = ask();
	struct dns_outcome o;
	size_t len;
	uint8_t *wire = say(&first, &(struct answer){.secret = key.secret}, &len);
	memcpy(second.mac, first.mac, 2); /* its length */
	second.mac[5] ^= 1; /* two of the same second would have the same */
	wire[0] = (uint8_t)second.id;
	wire[1] = (uint8_t)(second.id >> 8);
	memcpy(wire, second.wire, 2);
	dns_update_read(&second, &key, wire, len, &o);
	assert_int_equal(o.result, DNS_BAD_ANSWER);
	free(wire);
	dns_request_fini(&first);
	dns_request_fini(&second);
}

static void errors_have_their_names(void **)
{
	static const struct {
		struct answer answer;
		enum dns_result result;
		const char *reason, *word;
	} cases[] = {
		{{.rcode = 2}, DNS_SERVER_FAILURE, "ServerFailure", "SERVFAIL"},
		{{.rcode = 5}, DNS_REFUSED, "Refused", "REFUSED"},
		{{.rcode = 9}, DNS_NOT_AUTH, "NotAuth", "example.net"},
		{{.rcode = 10}, DNS_NOT_ZONE, "NotZone", "example.net"},
		{{.rcode = 4}, DNS_OTHER, "ServerError", "code 4"},
		{{.rcode = 9, .secret = other_secret, .error = 16}, DNS_BAD_SIGNATURE,
			"BadSignature", "/etc/dns.key"},
		{{.rcode = 9, .secret = other_secret, .error = 17}, DNS_BAD_KEY, "BadKey",
			"key nave with hmac-sha256"},
		{{.rcode = 9, .secret = key.secret, .error = 18, .server_time = 1000}, DNS_BAD_TIME,
			"BadTime", "behind ours"},
		{{.rcode = 9, .secret = key.secret, .error = 18, .server_time = 1LL << 40},
			DNS_BAD_TIME, "BadTime", "ahead of ours"},
	};
	struct ip_endpoint server;
	char text[512];
	assert_int_equal(ip_endpoint_parse("[2001:db8::53]:53", &server), 0);
	const struct dns_asked asked = {.server = &server,
		.zone = "example.net",
		.name = "acme.example.net",
		.key_file = "/etc/dns.key",
		.key = &key};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dns_outcome o = hear(&cases[i].answer);
		assert_int_equal(o.result, cases[i].result);
		assert_string_equal(dns_result_reason(o.result), cases[i].reason);
		dns_outcome_describe(&o, &asked, text, sizeof(text));
		assert_non_null(strstr(text, cases[i].word));
	}
}

static void sentences_fit_where_they_go(void **)
{
	struct ip_endpoint server = {.port = 53};
	const struct dns_asked asked = {.server = &server,
		.zone = "example.net",
		.name = "acme.example.net",
		.key_file = "/etc/dns.key",
		.key = &key};
	for (int r = 0; r < DNS__COUNT; r++) {
		const struct dns_outcome o = {.result = (enum dns_result)r,
			.error = ECONNREFUSED,
			.detail = "is a secret"};
		for (size_t size = 1; size < 200; size++) {
			char *text = malloc(size); /* so that a sanitizer sees its end */
			assert_non_null(text);
			dns_outcome_describe(&o, &asked, text, size);
			assert_true(strlen(text) < size);
			free(text);
		}
	}
}

/* Every cut and every changed byte of a good answer: never done, never a fault. */
static void broken_answers(void **)
{
	struct dns_request rq = ask();
	struct dns_outcome o;
	size_t len;
	uint8_t *wire = say(&rq, &(struct answer){.secret = key.secret}, &len);
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);
		assert_non_null(part);
		memcpy(part, wire, cut);
		dns_update_read(&rq, &key, part, cut, &o);
		assert_int_not_equal(o.result, DNS_DONE);
		free(part);
	}
	const size_t message = 12 + 13 + 4; /* header and zone: all that it says */
	for (size_t at = 0; at < len; at++) {
		for (int bit = 0; bit < 8; bit++) {
			wire[at] ^= (uint8_t)(1 << bit);
			dns_update_read(&rq, &key, wire, len, &o);
			if (at < message)
				assert_int_not_equal(o.result, DNS_DONE);
			wire[at] ^= (uint8_t)(1 << bit);
		}
	}
	free(wire);
	dns_request_fini(&rq);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_update_is_what_rfc_2136_wants),
		cmocka_unit_test(a_removal_only_deletes),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(only_what_is_signed_is_done),
		cmocka_unit_test(an_answer_of_before_is_none),
		cmocka_unit_test(errors_have_their_names),
		cmocka_unit_test(sentences_fit_where_they_go),
		cmocka_unit_test(broken_answers),
	};
	return cmocka_run_group_tests_name("dns/update", tests, NULL, NULL);
}
