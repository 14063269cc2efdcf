#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The public listener: TLS by certificate files that are replaced while people are connected."""
import hashlib
import http.client
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import rest_client


def certificate(folder, name):
    """Its files NAME.pem, NAME.key, and its digest as clients see it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "3", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
                   check=True, capture_output=True)
    text = pathlib.Path(f"{folder}/{name}.pem").read_text(encoding="ascii")
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()


class TlsTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="nave-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.port = rest_client.free_port()
        cls.digest = {name: certificate(cls.folder, name) for name in ("old", "new", "newest")}
        cls.put("old", "pem", "key")
        cls.config = cls.settings()
        super().setUpClass()
        cls.token = cls.daemon.admin_token

    @classmethod
    def settings(cls):
        return (f'certificate = "{cls.folder}/shown.pem"; certificate_key = "{cls.folder}/shown.key";'
                f' tls_listen = "127.0.0.1:{cls.port}";')

    @classmethod
    def put(cls, name, *parts):
        """As ACME clients do: another file under the same name."""
        for part in parts:
            shutil.copy(f"{cls.folder}/{name}.{part}", f"{cls.folder}/next")
            os.chmod(f"{cls.folder}/next", 0o600)
            os.replace(f"{cls.folder}/next", f"{cls.folder}/shown.{part}")

    def connect(self, most=None, least=None):
        """No trust is needed: what is shown is compared with what it must be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = least or ssl.TLSVersion.MINIMUM_SUPPORTED
        context.maximum_version = most or ssl.TLSVersion.MAXIMUM_SUPPORTED
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
        connection.connect()
        return connection

    def shown(self):
        connection = self.connect()
        der = connection.sock.getpeercert(binary_form=True)
        connection.close()
        return {digest: name for name, digest in self.digest.items()}[hashlib.sha256(der).hexdigest()]

    def call(self, connection, path="/v1/instances", token=None):
        connection.request("GET", path, headers={"Authorization": f"Bearer {token or self.token}"})
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def log_count(self, text):
        return self.daemon.log_text().count(text)

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            connection = self.connect(version, version)
            self.assertEqual(connection.sock.version().replace(".", "_"), version.name.replace("TLSv1_", "TLSv1_"))
            self.assertEqual(self.call(connection), 200)
            connection.close()
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.connect(ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1)
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(f"{self.folder}/newest.pem")
            with socket.create_connection(("127.0.0.1", self.port), 10) as s:
                context.wrap_socket(s, server_hostname="localhost").close()

    def test_a_stock_client(self):
        self.put("old", "pem", "key")
        self.wait_for(lambda: self.shown() == "old")
        run = subprocess.run(["curl", "-sS", "--cacert", f"{self.folder}/old.pem", "-H",
                              f"Authorization: Bearer {self.token}", f"https://localhost:{self.port}/v1/regions"],
                             capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual((run.returncode, run.stdout[:10]), (0, '{"items":['), run)

    def test_keys_count_here_too(self):
        connection = self.connect()
        self.assertEqual(self.call(connection, token="nave_sk_nobody"), 401)
        self.assertEqual(self.call(connection, "/node/v1/desired"), 403)
        connection.close()
        # whoever talks without TLS is not answered
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(b"GET /v1/instances HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertNotIn(b"HTTP/1", s.recv(1000))

    def test_another_certificate_without_a_restart(self):
        stays = self.connect()
        self.assertEqual(self.call(stays), 200)
        for name in ("new", "old", "newest"):
            self.put(name, "key", "pem")
            self.wait_for(lambda name=name: self.shown() == name)
            self.assertEqual(self.call(stays), 200)
        stays.close()

    def test_half_of_a_pair(self):
        self.put("old", "pem", "key")
        self.wait_for(lambda: self.shown() == "old")
        before = self.log_count("is shown on")
        self.put("new", "pem")
        self.wait_for(lambda: self.log_count("is shown on") == before + 1)
        self.assertEqual(self.shown(), "old")
        self.daemon.child.send_signal(signal.SIGHUP)
        self.wait_for(lambda: self.log_count("is shown on") == before + 2)
        self.assertEqual(self.shown(), "old")
        pathlib.Path(f"{self.folder}/shown.key").write_text("nonsense", encoding="ascii")
        self.wait_for(lambda: self.log_count("is shown on") == before + 3)
        self.put("new", "key")
        self.wait_for(lambda: self.shown() == "new")
        self.assertEqual(self.log_count("is shown on"), before + 3) # a fault is told once

    def test_those_who_say_nothing(self):
        """More of them than there is room for: cut after ten seconds, and then others are served."""
        silent = [socket.create_connection(("127.0.0.1", self.port), 10) for _ in range(300)]
        began = time.monotonic()
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30,
                                                 context=ssl._create_unverified_context())
        connection.connect()
        self.assertEqual(self.call(connection), 200)
        self.assertLess(time.monotonic() - began, 25)
        self.is_ok(self.api.get("/healthz"))
        for s in [*silent, connection]:
            s.close()


class StartTest(rest_client.RestTest):
    """What is no pair is refused at the start, with the file and the reason."""

    def refused(self, certificate_name, key_name, mode, word):
        daemon = rest_client.Daemon(f'certificate = "{self.folder}/{certificate_name}";'
                                    f' certificate_key = "{self.folder}/{key_name}"; tls_listen = "127.0.0.1:1";')
        self.addCleanup(daemon.remove)
        if os.path.exists(f"{self.folder}/{key_name}"):
            os.chmod(f"{self.folder}/{key_name}", mode)
        with self.assertRaises(AssertionError) as caught:
            daemon.start()
        self.assertIn(word, str(caught.exception))
        daemon.child = None

    def test_start(self):
        self.folder = tempfile.mkdtemp(prefix="nave-tls-")
        self.addCleanup(shutil.rmtree, self.folder)
        certificate(self.folder, "a")
        certificate(self.folder, "b")
        self.refused("a.pem", "a.key", 0o644, "a.key: others may read it")
        self.refused("a.pem", "b.key", 0o600, "b.key: is not the key of")
        self.refused("a.pem", "none", 0o600, "none: ")
        self.refused("a.key", "a.key", 0o600, "a.key: ")
        self.refused("a.pem", "a.pem", 0o600, "a.pem: ")


if __name__ == "__main__":
    rest_client.main()
