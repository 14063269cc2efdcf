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
WHITEN = 1000000000 // 50  # our timestamps are cut to the distance of two initiations


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
    print("// clang-format on\n\n#endif")


main()
