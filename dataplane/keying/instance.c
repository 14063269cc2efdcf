// SPDX-License-Identifier: Apache-2.0
/* An instance as keying sees it: its identity and its peers by public key. */
#include "dataplane/keying/openvpn_private.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* A key of zero, which would be clamped to one that everybody knows, makes no identity. */
static int identity_init(struct noise_identity *i, const struct key *private_key)
{
	*i = (struct noise_identity){0};
	return key_is_zero(private_key) ? 0 : noise_identity_init(i, private_key);
}

bool keying_instance_has_identity(const struct keying_instance *ki)
{
	return !key_is_zero(&ki->identity.private_key);
}

static void hashes_fini(struct keying_instance *ki)
{
	hash_fini(&ki->peer_by_username);
	hash_fini(&ki->peer_by_certificate);
	hash_fini(&ki->peer_by_endpoint);
	hash_fini(&ki->peer_by_key);
}

static void link_instance(struct keying *k, struct keying_instance *ki)
{
	ki->next = k->instances;
	ki->prev = &k->instances;
	if (ki->next != NULL)
		ki->next->prev = &ki->next;
	k->instances = ki;
}

static void unlink_instance(struct keying_instance *ki)
{
	*ki->prev = ki->next;
	if (ki->next != NULL)
		ki->next->prev = ki->prev;
}

static int create(struct keying *k, struct instance *i, const struct key *private_key)
{
	struct keying_instance *ki = calloc(1, sizeof(*ki));
	if (ki == NULL)
		return -ENOMEM;
	ki->instance = i;
	int err = hash_init(&ki->peer_by_key);
	if (err == 0)
		err = hash_init(&ki->peer_by_endpoint);
	if (err == 0)
		err = hash_init(&ki->peer_by_certificate);
	if (err == 0)
		err = hash_init(&ki->peer_by_username);
	if (err == 0)
		err = identity_init(&ki->identity, private_key);
	if (err != 0) {
		hashes_fini(ki);
		free(ki);
		return err;
	}
	cookie_checker_init(&ki->checker, &ki->identity.public_key);
	ki->port = i->wireguard_port;
	link_instance(k, ki);
	i->keying = ki;
	return 0;
}

static struct peer *peer_of_entry(struct hash_entry *e)
{
	return (struct peer *)((char *)e - offsetof(struct peer, keying_by_key));
}

/* visit() takes no peer away. */
void keying_instance_each_peer(struct keying *k, struct keying_instance *ki,
	void (*visit)(struct keying *k, struct peer *p))
{
	for (size_t b = 0; b < ki->peer_by_key.buckets; b++) {
		for (struct hash_entry *e = ki->peer_by_key.bucket[b]; e != NULL; e = e->next)
			visit(k, peer_of_entry(e));
	}
}

static void forget_identity(struct keying *k, struct peer *p)
{
	keying_sessions_drop(k, p);
	if (p->keying != NULL)
		noise_remote_forget_identity(&p->keying->remote);
}

/* Another private key: nothing derived from the old one may serve on. */
static int replace_identity(
	struct keying *k, struct keying_instance *ki, const struct key *private_key)
{
	struct noise_identity new;
	int err = identity_init(&new, private_key);
	if (err != 0)
		return err;
	if (!key_equal(&new.private_key, &ki->identity.private_key)) {
		keying_instance_each_peer(k, ki, forget_identity);
		ki->identity = new;
		cookie_checker_init(&ki->checker, &new.public_key);
	}
	noise_identity_fini(&new);
	return 0;
}

/* Peers are spoken to from the instance's port. */
static void renew_endpoints(struct keying *k, struct keying_instance *ki)
{
	if (ki->port == ki->instance->wireguard_port)
		return;
	ki->port = ki->instance->wireguard_port;
	keying_instance_each_peer(k, ki, keying_endpoint_renew);
}

int keying_instance_apply(struct keying *k, struct instance *i, const struct key *private_key)
{
	if (i->keying == NULL)
		return create(k, i, private_key);
	renew_endpoints(k, i->keying);
	return replace_identity(k, i->keying, private_key);
}

void keying_instance_drop(struct keying *k, struct instance *i)
{
	struct keying_instance *ki = i->keying;
	if (ki == NULL)
		return;
	keying_listeners_drop(k, ki);
	i->keying = NULL;
	unlink_instance(ki);
	noise_identity_fini(&ki->identity);
	cookie_checker_fini(&ki->checker);
	hashes_fini(ki);
	free(ki);
}

struct peer *keying_instance_peer(const struct keying_instance *ki, const struct key *public_key)
{
	const struct hash *h = &ki->peer_by_key;
	struct hash_entry *e = hash_first(h, hash_of(h, public_key, sizeof(*public_key)));
	for (; e != NULL; e = hash_next(e)) {
		if (key_equal(&peer_of_entry(e)->public_key, public_key))
			return peer_of_entry(e);
	}
	return NULL;
}
