# SPDX-License-Identifier: Apache-2.0
"""A nave-control of one's own, and the way to talk to it."""
import ctypes
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import rest_contract

START_S = 20
CONTRACT = rest_contract.Contract()
BUILD = None


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Of a daemon: a test that is killed for its time leaves nothing running."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=45)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.data = response.read()
        self.text = self.data.decode(errors="replace")
        media = self.headers.get("Content-Type", "").partition(";")[0]
        self.json = json.loads(self.text) if media.endswith("json") and self.text else None

    @property
    def etag(self):
        return self.headers["ETag"]

    def pointers(self):
        return [e["pointer"] for e in self.json.get("errors", [])]

    def __repr__(self):
        return f"{self.status} {self.text}"


class Client:
    """Over the unix socket, or over TCP with tcp=True. Each answer is held against the contract."""

    def __init__(self, daemon, token=None, tcp=False):
        self.daemon = daemon
        self.token = token
        self.tcp = tcp

    def connection(self):
        if self.tcp:
            return http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=45)
        return UnixConnection(self.daemon.socket)

    def call(self, method, path, body=None, **headers):
        """Header names with _ for -. A body of str or bytes goes as it is."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            fields.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        connection = self.connection()
        try:
            connection.request(method, path, body, fields)
            answer = Answer(connection.getresponse())
        finally:
            connection.close()
        CONTRACT.check(method, path, answer)
        return answer

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, body, **headers)

    def patch(self, path, body, **headers):
        return self.call("PATCH", path, body, **headers)

    def delete(self, path, **headers):
        return self.call("DELETE", path, **headers)

    def items(self, path):
        """All pages of a list."""
        found = []
        answer = self.get(path)
        while True:
            assert answer.status == 200, answer
            found += answer.json["items"]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return found
            first = re.sub(r"[?&]cursor=[^&]*", "", path)
            answer = self.get(f"{first}{'&' if '?' in first else '?'}cursor={cursor}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, more=""):
        self.folder = tempfile.mkdtemp(prefix="nave-rest-")
        self.socket = f"{self.folder}/control.sock"
        self.state = f"{self.folder}/state"
        self.log = f"{self.folder}/log"
        self.config = f"{self.folder}/control.conf"
        self.port = free_port()
        self.child = None
        os.mkdir(self.state, 0o700)
        pathlib.Path(self.config).write_text(f"""
listen = "127.0.0.1:{self.port}";
socket = "{self.socket}";
state_dir = "{self.state}";
vpn_domain = "vpn.example.net";
regions = ( {{ id = "local"; name = "This machine"; }}, {{ id = "far"; name = "Far away"; }} );
{more}
""", encoding="utf-8")
        os.chmod(self.config, 0o600)

    def start(self):
        """Returns the seconds until it was ready."""
        began = time.monotonic()
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                [f"{BUILD}/control/nave-control", "--config", self.config], stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        while True:
            try:
                if Client(self).get("/readyz").status == 200:
                    return time.monotonic() - began
            except (OSError, http.client.HTTPException):
                pass
            if self.child.poll() is not None or time.monotonic() - began > START_S:
                raise AssertionError(f"nave-control does not start:\n{self.log_text()}")
            time.sleep(0.02)

    def log_text(self):
        return pathlib.Path(self.log).read_text(encoding="utf-8", errors="replace")

    def kill(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.child = None

    def stop(self):
        """A clean end: quick, exit status 0, and nothing that a sanitizer has to say."""
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(timeout=10)
        self.child = None
        text = self.log_text()
        assert status == 0, f"exit status {status}:\n{text}"
        for word in ("Sanitizer", "runtime error:"):
            assert word not in text, text

    def remove(self):
        if self.child is not None:
            self.kill()
        shutil.rmtree(self.folder)

    @property
    def admin_token(self):
        return pathlib.Path(f"{self.state}/admin.token").read_text(encoding="utf-8").strip()


class RestTest(unittest.TestCase):
    """One daemon for all tests of a class."""

    config = ""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(cls.config)
        cls.addClassCleanup(cls.daemon.remove)
        cls.daemon.start()
        cls.api = Client(cls.daemon)
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def is_ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        return answer

    def is_refused(self, answer, status, kind, pointer=None, word=""):
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.json["type"], f"urn:nave:problem:{kind}", answer)
        if pointer is not None:
            self.assertIn(pointer, answer.pointers(), answer)
        self.assertIn(word, answer.text)
        return answer

    def fresh(self, prefix):
        type(self).count += 1
        return f"{prefix}{self.count}"

    def new_instance(self, **body):
        name = self.fresh("net")
        body = {"name": name, "hostname": name, "region": "local", **body}
        made = self.is_ok(self.api.post("/v1/instances", body), 202).json
        return self.wait_for(lambda: self.settled(made["id"]))

    def settled(self, instance):
        """Once nothing but a report of its hub can change it: else its tag could be any."""
        now = self.is_ok(self.api.get(f"/v1/instances/{instance}")).json
        allocated, _, certificates, dns, _ = now["conditions"]
        waits = allocated["reason"] == "Waiting" or allocated["status"] and "Waiting" in (certificates["reason"], dns["reason"])
        return None if waits else now

    def new_peer(self, instance, **body):
        body = {"type": "client", "name": self.fresh("peer"), **body}
        path = f"/v1/instances/{instance['id']}/peers"
        return self.is_ok(self.api.post(path, body), 201).json

    def wait_for(self, what, seconds=10):
        """Until what() is true; its value."""
        ends = time.monotonic() + seconds
        while True:
            value = what()
            if value or time.monotonic() > ends:
                self.assertTrue(value)
                return value
            time.sleep(0.02)


def main():
    global BUILD  # pylint: disable=global-statement
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_DIR [unittest arguments]")
    BUILD = os.path.abspath(sys.argv.pop(1))
    # the classes find BUILD in this module, under the name that they import it by
    unittest.main(verbosity=2)
