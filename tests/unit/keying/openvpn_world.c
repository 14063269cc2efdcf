// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/keying/openvpn_world.h"

#include "dataplane/base/clock.h"
#include "tests/unit/ovpn/vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <rte_ring.h>

#define ROUND_NS (60 * NS_PER_MS)

struct openvpn_world o;
struct certificate openvpn_ca, openvpn_alice, openvpn_bob, openvpn_stranger;
static struct certificate other_ca, server;

const char openvpn_peer_info[] = "IV_VER=2.6.14\nIV_PLAT=linux\nIV_TCPNL=1\nIV_MTU=1600\nIV_NCP=2\n"
				 "IV_CIPHERS=AES-256-GCM\nIV_PROTO=990\n";
const char openvpn_peer_info_update[] =
	"IV_VER=2.7.0\nIV_PLAT=linux\nIV_MTU=1600\nIV_NCP=2\nIV_CIPHERS=AES-256-GCM\nIV_PROTO=5086\n";

int openvpn_group_start(void **state)
{
	openvpn_ca = certificate_make(NULL, "ca", 2);
	other_ca = certificate_make(NULL, "other", 5);
	server = certificate_make(&openvpn_ca, "hub", 3);
	openvpn_alice = certificate_make(&openvpn_ca, "alice", 5);
	openvpn_bob = certificate_make(&openvpn_ca, "bob", 3);
	openvpn_stranger = certificate_make(&other_ca, "alice", 5);
	return fixture_start_eal(state);
}

int openvpn_group_end(void **state)
{
	certificate_free(&openvpn_ca);
	certificate_free(&other_ca);
	certificate_free(&server);
	certificate_free(&openvpn_alice);
	certificate_free(&openvpn_bob);
	certificate_free(&openvpn_stranger);
	return fixture_stop_eal(state);
}

int openvpn_start(void **state)
{
	memset(&o, 0, sizeof(o));
	o.listening = -1;
	assert_int_equal(
		unhex(vector_static_key, o.key.bytes, sizeof(o.key.bytes)), STATIC_KEY_LEN);
	o.wkc_len = unhex(tls_crypt_v2_wkc, o.wkc, sizeof(o.wkc));
	assert_int_equal(cipher_engine_new(&o.engine), 0);
	return fixture_start(state);
}

int openvpn_end(void **state)
{
	openvpn_hand_out();
	cipher_engine_free(o.engine);
	if (o.listening >= 0)
		(void)close(o.listening);
	return fixture_end(state);
}

size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak)); // NOLINT: its name

size_t openvpn_heap(void)
{
	struct mallinfo2 has = mallinfo2();
	return __sanitizer_get_current_allocated_bytes != NULL
		? __sanitizer_get_current_allocated_bytes()
		: has.uordblks + has.hblkhd;
}

void openvpn_listen(const struct listen *l)
{
	const struct certificate *shown = l->server != NULL ? l->server : &server;
	struct keying_listener_settings s = {
		.id.bytes = {l->number != 0 ? l->number : LISTENER},
		.port = l->port != 0 ? l->port : HUB_PORT,
		.is_tcp = l->is_tcp,
		.requires_certificate = !l->no_certificate,
		.requires_password = l->password,
		.wrap = l->wrap,
		.digest = WRAP_SHA256,
		.wrap_key = o.key,
		.tls = {.certificate = shown->certificate,
			.private_key = shown->private_key,
			.ca = openvpn_ca.certificate,
			.min = TLS_VERSION_1_2,
			.security_level = 1},
		.renegotiate_s = l->renegotiate_s,
		.tun_mtu = 1420,
	};
	struct keying_listener *made;
	const char *what = NULL;
	if (l->wrap == WRAP_TLS_CRYPT_V2)
		(void)unhex(tls_crypt_v2_server_key, s.wrap_key.bytes, sizeof(s.wrap_key.bytes));
	for (unsigned int n = 0; n < DATA_CIPHER_COUNT; n++)
		s.ciphers.ciphers[s.ciphers.cipher_count++] = &data_ciphers[n];
	for (unsigned int n = 0; n < DATA_DIGEST_COUNT; n++)
		s.ciphers.digests[s.ciphers.digest_count++] = &data_digests[n];
	assert_int_equal(keying_listener_new(&s, &made, &what), 0);
	keying_listener_apply(&f.k, f.instance, made);
}

void openvpn_listen_tcp(const struct listen *l)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	struct listen tcp = *l;
	tcp.is_tcp = true;
	openvpn_listen(&tcp);
	o.listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(o.listening >= 0);
	assert_int_equal(bind(o.listening, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(o.listening, 64), 0);
	assert_int_equal(getsockname(o.listening, (struct sockaddr *)&at, &len), 0);
	o.tcp_port = ntohs(at.sin_port);
	struct uuid id = {.bytes = {l->number != 0 ? l->number : LISTENER}};
	int copy = fcntl(o.listening, F_DUPFD_CLOEXEC, 0);
	assert_true(copy >= 0);
	keying_listener_socket_apply(&f.k, f.instance, &id, copy);
}

static void fingerprint(const struct certificate *who, uint8_t ret[32])
{
	BIO *b = BIO_new_mem_buf(who->certificate, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	unsigned int len = 0;
	assert_int_equal(X509_digest(x, EVP_sha256(), ret, &len), 1);
	X509_free(x);
	BIO_free(b);
}

struct keying_credential *openvpn_credential(
	uint16_t number, const struct certificate *who, const char *username, const char *password)
{
	struct keying_credential *c = calloc(1, sizeof(*c));
	uint8_t salted[80];
	assert_non_null(c);
	c->has_certificate = who != NULL;
	if (who != NULL)
		fingerprint(who, c->certificate);
	if (username != NULL) {
		size_t len = strlen(password);
		(void)snprintf(c->username, sizeof(c->username), "%s", username);
		memset(c->salt, (uint8_t)number, sizeof(c->salt));
		memcpy(salted, c->salt, sizeof(c->salt));
		(void)snprintf((char *)salted + sizeof(c->salt), sizeof(salted) - sizeof(c->salt),
			"%s", password);
		assert_int_equal(EVP_Digest(salted, sizeof(c->salt) + len, c->password, NULL,
					 EVP_sha256(), NULL),
			1);
	}
	assert_int_equal(ip_addr_parse("10.0.0.9", &c->address4), 0);
	write_be16(c->address4.bytes + 14, number);
	return c;
}

void openvpn_give(struct peer *p, struct keying_credential *c)
{
	struct keying_peer kp = {
		.peer = p, .credential = c, .keeps_preshared_key = true, .keeps_keepalive = true};
	keying_peer_apply(&f.k, &kp);
}

struct peer *openvpn_peer(
	uint16_t number, const struct certificate *who, const char *username, const char *password)
{
	struct peer_settings s = {.id.bytes = {(uint8_t)number, 8, (uint8_t)(number >> 8)},
		.instance = f.instance,
		.type = PEER_TYPE_CLIENT,
		.allowed_any = true};
	struct peer *p = NULL;
	bool created;
	assert_int_equal(peer_set(f.tables, &s, &p, &created), 0);
	openvpn_give(p, openvpn_credential(number, who, username, password));
	return p;
}

void caller_prepare(struct caller *c, uint8_t number, const struct certificate *who)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->port = HUB_PORT;
	assert_int_equal(ip_endpoint_parse("198.51.100.1:4500", &c->at), 0);
	c->at.addr.bytes[15] = number;
	c->setup = (struct session_client_setup){.who = who,
		.peer_info = openvpn_peer_info,
		.key = &o.key,
		.wkc = o.wkc,
		.wkc_len = o.wkc_len};
}

void caller_begin(struct caller *c)
{
	unsigned int n = 0;
	while (o.caller[n] != NULL)
		n++;
	assert_true(n < CALLERS_MAX);
	o.caller[n] = c;
	o.callers = n < o.callers ? o.callers : n + 1;
	if (c->setup.mode == WRAP_TLS_CRYPT_V2)
		(void)unhex(tls_crypt_v2_kc, o.key.bytes, sizeof(o.key.bytes));
	session_client_init(&c->ovpn, &c->setup);
	if (c->setup.mode == WRAP_TLS_CRYPT_V2) /* it says that it knows early negotiation */
		c->ovpn.stamp = (struct wrap_stamp){
			.id = 0x0f000000, .time = (uint32_t)(clock_realtime_ns() / NS_PER_SEC)};
	memset(c->ovpn.own.bytes, c->at.addr.bytes[15] + (int)n * 16 + 1, SESSION_ID_LEN);
}

int connect_raw(uint8_t network)
{
	struct sockaddr_in from = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK | (uint32_t)network << 8)};
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(o.tcp_port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

bool is_closed(int fd)
{
	uint8_t data[256];
	ssize_t got;
	while ((got = read(fd, data, sizeof(data))) > 0) {
	}
	return got == 0 || errno != EAGAIN;
}

void caller_begin_tcp(struct caller *c)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(o.tcp_port)};
	c->setup.is_tcp = true;
	tcp_framer_init(&c->framer, c->packet, sizeof(c->packet));
	int on = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(connect(c->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
	caller_begin(c);
}

void caller_end(struct caller *c)
{
	for (unsigned int n = 0; n < o.callers; n++) {
		if (o.caller[n] == c)
			o.caller[n] = NULL;
	}
	if (c->has_keys) {
		data_send_fini(&c->send);
		data_receive_fini(&c->receive);
	}
	if (c->fd >= 0)
		(void)close(c->fd);
	session_client_fini(&c->ovpn);
}

static struct rte_mbuf *make_frame(
	const struct ip_endpoint *from, uint16_t port, const uint8_t *wire, size_t len)
{
	static const uint8_t ethernet[14] = {2, 1, [6] = 2, 9, [12] = 0x08};
	static const uint8_t hub[4] = {203, 0, 113, 1};
	struct rte_mbuf *m = rte_pktmbuf_alloc(f.rings.pool);
	uint8_t *frame = m != NULL
		? (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(FIXTURE_OUTER + len))
		: NULL;
	if (frame == NULL)
		abort(); /* the pool is large */
	memset(frame, 0, FIXTURE_OUTER);
	memcpy(frame, ethernet, sizeof(ethernet));
	frame[14] = 0x45;
	memcpy(frame + 26, from->addr.bytes + 12, 4);
	memcpy(frame + 30, hub, 4);
	write_be16(frame + 34, from->port);
	write_be16(frame + 36, port);
	memcpy(frame + FIXTURE_OUTER, wire, len);
	memset(pkt_of(m), 0, sizeof(struct pkt));
	pkt_of(m)->outer_len = FIXTURE_OUTER;
	pkt_of(m)->handle = instance_handle(f.instance);
	return m;
}

void deliver_openvpn(const struct ip_endpoint *from, uint16_t port, const uint8_t *wire, size_t len)
{
	struct keying_message about = {.type = KEYING_OPENVPN,
		.mbuf = make_frame(from, port, wire, len),
		.remote = from->addr,
		.remote_port = from->port,
		.local_port = port};
	assert_int_equal(ip_addr_parse("203.0.113.1", &about.local), 0);
	keying_control_receive(&f.k, &about);
}

/* A frame that goes out: UDP of a client of ours. */
static void bring(struct rte_mbuf *m)
{
	const uint8_t *frame = rte_pktmbuf_mtod(m, const uint8_t *);
	struct ip_endpoint to = {ip_addr_from_v4(frame + 30), read_be16(frame + 36)};
	uint16_t from = read_be16(frame + 34);
	assert_true(m->data_len > FIXTURE_OUTER);
	for (unsigned int n = 0; n < o.callers; n++) {
		struct caller *c = o.caller[n];
		if (c == NULL || c->fd >= 0 || c->port != from || !ip_endpoint_equal(&c->at, &to))
			continue;
		c->answers++;
		c->has_news = true;
		session_client_receive(
			&c->ovpn, frame + FIXTURE_OUTER, (size_t)(m->data_len - FIXTURE_OUTER));
		return;
	}
	o.lost++;
}

static void keep(uint8_t to[DATA_MAX], size_t *ret_len, const uint8_t *data, size_t len)
{
	assert_true(len <= DATA_MAX);
	memcpy(to, data, len);
	*ret_len = len;
}

void openvpn_hand_out(void)
{
	struct rte_mbuf *m;
	while ((m = take_injected()) != NULL) {
		unsigned int how = pkt_of(m)->inject;
		if (how == PKT_INJECT_TX) {
			bring(m);
		} else if (how == PKT_INJECT_FROM_PEER) {
			o.data++;
			keep(o.last, &o.last_len, rte_pktmbuf_mtod(m, uint8_t *), m->data_len);
		} else if (how == PKT_INJECT_PEER_INNER && m->data_len == 0) {
			o.pings++;
		}
		rte_pktmbuf_free(m);
	}
}

static void open_data(struct caller *c, uint8_t *packet, size_t len)
{
	struct data_header h;
	struct cipher_job job;
	struct data_span span;
	c->data++;
	if (!c->has_keys)
		return;
	assert_int_equal(data_header_read(packet, (uint32_t)len, &h), 0);
	assert_int_equal(data_open_prepare(&c->receive, &h, packet, (uint32_t)len, &job), 0);
	cipher_open(o.engine, &job, 1);
	assert_int_equal(data_open_finish(&c->receive, &job, &span), 0);
	keep(c->last, &c->last_len, span.at, span.len);
}

void caller_read(struct caller *c)
{
	uint8_t buffer[65536];
	ssize_t got;
	while ((got = read(c->fd, buffer, sizeof(buffer))) > 0) {
		const uint8_t *at = buffer;
		size_t left = (size_t)got;
		while (left > 0) {
			ssize_t n = tcp_framer_read(&c->framer, &at, &left);
			assert_true(n >= 0);
			unsigned int opcode = n > 0 ? first_byte_opcode(c->packet[0]) : 0;
			if (opcode == P_DATA_V1 || opcode == P_DATA_V2)
				open_data(c, c->packet, (size_t)n);
			else if (n > 0)
				session_client_receive(&c->ovpn, c->packet, (size_t)n);
			c->has_news = c->has_news || n > 0;
			c->answers += n > 0 ? 1 : 0;
		}
	}
	c->is_closed = c->is_closed || got == 0 || errno != EAGAIN;
}

void caller_write(struct caller *c, const void *data, size_t len)
{
	const uint8_t *at = data;
	while (len > 0) {
		size_t piece = c->piece != 0 && c->piece < len ? c->piece : len;
		ssize_t n = send(c->fd, at, piece, MSG_NOSIGNAL);
		if (n < 0)
			return; /* closed */
		at += n;
		len -= (size_t)n;
		if (c->piece != 0)
			(void)keying_round(&f.k);
	}
}

/* A thousand who have nothing to say cost a round nothing. */
static bool has_to_say(const struct caller *c)
{
	return c->has_news || session_client_deadline(&c->ovpn) <= f.k.now_ns
		|| BIO_ctrl_pending(c->ovpn.key[c->ovpn.newest].out) > 0;
}

static void caller_speak(struct caller *c)
{
	uint8_t wire[TCP_LENGTH_LEN + CONTROL_PACKET_MAX];
	uint32_t now_s = (uint32_t)(clock_realtime_ns() / NS_PER_SEC);
	size_t len;
	if (!has_to_say(c))
		return;
	c->has_news = false;
	while ((len = session_client_take(&c->ovpn, wire + TCP_LENGTH_LEN, f.k.now_ns, now_s))
		> 0) {
		write_be16(wire, (uint16_t)len);
		if (c->fd >= 0)
			caller_write(c, wire, TCP_LENGTH_LEN + len);
		else
			deliver_openvpn(&c->at, c->port, wire + TCP_LENGTH_LEN, len);
	}
}

void openvpn_run(unsigned int rounds)
{
	for (unsigned int r = 0; r < rounds; r++) {
		for (unsigned int n = 0; n < o.callers; n++) {
			if (o.caller[n] != NULL)
				caller_speak(o.caller[n]);
		}
		f.k.now_ns += ROUND_NS;
		(void)keying_round(&f.k);
		openvpn_hand_out();
		for (unsigned int n = 0; n < o.callers; n++) {
			if (o.caller[n] != NULL && o.caller[n]->fd >= 0)
				caller_read(o.caller[n]);
		}
	}
}

static void make_keys(struct caller *c)
{
	const struct key_block *block = &c->ovpn.key[c->ovpn.newest].exported;
	struct cipher_suite suite = {.algorithm = CIPHER_AES_256_GCM};
	struct data_header header = {
		.len = DATA_V1_HEADER_LEN, .peer_id = DATA_NO_PEER_ID, .key_id = c->ovpn.newest};
	assert_int_equal(data_send_init(&c->send, o.engine, &suite,
				 key_block_slots(block, KEY_BLOCK_CLIENT_TO_SERVER), &header),
		0);
	assert_int_equal(data_receive_init(&c->receive, o.engine, &suite,
				 key_block_slots(block, KEY_BLOCK_SERVER_TO_CLIENT), true),
		0);
	c->has_keys = true;
}

bool caller_heard(const struct caller *c, const char *text)
{
	return strstr(c->ovpn.heard, text) != NULL;
}

bool caller_is_up(struct caller *c)
{
	bool is_up = caller_heard(c, "PUSH_REPLY");
	if (is_up && !c->has_keys)
		make_keys(c);
	return is_up;
}

bool caller_connects(struct caller *c)
{
	for (unsigned int n = 0; n < 60 && !caller_heard(c, "PUSH_REPLY"); n++)
		openvpn_run(1);
	openvpn_run(3);
	return caller_is_up(c);
}

void caller_takes_newest_key(struct caller *c)
{
	data_send_fini(&c->send);
	data_receive_fini(&c->receive);
	make_keys(c);
}

void enqueue_data(const struct peer *p, const uint8_t *payload, uint16_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(f.rings.pool);
	uint8_t *to = m != NULL ? (uint8_t *)rte_pktmbuf_append(m, len) : NULL;
	if (to == NULL)
		abort(); /* the pool is large */
	memset(pkt_of(m), 0, sizeof(struct pkt));
	if (len > 0)
		memcpy(to, payload, len);
	pkt_of(m)->handle = peer_handle(p);
	assert_int_equal(rte_ring_enqueue(f.rings.stream, m), 0);
}

void caller_send_data(struct caller *c, const uint8_t *payload, size_t len)
{
	uint8_t buffer[DATA_MAX + 256];
	struct data_span span = {buffer + 128, (uint32_t)len};
	struct cipher_job job;
	memcpy(span.at, payload, len);
	assert_int_equal(data_seal_prepare(&c->send, &span, &job), 0);
	cipher_seal(o.engine, &job, 1);
	assert_true(job.ok);
	uint8_t *head = span.at - TCP_LENGTH_LEN;
	write_be16(head, (uint16_t)span.len);
	caller_write(c, head, TCP_LENGTH_LEN + span.len);
}
