/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATAPLANE_SERVER_BOUNDS_H
#define DATAPLANE_SERVER_BOUNDS_H

/* All that a client of the API can make the dataplane hold or wait for. */
enum {
	CONNECTIONS_MAX = 16,
	SERVE_BATCH = 64, /* requests of one connection before others have their turn */
	OUTPUT_HIGH = 256 << 10, /* bytes: above, no requests are read and events are lost */
	OUTPUT_MAX = 256 << 20, /* bytes: one list of the biggest table */
	HELLO_TIMEOUT_MS = 5000,
	STALL_TIMEOUT_MS = 10000, /* replies wait and the client reads none */
	PEER_ROUTES_MAX = 1 << 17,
	INSTANCE_ROUTES_MAX =
		1 << 22, /* two tunnel addresses of each of TABLE_MAX_PEERS, and networks */
	INSTANCE_ROUTE_NODES_MAX = 1 << 18, /* 1 GiB: scattered host routes need one each */
	EVENT_RING_SIZE = 4096, /* power of two */
	UAPI_CONNECTIONS_MAX = 16,
	UAPI_CHUNK = 64 << 10, /* bytes of an answer made, or of a request read, at a time */
	MANAGEMENT_CONNECTIONS_MAX = 32,
	MANAGEMENT_SILENCE_MS = 3600 * 1000, /* programs stay, and ask now and then */
	MANAGEMENT_PEEK = 1024, /* bytes read at a time */
};

#endif
