#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Webhooks: signatures, retries, dead letters, kills on the way, targets that are refused."""
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time
import uuid

import rest_client

ALLOWED = 'webhook_allow = ["127.0.0.1/32"]; webhook_retry_seconds = 1; webhook_attempts = 3;'


class Target(http.server.ThreadingHTTPServer):
    """Somebody's server: notes what comes, and answers what it is told to, by default 204."""
    daemon_threads = True

    def __init__(self):
        self.came = []  # (headers, body)
        self.answers = []  # the next statuses
        self.headers = {}
        self.delay = 0
        super().__init__(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/hook"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def events(self):
        return [json.loads(body) for _, body in list(self.came)]


class Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.came.append((self.headers, body))
        time.sleep(self.server.delay)
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *_):
        pass


class WebhookTest(rest_client.RestTest):
    config = ALLOWED

    def target(self):
        server = Target()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def new_hook(self, url, **body):
        body = {"name": self.fresh("hook"), "url": url, "types": ["site.*"], **body}
        made = self.is_ok(self.api.post("/v1/webhooks", body), 201).json
        self.addCleanup(self.api.delete, f"/v1/webhooks/{made['id']}")
        return made

    def show(self, hook):
        return self.is_ok(self.api.get(f"/v1/webhooks/{hook['id']}")).json

    def new_site(self):
        return self.is_ok(self.api.post("/v1/sites", {"name": self.fresh("site")}), 201).json["id"]

    def deliveries(self, hook, query=""):
        return self.api.items(f"/v1/webhooks/{hook['id']}/deliveries{query}")

    def test_fails_twice_then_succeeds_and_is_signed(self):
        target = self.target()
        hook = self.new_hook(target.url)
        target.answers = [500, 302]  # a redirect is not followed, and is a failure
        target.headers = {"Location": target.url}
        began = time.monotonic()
        site = self.new_site()
        self.wait_for(lambda: len(target.came) == 3, 15)
        self.assertGreater(time.monotonic() - began, 4)  # 1 s, then 4 s
        self.assertEqual([e["object"]["id"] for e in target.events()], [site] * 3)
        self.assertEqual(len({h["Nave-Delivery"] for h, _ in target.came}), 1)
        headers, body = target.came[-1]
        stamp, _, value = headers["Nave-Signature"].partition(",")
        stamp = stamp.removeprefix("t=")
        self.assertAlmostEqual(int(stamp), time.time(), delta=10)
        mac = hmac.new(hook["secret"].encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        self.assertEqual(value, f"v1={mac.hexdigest()}")
        self.assertEqual((headers["Nave-Event"], headers["Content-Type"]), ("site.created", "application/json"))
        event = json.loads(body)
        self.assertEqual(event, self.api.get(f"/v1/events?after={event['id'] - 1}&limit=1").json["items"][0])
        self.wait_for(lambda: self.show(hook)["last_delivered_at"])
        self.assertEqual(self.show(hook)["last_failure"]["reason"], "it was answered with 302")
        self.assertEqual(self.deliveries(hook), [])

    def test_dead_letters_are_seen_and_sent_again(self):
        target = self.target()
        hook = self.new_hook(target.url)
        target.answers = [503] * 3
        site = self.new_site()
        self.wait_for(lambda: self.show(hook)["dead"] == 1, 15)
        self.assertEqual(len(target.came), 3)
        dead = self.deliveries(hook, "?state=dead")[0]
        self.assertEqual((dead["attempts"], dead["type"], dead["next_at"]), (3, "site.created", None))
        self.assertIn("503", dead["last_failure"])
        self.assertEqual(self.deliveries(hook, "?state=pending"), [])
        time.sleep(1.5)
        self.assertEqual(len(target.came), 3)  # given up
        path = f"/v1/webhooks/{hook['id']}/deliveries/{dead['id']}/redeliver"
        self.assertEqual(self.is_ok(self.api.post(path), 202).json["state"], "pending")
        self.wait_for(lambda: len(target.came) == 4)
        self.assertEqual(target.events()[-1]["object"]["id"], site)
        self.wait_for(lambda: self.show(hook)["dead"] == 0)
        self.is_refused(self.api.post(path), 404, "not_found")

    def test_kill_loses_none(self):
        target = self.target()
        self.new_hook(target.url)
        made = []
        for _ in range(3):
            target.delay = 0.3  # some are on their way then
            made += [self.new_site() for _ in range(5)]
            self.daemon.kill()
            self.daemon.start()
        target.delay = 0
        told = lambda: {e["object"]["id"] for e in target.events()}
        self.wait_for(lambda: told() == set(made), 20)

    def test_only_what_is_wanted_and_from_then_on(self):
        target = self.target()
        before = self.new_site()
        hook = self.new_hook(target.url, types=["site.created", "user.*"])
        user = self.is_ok(self.api.post("/v1/users", {"name": self.fresh("user")}), 201).json["id"]
        site = self.new_site()
        self.is_ok(self.api.delete(f"/v1/sites/{before}"), 204)
        self.wait_for(lambda: len(target.came) == 2)
        path = f"/v1/webhooks/{hook['id']}"
        self.is_ok(self.api.patch(path, {"enabled": False}, If_Match=self.api.get(path).etag))
        self.new_site()
        time.sleep(1.2)
        self.is_ok(self.api.patch(path, {"enabled": True}, If_Match=self.api.get(path).etag))
        last = self.new_site()
        self.wait_for(lambda: len(target.came) == 3)
        self.assertEqual({e["object"]["id"] for e in target.events()}, {user, site, last})

    def test_slow_and_dead_targets_hold_nobody_up(self):
        slow, good = self.target(), self.target()
        slow.delay = 5
        hooks = [self.new_hook(slow.url), self.new_hook(f"http://127.0.0.1:{rest_client.free_port()}/"),
                 self.new_hook(good.url)]
        began = time.monotonic()
        made = [self.new_site() for _ in range(10)]
        self.wait_for(lambda: {e["object"]["id"] for e in good.events()} == set(made), 5)
        self.assertLess(time.monotonic() - began, 5)
        self.assertLessEqual(len(slow.came), 2)
        self.wait_for(lambda: self.show(hooks[1])["last_failure"])
        began = time.monotonic()
        self.daemon.stop()  # and it does not wait for them
        self.assertLess(time.monotonic() - began, 3)
        self.daemon.start()

    def test_targets_that_are_refused(self):
        for url in ("ftp://example.net/", "https://", "nonsense", "https://user:pw@example.net/", "http://example.net/",
                    "https://example.net/#x", "https://10.0.0.1/", "https://192.168.1.1:8443/", "https://127.0.0.2/",
                    "https://169.254.169.254/latest", "https://[::1]/", "https://[fd00::1]/", "https://[fe80::1]/",
                    "https://[::ffff:10.0.0.1]/", "https://0.0.0.0/", "https://2130706434/", "https://0x7f.2/",
                    "https://[64:ff9b::a00:1]/", "https://example.net/ x", "https://[2002:7f00:1::]/"):
            with self.subTest(url):
                answer = self.api.post("/v1/webhooks", {"name": "refused", "url": url})
                self.is_refused(answer, 422, "unprocessable", "/url")
        for body, pointer in (({"types": ["Peer"]}, "/types"), ({"types": ["*.x"]}, "/types"), ({"name": ""}, "/name"),
                              ({"types": ["a"] * 33}, "/types")):
            answer = self.api.post("/v1/webhooks", {"name": "r", "url": "https://example.net/", **body})
            self.is_refused(answer, 422, "unprocessable", pointer)
        self.is_refused(self.api.post("/v1/webhooks", {"name": "r", "url": "https://x/" + "y" * 1024}), 422,
                        "unprocessable", "/url")

    def test_names_are_judged_when_they_are_called(self):
        """localhost is ::1 or 127.0.0.1 by DNS: the second is in webhook_allow of this daemon alone."""
        daemon = rest_client.Daemon("webhook_attempts = 1;")
        self.addCleanup(daemon.remove)
        daemon.start()
        api, target = rest_client.Client(daemon), self.target()
        port = target.server_address[1]
        hook = self.is_ok(api.post("/v1/webhooks", {"name": "x", "url": f"http://localhost:{port}/"}), 201).json
        self.is_ok(api.post("/v1/sites", {"name": "x"}), 201)
        path = f"/v1/webhooks/{hook['id']}"
        self.wait_for(lambda: api.get(path).json["dead"] >= 1)
        self.assertIn("webhook_allow", api.get(path).json["last_failure"]["reason"])
        self.assertEqual(target.came, [])
        daemon.stop()
        own = self.new_hook(f"http://localhost:{port}/")
        self.new_site()
        self.wait_for(lambda: target.came)
        self.assertEqual(own["url"], f"http://localhost:{port}/")

    def test_secret_is_shown_once_and_nowhere_else(self):
        hook = self.new_hook("https://example.net/", enabled=False)
        self.assertRegex(hook["secret"], r"^nave_wh_[0-9A-Za-z_-]{43}$")
        for path in (f"/v1/webhooks/{hook['id']}", "/v1/webhooks", "/v1/audit-log", "/v1/events?last=200"):
            self.assertNotIn(hook["secret"], self.api.get(path).text)
        self.assertNotIn(hook["secret"], self.daemon.log_text())
        for name in ("control.db", "control.db-wal"):
            with open(f"{self.daemon.state}/{name}", "rb") as stream:
                self.assertFalse(hook["secret"].encode() in stream.read(), name)

    def test_life(self):
        hook = self.new_hook("https://example.net/a", enabled=False, labels={"a": "b"})
        path = f"/v1/webhooks/{hook['id']}"
        self.is_refused(self.api.post("/v1/webhooks", {"name": hook["name"], "url": "https://x.example/"}), 409,
                        "conflict", "/name")
        etag = self.api.get(path).etag
        changed = self.is_ok(self.api.patch(path, {"url": "https://example.net/b", "types": []}, If_Match=etag))
        self.assertEqual((changed.json["url"], changed.json["types"], changed.json["enabled"]),
                         ("https://example.net/b", [], False))
        self.is_refused(self.api.patch(path, {"name": "z"}, If_Match=etag), 412, "etag_mismatch")
        self.assertEqual([w["id"] for w in self.api.items("/v1/webhooks?label=a=b")], [hook["id"]])
        self.is_refused(self.api.get(f"/v1/webhooks/{uuid.uuid4()}"), 404, "not_found")
        self.is_ok(self.api.delete(path), 204)
        self.assertEqual(self.api.get(path).status, 404)

    def test_commands(self):
        target, name = self.target(), self.fresh("cli")
        run = lambda *more: subprocess.run(
            [f"{rest_client.BUILD}/control/nave", "--socket", self.daemon.socket, "webhooks", *more], text=True,
            capture_output=True, check=True, timeout=30, stdin=subprocess.DEVNULL).stdout
        made = json.loads(run("create", name, "--target", target.url, "--type", "site.*", "--label", "a=b", "-o", "json"))
        self.assertIn("nave_wh_", made["secret"])
        target.answers = [500] * 3
        self.new_site()
        self.wait_for(lambda: self.show(made)["dead"] == 1, 15)
        self.assertIn("it was answered with 500", run("list"))
        dead = json.loads(run("deliveries", name, "--state", "dead", "-o", "json"))[0]
        run("redeliver", name, dead["id"])
        self.wait_for(lambda: len(target.came) == 4)
        run("update", name, "--enabled", "off", "--name", f"{name}x")
        self.assertFalse(json.loads(run("show", f"{name}x", "-o", "json"))["enabled"])
        run("delete", f"{name}x")
        self.assertNotIn(name, run("list"))


if __name__ == "__main__":
    rest_client.main()
