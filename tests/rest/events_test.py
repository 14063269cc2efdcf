#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""/v1/events: order, long polls, restarts, who may see what. Streams are in stream_test.py."""
import contextlib
import json
import signal
import sqlite3
import subprocess
import threading
import time

import rest_client
from rest_hub import Hub
from rest_stream import Stream


class EventsTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()

    def stream(self, query="", **more):
        stream = Stream(self.daemon, query, **more)
        self.addCleanup(stream.close)
        return stream

    def latest(self):
        return self.is_ok(self.api.get("/v1/events?after=latest")).json["last_id"]

    def types(self, after, more=""):
        items = self.is_ok(self.api.get(f"/v1/events?limit=200&after={after}{more}")).json["items"]
        self.assertEqual([i["id"] for i in items], sorted(i["id"] for i in items))
        return [i["type"] for i in items]

    def new_site(self):
        return self.is_ok(self.api.post("/v1/sites", {"name": self.fresh("site")}), 201).json

    def in_background(self, call):
        result = []
        thread = threading.Thread(target=lambda: result.append(call()), daemon=True)
        thread.start()

        def join():
            thread.join(40)
            return result[0]
        return join

    def sql(self, text):
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db")) as database:
            database.execute("PRAGMA busy_timeout = 5000")
            database.executescript(text)
            database.commit()

    def ready_instance(self):
        made = self.new_instance()
        path = f"/v1/instances/{made['id']}"
        return self.wait_for(lambda: self.hub.sync() or (
            self.api.get(path).json if self.api.get(path).json["state"] == "ready" else None))

    def test_what_happens_is_told_in_order(self):
        after = self.latest()
        instance = self.ready_instance()
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("user")}), 201).json
        peer = self.new_peer(instance, user_id=user["id"])
        path = f"/v1/instances/{instance['id']}/peers/{peer['id']}"
        self.hub.take()
        now = int(time.time())
        self.hub.status[peer["id"]] = {"last_seen_at": now - 5, "endpoint": "192.0.2.1:1", "rx_bytes": 7}
        self.hub.report()
        self.hub.status[peer["id"]] |= {"last_seen_at": now - 4, "endpoint": "192.0.2.2:1"}
        self.hub.report()
        self.is_ok(self.api.patch(path, {"keepalive": 5}, If_Match=self.api.get(path).etag))
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/suspend"))
        self.is_ok(self.api.delete(path), 204)
        self.hub.failed[instance["id"]] = "no TUN device"
        self.hub.sync()
        del self.hub.failed[instance["id"]]
        self.is_ok(self.api.delete(f"/v1/instances/{instance['id']}"), 202)
        self.hub.sync()
        self.assertEqual(self.types(after), [
            "instance.created", "instance.ready", "user.created", "peer.created", "peer.connected",
            "peer.moved", "peer.updated", "peer.disconnected", "user.suspended", "peer.deleted",
            "instance.degraded", "instance.deleted", "instance.removed"])
        mine = f"&instance_id={instance['id']}"
        self.assertNotIn("user.created", self.types(after, mine))
        self.assertEqual(len(self.types(after, mine + "&type=peer.*")), 6)
        self.assertEqual(self.types(after, "&type=peer.moved"), ["peer.moved"])
        events = self.api.get(f"/v1/events?limit=200&after={after}").json["items"]
        gone = next(e for e in events if e["type"] == "peer.disconnected")
        self.assertEqual(gone["data"]["reason"], "user_suspended")
        self.assertEqual(gone["object"], {"kind": "peer", "id": peer["id"], "name": peer["name"]})
        down = next(e for e in events if e["type"] == "instance.degraded")
        self.assertEqual(down["data"]["message"], "no TUN device")

    def test_hub_goes_silent_and_is_back(self):
        hub = Hub(self.daemon, "goes", "far")
        after = self.latest()
        hub.sync()
        self.sql("UPDATE hub SET last_report_at = last_report_at - 31 WHERE name = 'goes'")
        self.wait_for(lambda: "hub.silent" in self.types(after))
        hub.report()
        self.assertEqual(self.types(after, "&type=hub.*"),
                         ["hub.connected", "hub.silent", "hub.connected"])

    def test_pages_and_ends(self):
        after = self.latest()
        names = [self.new_site()["name"] for _ in range(5)]
        found, place = [], after
        while True:
            page = self.is_ok(self.api.get(f"/v1/events?limit=2&after={place}")).json
            if not page["items"]:
                break
            found += [e["object"]["name"] for e in page["items"]]
            place = page["last_id"]
        self.assertEqual(found, names)
        last = self.is_ok(self.api.get("/v1/events?last=2")).json["items"]
        self.assertEqual([e["object"]["name"] for e in last], names[-2:])
        for query in ("after=x", "after=-1", "wait=31", "type=Peer", "type=*.x", "limit=0", "last=1&after=1",
                      "instance_id=x", "moon=1"):
            self.is_refused(self.api.get(f"/v1/events?{query}"), 400, "malformed_request")
        self.is_refused(self.api.get(f"/v1/events?after={place + 1}"), 410, "cursor_expired")

    def test_old_events_go_and_their_ids_with_them(self):
        first = self.latest()
        self.new_site()
        self.sql("UPDATE event SET at = at - 31 * 86400")
        kept = self.new_site()
        self.daemon.stop()  # it prunes when it begins
        self.daemon.start()
        self.wait_for(lambda: self.api.get(f"/v1/events?after={first}").status == 410)
        self.is_refused(self.api.get(f"/v1/events?after={first}"), 410, "cursor_expired")
        whole = self.is_ok(self.api.get("/v1/events")).json["items"]
        self.assertEqual(whole[0]["object"]["id"], kept["id"])
        self.is_ok(self.api.get(f"/v1/events?after={whole[0]['id'] - 1}"))
        refused = self.stream(f"?after={first}")
        self.assertEqual(refused.status, 410)

    def test_long_poll_of_two_watchers(self):
        after = self.latest()
        calls = [self.in_background(lambda: self.api.get(f"/v1/events?wait=20&after={after}")) for _ in range(2)]
        latest = self.in_background(lambda: self.api.get("/v1/events?wait=20&after=latest"))
        other = self.in_background(lambda: self.api.get(f"/v1/events?wait=2&after={after}&type=peer.*"))
        time.sleep(0.3)
        began = time.monotonic()
        site = self.new_site()
        for join in (*calls, latest):
            self.assertEqual([e["object"]["id"] for e in join().json["items"]], [site["id"]])
        self.assertLess(time.monotonic() - began, 1)
        empty = other()
        self.assertGreater(time.monotonic() - began, 1)
        self.assertEqual(empty.json["items"], [])
        self.assertGreater(empty.json["last_id"], after)

    def test_reports_of_hubs_wake_watchers(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        self.hub.take()
        join = self.in_background(lambda: self.api.get("/v1/events?wait=20&after=latest"))
        time.sleep(0.3)
        self.hub.status[peer["id"]] = {"last_seen_at": int(time.time()), "endpoint": "192.0.2.1:1"}
        self.hub.report()
        self.assertEqual([e["type"] for e in join().json["items"]], ["peer.connected"])

    def test_number_of_watchers_is_bounded(self):
        streams = [self.stream("?after=latest") for _ in range(32)]
        self.assertEqual({s.status for s in streams}, {200})
        refused = self.stream("?after=latest")
        self.assertEqual((refused.status, "Retry-After" in refused.headers), (503, True))
        for stream in streams:
            stream.close()
        # 64 polls fit
        joins = [self.in_background(lambda: self.api.get("/v1/events?wait=3&after=latest")) for _ in range(64)]
        time.sleep(1)
        answer = self.api.get("/v1/events?wait=1&after=latest")
        self.is_refused(answer, 503, "unavailable")
        self.assertEqual({join().status for join in joins}, {200})
        # their places are free again, once the daemon has seen that they are gone
        def is_free():
            stream = Stream(self.daemon, "?after=latest")
            stream.close()
            return stream.status == 200
        self.new_site()
        self.wait_for(is_free, 20)

    def test_who_sees_what(self):
        after = self.latest()
        mine, other = self.ready_instance(), self.ready_instance()
        key = lambda **body: rest_client.Client(self.daemon, self.is_ok(self.api.post(
            "/v1/api-keys", {"name": self.fresh("key"), **body}), 201).json["key"], tcp=True)
        viewer, bound = key(role="viewer"), key(role="operator", instance_id=mine["id"])
        self.new_peer(mine)
        self.new_peer(other)
        seen = lambda client, more="": {
            (e["type"], e["instance_id"]) for e in
            self.is_ok(client.get(f"/v1/events?limit=200&after={after}{more}")).json["items"]}
        self.assertIn(("api_key.created", None), seen(self.api))
        self.assertEqual(seen(self.api) - seen(viewer), {("api_key.created", None)})
        self.assertEqual(seen(bound), {(k, i) for k, i in seen(self.api) if i == mine["id"]})
        self.assertIn(("peer.created", mine["id"]), seen(bound))
        self.is_refused(bound.get(f"/v1/events?instance_id={other['id']}"), 404, "not_found")
        self.assertEqual(seen(bound, f"&instance_id={mine['id']}"), seen(bound))

    def test_nothing_is_told_of_what_was_refused(self):
        after = self.latest()
        name = self.new_site()["name"]
        self.is_refused(self.api.post("/v1/sites", {"name": name}), 409, "conflict")
        self.assertEqual(self.types(after), ["site.created"])

    def test_every_acknowledged_write_is_an_event_after_a_kill(self):
        after = self.latest()
        made = []
        for _ in range(3):
            stop = time.monotonic() + 0.2
            while time.monotonic() < stop:
                made.append(self.new_site()["id"])
            self.daemon.kill()
            self.daemon.start()
        told, place = [], after
        while page := self.is_ok(self.api.get(f"/v1/events?limit=200&after={place}")).json["items"]:
            told += [e["object"]["id"] for e in page if e["type"] == "site.created"]
            place = page[-1]["id"]
        self.assertEqual(told, made)

    def test_command(self):
        site = self.new_site()
        nave = [f"{rest_client.BUILD}/control/nave", "--socket", self.daemon.socket, "events"]
        run = lambda *more: subprocess.run([*nave, *more], text=True, capture_output=True, check=True,
                                           timeout=30, stdin=subprocess.DEVNULL).stdout
        self.assertRegex(run("--last", "1"), rf"^\d+ +\S+Z +site.created +{site['name']} ")
        self.assertEqual(json.loads(run("--last", "1", "-o", "json"))["object"]["id"], site["id"])
        self.assertEqual(run("--after", str(self.latest())), "")
        with subprocess.Popen([*nave, "--follow", "--last", "1", "--type", "site.*"], text=True,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as child:
            self.assertIn(site["name"], child.stdout.readline())
            for _ in range(3):
                self.assertIn(self.new_site()["name"], child.stdout.readline())
            child.send_signal(signal.SIGINT)


if __name__ == "__main__":
    rest_client.main()
