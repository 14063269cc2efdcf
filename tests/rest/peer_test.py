#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers: each refusal of the product's table with its field, addresses, changes, profiles."""
import base64
import contextlib
import ipaddress
import os
import re
import sqlite3
import time
import uuid

import rest_client
from rest_hub import Hub


def new_key():
    return base64.b64encode(os.urandom(32)).decode()


def encode(data):
    return base64.b64encode(data).decode()


class PeerTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.run()

    @classmethod
    def tearDownClass(cls):
        cls.hub.stop()
        super().tearDownClass()

    def setUp(self):
        made = self.new_instance(networks={"ipv4": "10.200.0.0/20"})
        self.path = f"/v1/instances/{made['id']}"
        self.peers = f"{self.path}/peers"
        self.instance = self.wait_for(self.ready_instance)

    def ready_instance(self):
        now = self.api.get(self.path).json
        return now if now["state"] == "ready" else None

    def create(self, **body):
        return self.api.post(self.peers, {"type": "client", "name": self.fresh("peer"), **body})

    def site(self, *subnets, **body):
        return self.create(**{"type": "site", "subnets": list(subnets), **body})

    def made(self, **body):
        return self.is_ok(self.create(**body), 201).json

    def change(self, peer, **body):
        path = f"{self.peers}/{peer['id']}"
        return self.api.patch(path, body, If_Match=self.api.get(path).etag)

    def test_defaults_of_a_client(self):
        answer = self.is_ok(self.create(name="laptop"), 201)
        peer = answer.json
        self.assertEqual(answer.headers["Location"], f"{self.peers}/{peer['id']}")
        wanted = {"type": "client", "protocol": "wireguard", "name": "laptop", "site_id": None,
                  "user_id": None, "subnets": [], "allow_broad_routes": False, "route_all": False,
                  "allowed_destinations": None, "keepalive": 25, "expires_at": None,
                  "state": "active", "connected": False, "connected_from": None,
                  "protocol_in_use": None, "username": None, "last_handshake_at": None, "last_failure": None,
                  "rx_bytes": 0, "tx_bytes": 0, "profile_outdated": False, "labels": {}}
        self.assertEqual({k: peer[k] for k in wanted}, wanted)
        self.assertEqual(len(base64.b64decode(peer["public_key"])), 32)
        self.assertEqual(peer["addresses"]["ipv4"], "10.200.0.2")

    def test_everything_given(self):
        site = self.is_ok(self.api.post("/v1/sites", {"name": self.fresh("site")}), 201).json
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("user")}), 201).json
        key = new_key()
        for body in (
                {"type": "site", "site_id": site["id"], "public_key": key, "keepalive": 0,
                 "subnets": ["192.168.10.0/24", "fd00:10::/64"], "labels": {"a": "b"}},
                {"type": "client", "user_id": user["id"], "route_all": True, "keepalive": 65535,
                 "allowed_destinations": ["10.0.0.0/8", "fd00::/8"],
                 "expires_at": "2099-12-31T23:59:59Z"},
                {"type": "client", "protocol": "any", "allowed_destinations": []}):
            peer = self.made(**body)
            self.assertEqual({k: peer[k] for k in body}, body)

    def test_addresses(self):
        seen = []
        for _ in range(3):
            seen.append(self.made()["addresses"])
        self.assertEqual([a["ipv4"] for a in seen], ["10.200.0.2", "10.200.0.3", "10.200.0.4"])
        network = ipaddress.ip_network(self.instance["networks"]["ipv6"])
        self.assertTrue(all(ipaddress.ip_address(a["ipv6"]) in network for a in seen))
        self.assertEqual(len({a["ipv6"] for a in seen}), 3)
        # given up is in quarantine for a day
        peer = self.made()
        self.is_ok(self.api.delete(f"{self.peers}/{peer['id']}"), 204)
        self.assertNotEqual(self.made()["addresses"], peer["addresses"])

    def test_network_runs_full(self):
        small = self.new_instance(networks={"ipv4": "10.8.0.0/28"})
        for _ in range(13):  # 16 without network, broadcast and hub
            self.new_peer(small)
        answer = self.api.post(f"/v1/instances/{small['id']}/peers",
                               {"type": "client", "name": "one too many"})
        self.is_refused(answer, 409, "conflict", "", "no free address")

    def test_malformed(self):
        for change, pointer in (
                ({"type": 1}, "/type"), ({"name": None}, "/name"), ({"public_key": 5}, "/public_key"),
                ({"subnets": "x"}, "/subnets"), ({"subnets": [1]}, "/subnets/0"),
                ({"allowed_destinations": {}}, "/allowed_destinations"),
                ({"route_all": "yes"}, "/route_all"), ({"keepalive": "25"}, "/keepalive"),
                ({"keepalive": 2.5}, "/keepalive"), ({"expires_at": 5}, "/expires_at"),
                ({"site_id": 5}, "/site_id"), ({"labels": {"a": None}}, "/labels/a"),
                ({"addresses": ["10.200.0.9"]}, "/addresses"), ({"moon": 1}, "/moon")):
            with self.subTest(change):
                self.is_refused(self.create(**change), 400, "malformed_body", pointer)
        self.is_refused(self.api.post(self.peers, {"type": "client"}), 400, "malformed_body", "/name")
        self.is_refused(self.api.post(self.peers, {"name": "x"}), 400, "malformed_body", "/type")

    def test_values_that_cannot_be(self):
        nobody = str(uuid.uuid4())
        for change, pointer, word in (
                ({"type": "thing"}, "/type", "client"), ({"protocol": "ipsec"}, "/protocol", "any"),
                ({"name": ""}, "/name", "empty"), ({"name": "x" * 65}, "/name", "64"),
                ({"keepalive": -1}, "/keepalive", "65535"), ({"keepalive": 65536}, "/keepalive", ""),
                ({"keepalive": 2**62}, "/keepalive", ""),
                ({"expires_at": "yesterday"}, "/expires_at", "2030"),
                ({"expires_at": "2030-02-30T00:00:00Z"}, "/expires_at", ""),
                ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at", ""),
                ({"expires_at": "2030-01-01"}, "/expires_at", ""),
                ({"user_id": "x"}, "/user_id", "UUID"), ({"user_id": nobody}, "/user_id", "no such"),
                ({"site_id": nobody, "type": "site", "subnets": ["10.1.0.0/16"]}, "/site_id", "no such"),
                ({"site_id": nobody}, "/site_id", "client peer"),
                ({"subnets": ["10.1.0.0/16"]}, "/subnets", "site peers"),
                ({"allow_broad_routes": True}, "/allow_broad_routes", "site peers"),
                ({"allowed_destinations": ["10.0.0.1/8"]}, "/allowed_destinations/0", "10.0.0.0/8"),
                ({"allowed_destinations": ["moon"]}, "/allowed_destinations/0", ""),
                ({"allowed_destinations": [f"10.{i}.0.0/16" for i in range(65)]},
                 "/allowed_destinations", "64"),
                ({"labels": {"a b": ""}}, "/labels", "")):
            with self.subTest(change):
                self.is_refused(self.create(**change), 422, "unprocessable", pointer, word)
        for change, pointer in (({"route_all": True}, "/route_all"), ({"user_id": nobody}, "/user_id"),
                                ({"protocol": "any"}, "/protocol"), ({"subnets": []}, "/subnets")):
            self.is_refused(self.site("10.1.0.0/16", **change), 422, "unprocessable", pointer)

    def test_subnets_that_cannot_be(self):
        own6 = self.instance["networks"]["ipv6"]
        for subnets, pointer, word in (
                (["hello"], "/subnets/0", "192.168.10.0/24"), (["10.0.0.0/33"], "/subnets/0", ""),
                (["fd00::/129"], "/subnets/0", ""), (["10.1.1.1"], "/subnets/0", ""),
                (["192.168.20.1/24"], "/subnets/0", "192.168.20.0/24"),
                (["fd00:10::1/64"], "/subnets/0", "fd00:10::/64"),
                (["224.0.0.0/8"], "/subnets/0", "multicast"), (["ff02::/16"], "/subnets/0", "multicast"),
                (["127.0.0.0/8"], "/subnets/0", "loopback"), (["127.1.2.0/24"], "/subnets/0", "loopback"),
                (["::1/128"], "/subnets/0", "loopback"),
                (["169.254.0.0/16"], "/subnets/0", "link-local"),
                (["fe80::/64"], "/subnets/0", "link-local"), (["240.0.0.0/8"], "/subnets/0", "reserved"),
                (["0.0.0.0/0"], "/subnets/0", "allow_broad_routes"),
                (["::/0"], "/subnets/0", "allow_broad_routes"),
                (["128.0.0.0/1"], "/subnets/0", "allow_broad_routes"),
                (["10.200.0.0/24"], "/subnets/0", "10.200.0.0/20"),
                (["10.200.0.0/16"], "/subnets/0", "10.200.0.0/20"), ([own6], "/subnets/0", own6),
                (["192.168.30.0/24", "192.168.30.128/25"], "/subnets/1", "192.168.30.0/24"),
                (["192.168.30.0/24", "192.168.30.0/24"], "/subnets/1", ""),
                ([f"172.16.{i}.0/24" for i in range(65)], "/subnets", "64")):
            with self.subTest(subnets):
                self.is_refused(self.site(*subnets), 422, "unprocessable", pointer, word)

    def test_overlap_names_the_owner(self):
        owner = self.is_ok(self.site("192.168.10.0/24", "fd00:10::/64", name="Branch 1"), 201).json
        for subnets, pointer in (
                (["192.168.10.0/24"], "/subnets/0"), (["192.168.10.128/25"], "/subnets/0"),
                (["192.168.0.0/16"], "/subnets/0"), (["fd00:10::/48"], "/subnets/0"),
                (["192.168.20.0/24", "192.168.10.0/24"], "/subnets/1")):
            with self.subTest(subnets):
                answer = self.is_refused(self.site(*subnets), 409, "conflict", pointer, "Branch 1")
                self.assertIn("192.168.10.0/24" if "." in subnets[0] else "fd00:10::/64", answer.text)
        # neighbours do not overlap; another instance is another world; its own may stay
        self.is_ok(self.site("192.168.11.0/24", "192.168.8.0/23"), 201)
        self.new_peer(self.new_instance(), type="site", subnets=["192.168.10.0/24"])
        self.is_ok(self.change(owner, subnets=["192.168.10.0/24", "192.168.12.0/24"]))
        self.is_refused(self.change(owner, subnets=["192.168.11.0/25"]), 409, "conflict",
                        "/subnets/0")
        # a subnet that was given up is free
        self.is_ok(self.change(owner, subnets=["192.168.12.0/24"]))
        self.is_ok(self.site("192.168.10.0/24"), 201)

    def test_broad_routes(self):
        self.is_ok(self.site("192.168.10.0/24"), 201)
        self.is_ok(self.site("0.0.0.0/0", "::/0", allow_broad_routes=True), 201)
        self.is_ok(self.site("192.168.11.0/24"), 201)
        self.is_refused(self.site("0.0.0.0/0", allow_broad_routes=True), 409, "conflict",
                        "/subnets/0")

    def test_public_keys(self):
        key = new_key()
        peer = self.made(public_key=key)
        self.assertEqual(peer["public_key"], key)
        weak = (bytes(32), b"\1" + bytes(31), b"\xec" + b"\xff" * 30 + b"\x7f")
        for bad in ["x", key[:-1], key + "=", key[:-2] + "==", key[:-1] + "\n", "!" * 44,
                    encode(os.urandom(31)), *map(encode, weak)]:
            with self.subTest(bad):
                self.is_refused(self.create(public_key=bad), 422, "unprocessable", "/public_key")
        own = self.instance["endpoints"]["wireguard"]["public_key"]
        self.is_refused(self.create(public_key=own), 422, "unprocessable", "/public_key", "instance")
        self.is_refused(self.create(public_key=key), 409, "conflict", "/public_key")
        self.new_peer(self.new_instance(), public_key=key)

    def test_names_are_unique_in_the_instance(self):
        peer, other = self.made(), self.made()
        self.is_refused(self.create(name=peer["name"]), 409, "conflict", "/name")
        self.is_refused(self.change(other, name=peer["name"]), 409, "conflict", "/name")
        self.new_peer(self.new_instance(), name=peer["name"])

    def test_patch(self):
        peer = self.made(expires_at="2099-01-01T00:00:00+02:00", labels={"a": "1"}, keepalive=10)
        self.assertEqual(peer["expires_at"], "2098-12-31T22:00:00Z")
        for body, shown in (
                ({"name": "renamed"}, "renamed"), ({"route_all": True}, True),
                ({"allowed_destinations": ["10.0.0.0/8"]}, ["10.0.0.0/8"]),
                ({"allowed_destinations": None}, None), ({"keepalive": None}, 25),
                ({"expires_at": None}, None), ({"labels": {"a": None, "b": "2"}}, {"b": "2"})):
            now = self.is_ok(self.change(peer, **body)).json
            self.assertEqual(now[list(body)[0]], shown)
        self.assertEqual(now["public_key"], peer["public_key"])
        self.assertEqual(now["addresses"], peer["addresses"])
        for body, pointer in (({"type": "site"}, "/type"), ({"public_key": new_key()}, "/public_key"),
                              ({"id": "x"}, "/id"), ({"state": "active"}, "/state")):
            self.is_refused(self.change(peer, **body), 400, "malformed_body", pointer)
        for body, pointer in (({"subnets": ["10.1.0.0/16"]}, "/subnets"), ({"name": None}, "/name"),
                              ({"keepalive": -1}, "/keepalive"), ({"expires_at": "x"}, "/expires_at")):
            self.is_refused(self.change(peer, **body), 422, "unprocessable", pointer)

    def test_patch_shows_what_follows_from_it(self):
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("Jo")}), 201).json
        self.is_ok(self.api.post(f"/v1/users/{user['id']}/suspend", {}))
        peer = self.made()
        now = self.is_ok(self.change(peer, user_id=user["id"])).json
        self.assertEqual(now["state"], "suspended")
        self.assertEqual(self.is_ok(self.change(peer, user_id=None)).json["state"], "active")

    def test_peer_of_another_instance_is_not_here(self):
        stranger = self.new_peer(self.new_instance())
        for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/suspend"), ("GET", "/profile"),
                             ("POST", "/profile/reveal")):
            answer = self.api.call(method, f"{self.peers}/{stranger['id']}{tail}")
            self.is_refused(answer, 404, "not_found")
        for bad in ("x", str(uuid.uuid4()), stranger["id"][:-1]):
            self.is_refused(self.api.get(f"{self.peers}/{bad}"), 404, "not_found")

    def test_suspend_resume_expire(self):
        peer = self.made()
        path = f"{self.peers}/{peer['id']}"
        for act, state in (("suspend", "suspended"), ("suspend", "suspended"), ("resume", "active"),
                           ("resume", "active")):
            self.assertEqual(self.is_ok(self.api.post(f"{path}/{act}", {})).json["state"], state)
        self.is_refused(self.api.post(f"{path}/suspend", {"for": "ever"}), 400, "malformed_body",
                        "/for")
        now = self.is_ok(self.change(peer, expires_at="2020-01-01T00:00:00Z")).json
        self.assertEqual(now["state"], "expired")
        self.wait_for(lambda: peer["id"] not in self.hub.peers)
        later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        self.assertEqual(self.is_ok(self.change(peer, expires_at=later)).json["state"], "active")
        self.wait_for(lambda: peer["id"] in self.hub.peers)
        states = {s: [p["id"] for p in self.api.items(f"{self.peers}?state={s}")]
                  for s in ("active", "suspended", "expired")}
        self.assertEqual(states, {"active": [peer["id"]], "suspended": [], "expired": []})

    def secrets_of(self, text):
        return (re.search(r"^PrivateKey = *(\S*)$", text, re.M),
                re.search(r"^PresharedKey = *(\S*)$", text, re.M))

    def test_key_made_here_is_revealed_once(self):
        peer = self.made()
        path = f"{self.peers}/{peer['id']}/profile"
        before = self.is_ok(self.api.get(path))
        self.assertEqual(before.headers["Cache-Control"], "no-store")
        private, preshared = self.secrets_of(before.text)
        self.assertFalse(private and private[1])
        self.assertFalse(preshared and preshared[1])
        endpoint = self.instance["endpoints"]["wireguard"]
        self.assertIn(f"PublicKey = {endpoint['public_key']}", before.text)
        self.assertIn(f"Endpoint = {endpoint['address']}:{endpoint['port']}", before.text)
        self.assertIn("10.200.0.2/32", before.text)
        revealed = self.is_ok(self.api.post(f"{path}/reveal"))
        private, preshared = self.secrets_of(revealed.text)
        self.assertEqual(len(base64.b64decode(private[1])), 32)
        self.assertEqual(preshared[1], self.wait_for(
            lambda: self.hub.peers.get(peer["id"]))["preshared_key"])
        # within ten minutes every format has it
        self.assertEqual(self.api.get(path).text, revealed.text)
        self.is_ok(self.api.get(f"{path}?format=qr"))
        self.is_refused(self.api.get(f"{path}?format=pigeon"), 400, "malformed_request")
        # and nothing else ever has
        for where in (f"{self.peers}/{peer['id']}", self.peers, "/v1/audit-log", "/metrics"):
            text = self.api.get(where).text
            self.assertNotIn(private[1], text)
            self.assertNotIn(preshared[1], text)
        self.assertNotIn(private[1], self.daemon.log_text())
        with open(f"{self.daemon.state}/control.db", "rb") as stream:
            database = stream.read()
        self.assertNotIn(base64.b64decode(private[1]), database)
        self.assertNotIn(private[1].encode(), database)

    def test_key_is_forgotten_ten_minutes_later(self):
        peer = self.made()
        path = f"{self.peers}/{peer['id']}/profile"
        self.is_ok(self.api.post(f"{path}/reveal"))
        row = (uuid.UUID(peer["id"]).bytes,)

        def look():
            return database.execute(
                "SELECT revealed_until, private_key_box FROM peer WHERE id = ?", row).fetchone()
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db")) as database:
            until, box = look()
            self.assertAlmostEqual(until, time.time() + 600, delta=5)
            self.assertIsNotNone(box)
            database.execute("UPDATE peer SET revealed_until = ? WHERE id = ?",
                             (int(time.time()) - 1, *row))
            database.commit()
            private, preshared = self.secrets_of(self.is_ok(self.api.get(path)).text)
            self.assertFalse(private and private[1])
            self.assertFalse(preshared and preshared[1])
            self.is_refused(self.api.post(f"{path}/reveal"), 409, "conflict")
            self.hub.stop()
            self.daemon.stop()  # the first thing that it does again is to forget
            self.daemon.start()
            self.hub.ends.clear()
            self.hub.run()
            self.wait_for(lambda: look()[1] is None)
        self.is_refused(self.api.post(f"{path}/reveal"), 409, "conflict")
        self.is_ok(self.api.get(path))

    def test_profile_of_a_key_of_its_own(self):
        peer = self.made(public_key=new_key())
        path = f"{self.peers}/{peer['id']}/profile"
        private, preshared = self.secrets_of(self.is_ok(self.api.get(path)).text)
        self.assertFalse(private and private[1])
        self.assertEqual(len(base64.b64decode(preshared[1])), 32)
        # there is no key to open, so nothing closes after ten minutes either
        self.is_ok(self.api.post(f"{path}/reveal"))
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db")) as database:
            row = database.execute("SELECT revealed_until FROM peer WHERE id = ?",
                                   (uuid.UUID(peer["id"]).bytes,)).fetchone()
        self.assertEqual(row, (0,))

    def test_split_and_route_all(self):
        self.is_ok(self.site("203.0.113.0/28"), 201)
        split, whole = self.made(), self.made(route_all=True)

        def allowed(peer):
            text = self.is_ok(self.api.get(f"{self.peers}/{peer['id']}/profile")).text
            return set(re.findall(r"[0-9a-f.:]+/\d+", re.search(r"AllowedIPs = (.*)", text)[1]))
        own6 = self.instance["networks"]["ipv6"]
        self.assertEqual(allowed(split), {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                          "203.0.113.0/28", own6})
        self.assertEqual(allowed(whole), {"0.0.0.0/0", "::/0"})

    def test_profile_outdated(self):
        peer = self.made()
        path = f"{self.peers}/{peer['id']}"
        self.is_ok(self.api.get(f"{path}/profile"))
        self.assertFalse(self.api.get(path).json["profile_outdated"])
        self.is_ok(self.site("192.168.10.0/24"), 201)  # within what the profile routes already
        self.assertFalse(self.api.get(path).json["profile_outdated"])
        self.is_ok(self.site("203.0.113.0/24"), 201)
        self.assertTrue(self.api.get(path).json["profile_outdated"])
        self.is_ok(self.api.get(f"{path}/profile"))
        self.assertFalse(self.api.get(path).json["profile_outdated"])


if __name__ == "__main__":
    rest_client.main()
