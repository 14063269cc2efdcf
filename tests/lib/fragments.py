#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Datagrams of many sizes and fragments that nobody honest sends: fragments.py WHAT ADDRESS PORT [PEER PEER_PORT].
WHAT: sizes (whole datagrams, which the kernel cuts), broken (overlaps, holes, copies, the ping of death), many (first
fragments of more datagrams than anybody has room for), forged (ICMP that says that the way from ADDRESS:PORT to
PEER:PEER_PORT is narrow). Prints how many frames went out."""
import os
import random
import socket
import struct
import sys
import time

PER_SECOND = 4000
UDP = 17
FRAGMENT = 44


class Sender:
    """Raw IP to one address, in either family, not faster than PER_SECOND."""

    def __init__(self, address, port):
        self.v6 = ":" in address
        self.address, self.port = address, port
        family = socket.AF_INET6 if self.v6 else socket.AF_INET
        self.raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, port))
            self.source = probe.getsockname()[0]
        self.sent = 0

    def pace(self):
        self.sent += 1
        if self.sent % 100 == 0:
            time.sleep(100 / PER_SECOND)

    def send(self, number, offset, payload, more, ecn=0):
        """A fragment; offset in bytes."""
        units = offset // 8
        if self.v6:
            header = struct.pack("!IHBB", 6 << 28 | ecn << 20, 8 + len(payload), FRAGMENT, 64)
            header += socket.inet_pton(socket.AF_INET6, self.source) + socket.inet_pton(socket.AF_INET6, self.address)
            header += struct.pack("!BBHI", UDP, 0, units << 3 | more, number)
        else:
            header = struct.pack("!BBHHHBBH", 0x45, ecn, 20 + len(payload), number & 0xFFFF, units | more << 13, 64, UDP, 0)
            header += socket.inet_aton(self.source) + socket.inet_aton(self.address)
        try:
            self.raw.sendto(header + payload, (self.address, 0))
        except OSError:
            return  # the kernel does not let everything out
        self.pace()

    def udp(self, length):
        """A UDP header for so many bytes, and data that begins like a tunnel's."""
        return struct.pack("!HHHH", 4000, self.port, (8 + length) & 0xFFFF, 0) + struct.pack("<I", 4) + os.urandom(60)


def send_sizes(to):
    family = socket.AF_INET6 if to.v6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    edges = [4096, 9000, 16384, 32768, 65000, 65507 if not to.v6 else 65527]
    for size in [*range(2100), *range(2100, 65507, 509), *edges]: # all that a buffer holds, and some of the rest
        sock.sendto(struct.pack("<I", 4)[:size] + os.urandom(max(size - 4, 0)), (to.address, to.port))
        to.pace()


def send_broken(to):
    number = random.randrange(1 << 31)
    for _ in range(20):
        head = to.udp(120)
        for rest in ([(64, 16, True), (72, 16, False)], [(8, 8, True)], [(0, 72, True)], [(0, 72, True)] * 3,
                     [(64, 0, True)], [(64, 8, False), (64, 16, False)], [(1000, 8, False), (500, 3, True)],
                     [(8 * i, 8, True) for i in range(1, 20)], [(65528, 8, False)], [(65528, 1000, False)],
                     [(65120, 1000, True)], [(64, 9, True)], [(2040, 8, False)]):
            number += 1
            to.send(number, 0, head, True)
            for offset, length, more in rest:
                to.send(number, offset, os.urandom(length), more)
        for offset, length, more in ((0, 4, True), (0, 8, True), (8, 8, True), (0, 1, False), (65528, 1, False)):
            number += 1
            to.send(number, offset, os.urandom(length), more)


def send_many(to):
    number = random.randrange(1 << 31)
    for _ in range(PER_SECOND):
        number += 1
        to.send(number, 0, to.udp(2000), True)
        to.send(number, 1400, os.urandom(64), True)


def send_forged(to, peer, peer_port):
    """As from a router on the way: quotes what the hub sends to a peer."""
    quoted_udp = struct.pack("!HHHH", to.port, peer_port, 1460, 0) + struct.pack("<I", 4) + os.urandom(28)
    for mtu in (0, 68, 256, 576, 1000, 1280, 1300) * 20:
        if to.v6:
            quote = struct.pack("!IHBB", 6 << 28, 1460, UDP, 60)
            quote += socket.inet_pton(socket.AF_INET6, to.address) + socket.inet_pton(socket.AF_INET6, peer) + quoted_udp
            sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)  # its sum is the kernel's work
            message = struct.pack("!BBHI", 2, 0, 0, mtu) + quote
        else:
            quote = struct.pack("!BBHHHBBH", 0x45, 0, 1480, 7, 0, 60, UDP, 0)
            quote += socket.inet_aton(to.address) + socket.inet_aton(peer) + quoted_udp
            sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            message = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quote
            total = sum(struct.unpack(f"!{len(message) // 2}H", message))
            while total >> 16:
                total = (total & 0xFFFF) + (total >> 16)
            message = message[:2] + struct.pack("!H", ~total & 0xFFFF) + message[4:]
        with sock:
            sock.sendto(message, (to.address, 0))
        to.pace()


def main(what, address, port, *rest):
    to = Sender(address, int(port))
    if what == "forged":
        send_forged(to, rest[0], int(rest[1]))
    else:
        {"sizes": send_sizes, "broken": send_broken, "many": send_many}[what](to)
    print(to.sent)


main(*sys.argv[1:])
