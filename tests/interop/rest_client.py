# SPDX-License-Identifier: Apache-2.0
"""A private nave-control, a client of its REST API and a stand-in for nave-node (no dataplane)."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid

BUILD = pathlib.Path(os.environ.get("NAVE_BUILD", "build"))


class Reply:
    def __init__(self, status, headers, raw):
        self.status = status
        self.headers = {k.lower(): v for k, v in headers}
        self.raw = raw
        kind = self.headers.get("content-type", "")
        self.json = json.loads(raw) if raw and "json" in kind else None

    def pointers(self):
        return [e["pointer"] for e in (self.json or {}).get("errors", [])]

    def __repr__(self):
        return f"{self.status} {self.raw[:600]!r}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Control:
    """One daemon with its own folder; kill and start it as often as needed."""

    def __init__(self, **settings):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="nave-rest-"))
        self.port = free_port()
        self.socket = str(self.dir / "control.sock")
        self.config = self.dir / "control.conf"
        self.log = self.dir / "log"
        (self.dir / "state").mkdir(mode=0o700)
        text = {
            "listen": f'"127.0.0.1:{self.port}"',
            "socket": f'"{self.socket}"',
            "state_dir": f'"{self.dir}/state"',
            "vpn_domain": '"vpn.example.net"',
            "regions": '( { id = "local"; name = "This machine"; }, { id = "far"; name = "Elsewhere"; } )',
        } | settings
        self.config.write_text("".join(f"{k} = {v};\n" for k, v in text.items()))
        self.process = None
        self.token = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BUILD / "control" / "nave-control", "--config", self.config],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if self.call("GET", "/readyz", token=None).status == 200:
                    self.token = (self.dir / "state" / "admin.token").read_text().strip()
                    return self
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise RuntimeError("nave-control does not start:\n" + self.log.read_text())

    def stop(self, sig=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(sig)
        return self.process.wait(20)

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir)

    def call(self, method, path, body=None, token="admin", headers=None, local=False, timeout=15):
        conn = UnixConnection(self.socket, timeout) if local else http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=timeout)
        headers = dict(headers or {})
        if token == "admin":
            token = self.token if not local else None
        if token:
            headers.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, (bytes, str)) and not hasattr(body, "__next__"):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/merge-patch+json" if method == "PATCH"
                               else "application/json")
        try:
            conn.request(method, path, body=body, headers=headers)
            r = conn.getresponse()
            return Reply(r.status, r.getheaders(), r.read())
        finally:
            conn.close()

    def raw(self, data, timeout=5):
        """Bytes in, all bytes out until the daemon closes; for what no HTTP client would send."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as s:
            s.sendall(data)
            out = b""
            try:
                while chunk := s.recv(65536):
                    out += chunk
            except (TimeoutError, ConnectionResetError):
                pass
            return out

    def patch(self, path, body, **kw):
        etag = self.call("GET", path).headers["etag"]
        return self.call("PATCH", path, body, headers={"If-Match": etag}, **kw)

    def until(self, path, condition, seconds=10):
        """GETs path until condition(json); the last JSON."""
        deadline = time.monotonic() + seconds
        while True:
            r = self.call("GET", path)
            if r.status == 200 and condition(r.json):
                return r.json
            if time.monotonic() > deadline:
                raise AssertionError(f"{path} did not come to it: {r}")
            time.sleep(0.05)


class Node:
    """Does what nave-node does towards nave-control, without a dataplane below."""

    def __init__(self, control, name="hub1", region="local"):
        self.control = control
        r = control.call("POST", "/node/v1/enrol", {"name": name, "region": region}, local=True)
        assert r.status == 200, r
        self.hub_id, self.token = r.json["hub_id"], r.json["token"]
        self.boot_id = str(uuid.uuid4())
        self.epoch, self.generation = str(uuid.UUID(int=0)), 0
        self.instances, self.peers = {}, {}

    def pull(self, wait=0):
        r = self.control.call(
            "GET", f"/node/v1/desired?epoch={self.epoch}&after={self.generation}&wait={wait}",
            token=self.token, timeout=wait + 10)
        assert r.status == 200, r
        d = r.json
        if d["full"]:
            self.instances, self.peers = {}, {}
        for i in d["instances"]:
            self.instances[i["id"]] = i
        for p in d["peers"]:
            self.peers[p["id"]] = p
        for gone in d["deleted"]:
            (self.instances if gone["kind"] == "instance" else self.peers).pop(gone["id"], None)
        self.epoch, self.generation = d["epoch"], d["generation"]
        return d

    def report(self, peers=(), counters=None, failed=None, **more):
        body = {
            "boot_id": self.boot_id, "epoch": self.epoch, "generation": self.generation, "version": "0.1.0",
            "addresses": ["203.0.113.1"], "egress": {"ipv4": True, "ipv6": False},
            "instances": [{"id": i, "state": "failed" if failed else "ready", "reason": failed or ""}
                          for i in self.instances],
            "peers": list(peers), "counters": counters or {},
        } | more
        r = self.control.call("POST", "/node/v1/report", body, token=self.token)
        assert r.status == 204, r
        return r

    def converge(self):
        self.pull()
        self.report()
