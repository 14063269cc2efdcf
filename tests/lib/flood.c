// SPDX-License-Identifier: Apache-2.0
/*
 * flood INTERFACE MAC ADDRESS PORT RATE SECONDS KIND [ARGUMENT]: frames to one WireGuard listener, RATE a second
 * for SECONDS; prints how many went out, and their bytes. KIND is
 *
 *   junk              bytes of no protocol, of any length
 *   bad-mac1          initiations whose MAC1 is wrong
 *   initiation KEY    initiations to the hub with that public key (base64), true but from nobody it knows
 *   replay FILE       the frames of a pcap file, as they were captured
 *
 * All but replay come from 198.18.0.0/15, another source and port each. Aimed at a MAC and address that nobody
 * has, the same costs this machine what the flood costs without a hub that listens.
 */
#include "dataplane/base/base64.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/random.h"
#include "dataplane/wg/cookie.h"
#include "dataplane/wg/noise.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	POOL = 512, /* frames that are made before the first is sent */
	BATCH = 32,
	HEADERS = sizeof(struct ether_header) + sizeof(struct iphdr) + sizeof(struct udphdr),
	PAYLOAD_MAX = 1400,
	SECONDS_MAX = 60,
	RATE_MAX = 1000000,
	PCAP_HEADER = 24,
	PCAP_RECORD = 16,
};

struct frame {
	size_t len;
	uint8_t data[HEADERS + PAYLOAD_MAX];
};

struct target {
	struct ether_addr mac;
	struct in_addr address;
	uint16_t port; /* host order */
};

struct flood {
	struct target target;
	unsigned long rate, seconds;
	bool spoofs; /* a new source each time */
	unsigned int count;
	struct frame pool[POOL]; /* sent over and over */
};

static uint32_t random_u32(void)
{
	static uint64_t state = 88172645463325252; /* xorshift64: nobody has to guess it */
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

static void random_fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)random_u32();
}

static uint16_t ip_checksum(const struct iphdr *ip)
{
	uint16_t words[sizeof(*ip) / 2];
	uint32_t sum = 0;
	memcpy(words, ip, sizeof(words));
	for (size_t i = 0; i < sizeof(*ip) / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

/* The UDP checksum is left out, as IPv4 allows. */
static void frame_aim(struct frame *f, const struct target *t)
{
	struct ether_header *ether = (struct ether_header *)f->data;
	struct iphdr ip;
	memcpy(ether->ether_dhost, &t->mac, sizeof(t->mac));
	memcpy(&ip, f->data + sizeof(*ether), sizeof(ip));
	ip.daddr = t->address.s_addr;
	ip.check = 0;
	ip.check = ip_checksum(&ip);
	memcpy(f->data + sizeof(*ether), &ip, sizeof(ip));
	memset(f->data + HEADERS - 2, 0, 2);
}

/* Around a payload that is there already. */
static void frame_wrap(struct frame *f, size_t payload, const struct target *t)
{
	struct ether_header ether = {
		.ether_shost = {2, 0, 0, 0, 0, 1}, .ether_type = htons(ETHERTYPE_IP)};
	struct iphdr ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
	struct udphdr udp = {.dest = htons(t->port)};
	udp.len = htons((uint16_t)(sizeof(udp) + payload));
	ip.tot_len = htons((uint16_t)(sizeof(ip) + sizeof(udp) + payload));
	f->len = HEADERS + payload;
	memcpy(f->data, &ether, sizeof(ether));
	memcpy(f->data + sizeof(ether), &ip, sizeof(ip));
	memcpy(f->data + sizeof(ether) + sizeof(ip), &udp, sizeof(udp));
}

static void frame_spoof(struct frame *f, const struct target *t)
{
	struct iphdr ip;
	uint16_t port = htons((uint16_t)(1024 + random_u32() % 60000));
	memcpy(&ip, f->data + sizeof(struct ether_header), sizeof(ip));
	ip.saddr = htonl(0xc6120000 | (random_u32() & 0x1ffff));
	memcpy(f->data + sizeof(struct ether_header), &ip, sizeof(ip));
	memcpy(f->data + sizeof(struct ether_header) + sizeof(ip), &port, sizeof(port));
	frame_aim(f, t);
}

static size_t make_junk(struct frame *f)
{
	size_t len = 1 + random_u32() % PAYLOAD_MAX;
	random_fill(f->data + HEADERS, len);
	return len;
}

static size_t make_bad_mac1(struct frame *f)
{
	random_fill(f->data + HEADERS, sizeof(struct message_handshake_initiation));
	memcpy(f->data + HEADERS, (const uint8_t[4]){1}, 4);
	return sizeof(struct message_handshake_initiation);
}

static int make_initiation(struct frame *f, const struct key *hub)
{
	struct message_handshake_initiation m;
	struct noise_identity identity;
	struct noise_remote remote;
	struct cookie_maker maker;
	struct key private_key;
	int err = random_bytes(&private_key, sizeof(private_key));
	if (err == 0)
		err = noise_identity_init(&identity, &private_key);
	if (err != 0)
		return err;
	noise_remote_init(&remote, hub, &(const struct key){{0}});
	cookie_maker_init(&maker, hub);
	err = noise_initiation_create(&identity, &remote, random_u32(), clock_realtime_ns(), &m);
	cookie_macs_add(&maker, &m, sizeof(m), clock_monotonic_ns());
	memcpy(f->data + HEADERS, &m, sizeof(m));
	noise_remote_fini(&remote);
	noise_identity_fini(&identity);
	return err;
}

/* How many there are; 0: the file cannot be used. */
static unsigned int read_pcap(const char *path, struct frame *pool, const struct target *t)
{
	uint8_t head[PCAP_HEADER], record[PCAP_RECORD];
	unsigned int count = 0;
	FILE *file = fopen(path, "re");
	if (file == NULL || fread(head, sizeof(head), 1, file) != 1)
		perror(path);
	while (file != NULL && count < POOL && fread(record, sizeof(record), 1, file) == 1) {
		uint32_t len;
		memcpy(&len, record + 8, sizeof(len)); /* written on this machine: its byte order */
		if (len < HEADERS || len > sizeof(pool->data)
			|| fread(pool[count].data, len, 1, file) != 1)
			break;
		pool[count].len = len;
		frame_aim(&pool[count], t);
		count++;
	}
	if (file != NULL)
		(void)fclose(file);
	return count;
}

/* The frames to send, over and over; 0: none could be made. */
static unsigned int make_pool(
	struct frame *pool, const struct target *t, const char *kind, const char *argument)
{
	struct key hub;
	if (strcmp(kind, "replay") == 0)
		return read_pcap(argument, pool, t);
	bool true_ones = strcmp(kind, "initiation") == 0;
	if (true_ones
		&& base64_decode(argument, strlen(argument), (uint8_t *)&hub, sizeof(hub))
			!= sizeof(hub))
		return 0;
	for (unsigned int i = 0; i < POOL; i++) {
		size_t len = sizeof(struct message_handshake_initiation);
		if (true_ones) {
			if (make_initiation(&pool[i], &hub) != 0)
				return 0;
		} else {
			len = strcmp(kind, "junk") == 0 ? make_junk(&pool[i])
							: make_bad_mac1(&pool[i]);
		}
		frame_wrap(&pool[i], len, t);
	}
	return POOL;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll where = {
		.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0); /* 0: receives nothing */
	if (fd >= 0 && bind(fd, (const struct sockaddr *)&where, sizeof(where)) == 0
		&& setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &(int){1}, sizeof(int)) == 0)
		return fd;
	perror(interface);
	return -1;
}

static void sleep_until(uint64_t ns)
{
	struct timespec at = {
		.tv_sec = (time_t)(ns / NS_PER_SEC), .tv_nsec = (long)(ns % NS_PER_SEC)};
	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
}

struct sent {
	unsigned long frames, bytes;
};

/* What went out; a full queue swallows the rest of its batch. */
static struct sent send_all(int fd, struct flood *f)
{
	struct mmsghdr message[BATCH] = {0};
	struct iovec part[BATCH];
	struct sent sent = {0};
	unsigned int next = 0;
	uint64_t at = clock_monotonic_ns(), end = at + f->seconds * NS_PER_SEC;
	for (; at < end; at += BATCH * NS_PER_SEC / f->rate) {
		for (unsigned int i = 0; i < BATCH; i++, next = (next + 1) % f->count) {
			struct frame *frame = &f->pool[next];
			if (f->spoofs)
				frame_spoof(frame, &f->target);
			part[i] = (struct iovec){.iov_base = frame->data, .iov_len = frame->len};
			message[i].msg_hdr.msg_iov = &part[i];
			message[i].msg_hdr.msg_iovlen = 1;
		}
		int n = sendmmsg(fd, message, BATCH, MSG_DONTWAIT);
		for (int i = 0; i < n; i++)
			sent.bytes += part[i].iov_len;
		sent.frames += n > 0 ? (unsigned long)n : 0;
		sleep_until(at);
	}
	return sent;
}

int main(int argc, char **argv)
{
	static struct flood f;
	if (argc < 8 || ether_aton_r(argv[2], &f.target.mac) == NULL
		|| inet_pton(AF_INET, argv[3], &f.target.address) != 1) {
		(void)fprintf(stderr,
			"usage: flood INTERFACE MAC ADDRESS PORT RATE SECONDS KIND [ARGUMENT]\n");
		return 2;
	}
	const char *kind = argv[7], *argument = argc > 8 ? argv[8] : "";
	f.target.port = (uint16_t)strtoul(argv[4], NULL, 10);
	f.rate = strtoul(argv[5], NULL, 10);
	f.seconds = strtoul(argv[6], NULL, 10);
	f.spoofs = strcmp(kind, "replay") != 0;
	if (f.rate < BATCH || f.rate > RATE_MAX || f.seconds > SECONDS_MAX) {
		(void)fprintf(
			stderr, "flood: at most %d a second for %d s\n", RATE_MAX, SECONDS_MAX);
		return 2;
	}
	f.count = make_pool(f.pool, &f.target, kind, argument);
	int fd = open_socket(argv[1]);
	if (f.count == 0 || fd < 0) {
		(void)fprintf(stderr, "flood: there is nothing to send, or no way\n");
		return 1;
	}
	struct sent sent = send_all(fd, &f);
	printf("%lu %lu\n", sent.frames, sent.bytes);
	(void)close(fd);
	return 0;
}
