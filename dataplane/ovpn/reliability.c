// SPDX-License-Identifier: Apache-2.0
#include "dataplane/ovpn/reliability.h"

#include "dataplane/base/clock.h"

#include <errno.h>
#include <string.h>

#define FIRST_TIMEOUT_NS (2 * NS_PER_SEC)
/* The hand-window ends a session long before; this only keeps the doubling from an overflow. */
#define LAST_TIMEOUT_NS (64 * NS_PER_SEC)

void reliability_init(
	struct reliability *r, uint32_t receive_next, uint32_t send_next, bool retransmits)
{
	memset(r, 0, sizeof(*r));
	r->receive_next = receive_next;
	r->send_next = send_next;
	r->retransmits = retransmits;
}

/* Ids from the oldest that waits for an ack up to the next new one. */
static unsigned int span(const struct reliability *r)
{
	unsigned int ids = 0;
	for (size_t i = 0; i < RELIABILITY_SEND_WINDOW; i++) {
		const struct reliability_out *p = &r->out[i];
		if (p->waits && r->send_next - p->id > ids)
			ids = r->send_next - p->id;
	}
	return ids;
}

unsigned int reliability_room(const struct reliability *r)
{
	return RELIABILITY_SEND_WINDOW - span(r);
}

int reliability_queue(struct reliability *r, uint8_t opcode, const uint8_t *payload, size_t len)
{
	if (len > RELIABILITY_PAYLOAD_MAX)
		return -EMSGSIZE;
	if (r->send_next == UINT32_MAX)
		return -EOVERFLOW;
	if (reliability_room(r) == 0)
		return -EAGAIN;
	struct reliability_out *p = &r->out[r->send_next % RELIABILITY_SEND_WINDOW];
	p->id = r->send_next++;
	p->opcode = opcode;
	p->len = (uint16_t)len;
	p->due_ns = 0;
	p->timeout_ns = FIRST_TIMEOUT_NS;
	p->later_acks = 0;
	p->was_sent = false;
	p->waits = true;
	if (len > 0)
		memcpy(p->payload, payload, len);
	return 0;
}

static bool lost(const struct reliability_out *p)
{
	return p->later_acks >= RELIABILITY_FAST_RETRANSMIT;
}

static uint64_t due(const struct reliability *r, const struct reliability_out *p)
{
	if (!p->waits || (p->was_sent && !r->retransmits))
		return UINT64_MAX;
	return lost(p) ? 0 : p->due_ns;
}

const struct reliability_out *reliability_send(struct reliability *r, uint64_t now_ns)
{
	struct reliability_out *oldest = NULL;
	for (size_t i = 0; i < RELIABILITY_SEND_WINDOW; i++) {
		struct reliability_out *p = &r->out[i];
		uint64_t at = due(r, p);
		if (at != UINT64_MAX && at <= now_ns && (oldest == NULL || p->id < oldest->id))
			oldest = p;
	}
	if (oldest == NULL)
		return NULL;
	/* what acks show to be lost says nothing about the round trip: the timeout stays */
	bool backs_off = oldest->was_sent && !lost(oldest);
	if (backs_off && oldest->timeout_ns < LAST_TIMEOUT_NS)
		oldest->timeout_ns *= 2;
	oldest->due_ns = now_ns + oldest->timeout_ns;
	oldest->later_acks = 0;
	oldest->was_sent = true;
	return oldest;
}

uint64_t reliability_next_ns(const struct reliability *r)
{
	uint64_t next = UINT64_MAX;
	for (size_t i = 0; i < RELIABILITY_SEND_WINDOW; i++) {
		uint64_t at = due(r, &r->out[i]);
		if (at < next)
			next = at;
	}
	return next;
}

bool reliability_all_acked(const struct reliability *r)
{
	return span(r) == 0;
}

static void take_ack(struct reliability *r, uint32_t id)
{
	struct reliability_out *p = &r->out[id % RELIABILITY_SEND_WINDOW];
	/* 2.6 repeats its last acks in every packet: only the first of an id counts */
	if (!p->waits || !p->was_sent || p->id != id)
		return;
	p->waits = false;
	for (size_t i = 0; i < RELIABILITY_SEND_WINDOW; i++) {
		struct reliability_out *earlier = &r->out[i];
		if (earlier->waits && earlier->was_sent && earlier->id < id)
			earlier->later_acks++;
	}
}

void reliability_acked(struct reliability *r, const uint32_t *ids, size_t count)
{
	for (size_t i = 0; i < count; i++)
		take_ack(r, ids[i]);
}

static bool ack_listed(const struct reliability *r, uint32_t id)
{
	for (size_t i = 0; i < r->ack_count; i++)
		if (r->acks[i] == id)
			return true;
	return false;
}

static bool add_ack(struct reliability *r, uint32_t id)
{
	if (ack_listed(r, id))
		return true;
	if (r->ack_count == RELIABILITY_ACKS_ALONE)
		return false;
	r->acks[r->ack_count++] = id;
	return true;
}

enum reliability_verdict reliability_receive(
	struct reliability *r, uint32_t id, uint8_t opcode, const uint8_t *payload, size_t len)
{
	if (len > RELIABILITY_RECEIVE_MAX)
		return RELIABILITY_TOO_LONG;
	/* the last id is never taken: behind it "next" would begin anew */
	if (id == UINT32_MAX)
		return RELIABILITY_BEYOND;
	if (id < r->receive_next)
		return add_ack(r, id) ? RELIABILITY_SEEN : RELIABILITY_ACKS_FULL;
	if (id - r->receive_next >= RELIABILITY_RECEIVE_WINDOW)
		return RELIABILITY_BEYOND;
	if (!add_ack(r, id))
		return RELIABILITY_ACKS_FULL;
	struct reliability_in *p = &r->in[id % RELIABILITY_RECEIVE_WINDOW];
	if (p->arrived)
		return RELIABILITY_SEEN;
	p->id = id;
	p->opcode = opcode;
	p->len = (uint16_t)len;
	p->arrived = true;
	if (len > 0)
		memcpy(p->payload, payload, len);
	return RELIABILITY_NEW;
}

const struct reliability_in *reliability_deliver(struct reliability *r)
{
	struct reliability_in *p = &r->in[r->receive_next % RELIABILITY_RECEIVE_WINDOW];
	if (!p->arrived)
		return NULL;
	p->arrived = false;
	r->receive_next++;
	return p;
}

size_t reliability_take_acks(struct reliability *r, uint32_t *ret, size_t max)
{
	size_t count = r->ack_count < max ? r->ack_count : max;
	memcpy(ret, r->acks, count * sizeof(ret[0]));
	memmove(r->acks, r->acks + count, (r->ack_count - count) * sizeof(r->acks[0]));
	r->ack_count = (uint8_t)(r->ack_count - count);
	return count;
}
