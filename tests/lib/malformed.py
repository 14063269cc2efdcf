#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends a hub what no WireGuard client would: malformed.py ADDRESS... PORT. Prints the number of answers."""
import os
import select
import socket
import struct
import sys

# type: length on the wire (data: the least)
LENGTHS = {1: 148, 2: 92, 3: 64, 4: 32}


def datagrams():
    for kind, length in LENGTHS.items():
        head = struct.pack("<I", kind)
        whole = head + os.urandom(length - 4)
        for cut in (4, 8, length // 2, length - 1):
            yield whole[:cut]
        if kind != 4:
            yield whole + b"\0"
        yield whole  # the right length, and nothing else right
        yield struct.pack("<BBBB", kind, 1, 0, 0) + whole[4:]  # reserved bytes are zero
    yield struct.pack("<I", 4) + struct.pack("<IQ", 0, 0) + os.urandom(16)
    yield struct.pack("<I", 4) + struct.pack("<IQ", 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF) + os.urandom(1392)
    for kind in (0, 5, 6, 255):
        yield struct.pack("<I", kind) + os.urandom(144)
    for length in (0, 1, 2, 3):
        yield b"\1\0\0"[:length]


def main(addresses, port):
    sockets = []
    answers = 0
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sockets.append(socket.socket(family, socket.SOCK_DGRAM))
        sockets[-1].connect((address, port))
        for datagram in datagrams():
            try:
                sockets[-1].send(datagram)
            except ConnectionRefusedError:
                answers += 1  # a port unreachable is an answer as well
    while ready := select.select(sockets, [], [], 0.5)[0]:
        for sock in ready:
            try:
                sock.recv(2048)
            except ConnectionRefusedError:
                pass
            answers += 1
    print(answers)


main(sys.argv[1:-1], int(sys.argv[-1]))
