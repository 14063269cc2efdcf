# SPDX-License-Identifier: Apache-2.0
"""replay.py PCAP ADDRESS PORT: sends the UDP payload of the first frame (Ethernet, IPv4 without options)
of a capture there, once, and prints how many answers come within a second."""
import socket
import struct
import sys

UDP_PAYLOAD = 14 + 20 + 8


def first_payload(path):
    with open(path, "rb") as f:
        data = f.read()
    length = struct.unpack_from("<I", data, 24 + 8)[0]
    return data[24 + 16 + UDP_PAYLOAD:24 + 16 + length]


def main():
    payload = first_payload(sys.argv[1])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(1)
        s.sendto(payload, (sys.argv[2], int(sys.argv[3])))
        try:
            s.recv(2048)
            print(1)
        except TimeoutError:
            print(0)


main()
