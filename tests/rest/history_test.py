#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was: bandwidth by hour and day, sessions; over restarts, kills and counters that begin anew."""
import contextlib
import json
import sqlite3
import subprocess
import time
import uuid

import rest_client
from rest_hub import Hub

DAY = 86400


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class HistoryTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()

    def ready_instance(self):
        made = self.new_instance()
        path = f"/v1/instances/{made['id']}"
        return self.wait_for(lambda: self.hub.sync() or (
            self.api.get(path).json if self.api.get(path).json["state"] == "ready" else None))

    def place(self):
        """A fresh instance and a peer of it, with their paths."""
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        self.hub.take()
        path = f"/v1/instances/{instance['id']}"
        return instance, peer, path, f"{path}/peers/{peer['id']}"

    def move(self, peer, received):
        """The hub's counters of a peer: absolute, twice as much was sent."""
        self.hub.status[peer["id"]] = {
            **self.hub.status.get(peer["id"], {}), "rx_bytes": received, "tx_bytes": 2 * received,
            "rx_packets": received // 100, "tx_packets": received // 50}
        self.hub.report()

    def total(self, path, by="hour"):
        """Over an hour's end too, should the test meet one."""
        return sum(self.moved(path, f"?by={by}")[0])

    def moved(self, path, query=""):
        items = self.api.items(f"{path}/bandwidth{query}")
        return [i["rx_bytes"] for i in items], [i["tx_packets"] for i in items]

    def sql(self, text, *values):
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db")) as database:
            database.execute("PRAGMA busy_timeout = 5000")
            database.execute(text, values)
            database.commit()

    def nave(self, *arguments):
        run = subprocess.run([f"{rest_client.BUILD}/control/nave", *arguments, "--socket",
                              self.daemon.socket], text=True, capture_output=True, check=True,
                             timeout=30, stdin=subprocess.DEVNULL)
        return run.stdout

    def test_bandwidth_goes_on_over_everything(self):
        _, peer, instance_path, path = self.place()
        self.assertEqual(self.moved(path), ([], []))
        self.move(peer, 10000)
        self.assertEqual(self.total(path), 10000)
        self.daemon.kill()  # control is gone and back
        self.daemon.start()
        self.move(peer, 15000)
        self.assertEqual(self.total(path), 15000)
        self.assertEqual(sum(self.moved(path)[1]), 300)
        self.hub.boot_id = str(uuid.uuid4())  # the dataplane began anew
        self.move(peer, 1000)
        self.move(peer, 1000)  # the node began anew and tells it again
        self.assertEqual(self.total(path), 16000)
        self.move(peer, 300)  # the peer alone counts from zero
        self.assertEqual(self.total(path), 16300)
        self.daemon.stop()
        self.daemon.start()
        self.move(peer, 400)
        for where in (path, instance_path):
            for by in ("hour", "day"):
                self.assertEqual(self.total(where, by), 16400)

    def test_bandwidth_of_an_instance_is_that_of_its_peers(self):
        instance, peer, path, peer_path = self.place()
        other = self.new_peer(instance)
        self.hub.take()
        self.move(peer, 100)
        self.move(other, 200)
        self.assertEqual(self.moved(path)[0], [300])
        self.is_ok(self.api.delete(peer_path), 204)
        self.assertEqual(self.moved(path)[0], [300])
        self.assertEqual(self.api.get(f"{peer_path}/bandwidth").status, 404)
        stranger = self.ready_instance()
        self.assertEqual(self.moved(f"/v1/instances/{stranger['id']}")[0], [])
        self.assertEqual(self.api.get(
            f"/v1/instances/{stranger['id']}/peers/{other['id']}/bandwidth").status, 404)

    def test_bandwidth_from_to_and_pages(self):
        _, peer, _, path = self.place()
        self.move(peer, 100)
        now = int(time.time())
        hour, day = now - now % 3600, now - now % DAY
        for n in range(1, 60):
            self.sql("INSERT INTO bandwidth SELECT id, 0, ?, ?, 0, 0, 0 FROM peer WHERE id = ?",
                     hour - 3600 * n, n, uuid.UUID(peer["id"]).bytes)
            self.sql("INSERT INTO bandwidth SELECT id, 1, ?, ?, 0, 0, 0 FROM peer WHERE id = ?",
                     day - DAY * n, n, uuid.UUID(peer["id"]).bytes)
        self.assertEqual(self.moved(path, "?limit=10")[0], [*range(24, 0, -1), 100])
        self.assertEqual(self.moved(path, "?by=day&limit=7")[0], [*range(30, 0, -1), 100])
        fromto = f"?from={rfc3339(hour - 5 * 3600 + 1)}&to={rfc3339(hour - 2 * 3600)}"
        self.assertEqual(self.moved(path, fromto)[0], [5, 4, 3, 2])
        fromto = f"?by=day&from={rfc3339(day - 50 * DAY)}&to={rfc3339(day - 48 * DAY)}"
        self.assertEqual(self.moved(path, fromto)[0], [50, 49, 48])
        self.assertEqual(self.api.items(f"{path}/bandwidth?by=day")[-1]["at"], rfc3339(day))
        for query in ("by=week", "from=yesterday", "to=2030-13-01T00:00:00Z", "limit=0", "moon=1",
                      f"from={rfc3339(now)}&to={rfc3339(now - 7200)}"):
            self.is_refused(self.api.get(f"{path}/bandwidth?{query}"), 400, "malformed_request")

    def test_commands_of_bandwidth(self):
        instance, peer, _, _ = self.place()
        self.move(peer, 1234567)
        names = ["peers", "bandwidth", instance["hostname"], peer["name"]]
        self.assertRegex(self.nave(*names), r"BEGINS +RECEIVED +SENT .*\n\d{4}-\S+Z +1234567 +2469134 ")
        self.assertIn("1234567", self.nave("instances", "bandwidth", instance["hostname"], "--by", "day"))
        shown = json.loads(self.nave(*names, "--by", "day", "--from", rfc3339(time.time() - DAY), "-o", "json"))
        self.assertEqual([i["rx_bytes"] for i in shown], [1234567])

    def seen(self, peer, ago=0, endpoint="198.51.100.7:4500", **more):
        now = int(time.time()) - ago
        self.hub.status[peer["id"]] = {**self.hub.status.get(peer["id"], {}), "last_seen_at": now,
                                       "endpoint": endpoint, **more}
        self.hub.report()

    def sessions(self, path):
        return [(s["connected_from"], s["protocol"], s["rx_bytes"], s["end_reason"])
                for s in self.api.items(f"{path}/sessions")]

    def test_sessions(self):
        instance, peer, instance_path, path = self.place()
        self.assertEqual(self.sessions(path), [])
        handshake = int(time.time()) - 30
        self.seen(peer, 20, last_handshake_at=handshake, rx_bytes=100)
        shown = self.api.items(f"{path}/sessions")[0]
        self.assertEqual((shown["since"], shown["until"]), (rfc3339(handshake), None))
        self.assertEqual((shown["peer_id"], shown["peer_name"]), (peer["id"], peer["name"]))
        self.daemon.kill()
        self.daemon.start()
        self.seen(peer, 15, rx_bytes=300)
        self.assertEqual(self.sessions(path), [("198.51.100.7:4500", "wireguard", 300, None)])
        self.seen(peer, 10, "203.0.113.9:1194", rx_bytes=350, protocol_in_use="openvpn")
        self.seen(peer, 5, "203.0.113.9:1194", rx_bytes=400, protocol_in_use=None)
        kept = [("203.0.113.9:1194", "openvpn", 100, "closed"),
                ("198.51.100.7:4500", "wireguard", 300, "other_protocol")]
        self.assertEqual(self.sessions(path), kept)
        self.seen(peer, 4, "203.0.113.9:1195", rx_bytes=400, protocol_in_use="wireguard")
        self.is_ok(self.api.post(f"{path}/suspend"))
        kept = [("203.0.113.9:1195", "wireguard", 0, "suspended"), *kept]
        self.assertEqual(self.sessions(path), kept)
        self.assertEqual(self.sessions(instance_path), kept)
        self.assertEqual(len(self.api.items(f"{path}/sessions?limit=1")), 3)
        self.assertIn("other_protocol", self.nave(
            "peers", "sessions", instance["hostname"], peer["name"]))
        self.assertIn(peer["name"], self.nave("instances", "sessions", instance["hostname"]))
        self.is_ok(self.api.delete(path), 204)
        self.assertEqual(self.sessions(instance_path), [])
        self.assertEqual(self.api.get(f"{path}/sessions").status, 404)

    def test_a_session_ends_by_silence_by_a_users_end_and_in_time(self):
        instance, peer, _, path = self.place()
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("user")}), 201).json
        theirs = self.new_peer(instance, user_id=user["id"])
        soon = self.new_peer(instance, expires_at=rfc3339(time.time() + 2))
        self.hub.take()
        for one in (peer, theirs, soon):
            self.seen(one)
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/suspend"))
        of = lambda p: self.sessions(f"/v1/instances/{instance['id']}/peers/{p['id']}")[0][3]
        self.assertEqual([of(peer), of(theirs), of(soon)], [None, "user_suspended", None])
        self.wait_for(lambda: of(soon) == "expired")
        self.sql("UPDATE hub SET back_at = 1")
        self.sql("UPDATE peer_status SET last_seen_at = last_seen_at - 181")
        self.wait_for(lambda: self.sessions(path)[0][3] == "silent")


if __name__ == "__main__":
    rest_client.main()
