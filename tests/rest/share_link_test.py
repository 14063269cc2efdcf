#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Share links: how operators make them, and what whoever has one sees."""
import base64
import contextlib
import hashlib
import html
import http.client
import os
import pathlib
import re
import sqlite3
import threading
import time
import uuid

import rest_client
from rest_hub import Hub

HOSTILE = "<script>alert(1)</script>\"'&amp;<!--"
PRIVATE = re.compile(r"PrivateKey = ([A-Za-z0-9+/]{43}=)")
PLATFORMS = ("Windows", "macOS", "iOS", "Android", "Linux")


class ShareLinkTest(rest_client.RestTest):
    config = 'public_url = "https://vpn.example.net:8443";'

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

    def setUp(self):
        self.instance = self.new_instance()
        self.browser = rest_client.Client(self.daemon, tcp=True)

    def peer_path(self, peer):
        return f"/v1/instances/{peer['instance_id']}/peers/{peer['id']}"

    def new_link(self, peer=None, body=None, **more):
        """(peer, link, path of its page)"""
        peer = peer or self.new_peer(self.instance, **more)
        link = self.is_ok(self.api.post(f"{self.peer_path(peer)}/share-links", body or {}), 201).json
        return peer, link, "/p/" + link["url"].rpartition("/")[2]

    def link_path(self, link, peer):
        return f"{self.peer_path(peer)}/share-links/{link['id']}"

    def press(self, path, **headers):
        """As a browser posts the form."""
        return self.browser.post(path, Content_Type="application/x-www-form-urlencoded", **headers)

    def cookie(self, answer):
        return answer.headers["Set-Cookie"].partition(";")[0]

    def is_end(self, answer):
        """The page for all that cannot be used: always the same."""
        self.is_ok(answer, 404)
        if not hasattr(type(self), "end"):
            type(self).end = self.browser.get("/p/" + "A" * 43)
        self.assertEqual(answer.data, self.end.data)
        for name in self.end.headers:
            if name not in ("Request-Id", "Date"):
                self.assertEqual(answer.headers[name], self.end.headers[name])
        self.assertNotIn("Set-Cookie", answer.headers)

    def sql(self, statement, *values):
        with contextlib.closing(sqlite3.connect(f"{self.daemon.state}/control.db", timeout=10)) as db:
            rows = db.execute(statement, values).fetchall()
            db.commit()
        return rows

    def actions(self, link):
        rows = self.api.items("/v1/audit-log?limit=200")
        return [(r["action"], r["actor"]["kind"]) for r in reversed(rows)
                if link["id"] in (r["object"]["id"], r["actor"]["id"])]

    def test_create_list_show_revoke(self):
        peer, link, path = self.new_link()
        self.assertRegex(link["url"], r"\Ahttps://vpn\.example\.net:8443/p/[A-Za-z0-9_-]{43}\Z")
        self.assertEqual([link[k] for k in ("state", "peer_id", "opened_at", "revealed_at")],
                         ["active", peer["id"], None, None])
        at = [time.mktime(time.strptime(link[k], "%Y-%m-%dT%H:%M:%SZ")) for k in ("created_at", "expires_at")]
        self.assertEqual(at[1] - at[0], 24 * 3600)
        shown = self.is_ok(self.api.get(self.link_path(link, peer)))
        self.assertEqual(shown.json, {k: v for k, v in link.items() if k != "url"})
        self.assertEqual(self.api.items(f"{self.peer_path(peer)}/share-links"), [shown.json])
        self.is_ok(self.browser.get(path))
        # opening it has made another version
        self.is_refused(self.api.delete(self.link_path(link, peer), If_Match=shown.etag), 412, "etag_mismatch")
        now = self.is_ok(self.api.get(self.link_path(link, peer)))
        self.assertIsNotNone(now.json["opened_at"])
        self.is_ok(self.api.delete(self.link_path(link, peer), If_Match=now.etag), 204)
        self.is_refused(self.api.get(self.link_path(link, peer)), 404, "not_found")
        self.is_end(self.browser.get(path))
        self.is_end(self.press(path))
        self.assertEqual(self.actions(link), [("share_link.create", "local"), ("share_link.open", "share_link"),
                                              ("share_link.revoke", "local")])
        # what it would have revealed is still there
        _, _, path = self.new_link(peer)
        self.assertRegex(self.is_ok(self.press(path)).text, PRIVATE)

    def test_its_end_can_be_chosen(self):
        peer = self.new_peer(self.instance)
        path = f"{self.peer_path(peer)}/share-links"
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
        self.assertEqual(self.is_ok(self.api.post(path, {"expires_at": soon}), 201).json["expires_at"], soon)
        self.is_ok(self.api.post(path, {"expires_in": 7 * 24 * 3600}), 201)
        for body, pointer in (({"expires_in": 59}, "/expires_in"), ({"expires_in": 604801}, "/expires_in"),
                              ({"expires_in": -1}, "/expires_in"), ({"expires_in": 2**62}, "/expires_in"),
                              ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
                              ({"expires_at": "2099-01-01T00:00:00Z"}, "/expires_at"), ({"expires_at": "x"}, "/expires_at"),
                              ({"expires_at": soon, "expires_in": 600}, "/expires_at")):
            self.is_refused(self.api.post(path, body), 422, "unprocessable", pointer)
        for body in ({"expires_in": "1"}, {"expires_at": None}, {"moon": 1}):
            self.is_refused(self.api.post(path, body), 400, "malformed_body", "/" + list(body)[0])
        for _ in range(6):
            self.is_ok(self.api.post(path), 201)
        self.is_refused(self.api.post(path), 409, "conflict", word="8 share links")

    def test_who_may(self):
        peer, link, _ = self.new_link()
        keys = {role: self.is_ok(self.api.post("/v1/api-keys", {"name": self.fresh(role), "role": role}), 201).json["key"]
                for role in ("viewer", "operator")}
        viewer, operator = (rest_client.Client(self.daemon, keys[r], tcp=True) for r in ("viewer", "operator"))
        for method, path in (("GET", f"{self.peer_path(peer)}/share-links"), ("POST", f"{self.peer_path(peer)}/share-links"),
                             ("GET", self.link_path(link, peer)), ("DELETE", self.link_path(link, peer))):
            self.is_refused(self.browser.call(method, path), 401, "unauthenticated")
            self.is_refused(viewer.call(method, path), 403, "forbidden")
            self.assertLess(operator.call(method, path).status, 300)
        stranger = self.new_peer(self.new_instance())
        self.is_refused(self.api.get(f"{self.peer_path(stranger)}/share-links/{link['id']}"), 404, "not_found")

    def test_a_repetition_has_the_same_address(self):
        peer = self.new_peer(self.instance)
        path = f"{self.peer_path(peer)}/share-links"
        key = str(uuid.uuid4())
        first, second = (self.is_ok(self.api.post(path, {}, Idempotency_Key=key), 201) for _ in range(2))
        self.assertEqual(first.json, second.json)
        self.assertEqual(second.headers["Idempotency-Replayed"], "true")
        self.assertEqual(len(self.api.items(path)), 1)
        token = first.json["url"].rpartition("/")[2].encode()
        for name in ("control.db", "control.db-wal"):
            file = pathlib.Path(self.daemon.state, name)
            self.assertNotIn(token, file.read_bytes() if file.exists() else b"")

    def test_looking_uses_nothing_up(self):
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("Alice ")}), 201).json
        peer, link, path = self.new_link(user_id=user["id"])
        pages = [self.is_ok(self.browser.get(path)) for _ in range(3)]
        text = pages[0].text
        for word in (peer["name"], user["name"], self.instance["name"], f"{self.instance['hostname']}.vpn.example.net",
                     '<form method="post">', time.strftime("%B %Y", time.gmtime(time.time() + 86400))):
            self.assertIn(word, text)
        for word in ("PrivateKey", "<svg", "<script", "src=", "http:"):
            self.assertNotIn(word, text)
        self.is_end(self.browser.get(f"{path}?format=wireguard"))
        self.assertEqual([a for a, _ in self.actions(link)], ["share_link.create", "share_link.open"])
        self.assertFalse(self.sql("SELECT revealed_until FROM peer WHERE id = ?", uuid.UUID(peer["id"]).bytes)[0][0])

    def test_headers(self):
        _, _, path = self.new_link()
        for answer in (self.browser.get(path), self.press(path), self.browser.get(path)):
            style = re.search(r"<style>(.*?)</style>", answer.text)[1].encode()
            digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
            self.assertEqual(answer.headers["Content-Security-Policy"],
                             f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none';"
                             " frame-ancestors 'none'")
            self.assertEqual([answer.headers[n] for n in (
                "Cache-Control", "Referrer-Policy", "X-Content-Type-Options", "Content-Type")],
                             ["no-store", "no-referrer", "nosniff", "text/html; charset=utf-8"])
            self.assertNotRegex(answer.text, r"<script|\son\w+=|style=|<link|<img|url\(|@import")

    def test_the_button_reveals_once(self):
        peer, link, path = self.new_link(protocol="any")
        first = self.is_ok(self.press(path))
        self.assertRegex(first.headers["Set-Cookie"], r"\Anave_reveal=[\w-]{43}; Path=" + re.escape(path)
                         + r"; Max-Age=600; HttpOnly; SameSite=Lax; Secure\Z")
        mine = self.cookie(first)
        private = PRIVATE.search(first.text)[1]
        for platform in PLATFORMS:
            sections = re.findall(rf"<h3>{platform}</h3><ol>(.*?)</ol>", first.text)
            self.assertEqual([s.count("<li>") for s in sections], [3, 3])
        # nobody else, not even with the link
        for other in ({}, {"Cookie": "nave_reveal=" + "A" * 43}, {"Cookie": f"x={mine}"}, {"Cookie": mine[:-1]},
                      {"Cookie": mine + "A"}, {"Cookie": f"nave_reveal={path[3:]}"}):
            self.is_end(self.browser.get(path, **other))
            self.is_end(self.press(path, **other))
            self.is_end(self.browser.get(f"{path}?format=wireguard", **other))
        # that browser, again and in every format
        for again in (self.browser.get(path, Cookie=f"a=b; {mine}"), self.press(path, Cookie=f"{mine}; a=b")):
            self.assertIn(private, self.is_ok(again).text)
            self.assertNotIn("Set-Cookie", again.headers)
        for name, file, word in (("wireguard", ".conf", f"PrivateKey = {private}"), ("openvpn", ".ovpn", "proto udp"),
                                 ("openvpn-tcp", "-tcp.ovpn", "proto tcp")):
            answer = self.is_ok(self.browser.get(f"{path}?format={name}", Cookie=mine))
            self.assertIn(word, answer.text)
            self.assertEqual(answer.headers["Content-Disposition"],
                             f'attachment; filename="{self.instance["hostname"]}{file}"')
        self.assertIn("-----BEGIN PRIVATE KEY-----", answer.text)
        # operators see it as well, for as long
        self.assertIn(private, self.api.get(f"{self.peer_path(peer)}/profile").text)
        for format_ in ("routeros", "moon"):
            self.is_end(self.browser.get(f"{path}?format={format_}", Cookie=mine))
        self.is_refused(self.browser.get(f"{path}?moon=1"), 400, "malformed_request")
        self.assertEqual(self.api.get(self.link_path(link, peer)).json["state"], "revealed")
        self.assertEqual(self.actions(link), [
            ("share_link.create", "local"), ("share_link.open", "share_link"), ("share_link.reveal", "share_link"),
            ("peer.reveal", "share_link")])
        # ten minutes later
        self.sql("UPDATE share_link SET revealed_at = revealed_at - 600 WHERE id = ?", uuid.UUID(link["id"]).bytes)
        self.is_end(self.browser.get(path, Cookie=mine))
        self.is_end(self.press(path, Cookie=mine))

    def test_two_buttons_at_once(self):
        for _ in range(10):
            peer, link, path = self.new_link()
            gate, answers = threading.Barrier(4), []

            def press(path=path, gate=gate, answers=answers):
                connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=30)
                connection.connect()
                gate.wait()
                connection.request("POST", path)
                answers.append(rest_client.Answer(connection.getresponse()))
                connection.close()
            threads = [threading.Thread(target=press) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            won = [a for a in answers if a.status == 200]
            self.assertEqual(len(won), 1)
            self.assertRegex(won[0].text, PRIVATE)
            for answer in answers:
                if answer is not won[0]:
                    self.is_end(answer)
            self.assertEqual([a for a, _ in self.actions(link)].count("share_link.reveal"), 1)
            self.assertIsNotNone(self.api.get(self.link_path(link, peer)).json["revealed_at"])

    def test_what_cannot_be_used_looks_the_same(self):
        peer, link, path = self.new_link()
        token = path[3:]
        for hostile in ("A", "A" * 255, token[:-1], token + "A", token.swapcase(), "%27%20OR%201%3D1--", "..%5f", "%3Cb%3E",
                        "%F0%9F%94%91", "nave_sk_" + "A" * 43, "{token}", "'", "*"):
            self.is_end(self.browser.get(f"/p/{hostile}"))
            self.is_end(self.press(f"/p/{hostile}"))
        for refused in ("", "A" * 256, "%ff", "%00", "a/b", "%2e%2e", "%2f", token + "/"):
            for method in ("GET", "POST"):  # no route has these: no page either
                connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=30)
                connection.request(method, f"/p/{refused}")
                self.assertIn(connection.getresponse().status, (400, 404))
                connection.close()
        self.is_refused(self.press(path, Cookie="a\x01b"), 400, "malformed_request")
        self.is_refused(self.browser.post(path, "a=b", Content_Type="application/x-www-form-urlencoded"), 400, "malformed_body")
        self.is_refused(self.browser.call("PUT", path), 405, "method_not_allowed")
        self.is_ok(self.browser.get(path))  # none of that has used it up
        where = uuid.UUID(link["id"]).bytes
        self.sql("UPDATE share_link SET expires_at = unixepoch() WHERE id = ?", where)
        self.is_end(self.browser.get(path))
        self.is_end(self.press(path))
        self.assertEqual(self.api.get(self.link_path(link, peer)).json["state"], "expired")
        # and once its last link has ended, what nobody has fetched is forgotten
        self.wait_for(lambda: self.sql("SELECT private_key_box IS NULL FROM peer WHERE id = ?",
                                       uuid.UUID(peer["id"]).bytes) == [(1,)])
        self.is_refused(self.api.post(f"{self.peer_path(peer)}/share-links"), 409, "conflict", word="forgotten")
        self.is_refused(self.api.post(f"{self.peer_path(peer)}/profile/reveal"), 409, "conflict", word="share link")

    def test_peers_that_cannot_connect(self):
        peer, _, path = self.new_link()
        self.is_ok(self.api.post(f"{self.peer_path(peer)}/suspend"))
        self.is_end(self.browser.get(path))
        self.is_end(self.press(path))
        self.is_ok(self.api.post(f"{self.peer_path(peer)}/resume"))
        self.is_ok(self.browser.get(path))
        self.is_ok(self.api.post(f"{self.peer_path(peer)}/profile/reveal"))
        self.is_end(self.press(path))  # an operator has seen it: it is no secret of the person's any more
        self.is_refused(self.api.post(f"{self.peer_path(peer)}/share-links"), 409, "conflict")
        peer, _, path = self.new_link()
        self.is_ok(self.api.delete(self.peer_path(peer)), 204)
        self.is_end(self.press(path))

    def test_a_network_that_is_not_ready_uses_nothing_up(self):
        far = self.is_ok(self.api.post("/v1/instances", {"name": "Far", "hostname": self.fresh("far"), "region": "far"}),
                         202).json
        peer = self.new_peer(far)
        _, link, path = self.new_link(peer)
        self.assertNotIn("<button", self.is_ok(self.browser.get(path)).text)
        late = self.is_ok(self.press(path), 503)
        self.assertIn("not used up", late.text)
        self.assertEqual(late.headers["Retry-After"], "5")
        self.assertEqual(self.api.get(self.link_path(link, peer)).json["state"], "active")

    def test_other_kinds_of_peers(self):
        key = base64.b64encode(os.urandom(32)).decode()
        _, _, path = self.new_link(public_key=key)
        text = self.is_ok(self.press(path)).text
        self.assertIn("private key is your own", text)
        self.assertNotRegex(text, PRIVATE)
        self.assertRegex(text, r"PresharedKey = \S{44}")
        self.is_end(self.press(path))
        _, _, path = self.new_link(protocol="openvpn")
        text = self.is_ok(self.press(path)).text
        self.assertIn("?format=openvpn-tcp", text)
        self.assertNotIn("WireGuard", text)
        site = self.new_peer(self.instance, type="site", subnets=["192.168.77.0/24"], protocol="openvpn")
        _, _, path = self.new_link(site)
        answer = self.is_ok(self.press(path))
        self.assertIn("?format=openvpn", answer.text)
        offered = "?format=routeros" in answer.text
        script = self.browser.get(f"{path}?format=routeros", Cookie=self.cookie(answer))
        self.assertEqual(script.status, 200 if offered else 404)

    def test_names_are_escaped(self):
        user = self.is_ok(self.api.post("/v1/users", {"name": "U" + HOSTILE}), 201).json
        name = self.fresh("net")
        made = self.is_ok(self.api.post("/v1/instances", {"name": "I" + HOSTILE, "hostname": name, "region": "local"}), 202)
        instance = self.wait_for(lambda: self.settled(made.json["id"]))
        peer = self.new_peer(instance, name="P" + HOSTILE, user_id=user["id"], protocol="any")
        _, _, path = self.new_link(peer)
        escaped = html.escape(HOSTILE).replace("&#x27;", "&#39;")
        for answer in (self.browser.get(path), self.press(path)):
            for letter in "UIP":
                self.assertIn(f"<bdi>{letter}{escaped}</bdi>", answer.text)
            bare = re.sub(r"<style>.*?</style>", "", answer.text)
            self.assertNotIn("<script", bare)
            self.assertNotIn("<!--", bare)
        self.assertEqual(html.unescape(re.search(r"<pre>(.*?)</pre>", answer.text, re.S)[1]),
                         self.api.get(f"{self.peer_path(peer)}/profile").text)

    def test_a_failure_uses_nothing_up_and_names_nothing(self):
        _, _, path = self.new_link()
        self.sql("CREATE TRIGGER no_audit BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'none'); END")
        try:
            for answer in (self.browser.get(path), self.press(path)):
                self.is_refused(answer, 500, "internal")
                self.assertNotIn(path, answer.text)
                self.assertNotIn("Set-Cookie", answer.headers)
        finally:
            self.sql("DROP TRIGGER no_audit")
        log = self.daemon.log_text()
        self.assertIn("POST /p/{token}: ", log)
        self.assertNotIn(path, log)
        self.assertRegex(self.is_ok(self.press(path)).text, PRIVATE)

    def test_secrets_are_nowhere_else(self):
        peer, _, path = self.new_link(protocol="any")
        self.is_ok(self.browser.get(path))
        revealed = self.is_ok(self.press(path))
        secrets = [path[3:], self.cookie(revealed).partition("=")[2], PRIVATE.search(revealed.text)[1],
                   re.search(r"PresharedKey = (\S+)", html.unescape(revealed.text))[1]]
        profile = self.browser.get(f"{path}?format=openvpn", Cookie=self.cookie(revealed)).text
        secrets += [re.search(r"-----BEGIN PRIVATE KEY-----\n(\S+)\n", profile)[1]]
        answers = [self.api.get(p).text for p in (
            "/v1/audit-log?limit=200", "/metrics", self.peer_path(peer), f"{self.peer_path(peer)}/share-links")]
        answers += [self.press(path).text, self.browser.get(f"{path}?moon=1").text]
        files = b"".join(pathlib.Path(self.daemon.state, n).read_bytes() for n in ("control.db", "control.db-wal"))
        for secret in secrets:
            for answer in answers:
                self.assertNotIn(secret, answer)
            self.assertNotIn(secret, self.daemon.log_text())
            self.assertNotIn(secret.encode(), files)
            with contextlib.suppress(ValueError):
                self.assertNotIn(base64.b64decode(secret), files)


if __name__ == "__main__":
    rest_client.main()
