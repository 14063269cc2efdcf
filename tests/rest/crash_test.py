#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, restarts, a full disk, a second daemon, configurations, files at rest."""
import http.client
import os
import pathlib
import sqlite3
import stat
import subprocess
import threading
import time
import uuid

import rest_client
from rest_hub import Hub

WRITERS = 4
KILLS = 5


class CrashTest(rest_client.RestTest):
    def write_until(self, stop, acknowledged, number):
        """Users and peers as fast as they go; what was acknowledged is noted."""
        n = 0
        while not stop.is_set():
            n += 1
            name = f"w{number} {n} {time.time_ns()}"
            path = "/v1/users" if n % 2 else self.peers
            body = {"name": name} if n % 2 else {"type": "client", "name": name}
            try:
                answer = self.api.post(path, body)
            except (OSError, http.client.HTTPException):
                continue
            if answer.status == 201:
                acknowledged[answer.headers["Location"]] = answer.json["name"]

    def test_kill_under_load_loses_nothing(self):
        instance = self.new_instance()
        self.peers = f"/v1/instances/{instance['id']}/peers"
        acknowledged, total = {}, 0
        for _ in range(KILLS):
            stop = threading.Event()
            writers = [threading.Thread(target=self.write_until, args=(stop, acknowledged, n))
                       for n in range(WRITERS)]
            for writer in writers:
                writer.start()
            time.sleep(0.4)
            self.daemon.kill()
            stop.set()
            for writer in writers:
                writer.join()
            self.assertGreater(len(acknowledged), total)
            total = len(acknowledged)
            self.daemon.start()
        names = {u["name"] for u in self.api.items("/v1/users?limit=200")}
        names |= {p["name"] for p in self.api.items(f"{self.peers}?limit=200")}
        self.assertEqual(set(acknowledged.values()) - names, set())
        for path in list(acknowledged)[::10]:
            self.is_ok(self.api.get(path))
        addresses = [p["addresses"]["ipv4"] for p in self.api.items(f"{self.peers}?limit=200")]
        self.assertEqual(len(addresses), len(set(addresses)))
        # each has its entry in the audit log: both were written in one transaction
        logged = {e["object"]["name"] for e in self.api.items("/v1/audit-log?limit=200")}
        self.assertEqual(set(acknowledged.values()) - logged, set())
        with sqlite3.connect(f"file:{self.daemon.state}/control.db?mode=ro", uri=True) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
            self.assertEqual(db.execute("PRAGMA foreign_key_check").fetchall(), [])

    def test_restart_converges(self):
        hub = Hub(self.daemon, "converges")
        hub.sync()
        path = f"/v1/instances/{self.new_instance()['id']}"
        self.wait_for(lambda: hub.sync() or self.api.get(path).json["state"] == "ready")
        kept, cut = (self.api.post(f"{path}/peers", {"type": "client", "name": n}).json["id"]
                     for n in ("kept", "cut"))
        hub.sync()
        epoch, generation = hub.epoch, hub.generation
        before = self.api.get(path).text
        self.is_ok(self.api.delete(f"{path}/peers/{cut}"), 204)
        self.daemon.kill()
        self.daemon.start()
        step = hub.take()
        self.assertEqual((step["full"], hub.epoch), (False, epoch))
        self.assertGreater(hub.generation, generation)
        self.assertEqual(step["deleted"], [{"kind": "peer", "id": cut}])
        self.assertIn(kept, hub.peers)
        self.assertEqual(self.api.get(path).text, before)

    def test_long_poll_does_not_hold_up_the_end(self):
        hub = Hub(self.daemon, "waits", "far")
        hub.sync()

        def poll():
            try:
                hub.take(wait=30)
            except (OSError, http.client.HTTPException):
                pass
        thread = threading.Thread(target=poll, daemon=True)
        thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - began, 3)
        thread.join(5)
        self.assertFalse(thread.is_alive())
        self.daemon.start()

    def test_key_is_the_same_after_a_restart(self):
        peer = self.new_peer(self.new_instance(), public_key=None)
        token = self.daemon.admin_token
        self.daemon.stop()
        self.assertLess(self.daemon.start(), 5)
        self.assertEqual(self.daemon.admin_token, token)
        path = f"/v1/instances/{peer['instance_id']}/peers/{peer['id']}"
        self.assertEqual(self.api.get(path).json["public_key"], peer["public_key"])

    def test_files_at_rest(self):
        for name in os.listdir(self.daemon.state):
            mode = os.stat(f"{self.daemon.state}/{name}").st_mode
            self.assertEqual(stat.S_IMODE(mode) & 0o077, 0, name)
        self.assertLessEqual({"control.db", "secret.key", "admin.token"},
                             set(os.listdir(self.daemon.state)))

    def test_other_secret_key_is_refused(self):
        daemon = rest_client.Daemon()
        self.addCleanup(daemon.remove)
        daemon.start()
        api = rest_client.Client(daemon)
        self.assertEqual(api.post("/v1/instances", {
            "name": "x", "hostname": "xyz", "region": "local"}).status, 202)
        daemon.stop()
        pathlib.Path(f"{daemon.state}/secret.key").write_bytes(os.urandom(32))
        with self.assertRaises(AssertionError):
            daemon.start()
        self.assertIn("secret.key", daemon.log_text())


class ProvisioningTest(rest_client.RestTest):
    def test_provisioning_goes_on_after_a_kill_at_any_step(self):
        hub = Hub(self.daemon, "steps")
        hub.sync()
        made = []
        for n in range(8):
            made.append(self.new_instance()["id"])
            time.sleep(n * 0.004)
            self.daemon.kill()
            self.daemon.start()
        self.wait_for(lambda: hub.sync() or all(
            self.api.get(f"/v1/instances/{i}").json["state"] == "ready" for i in made))
        ports = {self.api.get(f"/v1/instances/{i}").json["endpoints"]["wireguard"]["port"]
                 for i in made}
        self.assertEqual(len(ports), len(made))
        self.assertLessEqual(set(made), set(hub.instances))


class DiskTest(rest_client.RestTest):
    """The state folder is a small file system of its own."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = rest_client.Daemon()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "nave-rest",
                        cls.daemon.state], check=True)
        cls.addClassCleanup(cls.daemon.remove)
        cls.addClassCleanup(subprocess.run, ["umount", "-l", cls.daemon.state], check=True)
        cls.daemon.start()
        cls.api = rest_client.Client(cls.daemon)
        cls.count = 0

    def test_full_disk_is_503_and_loses_nothing(self):
        kept = self.is_ok(self.api.post("/v1/sites", {"name": "kept"}), 201).json
        filler = pathlib.Path(f"{self.daemon.state}/filler")
        with open(filler, "wb", buffering=0) as stream:
            try:
                while True:
                    stream.write(b"\0" * 4096)
            except OSError:
                pass
        refused = None
        for n in range(2000):
            answer = self.api.post("/v1/sites", {"name": f"s{n}", "labels": {"a": "x" * 256}})
            if answer.status != 201:
                refused = answer
                break
        self.is_refused(refused, 503, "unavailable", None, "nothing was changed")
        self.is_ok(self.api.get(f"/v1/sites/{kept['id']}"))  # reading goes on
        before = {s["name"] for s in self.api.items("/v1/sites?limit=200")}
        self.assertNotIn(f"s{n}", before)
        self.is_ok(self.api.get("/healthz"))
        self.assertEqual(self.api.get("/readyz").status, 503)
        filler.unlink()
        self.is_ok(self.api.post("/v1/sites", {"name": "after"}), 201)
        self.is_ok(self.api.get("/readyz"))
        self.daemon.kill()
        self.daemon.start()
        after = {s["name"] for s in self.api.items("/v1/sites?limit=200")}
        self.assertEqual(after, before | {"after"})


class ProgramTest(rest_client.RestTest):
    def run_control(self, *arguments):
        return subprocess.run([f"{rest_client.BUILD}/control/nave-control", *arguments], text=True,
                              capture_output=True, timeout=20, check=False)

    def test_second_daemon_on_the_same_folder(self):
        run = self.run_control("--config", self.daemon.config)
        self.assertNotIn(run.returncode, (0, 78))
        self.assertIn("another nave-control", run.stderr)
        self.is_ok(self.api.get("/readyz"))

    def test_options(self):
        self.assertEqual(self.run_control("--check-config", "--config", self.daemon.config).returncode, 0)
        self.assertRegex(self.run_control("--version").stdout, r"^nave-control \d+\.\d+\.\d+\n$")
        self.assertIn("--check-config", self.run_control("--help").stdout)
        self.assertEqual(self.run_control("--moon").returncode, 64)
        self.assertEqual(self.run_control("more").returncode, 64)

    def test_configurations_that_cannot_be(self):
        path = f"{self.daemon.folder}/bad.conf"
        good = pathlib.Path(self.daemon.config).read_text(encoding="utf-8").strip("\n").split("\n")
        for line, word in (
                ("regions = 1;", "list"), ("moon = 1;", "moon"), ('listen = "0.0.0.0:8480";', "loopback"),
                ('listen = "here";', "ADDRESS:PORT"), ('vpn_domain = "UPPER.example";', "vpn_domain"),
                ('vpn_domain = "one";', "vpn_domain"), ('state_dir = "relative";', "absolute"),
                ("wireguard_ports = [2, 1];", "above"), ("wireguard_ports = [0, 1];", "65535"),
                ('inner_pool = "8.8.8.8";', "inner_pool"), ('hub_addresses = ["x"];', "hub_addresses"),
                ("webhook_allow = [\"10.0.0.1/8\"];", "webhook_allow"), ("webhook_plain_http = 1;", "true or false"),
                ("webhook_attempts = 0;", "from 1 to 20"), ("webhook_retry_seconds = 3601;", "from 1 to 3600"),
                ("regions = ( { id = \"a\"; } );", "name"), ('@include "x"', "include"), ("{", "")):
            name = line.partition(" ")[0]
            kept = [g for g in good if not g.startswith(f"{name} ")]
            pathlib.Path(path).write_text("\n".join([*kept, line]), encoding="utf-8")
            os.chmod(path, 0o600)
            for more in (["--check-config"], []):
                run = self.run_control("--config", path, *more)
                self.assertEqual(run.returncode, 78, (line, run.stderr))
                self.assertRegex(run.stderr, rf"{path}:\d+: .*{word}")
        self.assertEqual(self.run_control("--config", "/nowhere").returncode, 78)


if __name__ == "__main__":
    rest_client.main()
