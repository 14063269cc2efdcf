#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An OpenVPN client with the habits of RouterOS, written from the wire format; no router has been near it. TCP only, no
interface: it makes its own pings and answers those that come. Exit code: 0 when each of its pings was answered."""
import argparse
import hashlib
import hmac
import os
import re
import select
import socket
import ssl
import struct
import sys
import time

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CONTROL, ACK, DATA_V1, HARD_RESET, DATA_V2 = 4, 5, 6, 7, 9
MAC_LEN, IV_LEN, BLOCK = 20, 16, 16


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("profile", help="as issued: address, CA, name and password are taken from it")
    parser.add_argument("target", help="IPv4 address to ping")
    parser.add_argument("--single-reset", action="store_true", help="one hard reset, not two at once")
    parser.add_argument("--early-hello", action="store_true", help="the TLS hello before the reset's answer")
    parser.add_argument("--peer-info", default="", help="e.g. IV_PROTO=2: then it sends P_DATA_V2")
    parser.add_argument("--cipher", default="AES-256-CBC", help="AES-{128,192,256}-{CBC,GCM}")
    parser.add_argument("--tls", choices=("1.2", "1.3"), default="1.2")
    parser.add_argument("--pings", type=int, default=4)
    parser.add_argument("--serve", type=float, default=0, help="seconds for which it answers pings afterwards")
    return parser.parse_args()


def read_profile(path):
    text = open(path, encoding="utf-8").read()
    address, port = re.search(r"^remote (\S+) (\d+)", text, re.M).groups()
    ca = re.search(r"<ca>\n(.*?)</ca>", text, re.S).group(1)
    name, password = re.search(r"<auth-user-pass>\n(\S+)\n(\S+)\n", text).groups()
    return address, int(port), ca, name, password


def string(value):
    value = value.encode() + b"\0"
    return struct.pack(">H", len(value)) + value


def expand(digest, secret, seed, length):
    step, out = seed, b""
    while len(out) < length:
        step = hmac.new(secret, step, digest).digest()
        out += hmac.new(secret, step + seed, digest).digest()
    return out[:length]


def prf(secret, seed, length):
    half = (len(secret) + 1) // 2
    md5 = expand(hashlib.md5, secret[:half], seed, length)
    sha1 = expand(hashlib.sha1, secret[len(secret) - half :], seed, length)
    return bytes(a ^ b for a, b in zip(md5, sha1))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo(kind, source, target, identity, payload):
    message = struct.pack(">BBHHH", kind, 0, 0, *identity) + payload
    message = message[:2] + struct.pack(">H", checksum(message)) + message[4:]
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0, 64, 1, 0) + source + target
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + message


class Data:
    """The data channel, keys of key method 2 without EKM"""

    def __init__(self, cipher, keys, peer_id):
        length = int(cipher[4:7]) // 8
        self.is_gcm = cipher.endswith("GCM")
        self.header = bytes([DATA_V1 << 3]) if peer_id is None else bytes([DATA_V2 << 3]) + peer_id.to_bytes(3, "big")
        self.out, self.out_mac = keys[:length], keys[64 : 64 + MAC_LEN]
        self.back, self.back_mac = keys[128 : 128 + length], keys[192 : 192 + MAC_LEN]
        self.sent = self.received = 0

    def authenticated(self, header):
        return header if header[0] >> 3 == DATA_V2 else b""

    def seal(self, plain):
        self.sent += 1
        number = struct.pack(">I", self.sent)
        if self.is_gcm:
            sealed = AESGCM(self.out).encrypt(
                number + self.out_mac[:8], plain, self.authenticated(self.header) + number
            )
            return self.header + number + sealed[-16:] + sealed[:-16]
        plain = number + plain
        pad = BLOCK - len(plain) % BLOCK
        iv = os.urandom(IV_LEN)
        encryptor = Cipher(algorithms.AES(self.out), modes.CBC(iv)).encryptor()
        sealed = iv + encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()
        return self.header + hmac.new(self.out_mac, sealed, hashlib.sha1).digest() + sealed

    def open(self, packet):
        header, body = (packet[:4], packet[4:]) if packet[0] >> 3 == DATA_V2 else (packet[:1], packet[1:])
        if self.is_gcm:
            number = body[:4]
            plain = AESGCM(self.back).decrypt(
                number + self.back_mac[:8], body[20:] + body[4:20], self.authenticated(header) + number
            )
        else:
            mac, sealed = body[:MAC_LEN], body[MAC_LEN:]
            if hmac.new(self.back_mac, sealed, hashlib.sha1).digest() != mac:
                raise SystemExit("a data packet does not authenticate")
            decryptor = Cipher(algorithms.AES(self.back), modes.CBC(sealed[:IV_LEN])).decryptor()
            plain = decryptor.update(sealed[IV_LEN:]) + decryptor.finalize()
            number, plain = plain[:4], plain[4 : -plain[-1]]
        # old peers take nothing but the next one on TCP
        if struct.unpack(">I", number)[0] != self.received + 1:
            raise SystemExit(f"packet {struct.unpack('>I', number)[0]} after {self.received}")
        self.received += 1
        return plain


class Client:
    def __init__(self, options):
        self.options = options
        address, port, ca, self.name, self.password = read_profile(options.profile)
        self.stream = socket.create_connection((address, port), 5)
        self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.session, self.hub_session = os.urandom(8), None
        self.sent = self.received = 0
        self.acks, self.waiting, self.data, self.rest = [], {}, [], b""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=ca)
        context.check_hostname = False
        if options.tls == "1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        else:
            context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls_in, self.tls_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.tls_in, self.tls_out)

    def send(self, packet):
        self.stream.sendall(struct.pack(">H", len(packet)) + packet)

    def take_acks(self, most):
        acks, self.acks = self.acks[:most], self.acks[most:]
        return bytes([len(acks)]) + struct.pack(f">{len(acks)}I", *acks) + (self.hub_session if acks else b"")

    def send_control(self, opcode, payload=b""):
        self.send(bytes([opcode << 3]) + self.session + self.take_acks(4) + struct.pack(">I", self.sent) + payload)
        self.sent += 1

    def flush(self):
        while self.tls_out.pending:
            self.send_control(CONTROL, self.tls_out.read(1100))

    def take_control(self, packet):
        count = packet[9]
        at = 10 + 4 * count + (8 if count else 0)
        if self.hub_session is None:
            self.hub_session = packet[1:9]
        if packet[0] >> 3 == ACK:
            return
        number = struct.unpack(">I", packet[at : at + 4])[0]
        self.acks.append(number)
        self.waiting[number] = (packet[0] >> 3, packet[at + 4 :])
        while self.received in self.waiting:
            opcode, payload = self.waiting.pop(self.received)
            self.received += 1
            if opcode == CONTROL:
                self.tls_in.write(payload)

    def pump(self, seconds):
        """Takes what has come, or comes in time; false: nothing"""
        if not select.select([self.stream], [], [], seconds)[0]:
            return False
        got = self.stream.recv(65536)
        if not got:
            raise SystemExit("the hub has closed the stream")
        self.rest += got
        while len(self.rest) >= 2:
            length = struct.unpack(">H", self.rest[:2])[0]
            if len(self.rest) < 2 + length:
                break
            packet, self.rest = self.rest[2 : 2 + length], self.rest[2 + length :]
            if packet[0] >> 3 in (DATA_V1, DATA_V2):
                self.data.append(packet)
            else:
                self.take_control(packet)
        while self.acks:
            self.send(bytes([ACK << 3]) + self.session + self.take_acks(8))
        return True

    def until(self, what, attempt, seconds=8):
        """attempt() until TLS has enough for it"""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                result = attempt()
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self.pump(0.5)
        raise SystemExit(f"nothing comes: {what}")

    def handshake(self):
        self.send_control(HARD_RESET)
        if not self.options.single_reset:
            self.send_control(HARD_RESET)
        if self.options.early_hello:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                self.flush()
        while self.hub_session is None:
            if not self.pump(5):
                raise SystemExit("the hub does not answer the reset")
        self.until("TLS", self.tls.do_handshake)

    def options_string(self):
        cipher = self.options.cipher
        digest = "[null-digest]" if cipher.endswith("GCM") else "SHA1"
        return (
            f"V4,dev-type tun,link-mtu 1559,tun-mtu 1500,proto TCPv4_CLIENT,cipher {cipher},"
            f"auth {digest},keysize {cipher[4:7]},key-method 2,tls-client"
        )

    def exchange(self):
        """Key method 2, then the addresses: what the hub pushes"""
        pre_master, first, second = os.urandom(48), os.urandom(32), os.urandom(32)
        message = struct.pack(">IB", 0, 2) + pre_master + first + second
        message += string(self.options_string()) + string(self.name) + string(self.password)
        if self.options.peer_info:
            message += string(self.options.peer_info + "\n")
        self.tls.write(message)
        self.flush()
        answer = self.until("key method 2", lambda: self.tls.read(16384))
        if answer[:5] != b"\0\0\0\0\2":
            raise SystemExit(f"not key method 2: {answer[:40]}")
        self.tls.write(b"PUSH_REQUEST\0")
        self.flush()
        push = self.until("PUSH_REPLY", lambda: self.tls.read(16384)).decode()
        if not push.startswith("PUSH_REPLY"):
            raise SystemExit(push.rstrip("\0"))
        master = prf(pre_master, b"OpenVPN master secret" + first + answer[5:37], 48)
        seed = b"OpenVPN key expansion" + second + answer[37:69] + self.session + self.hub_session
        return push, prf(master, seed, 256)

    def connect(self):
        self.handshake()
        push, keys = self.exchange()
        print(push.rstrip("\0"), file=sys.stderr)
        self.address = socket.inet_aton(re.search(r"ifconfig ([\d.]+)", push).group(1))
        peer_id = re.search(r"peer-id (\d+)", push) if self.options.peer_info else None
        self.channel = Data(self.options.cipher, keys, int(peer_id.group(1)) if peer_id else None)
        print(f"{socket.inet_ntoa(self.address)} {self.tls.version()}", flush=True)

    def take_data(self, seconds):
        """Echo replies that came; requests are answered"""
        self.pump(seconds)
        packets, self.data = self.data, []
        replies = []
        for packet in map(self.channel.open, packets):
            if packet[0] >> 4 != 4 or packet[9] != 1:
                continue
            if packet[20] == 0:
                replies.append(struct.unpack(">H", packet[26:28])[0])
            elif packet[20] == 8:
                identity = struct.unpack(">HH", packet[24:28])
                self.send(self.channel.seal(echo(0, self.address, packet[12:16], identity, packet[28:])))
        return replies

    def ping(self, target, number):
        size = 1300 if number % 2 else 32
        self.send(self.channel.seal(echo(8, self.address, target, (77, number), b"n" * size)))
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            if number in self.take_data(0.3):
                return True
        return False


def main():
    options = arguments()
    client = Client(options)
    client.connect()
    target = socket.inet_aton(options.target)
    answered = sum(client.ping(target, number) for number in range(1, options.pings + 1))
    print(f"{answered} of {options.pings}", flush=True)
    ends = time.monotonic() + options.serve
    while time.monotonic() < ends:
        client.take_data(0.1)
    return 0 if answered == options.pings else 1


if __name__ == "__main__":
    sys.exit(main())
