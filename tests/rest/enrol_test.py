#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hubs of other machines: made first, in by a token that counts once, over TLS; each gets only its own instances."""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time

import rest_client
import rest_hub
import tls_test


class Hubs(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="nave-enrol-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.port = rest_client.free_port()
        tls_test.certificate(cls.folder, "control")
        tls_test.certificate(cls.folder, "somebody")
        os.chmod(f"{cls.folder}/control.key", 0o600)
        cls.config = (f'certificate = "{cls.folder}/control.pem"; certificate_key = "{cls.folder}/control.key";'
                      f' tls_listen = "127.0.0.1:{cls.port}";')
        super().setUpClass()

    def new_hub(self, region="far"):
        return self.is_ok(self.api.post("/v1/hubs", {"name": self.fresh("hub"), "region": region}), 201).json

    def new_token(self, hub):
        return self.is_ok(self.api.post(f"/v1/hubs/{hub['id']}/enrol-tokens"), 201).json["token"]

    def enrol(self, token, hub, **other):
        client = rest_client.Client(self.daemon, token, tcp=True)
        return client.post("/node/v1/enrol", {"name": hub["name"], "region": hub["region"], **other})

    def find(self, hub):
        return self.is_ok(self.api.get(f"/v1/hubs/{hub['id']}")).json

    def come_in(self, region="local"):
        made = self.new_hub(region)
        token = self.is_ok(self.enrol(self.new_token(made), made)).json["token"]
        return rest_hub.Hub(self.daemon, known=(made["id"], token))


class EnrolTest(Hubs):
    def test_once(self):
        hub = self.new_hub()
        self.assertFalse(hub["enrolled"])
        token = self.new_token(hub)
        self.is_refused(self.enrol(token, hub, name="another"), 409, "conflict", word=hub["name"])
        self.is_refused(self.enrol(token, hub, region="local"), 409, "conflict", word="far")
        answer = self.is_ok(self.enrol(token, hub)).json
        self.assertEqual(answer["hub_id"], hub["id"])
        self.assertTrue(self.find(hub)["enrolled"])
        self.is_refused(self.enrol(token, hub), 401, "unauthenticated")
        node = rest_client.Client(self.daemon, answer["token"], tcp=True)
        self.is_ok(node.get("/node/v1/desired?wait=0"))
        # the token of enrolment is good for nothing else, nor is a hub's
        again = self.new_token(hub)
        for client in (rest_client.Client(self.daemon, again, tcp=True), node):
            self.is_refused(client.get("/v1/hubs"), 403, "forbidden")
        self.is_refused(rest_client.Client(self.daemon, again, tcp=True).get("/node/v1/desired"), 403, "forbidden")
        self.is_refused(rest_client.Client(self.daemon, self.daemon.admin_token, tcp=True).post(
            "/node/v1/enrol", {"name": "x", "region": "far"}), 403, "forbidden", word="enrol token")
        # until the new one is used, the hub stays in
        self.is_ok(node.get("/node/v1/desired?wait=0"))
        self.is_ok(self.enrol(again, hub))
        self.assertEqual(node.get("/node/v1/desired?wait=0").status, 401)

    def test_only_the_newest_counts(self):
        hub = self.new_hub()
        old, new = self.new_token(hub), self.new_token(hub)
        self.is_refused(self.enrol(old, hub), 401, "unauthenticated")
        self.is_ok(self.enrol(new, hub))

    def test_a_token_ends_after_a_day(self):
        hub = self.new_hub()
        token = self.new_token(hub)
        self.daemon.stop()
        db = sqlite3.connect(f"{self.daemon.state}/control.db")
        db.execute("UPDATE hub SET enrol_expires_at = unixepoch() - 1 WHERE enrol_hash IS NOT NULL")
        db.commit()
        db.close()
        self.daemon.start()
        self.is_refused(self.enrol(token, hub), 401, "unauthenticated")

    def test_one_of_many_at_once(self):
        hub = self.new_hub()
        token = self.new_token(hub)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(self.enrol(token, hub).status)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers.count(200), 1, answers)
        self.assertEqual(set(answers) - {200, 401, 404}, set())

    def test_refusals(self):
        hub = self.new_hub()
        self.is_refused(self.api.post("/v1/hubs", {"name": hub["name"], "region": "far"}), 409, "conflict")
        self.is_refused(self.api.post("/v1/hubs", {"name": "x", "region": "moon"}), 422, "unprocessable", "/region")
        self.is_ok(self.api.delete(f"/v1/hubs/{hub['id']}"), 204)
        self.assertEqual(self.api.get(f"/v1/hubs/{hub['id']}").status, 404)
        taken = [e for e in self.api.items("/v1/audit-log?limit=200") if e["object"]["id"] == hub["id"]]
        self.assertEqual([e["action"] for e in taken], ["hub.delete", "hub.create"])

    def test_each_gets_its_own(self):
        """Not before it is in, by region, where there is least, and never what is another's."""
        idle = self.new_hub("local") # made, never in: nothing is put on it
        hubs = []
        for _ in range(2):
            made = self.new_hub("local")
            token = self.is_ok(self.enrol(self.new_token(made), made)).json["token"]
            hubs.append(rest_hub.Hub(self.daemon, known=(made["id"], token)))
            hubs[-1].sync()
        instances = [self.new_instance()["id"] for _ in range(4)]
        for hub in hubs:
            hub.sync()
        self.assertEqual([len(hub.instances) for hub in hubs], [2, 2])
        self.assertEqual(sorted([*hubs[0].instances, *hubs[1].instances]), sorted(instances))
        self.is_refused(self.api.delete(f"/v1/hubs/{hubs[0].id}"), 409, "conflict", word="Instances")
        # what a hub says of an instance that is not its own counts for nothing
        other = next(iter(hubs[1].instances))
        before = self.api.get(f"/v1/instances/{other}").json["state"]
        hubs[0].report(instances=[{"id": other, "state": "failed", "reason": "taken over"}])
        self.assertEqual(self.api.get(f"/v1/instances/{other}").json["state"], before)
        self.assertFalse(self.find(idle)["connected"])

    def node(self, hub, **settings):
        """A real nave-node; it finds no dataplane, which is none of this test's business."""
        folder = tempfile.mkdtemp(dir=self.folder)
        lines = {"control_socket": "", "control_url": f"https://localhost:{self.port}",
                 "control_ca": f"{self.folder}/control.pem", "enrol_token_file": f"{folder}/token",
                 "name": hub["name"], "region": hub["region"], "state_dir": folder,
                 "dataplane_socket": f"{folder}/none.sock", "uapi_dir": f"{folder}/wg", "management_dir": f"{folder}/ovpn",
                 **settings}
        text = "".join(f'{name} = "{value}";\n' for name, value in lines.items())
        pathlib.Path(f"{folder}/node.conf").write_text(
            text + 'ports = ( { name = "wan0"; tap = "naveenrol0"; } );\n', encoding="utf-8")
        return folder

    def start_node(self, folder):
        with open(f"{folder}/log", "ab") as log:
            child = subprocess.Popen([f"{rest_client.BUILD}/control/nave-node", "--config", f"{folder}/node.conf"],
                                     stderr=log, preexec_fn=rest_client.die_with_parent)
        self.addCleanup(lambda: child.poll() is not None or (child.kill(), child.wait()))
        return child

    def log_of(self, folder):
        return pathlib.Path(f"{folder}/log").read_text(encoding="utf-8")

    def test_a_real_node_over_tls(self):
        hub = self.new_hub()
        folder = self.node(hub)
        child = self.start_node(folder)
        self.wait_for(lambda: "no enrol token" in self.log_of(folder))
        pathlib.Path(f"{folder}/token").write_text(self.new_token(hub) + "\n", encoding="ascii")
        self.wait_for(lambda: self.find(hub)["enrolled"], 20)
        kept = pathlib.Path(f"{folder}/control.token")
        self.wait_for(kept.exists)
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        token = kept.read_text(encoding="ascii")
        self.wait_for(lambda: "answers again" in self.log_of(folder))
        # killed and started again it needs no token: the kept one still counts
        child.kill()
        child.wait()
        child = self.start_node(folder)
        began = time.monotonic()
        while time.monotonic() < began + 2:
            self.assertEqual(kept.read_text(encoding="ascii"), token)
            time.sleep(0.2)
        self.assertEqual(self.log_of(folder).count("cannot enrol"), 1)
        child.terminate()
        self.assertEqual(child.wait(10), 0)
        self.assertNotIn("Sanitizer", self.log_of(folder))
        self.assertNotIn(token.strip(), self.log_of(folder))

    def test_whoever_shows_another_certificate_gets_no_token(self):
        hub = self.new_hub()
        token = self.new_token(hub)
        for settings in ({"control_ca": f"{self.folder}/somebody.pem"},
                         {"control_url": f"https://127.0.0.2:{self.port}"}):
            folder = self.node(hub, **settings)
            pathlib.Path(f"{folder}/token").write_text(token, encoding="ascii")
            child = self.start_node(folder)
            self.wait_for(lambda folder=folder: "cannot enrol" in self.log_of(folder))
            child.terminate()
            child.wait(10)
        self.assertFalse(self.find(hub)["enrolled"])

    def test_never_in_the_clear(self):
        for url in ("http://control.example.net", "http://localhost.example.net", "ftp://localhost", ""):
            folder = self.node({"name": "x", "region": "far"}, control_url=url)
            run = subprocess.run([f"{rest_client.BUILD}/control/nave-node", "--check-config", "--config",
                                  f"{folder}/node.conf"], capture_output=True, text=True, timeout=20, check=False)
            self.assertEqual(run.returncode, 78, run)
            self.assertIn("https://", run.stderr)


class MoveTest(Hubs):
    def test_move(self):
        """There and back: each hub is told what it has and has not, keys and ports stay, and no replay is let in."""
        old, new = self.come_in("far"), self.come_in("far")
        old.sync()
        instance = self.is_ok(self.api.post("/v1/instances", {
            "name": "moves", "hostname": "moves", "region": "far"}), 202).json
        path = f"/v1/instances/{instance['id']}"
        self.wait_for(lambda: self.settled(instance["id"]))
        peer = self.new_peer(instance)["id"]
        old.sync()
        stamp = "400000006000000000000001"
        old.status[peer] = {"timestamp": stamp, "endpoint": "192.0.2.7:5000", "rx_bytes": 7}
        old.report()
        old.status.clear() # a peer that is made anew counts from zero
        before = self.is_ok(self.api.get(path)).json
        self.assertEqual(before["state"], "ready")
        self.assertIsNone(old.peers[peer]["timestamp"])
        key = old.instances[instance["id"]]["wireguard"]
        for there, here in ((new, old), (old, new)):
            moved = self.is_ok(self.api.post(f"{path}/move", {"hub_id": there.id}), 202).json
            self.assertEqual(moved["state"], "provisioning")
            here.sync()
            self.assertEqual((here.instances, here.peers), ({}, {}))
            self.assertEqual(self.api.get(path).json["state"], "provisioning") # not the old one's to say
            there.sync()
            self.assertEqual(there.instances[instance["id"]]["wireguard"], key)
            self.assertEqual(there.peers[peer]["timestamp"], stamp)
            self.assertEqual(there.peers[peer]["endpoint"], "192.0.2.7:5000")
            now = self.is_ok(self.api.get(path)).json
            self.assertEqual((now["state"], now["endpoints"]), ("ready", before["endpoints"]))
            self.assertEqual(self.api.get(f"{path}/peers/{peer}").json["rx_bytes"], 7)
            full = rest_hub.Hub(self.daemon, known=(here.id, here.client.token))
            self.assertEqual(full.take()["instances"], []) # nor when it asks for everything
        self.is_ok(self.api.delete(f"{path}"), 202)

    def test_a_full_port(self):
        here, there, out = self.come_in("local"), self.come_in("local"), self.new_hub("local")
        moves = []
        for hub in (here, there):
            hub.sync()
        for name in ("aaa", "bbb"): # each on an empty hub, and so with the first port of it
            made = self.is_ok(self.api.post("/v1/instances", {"name": name, "hostname": name, "region": "local"}), 202)
            self.wait_for(lambda made=made: self.settled(made.json["id"]))
            moves.append(f"/v1/instances/{made.json['id']}/move")
        here.sync()
        stays = 0 if moves[0].split("/")[3] in here.instances else 1
        self.is_refused(self.api.post(moves[1 - stays], {"hub_id": here.id}), 409, "conflict", word="port")
        self.is_refused(self.api.post(moves[0], {"hub_id": out["id"]}), 409, "conflict", word="has not come in")
        self.is_refused(self.api.post(moves[0], {"hub_id": "nowhere"}), 422, "unprocessable", "/hub_id")
        here.sync()
        self.assertEqual(len(here.instances), 1)


if __name__ == "__main__":
    rest_client.main()
