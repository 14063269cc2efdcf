// SPDX-License-Identifier: Apache-2.0
#include "control/dns/update.h"

#include "dataplane/base/random.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	FUDGE_S = 300, /* RFC 8945 section 10 */
	/* of a TSIG record: RFC 8945 section 4.2 */
	TSIG_ALGORITHM = 0,
	TSIG_MAC = 3,
	TSIG_ERROR = 5,
	TSIG_OTHER = 6,
	TSIG__COUNT,
};

/* "All records of this type": class ANY, no data. RFC 2136 section 2.5.2. */
static int push_delete(ldns_rr_list *list, const ldns_rdf *name, ldns_rr_type type)
{
	ldns_rr *rr = ldns_rr_new();
	ldns_rdf *owner = ldns_rdf_clone(name);
	if (rr == NULL || owner == NULL)
		goto no_memory;
	ldns_rr_set_type(rr, type);
	ldns_rr_set_class(rr, LDNS_RR_CLASS_ANY);
	ldns_rr_set_ttl(rr, 0);
	ldns_rr_set_owner(rr, owner);
	owner = NULL; /* the record's */
	if (ldns_rr_list_push_rr(list, rr))
		return 0;
no_memory:
	ldns_rdf_deep_free(owner);
	ldns_rr_free(rr);
	return -ENOMEM;
}

static int push_address(
	ldns_rr_list *list, const ldns_rdf *name, uint32_t ttl, const struct ip_addr *a)
{
	bool is_v4 = ip_addr_is_v4(a);
	ldns_rr_type type = is_v4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA;
	ldns_rr *rr = ldns_rr_new_frm_type(type);
	ldns_rdf *owner = ldns_rdf_clone(name);
	ldns_rdf *data = ldns_rdf_new_frm_data(is_v4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
		is_v4 ? 4 : sizeof(a->bytes), is_v4 ? a->bytes + 12 : a->bytes);
	if (rr == NULL || owner == NULL || data == NULL)
		goto no_memory;
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, ttl);
	ldns_rr_set_owner(rr, owner);
	(void)ldns_rr_set_rdf(rr, data, 0);
	owner = NULL; /* the record's */
	data = NULL;
	if (ldns_rr_list_push_rr(list, rr))
		return 0;
no_memory:
	ldns_rdf_deep_free(data);
	ldns_rdf_deep_free(owner);
	ldns_rr_free(rr);
	return -ENOMEM;
}

static int list_changes(const struct dns_records *r, ldns_rr_list *ret)
{
	ldns_rdf *name = ldns_dname_new_frm_str(r->name);
	if (name == NULL)
		return -EINVAL;
	int rc = push_delete(ret, name, LDNS_RR_TYPE_A);
	if (rc == 0)
		rc = push_delete(ret, name, LDNS_RR_TYPE_AAAA);
	for (size_t i = 0; rc == 0 && i < r->count; i++)
		rc = push_address(ret, name, r->ttl, &r->addresses[i]);
	ldns_rdf_deep_free(name);
	return rc;
}

static int sign(ldns_pkt *pkt, const struct dns_key *key, struct dns_request *ret)
{
	char algorithm[DNS_ALGORITHM_TEXT + 1];
	(void)snprintf(algorithm, sizeof(algorithm), "%s.", key->algorithm);
	if (ldns_pkt_tsig_sign(pkt, key->name, key->secret, FUDGE_S, algorithm, NULL)
		!= LDNS_STATUS_OK)
		return -EIO;
	const ldns_rdf *mac = ldns_rr_rdf(ldns_pkt_tsig(pkt), TSIG_MAC);
	if (mac == NULL || ldns_rdf_size(mac) > sizeof(ret->mac))
		return -EIO;
	ret->mac_len = ldns_rdf_size(mac);
	memcpy(ret->mac, ldns_rdf_data(mac), ret->mac_len);
	return 0;
}

int dns_update_build(
	const struct dns_records *records, const struct dns_key *key, struct dns_request *ret)
{
	memset(ret, 0, sizeof(*ret));
	ldns_pkt *pkt = NULL;
	ldns_rr_list *changes = ldns_rr_list_new();
	ldns_rdf *zone = ldns_dname_new_frm_str(records->zone);
	int rc = changes == NULL ? -ENOMEM
		: zone == NULL	 ? -EINVAL
				 : list_changes(records, changes);
	if (rc == 0)
		rc = random_bytes(&ret->id, sizeof(ret->id));
	if (rc < 0)
		goto free_all;
	pkt = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, NULL, changes, NULL);
	rc = -ENOMEM;
	if (pkt == NULL)
		goto free_all;
	zone = NULL; /* the packet's */
	ldns_pkt_set_id(pkt, ret->id);
	ldns_pkt_set_rd(pkt, false); /* which ldns sets, and RFC 2136 section 2.2 does not know */
	rc = sign(pkt, key, ret);
	if (rc == 0 && ldns_pkt2wire(&ret->wire, pkt, &ret->len) != LDNS_STATUS_OK)
		rc = -ENOMEM;
free_all:
	ldns_pkt_free(pkt);
	ldns_rdf_deep_free(zone);
	ldns_rr_list_deep_free(changes);
	return rc;
}

void dns_request_fini(struct dns_request *rq)
{
	free(rq->wire);
	rq->wire = NULL;
}

/*
 * ldns takes whatever algorithm the answer names, and loses memory over those that it does not
 * know: RFC 8945 section 5.3 wants ours.
 */
static bool is_ours(const ldns_pkt *pkt, const struct dns_key *key)
{
	const ldns_rr *tsig = ldns_pkt_tsig(pkt);
	const ldns_rdf *algorithm = tsig != NULL ? ldns_rr_rdf(tsig, TSIG_ALGORITHM) : NULL;
	ldns_rdf *wanted = ldns_dname_new_frm_str(key->algorithm);
	bool is = algorithm != NULL && wanted != NULL && ldns_rr_rd_count(tsig) == TSIG__COUNT
		&& ldns_dname_compare(algorithm, wanted) == 0;
	ldns_rdf_deep_free(wanted);
	return is;
}

static bool is_signed(const struct dns_request *rq, const struct dns_key *key, ldns_pkt *pkt,
	const uint8_t *wire, size_t len)
{
	ldns_rdf *mac = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_INT16_DATA, rq->mac_len, rq->mac);
	bool is = mac != NULL && is_ours(pkt, key)
		&& ldns_pkt_tsig_verify(pkt, wire, len, key->name, key->secret, mac);
	ldns_rdf_deep_free(mac);
	return is;
}

/* BADTIME says what the server's time is: 48 bits behind their length. RFC 8945 section 5.2.3. */
static int64_t read_skew(const ldns_rr *tsig)
{
	const ldns_rdf *other = ldns_rr_rdf(tsig, TSIG_OTHER);
	int64_t at = 0;
	if (other == NULL || ldns_rdf_size(other) != 2 + 6)
		return 0;
	for (size_t i = 2; i < 2 + 6; i++)
		at = at << 8 | ldns_rdf_data(other)[i];
	return at - (int64_t)time(NULL);
}

/* What is wrong with the key is in the TSIG record; the response code is only NOTAUTH. */
static enum dns_result read_tsig_error(const ldns_pkt *pkt, struct dns_outcome *ret)
{
	const ldns_rr *tsig = ldns_pkt_tsig(pkt);
	const ldns_rdf *error = tsig != NULL ? ldns_rr_rdf(tsig, TSIG_ERROR) : NULL;
	if (error == NULL || ldns_rdf_size(error) != sizeof(uint16_t))
		return DNS_NOT_AUTH;
	switch (ldns_rdf2native_int16(error)) {
	case 16:
		return DNS_BAD_SIGNATURE;
	case 17:
		return DNS_BAD_KEY;
	case 18:
		ret->skew_s = read_skew(tsig);
		return DNS_BAD_TIME;
	default:
		return DNS_NOT_AUTH;
	}
}

/* An error that nobody has signed only makes us ask again later: it is believed. */
static enum dns_result read_error(const ldns_pkt *pkt, struct dns_outcome *ret)
{
	ret->rcode = ldns_pkt_get_rcode(pkt);
	switch (ret->rcode) {
	case LDNS_RCODE_SERVFAIL:
		return DNS_SERVER_FAILURE;
	case LDNS_RCODE_REFUSED:
		return DNS_REFUSED;
	case LDNS_RCODE_NOTAUTH:
		return read_tsig_error(pkt, ret);
	case LDNS_RCODE_NOTZONE:
		return DNS_NOT_ZONE;
	default:
		return DNS_OTHER;
	}
}

void dns_update_read(const struct dns_request *rq, const struct dns_key *key, const uint8_t *wire,
	size_t len, struct dns_outcome *ret)
{
	ldns_pkt *pkt = NULL;
	*ret = (struct dns_outcome){.result = DNS_BAD_ANSWER};
	if (ldns_wire2pkt(&pkt, wire, len) != LDNS_STATUS_OK)
		return;
	if (ldns_pkt_id(pkt) == rq->id && ldns_pkt_qr(pkt)
		&& ldns_pkt_get_opcode(pkt) == LDNS_PACKET_UPDATE) {
		if (ldns_pkt_get_rcode(pkt) != LDNS_RCODE_NOERROR)
			ret->result = read_error(pkt, ret);
		else if (is_signed(rq, key, pkt, wire, len))
			ret->result = DNS_DONE;
	}
	ldns_pkt_free(pkt);
}
