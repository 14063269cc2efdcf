#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Debian's openvpn at both ends: our profile as the client, what the hub is told as the server."""
import base64
import pathlib
import subprocess
import tempfile
import time

import rest_client
from rest_hub import Hub

# no device and no routes: only the handshake is of interest
QUIET = ["--dev", "null", "--ifconfig-noexec", "--route-noexec", "--verb", "4"]


def pem(label, data):
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"


class ClientTest(rest_client.RestTest):
    config = f"openvpn_ports = [{20000 + rest_client.free_port() % 20000}, 60000];"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.take()
        cls.hub.report(addresses=["127.0.0.1"])

    def start(self, folder, name, *words):
        with open(f"{folder}/{name}.log", "wb") as log:
            child = subprocess.Popen(["openvpn", *words, *QUIET], stdout=log, stderr=log, cwd=folder,
                                     stdin=subprocess.DEVNULL, preexec_fn=rest_client.die_with_parent)

        def end():
            child.kill()
            child.wait()
        self.addCleanup(end)

    def serve(self, folder, told, transport):
        listener = next(l for l in told["listeners"] if l["transport"] == transport)
        for name in ("ca", "certificate", "private_key"):
            pathlib.Path(folder, name).write_text(told[name], encoding="ascii")
        key = bytes.fromhex(listener["wrap_key"])
        if listener["wrap"] == "tls-crypt-v2":
            text = pem("OpenVPN tls-crypt-v2 server key", key)
        else:
            lines = key.hex("\n", 16)
            text = f"-----BEGIN OpenVPN Static key V1-----\n{lines}\n-----END OpenVPN Static key V1-----\n"
        pathlib.Path(folder, "wrap").write_text(text, encoding="ascii")
        words = {"none": [], "tls-auth": ["--tls-auth", "wrap", "0"]}.get(
            listener["wrap"], [f"--{listener['wrap']}", "wrap"])
        self.start(folder, "server", "--tls-server", "--dh", "none", "--ca", "ca", "--cert", "certificate",
                   "--key", "private_key", "--local", "127.0.0.1", "--port", str(listener["port"]), "--proto",
                   "tcp-server" if transport == "tcp" else "udp", "--remote-cert-tls", "client",
                   "--auth", listener["tls_auth_digest"], *words)

    def connects(self, transport="udp", **settings):
        made = self.new_instance(openvpn={transport: settings})
        peer = self.new_peer(made, protocol="openvpn")
        self.hub.take()
        path = f"/v1/instances/{made['id']}/peers/{peer['id']}/profile/reveal?transport={transport}"
        profile = self.is_ok(self.api.post(path)).text
        told = self.hub.instances[made["id"]]["openvpn"]
        with tempfile.TemporaryDirectory(dir=self.daemon.folder) as folder:
            pathlib.Path(folder, "profile.ovpn").write_text(profile, encoding="utf-8")
            self.serve(folder, told, transport)
            time.sleep(0.3)
            self.start(folder, "client", "--config", "profile.ovpn")
            logs = [pathlib.Path(folder, f"{name}.log") for name in ("server", "client")]

            def both():
                return all("Peer Connection Initiated with" in log.read_text("utf-8", "replace") for log in logs)
            ends = time.monotonic() + 15
            while not both() and time.monotonic() < ends:
                time.sleep(0.05)
            server, client = (log.read_text("utf-8", "replace") for log in logs)
            self.assertTrue(both(), f"{client[-3000:]}\n---\n{server[-2000:]}")
            self.assertIn("VERIFY EKU OK", client)
            self.assertIn(f"VERIFY X509NAME OK: CN={made['hostname']}", client)
            self.assertIn(f"[{peer['username']}] Peer Connection Initiated", server)
            self.assertNotIn("Options error", client)

    def test_each_wrapping(self):
        for wrap in ("none", "tls-auth", "tls-crypt", "tls-crypt-v2"):
            with self.subTest(wrap):
                self.connects(wrap=wrap, tls_auth_digest="SHA256")

    def test_tcp_with_a_password(self):
        self.connects("tcp")


if __name__ == "__main__":
    rest_client.main()
