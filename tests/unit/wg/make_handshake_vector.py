#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints handshake_vector.h: one WireGuard handshake with known keys and a cookie reply, computed here
from the paper (section 5.4) with Python's own primitives, so that nothing of ours vouches for itself.

Run: python3 make_handshake_vector.py > handshake_vector.h (needs python3-cryptography)."""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

INITIATOR_INDEX, RESPONDER_INDEX = 0x11223344, 0xAABBCCDD
UNIX_SECONDS, NANOSECONDS = 1790000000, 123456789
WHITEN = 1 << 24  # our timestamps are cut to 16.8 ms


def hash_of(*parts):
    return hashlib.blake2s(b"".join(parts)).digest()


def mac(key, *parts):
    return hashlib.blake2s(b"".join(parts), key=key, digest_size=16).digest()


def kdf(count, key, data):
    secret = hmac.new(key, data, hashlib.blake2s).digest()
    outputs, last = [], b""
    for n in range(1, count + 1):
        last = hmac.new(secret, last + bytes([n]), hashlib.blake2s).digest()
        outputs.append(last)
    return outputs


def aead(key, text, data):
    return ChaCha20Poly1305(key).encrypt(bytes(12), text, data)


def public(private):
    key = X25519PrivateKey.from_private_bytes(private).public_key()
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def dh(private, other):
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(other))


def secret_of(name):
    """A clamped private key, or any 32 bytes, from a name."""
    raw = bytearray(hashlib.sha256(name.encode()).digest())
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return bytes(raw)


def make_initiation(v):
    """Section 5.4.2."""
    chain = hash_of(b"Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")
    digest = hash_of(hash_of(chain, b"WireGuard v1 zx2c4 Jason@zx2c4.com"), public(v["responder"]))
    ephemeral = public(v["initiator_ephemeral"])
    chain = kdf(1, chain, ephemeral)[0]
    digest = hash_of(digest, ephemeral)
    chain, key = kdf(2, chain, dh(v["initiator_ephemeral"], public(v["responder"])))
    static = aead(key, public(v["initiator"]), digest)
    digest = hash_of(digest, static)
    chain, key = kdf(2, chain, dh(v["initiator"], public(v["responder"])))
    stamp = struct.pack(">QI", 0x400000000000000A + UNIX_SECONDS, NANOSECONDS // WHITEN * WHITEN)
    stamp = aead(key, stamp, digest)
    digest = hash_of(digest, stamp)
    message = struct.pack("<II", 1, INITIATOR_INDEX) + ephemeral + static + stamp
    mac1 = mac(hash_of(b"mac1----", public(v["responder"])), message)
    return chain, digest, message + mac1 + bytes(16)


def make_response(v, chain, digest):
    """Sections 5.4.3 and 5.4.5."""
    ephemeral = public(v["responder_ephemeral"])
    chain = kdf(1, chain, ephemeral)[0]
    digest = hash_of(digest, ephemeral)
    chain = kdf(1, chain, dh(v["responder_ephemeral"], public(v["initiator_ephemeral"])))[0]
    chain = kdf(1, chain, dh(v["responder_ephemeral"], public(v["initiator"])))[0]
    chain, tau, key = kdf(3, chain, v["preshared"])
    digest = hash_of(digest, tau)
    message = struct.pack("<III", 2, RESPONDER_INDEX, INITIATOR_INDEX) + ephemeral + aead(key, b"", digest)
    mac1 = mac(hash_of(b"mac1----", public(v["initiator"])), message)
    send, receive = kdf(2, chain, b"")
    return message + mac1 + bytes(16), send, receive


def rotate(v, n):
    return (v << n | v >> 32 - n) & 0xFFFFFFFF


def quarter_round(x, a, b, c, d):
    for first, second, third, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        x[first] = (x[first] + x[second]) & 0xFFFFFFFF
        x[third] = rotate(x[third] ^ x[first], n)


def hchacha20(key, nonce):
    """draft-irtf-cfrg-xchacha-03, section 2.2."""
    x = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce))
    for _ in range(10):
        for i in range(4):
            quarter_round(x, i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter_round(x, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<8I", *x[:4], *x[12:])


def make_cookie_reply(v, initiation):
    """Section 5.4.7."""
    nonce, cookie, mac1 = secret_of("nonce")[:24], secret_of("cookie")[:16], initiation[-32:-16]
    key = hchacha20(hash_of(b"cookie--", public(v["responder"])), nonce[:16])
    sealed = ChaCha20Poly1305(key).encrypt(bytes(4) + nonce[16:], cookie, mac1)
    return struct.pack("<II", 3, INITIATOR_INDEX) + nonce + sealed, cookie


def print_array(name, data):
    print(f"static const uint8_t {name}[{len(data)}] = {{")
    for at in range(0, len(data), 12):
        print("\t" + ", ".join(f"0x{b:02x}" for b in data[at:at + 12]) + ",")
    print("};\n")


def main():
    names = ("initiator", "responder", "initiator_ephemeral", "responder_ephemeral", "preshared")
    v = {name: secret_of(name) for name in names}
    chain, digest, initiation = make_initiation(v)
    response, send, receive = make_response(v, chain, digest)
    reply, cookie = make_cookie_reply(v, initiation)
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("#ifndef TESTS_UNIT_WG_HANDSHAKE_VECTOR_H\n#define TESTS_UNIT_WG_HANDSHAKE_VECTOR_H\n")
    print("/* Made by make_handshake_vector.py. */\n#include <stdint.h>\n\n// clang-format off")
    print(f"#define VECTOR_INITIATOR_INDEX {INITIATOR_INDEX:#x}U")
    print(f"#define VECTOR_RESPONDER_INDEX {RESPONDER_INDEX:#x}U")
    print(f"#define VECTOR_REALTIME_NS {UNIX_SECONDS * 10**9 + NANOSECONDS}ULL\n")
    for name in names:
        print_array("vector_" + name, v[name])
    print_array("vector_initiation", initiation)
    print_array("vector_response", response)
    print_array("vector_initiator_sends", send)
    print_array("vector_initiator_receives", receive)
    print_array("vector_cookie_reply", reply)
    print_array("vector_cookie", cookie)
    print("// clang-format on\n\n#endif")


main()
