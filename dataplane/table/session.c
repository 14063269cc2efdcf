// SPDX-License-Identifier: Apache-2.0
/*
 * The receiver index of WireGuard, chosen by us: 20 bits say the slot, 12 bits are random and
 * guard against a stale index meeting a new session. The slot is drawn at random too, so nothing
 * in an index tells how many peers the hub has.
 *
 * A slot holds a peer (tagged) while a handshake is on its way and a session once keys exist.
 * One writer, the keying thread; workers only look up.
 */
#include "dataplane/table/session.h"

#include "dataplane/base/random.h"
#include "dataplane/table/slab.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
	SLOT_COUNT = 1 << SESSION_SLOTS_LOG2,
	SLOT_TRIES = 64, /* the table is full enough to refuse when so many draws meet used slots */
};

int session_table_new(struct session_table **ret)
{
	struct session_table *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return -ENOMEM;
	t->value = slab_map_huge(SLOT_COUNT * sizeof(t->value[0]));
	t->index = slab_map(SLOT_COUNT * sizeof(t->index[0]));
	if (t->value == NULL || t->index == NULL) {
		session_table_free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void session_table_free(struct session_table *t)
{
	if (t == NULL)
		return;
	slab_unmap((void *)t->value, SLOT_COUNT * sizeof(t->value[0]));
	slab_unmap(t->index, SLOT_COUNT * sizeof(t->index[0]));
	free(t);
}

/* 0 is never an index: a zeroed slot can't be mistaken for a held one. */
static int draw_index(struct session_table *t, uint32_t *ret)
{
	int err;
	do {
		err = random_word(&t->random, ret);
	} while (err == 0 && *ret == 0);
	return err;
}

int session_index_reserve(struct session_table *t, struct peer *p, uint32_t *ret_index)
{
	for (unsigned int tries = 0; tries < SLOT_TRIES; tries++) {
		uint32_t index;
		int err = draw_index(t, &index);
		if (err != 0)
			return err;
		uint32_t slot = index & SESSION_SLOT_MASK;
		if (t->index[slot] != 0)
			continue;
		t->index[slot] = index;
		atomic_store_explicit(&t->value[slot], (uintptr_t)p | SESSION_HANDSHAKE_TAG,
			memory_order_release);
		*ret_index = index;
		t->count++;
		return 0;
	}
	return -ENOSPC;
}

void session_index_bind(struct session_table *t, uint32_t index, struct session *s)
{
	atomic_store_explicit(
		&t->value[index & SESSION_SLOT_MASK], (uintptr_t)s, memory_order_release);
}

void session_index_release(struct session_table *t, uint32_t index)
{
	if (index == 0 || t->index[index & SESSION_SLOT_MASK] != index)
		return;
	atomic_store_explicit(&t->value[index & SESSION_SLOT_MASK], 0, memory_order_release);
	t->index[index & SESSION_SLOT_MASK] = 0;
	t->count--;
}

uint32_t session_table_count(const struct session_table *t)
{
	return atomic_load_explicit(&t->count, memory_order_relaxed);
}

size_t session_table_reserved(void)
{
	const struct session_table *t = NULL;
	return SLOT_COUNT * (sizeof(t->value[0]) + sizeof(t->index[0]));
}

struct peer *session_index_peer(const struct session_table *t, uint32_t index)
{
	uintptr_t value = t->value[index & SESSION_SLOT_MASK];
	if (index == 0 || value == 0 || t->index[index & SESSION_SLOT_MASK] != index)
		return NULL;
	uintptr_t peer = value - SESSION_HANDSHAKE_TAG;
	if ((value & SESSION_HANDSHAKE_TAG) != 0)
		return (struct peer *)peer; // NOLINT(performance-no-int-to-ptr)
	return ((struct session *)value)->peer; // NOLINT(performance-no-int-to-ptr)
}
