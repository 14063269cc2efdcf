// SPDX-License-Identifier: Apache-2.0
/*
 * Two ends of the reliability layer over a wire that the input plays: each byte is a step, which queues,
 * sends, loses, doubles, delays or lets time pass. Whatever happens, each end gets what the other queued,
 * in order, each once; and on a wire that loses nothing any more, all of it.
 */
#include "dataplane/base/clock.h"
#include "dataplane/ovpn/reliability.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	WIRE = 16, /* packets under way, each way */
	STEPS_MAX = 2000,
	FLUSH_ROUNDS = 400,
};

struct packet {
	bool has_id;
	uint32_t id, stamp;
	uint32_t acks[RELIABILITY_ACKS_ALONE];
	size_t ack_count;
};

struct end {
	struct reliability layer;
	uint32_t queued, delivered; /* as many, numbered from 0 */
	struct packet wire[WIRE]; /* towards this end */
	unsigned int under_way;
};

static void must(bool held)
{
	if (!held)
		abort();
}

static void queue(struct end *e)
{
	uint32_t stamp = e->queued;
	bool room = reliability_room(&e->layer) > 0;
	int err = reliability_queue(&e->layer, 4, (const uint8_t *)&stamp, sizeof(stamp));
	must((err == 0) == room);
	if (err == 0)
		e->queued++;
}

static void put(struct end *to, const struct packet *p)
{
	if (to->under_way < WIRE)
		to->wire[to->under_way++] = *p; /* else lost */
}

/* One packet with the acks that fit, or acks alone. */
static bool send_one(struct end *from, struct end *to, uint64_t now_ns)
{
	struct packet p = {0};
	const struct reliability_out *out = reliability_send(&from->layer, now_ns);
	if (out != NULL) {
		must(out->len == sizeof(p.stamp));
		p.has_id = true;
		p.id = out->id;
		memcpy(&p.stamp, out->payload, sizeof(p.stamp));
	}
	p.ack_count = reliability_take_acks(&from->layer, p.acks,
		out != NULL ? RELIABILITY_ACKS_WITH_PAYLOAD : RELIABILITY_ACKS_ALONE);
	if (out == NULL && p.ack_count == 0)
		return false;
	put(to, &p);
	return true;
}

static void take(struct end *e, const struct end *other, unsigned int which)
{
	const struct reliability_in *in;
	if (e->under_way == 0)
		return;
	which %= e->under_way;
	struct packet p = e->wire[which];
	e->wire[which] = e->wire[--e->under_way];
	reliability_acked(&e->layer, p.acks, p.ack_count);
	if (p.has_id)
		(void)reliability_receive(
			&e->layer, p.id, 4, (const uint8_t *)&p.stamp, sizeof(p.stamp));
	while ((in = reliability_deliver(&e->layer)) != NULL) {
		uint32_t stamp;
		must(in->len == sizeof(stamp));
		memcpy(&stamp, in->payload, sizeof(stamp));
		must(stamp == e->delivered);
		e->delivered++;
		must(e->delivered <= other->queued);
	}
}

static void step(struct end end[2], uint8_t what, uint64_t *now_ns)
{
	struct end *e = &end[what & 1], *other = &end[1 - (what & 1)];
	unsigned int argument = what >> 4;
	switch (what >> 1 & 7) {
	case 0:
		queue(e);
		break;
	case 1:
		(void)send_one(e, other, *now_ns);
		break;
	case 2:
	case 3:
		take(e, other, argument);
		break;
	case 4: /* lost */
		if (e->under_way > 0)
			e->under_way--;
		break;
	case 5: /* doubled */
		if (e->under_way > 0)
			put(e, &e->wire[argument % e->under_way]);
		break;
	case 6:
		*now_ns += argument * (NS_PER_SEC / 4);
		break;
	default:
		must(reliability_next_ns(&e->layer) == UINT64_MAX
			|| !reliability_all_acked(&e->layer));
		break;
	}
}

/* A wire that loses nothing: a second a round, and everything comes. */
static void flush(struct end end[2], uint64_t now_ns)
{
	for (unsigned int round = 0; round < FLUSH_ROUNDS; round++, now_ns += NS_PER_SEC) {
		for (unsigned int side = 0; side < 2; side++) {
			struct end *from = &end[side], *to = &end[1 - side];
			while (to->under_way < WIRE && send_one(from, to, now_ns)) {
			}
			while (to->under_way > 0)
				take(to, from, 0);
		}
	}
	for (unsigned int side = 0; side < 2; side++) {
		must(end[side].delivered == end[1 - side].queued);
		must(reliability_all_acked(&end[side].layer));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct end end[2];
	uint64_t now_ns = NS_PER_SEC;
	memset(end, 0, sizeof(end));
	uint32_t first = size > 0 ? data[0] & 1 : 0; /* 1: the resets went statelessly */
	reliability_init(&end[0].layer, first, first, true);
	reliability_init(&end[1].layer, first, first, true);
	for (size_t i = 1; i < size && i < STEPS_MAX; i++)
		step(end, data[i], &now_ns);
	flush(end, now_ns);
	return 0;
}
