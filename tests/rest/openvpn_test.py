#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenVPN through the API: listeners, certificates, credentials, profiles, what the hub is told."""
import contextlib
import hashlib
import re
import sqlite3
import subprocess
import time
import uuid

import rest_client
from rest_hub import Hub

UDP = {"wrap": "tls-crypt", "tls_minimum": "1.2", "security_level": 1, "renegotiate_seconds": 3600,
       "ciphers": ["AES-256-GCM", "AES-128-GCM", "CHACHA20-POLY1305"], "tls_auth_digest": "SHA1",
       "requires_certificate": True, "requires_password": False}
TCP = {**UDP, "wrap": "none", "requires_password": True,
       "ciphers": UDP["ciphers"] + ["AES-256-CBC", "AES-192-CBC", "AES-128-CBC"]}


def openssl(*words, text=""):
    return subprocess.run(["openssl", *words], input=text, capture_output=True, text=True, check=True).stdout


def block(text, name):
    found = re.search(rf"<{name}>\n(.*?)</{name}>", text, re.S)
    return found and found[1]


class OpenvpnTest(rest_client.RestTest):
    config = 'openvpn_ports = [1194, 1213];'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()
        cls.hub.run()

    @classmethod
    def tearDownClass(cls):
        cls.hub.stop()
        super().tearDownClass()

    def ready(self, **body):
        made = self.new_instance(**body)
        path = f"/v1/instances/{made['id']}"

        def look():
            now = self.api.get(path).json
            return now if now["state"] == "ready" else None
        return self.wait_for(look)

    def path(self, instance, peer=None):
        path = f"/v1/instances/{instance['id']}"
        return path if peer is None else f"{path}/peers/{peer['id']}"

    def change(self, path, **body):
        return self.api.patch(path, body, If_Match=self.api.get(path).etag)

    def told(self, instance):
        return self.wait_for(lambda: self.hub.instances[instance["id"]]["openvpn"])

    def database(self):
        return contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db"))

    def test_listeners_have_ports_of_their_own(self):
        one, other = self.ready(), self.ready()
        for now in (one, other):
            self.assertEqual(now["openvpn"], {"udp": UDP, "tcp": TCP})
            self.assertEqual([c["type"] for c in now["conditions"] if c["status"]],
                             ["Allocated", "KeysReady", "CertificatesReady", "DataplaneReady"])
            for transport in ("udp", "tcp"):
                endpoint = now["endpoints"][f"openvpn_{transport}"]
                self.assertEqual(endpoint["address"], "203.0.113.1")
                self.assertIn(endpoint["port"], range(1194, 1214))
        for transport in ("openvpn_udp", "openvpn_tcp"):
            self.assertNotEqual(one["endpoints"][transport]["port"], other["endpoints"][transport]["port"])

    def test_settings(self):
        made = self.ready(openvpn={"tcp": {"renegotiate_seconds": 0, "security_level": 0}})
        self.assertEqual(made["openvpn"]["tcp"], {**TCP, "renegotiate_seconds": 0, "security_level": 0})
        self.assertEqual(made["openvpn"]["udp"], UDP)
        path = self.path(made)
        patch = {"udp": {"wrap": "tls-crypt-v2", "ciphers": ["AES-128-GCM"], "tls_minimum": "1.3"}}
        now = self.is_ok(self.change(path, openvpn=patch)).json
        self.assertEqual(now["openvpn"]["udp"], {**UDP, **patch["udp"]})
        self.assertEqual(now["openvpn"]["tcp"], made["openvpn"]["tcp"])
        self.wait_for(lambda: self.told(made)["listeners"][0]["tls_minimum"] == "1.3")
        self.is_ok(self.change(path, openvpn={"udp": None}))
        self.assertEqual(self.api.get(path).json["openvpn"]["udp"], UDP)
        for where, change, pointer, word in (
                ("udp", {"wrap": "paper"}, "/wrap", "tls-crypt"), ("udp", {"tls_minimum": "1.1"}, "/tls_minimum", ""),
                ("tcp", {"security_level": 6}, "/security_level", "5"),
                ("tcp", {"security_level": -1}, "/security_level", ""),
                ("tcp", {"security_level": 256}, "/security_level", ""),
                ("udp", {"renegotiate_seconds": 9}, "/renegotiate_seconds", "10"),
                ("udp", {"renegotiate_seconds": -1}, "/renegotiate_seconds", ""),
                ("udp", {"renegotiate_seconds": 2**40}, "/renegotiate_seconds", ""),
                ("udp", {"ciphers": []}, "/ciphers", "one"), ("udp", {"ciphers": ["BF-CBC"]}, "/ciphers/0", "AES"),
                ("udp", {"ciphers": ["AES-256-GCM", "AES-256-GCM"]}, "/ciphers", "twice"),
                ("udp", {"ciphers": ["AES-256-GCM"] * 9}, "/ciphers", ""),
                ("tcp", {"tls_auth_digest": "MD5"}, "/tls_auth_digest", "SHA1"),
                ("udp", {"requires_certificate": False}, "/requires_certificate", "anybody")):
            with self.subTest(change):
                self.is_refused(self.change(path, openvpn={where: change}), 422, "unprocessable",
                                f"/openvpn/{where}{pointer}", word)
        for change, pointer in (({"udp": {"port": 1}}, "/openvpn/udp/port"), ({"sctp": {}}, "/openvpn/sctp"),
                                ({"udp": {"ciphers": "x"}}, "/openvpn/udp/ciphers"), ({"tcp": 1}, "/openvpn/tcp")):
            self.is_refused(self.change(path, openvpn=change), 400, "malformed_body", pointer)

    def test_certificates(self):
        made = self.ready()
        told = self.told(made)
        folder = self.daemon.folder
        for name in ("ca", "certificate", "private_key"):
            with open(f"{folder}/{name}", "w", encoding="ascii") as stream:
                stream.write(told[name])
        openssl("verify", "-CAfile", f"{folder}/ca", "-purpose", "sslserver", f"{folder}/certificate")
        text = openssl("x509", "-noout", "-text", "-in", f"{folder}/certificate")
        for word in ("prime256v1", "TLS Web Server Authentication", f"CN = {made['hostname']}\n",
                     f"DNS:{made['fqdn']}", "IP Address:203.0.113.1", "CA:FALSE"):
            self.assertIn(word, text)
        self.assertNotIn("Client Authentication", text)
        openssl("x509", "-noout", "-in", f"{folder}/certificate", "-checkend", str(364 * 86400))
        openssl("x509", "-noout", "-in", f"{folder}/ca", "-checkend", str(19 * 365 * 86400))
        public = openssl("x509", "-noout", "-pubkey", "-in", f"{folder}/certificate")
        self.assertEqual(openssl("pkey", "-pubout", "-in", f"{folder}/private_key"), public)
        with open(f"{self.daemon.state}/control.db", "rb") as stream:
            self.assertNotIn(told["private_key"].split("\n")[1].encode(), stream.read())

    def test_server_certificate_is_renewed(self):
        made = self.ready()
        before = self.told(made)
        with self.database() as database:
            database.execute("UPDATE authority SET renews_at = ? WHERE instance_id = ?",
                             (int(time.time()) - 1, uuid.UUID(made["id"]).bytes))
            database.commit()
        self.wait_for(lambda: self.told(made)["certificate"] != before["certificate"], 15)
        self.assertEqual(self.told(made)["ca"], before["ca"])
        self.assertEqual(self.api.get(self.path(made)).json["state"], "ready")

    def test_what_the_hub_is_told(self):
        long = ".".join(["x" * 60] * 3)  # too long to be pushed
        made = self.ready(dns={"servers": ["10.9.9.9"], "search_domains": ["corp.example", long]})
        told = self.told(made)
        own6 = made["networks"]["ipv6"]
        self.assertEqual(told["push"], {"routes": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", own6],
                                        "dns": ["10.9.9.9"], "domains": ["corp.example"]})
        for listener, transport, settings in zip(told["listeners"], ("udp", "tcp"), (UDP, TCP)):
            self.assertEqual({k: listener[k] for k in settings}, settings)
            self.assertEqual(listener["transport"], transport)
            self.assertEqual(listener["port"], made["endpoints"][f"openvpn_{transport}"]["port"])
            self.assertEqual(len(listener["wrap_key"]), 512 if transport == "udp" else 0)
        # routes that a site brings or takes away are told at once; the next peer says nothing new
        site = self.new_peer(made, type="site", protocol="openvpn", subnets=["203.0.113.64/28"])
        self.wait_for(lambda: "203.0.113.64/28" in self.told(made)["push"]["routes"])
        self.is_ok(self.change(self.path(made, site), subnets=["192.168.7.0/24"]))
        self.wait_for(lambda: "203.0.113.64/28" not in self.told(made)["push"]["routes"])
        self.is_ok(self.change(self.path(made, site), subnets=["203.0.113.64/28"]))
        self.is_ok(self.api.delete(self.path(made, site)), 204)
        self.wait_for(lambda: "203.0.113.64/28" not in self.told(made)["push"]["routes"])
        self.is_ok(self.change(self.path(made), openvpn={"udp": {"wrap": "tls-crypt-v2"}}))
        self.wait_for(lambda: len(self.told(made)["listeners"][0]["wrap_key"]) == 256)

    def test_peers(self):
        made = self.ready()
        client = self.new_peer(made, protocol="openvpn", name="Alice's Läptop!")
        self.assertEqual((client["protocol"], client["public_key"], client["username"]),
                         ("openvpn", None, "alice-s-l-ptop"))
        twin = self.new_peer(made, protocol="any", name="alice s l ptop")
        self.assertEqual(twin["username"], "alice-s-l-ptop-2")
        self.assertIsNotNone(twin["public_key"])
        long = self.new_peer(made, protocol="openvpn", name="x" * 60)
        self.assertEqual(long["username"], "x" * 27)
        self.assertEqual(self.new_peer(made, protocol="openvpn", name="日本")["username"], "peer")
        named = self.new_peer(made, protocol="openvpn", username="router-7")
        self.assertEqual(named["username"], "router-7")
        self.new_peer(self.ready(), protocol="openvpn", username="router-7")
        peers = f"{self.path(made)}/peers"
        for body, status, pointer in (
                ({"username": "router-7"}, 409, "/username"), ({"username": ""}, 422, "/username"),
                ({"username": "x" * 28}, 422, "/username"), ({"username": "Bob"}, 422, "/username"),
                ({"username": "a", "protocol": "wireguard"}, 422, "/username"),
                ({"public_key": "x"}, 422, "/public_key"), ({"type": "site", "protocol": "any",
                 "subnets": ["192.168.9.0/24"]}, 422, "/protocol")):
            answer = self.api.post(peers, {"type": "client", "protocol": "openvpn",
                                           "name": self.fresh("peer"), **body})
            self.assertEqual((answer.status, answer.pointers()), (status, [pointer]), answer)
        sent = self.wait_for(lambda: self.hub.peers.get(client["id"]))
        self.assertEqual((sent["protocol"], sent["public_key"]), ("openvpn", None))
        self.assertEqual(sent["openvpn"]["username"], client["username"])
        self.is_ok(self.change(self.path(made, client), name="renamed", keepalive=5))
        self.assertEqual(self.api.get(self.path(made, client)).json["username"], client["username"])

    def test_profile_is_revealed_once(self):
        made = self.ready()
        peer = self.new_peer(made, protocol="openvpn")
        path = f"{self.path(made, peer)}/profile"
        before = self.is_ok(self.api.get(f"{path}?transport=tcp")).text
        self.assertEqual(block(before, "key"), "")
        self.assertRegex(before, r"(?m)^auth-user-pass$")
        udp = self.is_ok(self.api.post(f"{path}/reveal")).text
        tcp = self.is_ok(self.api.get(f"{path}?format=openvpn&transport=tcp")).text
        port = made["endpoints"]["openvpn_udp"]["port"]
        for line in ("client", "dev tun", "proto udp", "remote-cert-tls server", f"remote {made['fqdn']} {port}",
                     f"remote 203.0.113.1 {port}", f"verify-x509-name {made['hostname']} name", "auth SHA1",
                     "data-ciphers AES-256-GCM:AES-128-GCM:CHACHA20-POLY1305", "tls-version-min 1.2"):
            self.assertIn(f"\n{line}\n", udp)
        self.assertNotRegex(udp, r"(?m)^(up|down|route-up|script-security|plugin|auth-user-pass|redirect-gateway)")
        told = self.told(made)
        self.assertEqual(block(udp, "ca"), told["ca"])
        wrap = "".join(block(udp, "tls-crypt").split("\n")[1:-2])
        self.assertEqual(wrap, told["listeners"][0]["wrap_key"])
        self.assertNotIn("tls-crypt", tcp)
        self.assertIn("proto tcp\n", tcp)
        username, password = block(tcp, "auth-user-pass").split()
        sent = self.wait_for(lambda: self.hub.peers.get(peer["id"]))["openvpn"]
        salted = bytes.fromhex(sent["password_salt"]) + password.encode()
        self.assertEqual(sent["password_sha256"], hashlib.sha256(salted).hexdigest())
        self.assertEqual(sent["username"], username)
        self.assertEqual(len(password), 22)
        der = openssl("x509", "-outform", "DER", "-fingerprint", "-sha256", "-noout", text=block(udp, "cert"))
        self.assertEqual(der.strip().partition("=")[2].replace(":", "").lower(), sent["certificate_sha256"])
        folder = self.daemon.folder
        for name in ("ca", "cert"):
            with open(f"{folder}/client-{name}", "w", encoding="ascii") as stream:
                stream.write(block(udp, name))
        openssl("verify", "-CAfile", f"{folder}/client-ca", "-purpose", "sslclient", f"{folder}/client-cert")
        self.assertEqual(openssl("pkey", "-pubout", text=block(udp, "key")),
                         openssl("x509", "-noout", "-pubkey", text=block(udp, "cert")))
        with open(f"{self.daemon.state}/control.db", "rb") as stream:
            database = stream.read()
        for secret in (password, block(udp, "key").split("\n")[1]):
            self.assertNotIn(secret.encode(), database)
            self.assertNotIn(secret, self.daemon.log_text())
            for where in (self.path(made, peer), f"{self.path(made)}/peers", "/v1/audit-log", "/metrics"):
                self.assertNotIn(secret, self.api.get(where).text)
        # and then never again
        row = (uuid.UUID(peer["id"]).bytes,)
        with self.database() as database:
            database.execute("UPDATE peer SET revealed_until = ? WHERE id = ?", (int(time.time()) - 1, *row))
            database.commit()
            self.wait_for(lambda: database.execute(
                "SELECT password_box, private_key_box FROM credential WHERE peer_id = ?", row).fetchone()
                == (None, None))
        self.is_refused(self.api.post(f"{path}/reveal"), 409, "conflict")
        self.assertEqual(self.is_ok(self.api.get(f"{path}?transport=tcp")).text, before)

    def test_formats(self):
        made = self.ready()
        old, new = self.new_peer(made), self.new_peer(made, protocol="openvpn", route_all=True)
        both = self.new_peer(made, protocol="any")
        site = self.new_peer(made, type="site", protocol="openvpn", subnets=["192.168.10.0/24"])
        self.new_peer(made, type="site", subnets=["192.168.20.0/24", "fd00:20::/64"])

        def profile(peer, query=""):
            return self.api.get(f"{self.path(made, peer)}/profile{query}")
        self.assertIn("[Interface]", self.is_ok(profile(both)).text)
        self.assertIn("\nclient\n", self.is_ok(profile(both, "?format=openvpn")).text)
        self.assertIn("\nredirect-gateway def1 ipv6\n", self.is_ok(profile(new)).text)
        text = self.is_ok(profile(site)).text
        for line in ("route-nopull", "route 192.168.20.0 255.255.255.0", "route-ipv6 fd00:20::/64"):
            self.assertIn(f"\n{line}\n", text)
        self.assertNotIn("192.168.10.0", text)
        self.is_refused(profile(old, "?format=openvpn"), 422, "unprocessable", word="wireguard")
        self.is_refused(profile(new, "?format=wireguard"), 422, "unprocessable", word="openvpn")
        self.is_refused(profile(new, "?format=qr"), 422, "unprocessable")
        self.is_refused(profile(new, "?transport=sctp"), 400, "malformed_request")
        # of one peer with both, one reveal opens both
        revealed = self.is_ok(self.api.post(f"{self.path(made, both)}/profile/reveal")).text
        self.assertRegex(revealed, r"(?m)^PrivateKey = \S{44}$")
        self.assertIn("PRIVATE KEY", block(self.is_ok(profile(both, "?format=openvpn")).text, "key"))

    def test_profile_outdated(self):
        made = self.ready()
        peer = self.new_peer(made, protocol="any")
        path = self.path(made, peer)
        self.is_ok(self.api.get(f"{path}/profile"))
        self.assertFalse(self.api.get(path).json["profile_outdated"])
        self.is_ok(self.change(self.path(made), openvpn={"tcp": {"ciphers": ["AES-256-CBC"]}}))
        self.assertTrue(self.api.get(path).json["profile_outdated"])

    def test_reports(self):
        made = self.ready()
        peer = self.new_peer(made, protocol="any")
        path = self.path(made, peer)
        self.wait_for(lambda: peer["id"] in self.hub.peers)
        now = int(time.time())
        for word in ("openvpn_password", "openvpn_certificate", "openvpn_cipher", "openvpn_tls",
                     "openvpn_timeout", "openvpn_options"):
            now += 1
            self.hub.status[peer["id"]] = {"last_failure": {"reason": word, "at": now}}
            self.hub.report()
            self.assertNotIn("no known reason", self.api.get(path).json["last_failure"]["reason"])
        why = self.api.get(path).json["why_not_connected"]
        self.assertIn("compression", why)
        self.hub.status[peer["id"]] = {"last_seen_at": now + 1, "protocol_in_use": "openvpn"}
        self.hub.report()
        self.assertEqual(self.api.get(path).json["protocol_in_use"], "openvpn")
        self.hub.status[peer["id"]] = {"last_seen_at": now + 1, "protocol_in_use": "wireguard"}
        self.hub.report()
        self.assertEqual(self.api.get(path).json["protocol_in_use"], "wireguard")


class PortsTest(rest_client.RestTest):
    config = 'openvpn_ports = [1194, 1194]; wireguard_ports = [1194, 1300];'

    def test_no_port_is_no_end(self):
        """Also: the ranges overlap, and UDP is one range for the hub."""
        hub = Hub(self.daemon)
        hub.sync()
        made = self.new_instance()
        conditions = {c["type"]: c for c in made["conditions"]}
        self.assertEqual(conditions["CertificatesReady"]["reason"], "NoPort")
        self.assertIn("openvpn_ports", conditions["CertificatesReady"]["message"])
        hub.sync()
        now = self.is_ok(self.api.get(f"/v1/instances/{made['id']}")).json
        self.assertEqual((now["state"], now["endpoints"]["openvpn_udp"]), ("ready", None))
        self.assertIsNone(hub.instances[made["id"]]["openvpn"])
        peer = self.new_peer(now, protocol="openvpn")
        path = f"/v1/instances/{made['id']}/peers/{peer['id']}/profile"
        self.is_refused(self.api.get(path), 409, "conflict", word="not ready")
        self.is_refused(self.api.post(f"{path}/reveal"), 409, "conflict", word="not ready")


if __name__ == "__main__":
    rest_client.main()
