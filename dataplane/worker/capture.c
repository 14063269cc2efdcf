// SPDX-License-Identifier: Apache-2.0
#include "dataplane/worker/capture.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* The names and numbers of the draft, section 4. */
enum {
	BLOCK_SECTION_HEADER = 0x0a0d0d0a,
	BLOCK_INTERFACE_DESCRIPTION = 1,
	BLOCK_ENHANCED_PACKET = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_RAW = 101,
	OPTION_END = 0,
	OPTION_IF_TSRESOL = 9,
	OPTION_EPB_FLAGS = 2,
	TSRESOL_NANOSECONDS = 9, /* a power of ten */
	FLAG_INBOUND = 1,
	FLAG_OUTBOUND = 2,
};

struct section_header {
	uint32_t type, length, magic;
	uint16_t major, minor;
	uint64_t section_length; /* all ones: not told */
	uint32_t length_again;
} __attribute__((packed));
static_assert(sizeof(struct section_header) == 28);

struct interface_description {
	uint32_t type, length;
	uint16_t linktype, reserved;
	uint32_t snaplen; /* 0: no limit */
	uint16_t option, option_len;
	uint8_t resolution, pad[3];
	uint32_t end;
	uint32_t length_again;
};
static_assert(sizeof(struct interface_description) == 32);

struct packet_head {
	uint32_t type, length, interface, timestamp_high, timestamp_low, captured_len, original_len;
};

struct packet_tail {
	uint16_t option, option_len;
	uint32_t flags, end, length_again;
};

static void end(struct captures *c, struct capture *file)
{
	(void)close(file->fd);
	file->is_open = false;
	c->open--;
}

static struct capture *find(const struct captures *c, uint64_t peer)
{
	for (unsigned int i = 0; c->open > 0 && i < CAPTURES_MAX; i++) {
		const struct capture *file = &c->capture[i];
		if (file->is_open && file->settings.peer == peer)
			return (struct capture *)file;
	}
	return NULL;
}

static int write_head(struct capture *file)
{
	const struct section_header section = {.type = BLOCK_SECTION_HEADER,
		.length = sizeof(section),
		.magic = BYTE_ORDER_MAGIC,
		.major = 1,
		.section_length = UINT64_MAX,
		.length_again = sizeof(section)};
	const struct interface_description interface = {.type = BLOCK_INTERFACE_DESCRIPTION,
		.length = sizeof(interface),
		.linktype = file->settings.is_inner ? LINKTYPE_RAW : LINKTYPE_ETHERNET,
		.option = OPTION_IF_TSRESOL,
		.option_len = 1,
		.resolution = TSRESOL_NANOSECONDS,
		.end = OPTION_END,
		.length_again = sizeof(interface)};
	uint8_t head[sizeof(section) + sizeof(interface)];
	memcpy(head, &section, sizeof(section));
	memcpy(head + sizeof(section), &interface, sizeof(interface));
	file->bytes = sizeof(head);
	return write(file->fd, head, sizeof(head)) == (ssize_t)sizeof(head) ? 0 : -EIO;
}

static struct capture *free_place(struct captures *c)
{
	for (unsigned int i = 0; i < CAPTURES_MAX; i++) {
		if (!c->capture[i].is_open)
			return &c->capture[i];
	}
	return NULL;
}

int capture_open(struct captures *c, const struct capture_settings *s, int fd)
{
	struct capture *file = find(c, s->peer) == NULL ? free_place(c) : NULL;
	if (file == NULL) {
		(void)close(fd);
		return -EBUSY;
	}
	*file = (struct capture){.settings = *s, .fd = fd};
	int err = write_head(file);
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	file->is_open = true;
	c->open++;
	return (int)(file - c->capture);
}

void capture_write(struct captures *c, uint64_t peer, bool outbound, const void *data, uint32_t len,
	uint64_t realtime_ns)
{
	struct capture *file = find(c, peer);
	if (file == NULL)
		return;
	uint8_t zeros[3] = {0};
	uint32_t pad = -len & 3;
	uint32_t whole =
		(uint32_t)(sizeof(struct packet_head) + len + pad + sizeof(struct packet_tail));
	struct packet_head head = {.type = BLOCK_ENHANCED_PACKET,
		.length = whole,
		.timestamp_high = (uint32_t)(realtime_ns >> 32),
		.timestamp_low = (uint32_t)realtime_ns,
		.captured_len = len,
		.original_len = len};
	struct packet_tail tail = {.option = OPTION_EPB_FLAGS,
		.option_len = sizeof(tail.flags),
		.flags = outbound ? FLAG_OUTBOUND : FLAG_INBOUND,
		.end = OPTION_END,
		.length_again = whole};
	void *packet = (void *)(uintptr_t)data; // NOLINT(performance-no-int-to-ptr): only read
	struct iovec parts[] = {
		{&head, sizeof(head)}, {packet, len}, {zeros, pad}, {&tail, sizeof(tail)}};
	if (whole > file->settings.max_bytes - file->bytes
		|| writev(file->fd, parts, sizeof(parts) / sizeof(parts[0])) != (ssize_t)whole) {
		end(c, file);
		return;
	}
	file->bytes += whole;
}

void capture_expire(struct captures *c, uint64_t now_ns)
{
	for (unsigned int i = 0; c->open > 0 && i < CAPTURES_MAX; i++) {
		struct capture *file = &c->capture[i];
		if (file->is_open && now_ns >= file->settings.end_ns)
			end(c, file);
	}
}

bool capture_is_open(const struct captures *c, uint64_t peer)
{
	return find(c, peer) != NULL;
}

void capture_close(struct captures *c, uint64_t peer)
{
	struct capture *file = find(c, peer);
	if (file != NULL)
		end(c, file);
}

void captures_fini(struct captures *c)
{
	capture_expire(c, UINT64_MAX);
}
