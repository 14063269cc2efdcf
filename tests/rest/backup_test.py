#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One command makes a backup beside the running daemon, one puts it back; the hub compares everything then."""
import os
import pathlib
import shutil
import sqlite3
import stat
import subprocess
import threading

import rest_client
import rest_hub


class BackupTest(rest_client.RestTest):
    def setUp(self):
        self.hub = rest_hub.Hub(self.daemon)
        self.hub.sync()

    def run_control(self, *words, config=None):
        return subprocess.run([f"{rest_client.BUILD}/control/nave-control", "--config", config or self.daemon.config,
                               *words], capture_output=True, text=True, timeout=60, check=False)

    def refused(self, run, *words):
        self.assertEqual(run.returncode, 1, run)
        self.assertNotIn("Sanitizer", run.stderr)
        for word in words:
            self.assertIn(word, run.stderr)

    def backup(self):
        file = f"{self.daemon.folder}/{self.fresh('backup')}"
        run = self.run_control("--backup", file)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run)
        self.assertIn("secret.key", run.stdout)
        return file

    def users(self):
        return {u["name"] for u in self.api.items("/v1/users?limit=200")}

    def add_user(self, name):
        self.is_ok(self.api.post("/v1/users", {"name": name}), 201)

    def restored(self, file):
        self.daemon.stop()
        run = self.run_control("--restore", file)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run)
        self.daemon.start()

    def test_there_and_back(self):
        instance = self.new_instance()
        peer = self.new_peer(instance)
        self.add_user("kept")
        hub = self.hub
        hub.sync()
        self.assertIn(peer["id"], hub.peers)
        epoch = hub.epoch
        file = self.backup()
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.add_user("later")
        self.is_ok(self.api.delete(f"/v1/instances/{instance['id']}/peers/{peer['id']}"), 204)
        hub.sync()
        self.assertNotIn(peer["id"], hub.peers)
        self.restored(file)
        self.assertIn("kept", self.users())
        self.assertNotIn("later", self.users())
        # the hub has seen a later generation than there is now: it is told everything
        answer = hub.take()
        self.assertTrue(answer["full"])
        self.assertNotEqual(hub.epoch, epoch)
        self.assertIn(peer["id"], hub.peers)
        # a secret is still one
        self.is_ok(self.api.post(f"/v1/instances/{instance['id']}/peers/{peer['id']}/profile/reveal"))
        before = sqlite3.connect(f"{self.daemon.state}/control.db.before")
        self.assertEqual(before.execute("SELECT count(*) FROM user WHERE name = 'later'").fetchone(), (1,))
        before.close()
        self.assertFalse(os.path.exists(f"{self.daemon.state}/restore"))

    def test_while_people_write(self):
        names, ends = [], threading.Event()

        def write():
            while not ends.is_set():
                names.append(f"w{len(names)}")
                self.add_user(names[-1])

        writer = threading.Thread(target=write)
        writer.start()
        files = [self.backup() for _ in range(5)]
        ends.set()
        writer.join()
        for file in files:
            db = sqlite3.connect(file)
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            found = {row[0] for row in db.execute("SELECT name FROM user WHERE name LIKE 'w%'")}
            db.close()
            # one moment: all before it and none behind
            self.assertEqual(found, set(names[:len(found)]))

    def test_secrets_are_not_in_it(self):
        instance = self.new_instance()
        peer = self.new_peer(instance, protocol="any")
        profile = self.is_ok(self.api.post(
            f"/v1/instances/{instance['id']}/peers/{peer['id']}/profile/reveal?format=wireguard")).text
        key = next(line.split(" = ")[1] for line in profile.splitlines() if line.startswith("PrivateKey"))
        data = pathlib.Path(self.backup()).read_bytes()
        secret = pathlib.Path(f"{self.daemon.state}/secret.key").read_bytes()
        for word in (key.encode(), secret, self.daemon.admin_token.encode(), b"BEGIN PRIVATE KEY"):
            self.assertNotIn(word, data)

    def test_bad_backups(self):
        file = self.backup()
        self.refused(self.run_control("--backup", file), "File exists")
        self.refused(self.run_control("--backup", f"{self.daemon.folder}/no/such/folder"), "no/such/folder")
        self.refused(self.run_control("--restore", file), "stop it first")
        self.assertEqual(self.run_control("--backup", file, "--restore", file).returncode, 64)

    def test_bad_restores(self):
        """Nothing is changed by what is refused, and the daemon starts again with what it had."""
        self.add_user("still there")
        good = pathlib.Path(self.backup()).read_bytes()
        self.daemon.stop()
        file = pathlib.Path(f"{self.daemon.folder}/bad")
        halved = good[:len(good) // 2]
        spoilt = bytearray(good)
        for at in range(8192, len(spoilt) - 100, 4096):
            spoilt[at:at + 64] = b"\xff" * 64
        for data in (b"", b"nonsense", halved, bytes(spoilt)):
            file.write_bytes(data)
            self.refused(self.run_control("--restore", str(file)), f"{self.daemon.folder}")
        file.unlink()
        self.refused(self.run_control("--restore", str(file)), "No such file")
        other = sqlite3.connect(file)
        other.execute("CREATE TABLE t (a)")
        other.commit()
        other.close()
        self.refused(self.run_control("--restore", str(file)), "no backup of nave-control")
        file.write_bytes(good)
        later = sqlite3.connect(file)
        later.execute("PRAGMA user_version = 999")
        later.commit()
        later.close()
        self.refused(self.run_control("--restore", str(file)), "later version")
        key = pathlib.Path(f"{self.daemon.state}/secret.key")
        kept = key.read_bytes()
        file.write_bytes(good)
        for data, word in ((bytes(32), "secret.key is not the one"), (None, "secret.key")):
            key.unlink()
            if data is not None:
                key.write_bytes(data)
                key.chmod(0o600)
            self.refused(self.run_control("--restore", str(file)), word)
        key.write_bytes(kept)
        key.chmod(0o600)
        self.assertFalse(os.path.exists(f"{self.daemon.state}/control.db.before"))
        self.daemon.start()
        self.assertIn("still there", self.users())

    def test_a_new_machine(self):
        """The backup and secret.key are all of it."""
        self.add_user("moves")
        file = self.backup()
        other = rest_client.Daemon()
        self.addCleanup(other.remove)
        shutil.copy(f"{self.daemon.state}/secret.key", other.state)
        run = self.run_control("--restore", file, config=other.config)
        self.assertEqual((run.returncode, run.stderr), (0, ""), run)
        other.start()
        self.assertIn("moves", {u["name"] for u in rest_client.Client(other).items("/v1/users?limit=200")})
        # a key of the old machine is one here, and the new file holds one too
        for token in (self.daemon.admin_token, other.admin_token):
            self.assertIn(rest_client.Client(other, token, tcp=True).get("/v1/regions").status, (200, 401))
        self.assertEqual(rest_client.Client(other, other.admin_token, tcp=True).get("/v1/regions").status, 200)
        other.stop()


if __name__ == "__main__":
    rest_client.main()
