#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The node API: enrolment, desired state as a whole and in steps, the long poll, reports."""
import base64
import contextlib
import re
import sqlite3
import threading
import time
import uuid

import rest_client
from rest_hub import Hub


class NodeTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()

    def ready_instance(self, **body):
        made = self.new_instance(**body)

        def is_ready():
            self.hub.sync()
            now = self.api.get(f"/v1/instances/{made['id']}").json
            return now if now["state"] == "ready" else None
        return self.wait_for(is_ready)

    def in_background(self, call):
        """Runs it; returns what joins it and gives (result, seconds)."""
        result = []

        def run():
            began = time.monotonic()
            result.append((call(), time.monotonic() - began))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def join():
            thread.join(40)
            return result[0]
        return join

    def test_ready_in_under_two_seconds(self):
        began = time.monotonic()
        made = self.ready_instance()
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual([c["type"] for c in made["conditions"] if c["status"]],
                         ["Allocated", "KeysReady", "CertificatesReady", "DataplaneReady"])
        endpoint = made["endpoints"]["wireguard"]
        self.assertEqual(endpoint["address"], "203.0.113.1")
        self.assertGreaterEqual(endpoint["port"], 51820)
        self.assertEqual(self.hub.instances[made["id"]]["wireguard"]["port"], endpoint["port"])
        self.assertEqual(self.hub.instances[made["id"]]["mtu"], 1420)

    def test_enrolment_is_idempotent_and_replaces_the_token(self):
        first = Hub(self.daemon, "twice", "far")
        second = Hub(self.daemon, "twice", "far")
        self.assertEqual(first.id, second.id)
        self.is_refused(first.client.get("/node/v1/desired"), 401, "unauthenticated")
        self.is_ok(second.client.get("/node/v1/desired"))
        names = [h["name"] for h in self.api.items("/v1/hubs")]
        self.assertEqual(names.count("twice"), 1)

    def test_enrolment_refuses(self):
        enrol = "/node/v1/enrol"
        self.is_refused(self.api.post(enrol, {"name": "x", "region": "moon"}), 422,
                        "unprocessable", "/region")
        self.is_refused(self.api.post(enrol, {"name": "", "region": "local"}), 422,
                        "unprocessable", "/name")
        self.is_refused(self.api.post(enrol, {"name": "x"}), 400, "malformed_body", "/region")
        tcp = rest_client.Client(self.daemon, tcp=True)
        self.is_refused(tcp.post(enrol, {"name": "x", "region": "local"}), 401, "unauthenticated")
        owner = rest_client.Client(self.daemon, self.daemon.admin_token, tcp=True)
        self.is_refused(owner.post(enrol, {"name": "x", "region": "local"}), 403, "forbidden")

    def test_only_hubs_see_desired_state(self):
        self.is_refused(self.api.get("/node/v1/desired"), 403, "forbidden")
        self.is_refused(self.api.post("/node/v1/report", self.hub.report_body()), 403, "forbidden")
        self.is_refused(self.hub.client.get("/v1/instances"), 403, "forbidden")
        self.is_refused(self.hub.client.get("/metrics"), 403, "forbidden")

    def test_whole_and_steps(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance, type="site", subnets=["192.168.10.0/24"])
        step = self.hub.take()
        self.assertFalse(step["full"])
        self.assertEqual([p["id"] for p in step["peers"]], [peer["id"]])
        self.assertEqual(step["instances"], [])
        sent = step["peers"][0]
        self.assertEqual(sent["public_key"], peer["public_key"])
        self.assertEqual(sent["subnets"], ["192.168.10.0/24"])
        self.assertEqual(sent["addresses"], list(peer["addresses"].values()))
        whole = self.hub.client.get("/node/v1/desired").json
        self.assertTrue(whole["full"])
        self.assertEqual({i["id"] for i in whole["instances"]}, set(self.hub.instances))
        self.assertEqual({p["id"] for p in whole["peers"]}, set(self.hub.peers))
        other = f"/node/v1/desired?epoch={uuid.uuid4()}&after={self.hub.generation}"
        self.assertTrue(self.hub.client.get(other).json["full"])
        future = f"/node/v1/desired?epoch={self.hub.epoch}&after={self.hub.generation + 1000}"
        self.assertTrue(self.hub.client.get(future).json["full"])

    def test_long_poll_sleeps_and_wakes(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        path = f"/v1/instances/{instance['id']}/peers/{peer['id']}"
        self.hub.sync()
        answer, seconds = self.in_background(lambda: self.hub.take(wait=1))()
        self.assertEqual(answer["instances"] + answer["peers"] + answer["deleted"], [])
        self.assertGreater(seconds, 0.9)
        for act, is_there in (("suspend", False), ("resume", True), (None, False)):
            join = self.in_background(lambda: self.hub.take(wait=20))
            time.sleep(0.2)
            began = time.monotonic()
            self.is_ok(self.api.post(f"{path}/{act}")) if act else self.is_ok(
                self.api.delete(path), 204)
            answer, _ = join()
            self.assertLess(time.monotonic() - began, 0.5, act)
            self.assertEqual(peer["id"] in self.hub.peers, is_there)
            gone = [{"kind": "peer", "id": peer["id"]}]
            self.assertEqual(answer["deleted"], [] if is_there else gone)

    def test_many_long_polls(self):
        """They take no thread each; what is too many is told to come back."""
        self.hub.sync()
        path = f"/node/v1/desired?epoch={self.hub.epoch}&after={self.hub.generation}&wait=20"
        joins = [self.in_background(lambda: self.hub.client.get(path)) for _ in range(80)]
        time.sleep(1)
        began = time.monotonic()
        self.is_ok(self.api.get("/healthz"))
        self.new_instance()
        answers = [join()[0] for join in joins]
        self.assertLess(time.monotonic() - began, 5)
        served = [a for a in answers if a.status == 200]
        self.assertEqual(len(served), 64)
        for answer in answers:
            if answer.status != 200:
                self.is_refused(answer, 503, "unavailable")

    def test_long_poll_arguments(self):
        for query in ("wait=31", "wait=x", "after=-1", "epoch=12", "wait=1&wait=2", "moon=1"):
            self.is_refused(self.hub.client.get(f"/node/v1/desired?{query}"), 400,
                            "malformed_request")

    def test_expired_peer_is_taken_away(self):
        instance = self.ready_instance()
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        peer = self.new_peer(instance, expires_at=at)
        self.hub.take()
        self.assertIn(peer["id"], self.hub.peers)
        self.assertAlmostEqual(self.hub.peers[peer["id"]]["expires_at"], time.time() + 2, delta=2)
        self.wait_for(lambda: self.hub.take(wait=1) and peer["id"] not in self.hub.peers)
        now = self.api.get(f"/v1/instances/{instance['id']}/peers/{peer['id']}").json
        self.assertEqual(now["state"], "expired")

    def test_user_cuts_all_peers(self):
        instance = self.ready_instance()
        user = self.api.post("/v1/users", {"name": self.fresh("user")}).json
        ids = {self.new_peer(instance, user_id=user["id"])["id"] for _ in range(2)}
        self.hub.take()
        self.assertLessEqual(ids, set(self.hub.peers))
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/suspend"))
        self.hub.take()
        self.assertFalse(ids & set(self.hub.peers))
        states = {p["state"] for p in self.api.items(f"/v1/instances/{instance['id']}/peers")}
        self.assertEqual(states, {"suspended"})
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/resume"))
        self.hub.take()
        self.assertLessEqual(ids, set(self.hub.peers))
        self.is_ok(self.api.delete(f"/v1/users/{user['id']}"), 204)
        self.hub.take()
        self.assertFalse(ids & set(self.hub.peers))
        self.assertEqual(self.api.items(f"/v1/instances/{instance['id']}/peers"), [])

    def test_why_a_peer_is_not_connected(self):
        instance = self.ready_instance()
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("Jo")}), 201).json
        peer = self.new_peer(instance, user_id=user["id"])
        path = f"/v1/instances/{instance['id']}/peers/{peer['id']}"

        def why(word, **status):
            self.hub.status[peer["id"]] = status
            self.hub.sync()
            shown = self.api.get(path).json
            self.assertFalse(shown["connected"])
            self.assertIn(word, shown["why_not_connected"])
            listed = self.api.items(f"/v1/instances/{instance['id']}/peers")
            self.assertEqual([p["why_not_connected"] for p in listed], [shown["why_not_connected"]])
        port = instance["endpoints"]["wireguard"]["port"]
        why(f"Nothing authentic has ever come from it: is its profile imported and on, has it the key "
            f"that is shown here, does UDP port {port} of the hub reach it?")
        long_ago = int(time.time()) - 100_000
        why(time.strftime("since %Y-%m-%d %H:%M:%S UTC", time.gmtime(long_ago)), last_seen_at=long_ago)
        for at, (reason, detail, words) in enumerate((
                ("old_timestamp", 7200, "7200 s behind the hub's clock"),
                ("old_timestamp", 7201, "or somebody replays packets"), ("old_timestamp", 0, "reset-clock"),
                ("bad_handshake", 0, "preshared key"), ("no_response", 0, "does not answer"),
                ("clock_ahead", 90_000, "a day ahead"), ("moon", 0, "no known reason")), 1):
            why(words, last_seen_at=long_ago,
                last_failure={"reason": reason, "at": long_ago + at, "detail": detail})
        # the nearest cause first
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/suspend"))
        why("nave users resume")
        self.is_ok(self.api.post(f"{path}/suspend"))
        why("nave peers resume")
        self.is_ok(self.api.post(f"{path}/resume"))
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/resume"))
        etag = self.api.get(path).etag
        self.is_ok(self.api.patch(path, {"expires_at": "2020-01-01T00:00:00Z"}, If_Match=etag))
        why("expires-at")

    def test_why_when_the_hub_is_away(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db")) as database:
            database.execute("UPDATE hub SET last_report_at = last_report_at - 1000")
            database.commit()
        shown = self.api.get(f"/v1/instances/{instance['id']}/peers/{peer['id']}").json
        self.assertIn("nave-node", shown["why_not_connected"])

    def test_clock_of_a_peer_is_forgotten(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        path = f"/v1/instances/{instance['id']}/peers/{peer['id']}"
        self.hub.take()
        self.assertEqual(self.hub.peers[peer["id"]]["timestamp_reset"], 0)
        for count in (1, 2):
            self.is_ok(self.api.post(f"{path}/reset-clock"))
            self.assertEqual([p["id"] for p in self.hub.take()["peers"]], [peer["id"]])
            self.assertEqual(self.hub.peers[peer["id"]]["timestamp_reset"], count)
        self.assertIn("peer.reset_clock", [e["action"] for e in self.api.items("/v1/audit-log")])

    def test_capture(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        captures = f"/v1/instances/{instance['id']}/peers/{peer['id']}/captures"
        self.hub.take()
        made = self.is_ok(self.api.post(captures, {"side": "outer", "seconds": 5}), 201).json
        self.assertEqual((made["state"], made["bytes"], made["ended_at"]), ("requested", 0, None))
        self.hub.take()
        self.assertEqual(self.hub.captures.pop(made["id"]), {
            "id": made["id"], "peer_id": peer["id"], "side": "outer", "seconds": 5,
            "max_bytes": 524288})
        path = f"{captures}/{made['id']}"
        self.is_refused(self.api.get(f"{path}/file"), 409, "conflict")
        packets = bytes(range(256)) * 2048
        theirs = f"/node/v1/captures/{made['id']}"
        self.is_refused(Hub(self.daemon, "other").client.post(theirs, {"file": ""}), 404, "not_found")
        too_much = base64.b64encode(packets + b"x").decode()
        self.is_refused(self.hub.client.post(theirs, {"file": too_much}), 422, "unprocessable")
        body = {"file": base64.b64encode(packets).decode()}
        self.is_ok(self.hub.client.post(theirs, body), 204)
        self.is_refused(self.hub.client.post(theirs, body), 404, "not_found")  # only once
        done = self.api.get(path).json
        self.assertEqual((done["state"], done["bytes"], done["reason"]), ("done", len(packets), None))
        self.assertEqual(self.api.get(f"{path}/file").data, packets)
        nothing = self.is_ok(self.api.post(captures), 201).json
        self.is_ok(self.hub.client.post(f"/node/v1/captures/{nothing['id']}", {"file": ""}), 204)
        self.assertEqual(self.api.get(f"{captures}/{nothing['id']}/file").data, b"")
        self.is_ok(self.api.delete(f"{captures}/{nothing['id']}"), 204)
        self.assertEqual([c["id"] for c in self.api.items(captures)], [made["id"]])
        self.is_ok(self.api.delete(path), 204)
        self.is_refused(self.api.get(path), 404, "not_found")
        self.assertIn("peer.capture", [e["action"] for e in self.api.items("/v1/audit-log")])

    def test_captures_that_fail(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        peers = f"/v1/instances/{instance['id']}/peers"
        captures = f"{peers}/{peer['id']}/captures"
        for body, pointer in (({"side": "upper"}, "/side"), ({"seconds": 0}, "/seconds"),
                              ({"seconds": 301}, "/seconds"), ({"seconds": -2**40}, "/seconds"),
                              ({"max_bytes": 4095}, "/max_bytes"),
                              ({"max_bytes": 524289}, "/max_bytes")):
            self.is_refused(self.api.post(captures, body), 422, "unprocessable", pointer)
        first = self.is_ok(self.api.post(captures), 201).json
        self.hub.take()
        self.is_ok(self.hub.client.post(f"/node/v1/captures/{first['id']}",
                                        {"file": None, "reason": "no memory"}), 204)
        failed = self.api.get(f"{captures}/{first['id']}").json
        self.assertEqual((failed["state"], failed["reason"]), ("failed", "no memory"))
        late = self.is_ok(self.api.post(captures, {"seconds": 1}), 201).json
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db")) as database:
            database.execute("UPDATE capture SET created_at = created_at - 61")
            database.commit()
        self.wait_for(lambda: self.api.get(f"{captures}/{late['id']}").json["state"] == "failed")
        for _ in range(2):
            self.is_ok(self.api.post(captures), 201)
        self.is_refused(self.api.post(captures), 409, "conflict")
        other = self.new_peer(instance)
        self.is_ok(self.api.post(f"{peers}/{other['id']}/suspend"))
        self.is_refused(self.api.post(f"{peers}/{other['id']}/captures"), 409, "conflict")
        # a hub that begins anew is asked for what is still waited for
        waits = {c["id"] for c in self.api.items(captures) if c["state"] == "requested"}
        self.hub.epoch, self.hub.captures = None, {}
        self.hub.take()
        self.assertEqual({i for i, c in self.hub.captures.items() if c["peer_id"] == peer["id"]}, waits)

    def test_report_shows_in_the_peer(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        path = f"/v1/instances/{instance['id']}/peers/{peer['id']}"
        self.assertFalse(peer["connected"])
        now = int(time.time())
        self.hub.status[peer["id"]] = {
            "endpoint": "198.51.100.7:4500", "last_handshake_at": now, "last_seen_at": now,
            "rx_bytes": 1000, "tx_bytes": 2000, "rx_packets": 10, "tx_packets": 20,
            "timestamp": "40000000" + "a" * 16,
            "last_failure": {"reason": "old_timestamp", "at": now}}
        self.hub.sync()
        shown = self.api.get(path).json
        self.assertTrue(shown["connected"])
        self.assertEqual(shown["connected_from"], "198.51.100.7:4500")
        self.assertEqual(shown["protocol_in_use"], "wireguard")
        self.assertEqual((shown["rx_bytes"], shown["tx_bytes"]), (1000, 2000))
        self.assertIn("clock", shown["last_failure"]["reason"])
        self.assertIsNone(shown["why_not_connected"])
        # another boot counts from zero again; the sum goes on
        self.hub.boot_id = str(uuid.uuid4())
        self.hub.status[peer["id"]] |= {"rx_bytes": 5, "tx_bytes": 6}
        self.hub.report()
        shown = self.api.get(path).json
        self.assertEqual((shown["rx_bytes"], shown["tx_bytes"]), (1005, 2006))
        self.hub.report()
        self.assertEqual(self.api.get(path).json["rx_bytes"], 1005)

    def test_connected_is_by_the_keepalive(self):
        instance = self.ready_instance()
        now = int(time.time())
        for keepalive, age, connected in ((25, 170, True), (25, 190, False), (100, 290, True),
                                          (100, 310, False), (0, 170, True)):
            peer = self.new_peer(instance, keepalive=keepalive)
            self.hub.status[peer["id"]] = {
                "last_seen_at": now - age, "endpoint": "198.51.100.7:4500"}
            self.hub.sync()
            path = f"/v1/instances/{instance['id']}/peers"
            shown = self.api.get(f"{path}/{peer['id']}").json
            self.assertEqual(shown["connected"], connected, (keepalive, age))
            self.assertEqual(shown["connected_from"], "198.51.100.7:4500" if connected else None)
            ids = [p["id"] for p in self.api.items(f"{path}?connected=true")]
            self.assertEqual(peer["id"] in ids, connected)

    def test_endpoint_is_given_back_to_the_hub(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance)
        self.hub.status[peer["id"]] = {"endpoint": "198.51.100.9:1", "last_seen_at": 1}
        self.hub.sync()
        whole = self.hub.client.get("/node/v1/desired").json
        self.assertEqual([p["endpoint"] for p in whole["peers"] if p["id"] == peer["id"]],
                         ["198.51.100.9:1"])
        # WireGuard cannot be called where OpenVPN called from
        self.hub.status[peer["id"]] = {"endpoint": "198.51.100.9:40000", "last_seen_at": 2, "protocol_in_use": "openvpn"}
        self.hub.sync()
        whole = self.hub.client.get("/node/v1/desired").json
        self.assertEqual([p["endpoint"] for p in whole["peers"] if p["id"] == peer["id"]], [None])

    def test_instance_goes_when_the_hub_has_confirmed(self):
        instance = self.ready_instance()
        path = f"/v1/instances/{instance['id']}"
        self.new_peer(instance)
        self.hub.take()
        gone = self.is_ok(self.api.delete(path), 202).json
        self.assertEqual(gone["state"], "deleting")
        self.is_refused(self.api.post(f"{path}/peers", {"type": "client", "name": "late"}), 409,
                        "conflict")
        self.is_refused(self.api.post(f"{path}/retry"), 409, "conflict")
        etag = self.api.get(path).etag
        self.is_refused(self.api.patch(path, {"mtu": 1400}, If_Match=etag), 409, "conflict")
        self.hub.report()  # has not taken it up yet
        self.is_ok(self.api.get(path))
        self.hub.sync()
        self.assertNotIn(instance["id"], self.hub.instances)
        self.is_refused(self.api.get(path), 404, "not_found")

    def test_failure_and_recovery_of_an_instance(self):
        instance = self.ready_instance()
        path = f"/v1/instances/{instance['id']}"
        self.hub.failed[instance["id"]] = "no TUN device"
        self.hub.sync()
        now = self.api.get(path).json
        self.assertEqual(now["state"], "degraded")
        self.assertIn("no TUN device", str(now["conditions"]))
        self.is_ok(self.api.post(f"{path}/retry"), 202)
        self.hub.failed.clear()
        self.hub.sync()
        self.assertEqual(self.api.get(path).json["state"], "ready")

    def test_report_of_another_database_confirms_nothing(self):
        instance = self.new_instance()
        self.wait_for(lambda: self.api.get(f"/v1/instances/{instance['id']}").json
                      ["endpoints"]["wireguard"])
        self.hub.take()
        self.hub.report(epoch=str(uuid.uuid4()))
        now = self.api.get(f"/v1/instances/{instance['id']}").json
        self.assertEqual(now["state"], "provisioning")

    def test_hostile_reports(self):
        good = self.hub.report_body
        for change in ({"boot_id": 1}, {"generation": "1"}, {"peers": {}}, {"counters": {"a": "b"}},
                       {"moon": 1}, {"egress": {"ipv4": True}}, {"instances": [{"id": "x"}]}):
            self.is_refused(self.hub.client.post("/node/v1/report", good(**change)), 400,
                            "malformed_body", f"/{list(change)[0]}" if
                            list(change)[0] in ("boot_id", "moon") else None)
        stray = self.hub.report_of_peer(str(uuid.uuid4()))
        strange = self.hub.report_of_peer("no id") | {
            "endpoint": "nowhere", "rx_bytes": -5, "timestamp": "zz"}
        ghost = {"id": str(uuid.uuid4()), "state": "ready", "reason": "x" * 5000}
        self.hub.report(peers=[stray, strange], instances=[ghost], addresses=["x"] * 500)
        self.hub.report()

    def test_metrics(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance, name='odd "name"\\')
        text = self.is_ok(self.api.get("/metrics")).text
        self.assertIn(f'public_key="{peer["public_key"]}"', text)
        self.assertIn(r'friendly_name="odd \"name\"\\"', text)
        self.assertIn('nave_hub_connected{hub="hub1"} 1', text)
        self.assertIn('nave_dataplane_total{hub="hub1",counter="rx_packets"} 7', text)
        self.assertIn('nave_dataplane{hub="hub1",gauge="peers_now"} 3', text)
        self.assertNotIn('counter="peers_now"', text)
        self.assertIn(f'nave_instance_ready{{hostname="{instance["hostname"]}"}} 1', text)

    def test_metrics_of_openvpn(self):
        instance = self.ready_instance()
        peer = self.new_peer(instance, name="ophelia", protocol="openvpn")
        silent = self.new_peer(instance, name="silent", protocol="openvpn")
        path = f'status_path="nave{self.hub.instances[instance["id"]]["number"]}"'
        here = f'{path},instance_hostname="{instance["hostname"]}"'
        count = f"openvpn_server_connected_clients{{{here}}}"
        self.assertIn(f"{count} 0\n", self.is_ok(self.api.get("/metrics")).text)
        now = int(time.time())
        self.hub.status[peer["id"]] = {
            "endpoint": "198.51.100.7:41194", "last_handshake_at": now, "last_seen_at": now, "rx_bytes": 1234,
            "tx_bytes": 5678, "protocol_in_use": "openvpn"}
        self.hub.sync()
        text = self.is_ok(self.api.get("/metrics")).text
        self.assertIn(f"{count} 1\n", text)
        client = re.search(r"openvpn_server_client_received_bytes_total\{(.*)\} 1234\n", text).group(1)
        for label in (path, f'common_name="{peer["username"]}"', f'username="{peer["username"]}"',
                      'real_address="198.51.100.7:41194"', f'virtual_address="{peer["addresses"]["ipv4"]}"',
                      'friendly_name="ophelia"'):
            self.assertIn(label, client)
        self.assertRegex(client, r'connection_time="\d+"')
        self.assertRegex(text, r"openvpn_server_client_sent_bytes_total\{.*\} 5678\n")
        self.assertRegex(text, r"openvpn_server_route_last_reference_time_seconds\{.*\} \d+\n")
        self.assertNotIn(f'common_name="{silent["username"]}"', text)
        self.assertNotRegex(text, r'wireguard_\w+\{.*friendly_name="(ophelia|silent)"')
        self.assertRegex(text, r'nave_peer_connected\{.*public_key="",friendly_name="ophelia".*\} 1\n')

    def test_ports_are_unique(self):
        ports = [self.ready_instance()["endpoints"]["wireguard"]["port"] for _ in range(3)]
        self.assertEqual(len(set(ports)), 3)


class NoHubTest(rest_client.RestTest):
    def test_waits_for_a_hub_and_goes_without_one(self):
        instance = self.new_instance()
        path = f"/v1/instances/{instance['id']}"
        condition = self.wait_for(lambda: [
            c for c in self.api.get(path).json["conditions"] if c["reason"] == "NoHub"])[0]
        self.assertIn("nave-node", condition["message"])
        self.is_refused(self.api.get(f"{path}/peers/{self.new_peer(instance)['id']}/profile"), 409,
                        "conflict")
        other = self.new_instance()
        self.is_ok(self.api.delete(f"/v1/instances/{other['id']}"), 204)
        hub = Hub(self.daemon)
        hub.run()
        self.wait_for(lambda: self.api.get(path).json["state"] == "ready")
        # a hub that was never heard of gets nothing while another one reports
        Hub(self.daemon, "silent")
        path = f"/v1/instances/{self.new_instance()['id']}"
        self.wait_for(lambda: self.api.get(path).json["state"] == "ready")
        hub.stop()


class NoPortTest(rest_client.RestTest):
    config = "wireguard_ports = [51820, 51820];"

    def test_ports_run_out_and_come_back(self):
        hub = Hub(self.daemon)
        hub.sync()
        first, second = self.new_instance(), self.new_instance()
        states = lambda: [self.api.get(f"/v1/instances/{i['id']}").json["state"]
                          for i in (first, second)]
        self.wait_for(lambda: hub.sync() or states() == ["ready", "failed"])
        self.is_ok(self.api.delete(f"/v1/instances/{first['id']}"), 202)
        hub.sync()
        self.is_ok(self.api.post(f"/v1/instances/{second['id']}/retry"), 202)
        self.wait_for(lambda: hub.sync() or self.api.get(
            f"/v1/instances/{second['id']}").json["state"] == "ready")


if __name__ == "__main__":
    rest_client.main()
