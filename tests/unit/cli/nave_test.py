#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program nave against a daemon that is played here: exit codes, what it asks, what it says."""
import http.server
import json
import os
import pathlib
import pty
import re
import socketserver
import stat
import subprocess
import sys
import tempfile
import threading
import unittest

NAVE = sys.argv.pop(1)
ACME = "0f0e0d0c-0b0a-4009-8807-060504030201"
BOB = "1f0e0d0c-0b0a-4009-8807-060504030201"
INSTANCE = {"id": ACME, "hostname": "acme", "name": "Acme HQ", "state": "provisioning", "region": "local",
            "conditions": [{"type": "DataplaneReady", "status": False, "message": "No hub\x1b[2J yet."}]}
PEER = {"id": BOB, "name": "bob\u202e", "type": "client", "state": "active", "connected": True, "subnets": []}
PROFILE = "[Interface]\nPrivateKey = \nAddress = 10.0.0.2\n"


class Daemon(http.server.BaseHTTPRequestHandler):
    """Answers from Server.answers: {"METHOD path": (status, body)}; else lists that have nothing."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = f"{self.command} {self.path}"
        self.server.asked.append((key, self.headers, body))
        planned = self.server.answers.get(key)
        if callable(planned):
            planned = planned()
        if planned == "break":
            self.close_connection = True
            return
        if planned is None:
            planned = (200, {"items": [], "next_cursor": None})
        status, reply = planned
        data = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("ETag", '"7"')
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = answer

    def address_string(self):
        return "nave"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        self.answers, self.asked = {}, []
        super().__init__(path, Daemon)

    def handle_error(self, *_):
        """A caller that went away has its answer."""


def items(*objects):
    return 200, {"items": list(objects), "next_cursor": None}


class NaveTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)
        self.socket = str(self.dir / "control.sock")
        self.server = Server(self.socket)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.server.answers.update({
            "GET /v1/instances?hostname=acme": items(INSTANCE),
            f"GET /v1/instances/{ACME}": (200, INSTANCE),
            f"GET /v1/instances/{ACME}/peers?name=bob": items(PEER),
            f"GET /v1/instances/{ACME}/peers/{BOB}": (200, PEER),
            f"GET /v1/instances/{ACME}/peers/{BOB}/profile": (200, PROFILE),
        })

    def nave(self, *words, code=0, env=None, socket=True):
        where = ["--socket", self.socket] if socket else []
        done = subprocess.run([NAVE, *where, *words], capture_output=True, timeout=30, check=False,
                              env={**os.environ, **(env or {})})
        self.out, self.err = done.stdout.decode(), done.stderr.decode()
        self.assertEqual(done.returncode, code, self.out + self.err)
        self.assertNotRegex(self.out + self.err, r"[\x00-\x09\x0b-\x1f\x7f]")
        return self.out

    def asked(self, key):
        found = [(headers, body) for asked, headers, body in self.server.asked if asked == key]
        self.assertTrue(found, f"{key} was not asked, but {[a[0] for a in self.server.asked]}")
        return found[-1]

    def test_wrong_usage_is_2_and_asks_nothing(self):
        for words in ([], ["nonsense"], ["peers"], ["peers", "nonsense"], ["instances", "show"],
                      ["instances", "show", "a", "b"], ["instances", "create", "acme"], ["-o", "xml", "status"],
                      ["instances", "create", "acme", "--name"], ["peers", "create", "acme", "--site", "a", "--client", "b"],
                      ["peers", "create", "acme"], ["status", "--socket"], ["--token-file", "/nonexistent", "status"],
                      ["instances", "create", "acme", "--name", "x", "--mtu", "many"],
                      ["instances", "create", "acme", "--name", "x", "--timeout", "0"],
                      ["instances", "create", "acme", "--name", "x", "--site-to-site", "maybe"],
                      ["instances", "create", "acme", "--name", "x", "--label", "=x"]):
            with self.subTest(words=words):
                self.nave(*words, code=2)
                self.assertEqual(self.out, "")
                self.assertTrue(self.err)
                self.assertEqual(self.server.asked, [])

    def test_an_update_of_nothing_is_wrong_usage(self):
        self.nave("instances", "update", "acme", code=2)
        self.assertIn("nothing to change", self.err)

    def test_nobody_there_is_3_and_names_the_place(self):
        nowhere = str(self.dir / "nobody.sock")
        self.nave("--socket", nowhere, "status", code=3, socket=False)
        self.assertIn(nowhere, self.err)
        self.assertIn("systemctl status nave-control", self.err)
        self.nave("--url", "http://127.0.0.1:1", "status", code=3, socket=False)
        self.assertIn("http://127.0.0.1:1", self.err)

    def test_a_refusal_is_1_and_told_in_full(self):
        self.server.answers["POST /v1/instances"] = (422, {
            "title": "Cannot\x1b[31m", "detail": "Two things.", "request_id": "r-1",
            "errors": [{"pointer": "/mtu", "detail": "is too small"}, {"pointer": "/name", "detail": "is\x07 taken"}]})
        self.nave("instances", "create", "acme", "--name", "x", code=1)
        self.assertEqual(self.err, "nave: 422 Cannot?[31m\n  Two things.\n  /mtu: is too small\n  /name: is? taken\n")
        self.assertEqual(self.out, "")

    def test_an_error_of_the_daemon_is_4_with_its_number(self):
        self.server.answers["GET /v1/users?limit=200"] = (500, {"title": "Broken", "request_id": "r-77"})
        self.nave("users", "list", code=4)
        self.assertIn("r-77", self.err)
        self.server.answers["GET /v1/users?limit=200"] = (502, "<html>")
        self.nave("users", "list", code=4)
        self.assertIn("502", self.err)

    def test_what_is_not_there_is_1(self):
        self.nave("users", "show", "nob\x07ody", code=1)
        self.assertEqual(self.err, 'nave: there is no user "nob?ody"\n')
        self.nave("hubs", "show", "h", code=1)

    def test_a_name_is_escaped_in_the_query(self):
        self.nave("users", "show", "a&b=c/ü", code=1)
        self.asked("GET /v1/users?name=a%26b%3Dc%2F%C3%BC")

    def test_an_id_needs_no_search(self):
        self.server.answers[f"GET /v1/users/{BOB}"] = (200, {"id": BOB})
        self.nave("users", "show", BOB.upper())
        self.assertEqual(len(self.server.asked), 1)

    def test_waiting_ends_when_it_is_ready(self):
        looks = iter(["provisioning", "provisioning", "ready"])
        self.server.answers["POST /v1/instances"] = (202, INSTANCE)
        self.server.answers[f"GET /v1/instances/{ACME}"] = lambda: (200, {**INSTANCE, "state": next(looks)})
        self.nave("instances", "create", "acme", "--name", "Acme HQ", "--wait")
        self.assertIn("ready", self.out)
        headers, body = self.asked("POST /v1/instances")
        self.assertEqual(json.loads(body), {"hostname": "acme", "region": "local", "name": "Acme HQ"})
        self.assertEqual(headers["Content-Type"], "application/json")

    def test_waiting_too_long_is_5_and_says_for_what(self):
        self.server.answers["POST /v1/instances"] = (202, INSTANCE)
        self.nave("instances", "create", "acme", "--name", "x", "--wait", "--timeout", "1", code=5)
        self.assertIn("nave: No hub?[2J yet.", self.err)

    def test_waiting_for_what_failed_is_4(self):
        self.server.answers["POST /v1/instances"] = (202, INSTANCE)
        self.server.answers[f"GET /v1/instances/{ACME}"] = (200, {**INSTANCE, "state": "failed"})
        self.nave("instances", "create", "acme", "--name", "x", "--wait", code=4)

    def test_a_deletion_can_be_waited_for(self):
        looks = iter([items(INSTANCE), items()])
        self.server.answers[f"DELETE /v1/instances/{ACME}"] = (202, INSTANCE)
        self.server.answers["GET /v1/instances?limit=200"] = lambda: next(looks)
        self.nave("instances", "delete", "acme", "--wait")
        self.server.answers["GET /v1/instances?limit=200"] = items(INSTANCE)
        self.nave("instances", "delete", "acme", "--wait", "--timeout", "1", code=5)

    def test_every_post_has_its_own_key_and_is_repeated_with_it(self):
        tries = iter(["break", (201, {"id": BOB}), (201, {"id": BOB})])
        self.server.answers["POST /v1/users"] = lambda: next(tries)
        self.nave("users", "create", "bob")
        self.nave("users", "create", "bob")
        keys = [headers["Idempotency-Key"] for key, headers, _ in self.server.asked]
        self.assertRegex(keys[0], r"^[0-9a-f-]{36}$")
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[1], keys[2])

    def test_changes_carry_the_version_that_was_read(self):
        self.server.answers[f"PATCH /v1/instances/{ACME}"] = (200, INSTANCE)
        self.server.answers[f"DELETE /v1/instances/{ACME}"] = (202, INSTANCE)
        self.nave("instances", "update", "acme", "--name", "B", "--dns", "9.9.9.9", "--client-to-client", "on",
                  "--client-routes", "10.0.0.0/8", "--client-routes", "fd00::/8", "--label", "a=b", "--label", "c=")
        headers, body = self.asked(f"PATCH /v1/instances/{ACME}")
        self.assertEqual(headers["If-Match"], '"7"')
        self.assertEqual(headers["Content-Type"], "application/merge-patch+json")
        self.assertEqual(json.loads(body), {
            "name": "B", "dns": {"servers": ["9.9.9.9"]}, "access": {"client_to_client": True},
            "routing": {"client_routes": ["10.0.0.0/8", "fd00::/8"]}, "labels": {"a": "b", "c": None}})
        self.nave("instances", "delete", "acme")
        self.assertEqual(self.asked(f"DELETE /v1/instances/{ACME}")[0]["If-Match"], '"7"')

    def test_peers_are_made_as_they_are_told(self):
        path = f"POST /v1/instances/{ACME}/peers"
        self.server.answers[path] = (201, PEER)
        self.server.answers["GET /v1/users?name=alice"] = items({"id": ACME})
        self.nave("peers", "create", "acme", "--site", "Branch 1", "--subnet", "192.168.10.0/24", "--subnet", "fd01::/64",
                  "--public-key", "k", "--keepalive", "0")
        self.assertEqual(json.loads(self.asked(path)[1]), {
            "type": "site", "name": "Branch 1", "public_key": "k", "subnets": ["192.168.10.0/24", "fd01::/64"],
            "keepalive": 0})
        self.nave("peers", "create", "acme", "--client", "a-laptop", "--user", "alice", "--route-all", "--allow", "10.0.0.0/8",
                  "--expires-at", "2030-12-31T23:59:59Z")
        self.assertEqual(json.loads(self.asked(path)[1]), {
            "type": "client", "name": "a-laptop", "route_all": True, "user_id": ACME,
            "allowed_destinations": ["10.0.0.0/8"], "expires_at": "2030-12-31T23:59:59Z"})

    def test_peers_are_changed_and_acted_upon(self):
        path = f"/v1/instances/{ACME}/peers/{BOB}"
        self.server.answers[f"PATCH {path}"] = (200, PEER)
        self.nave("peers", "update", "acme", "bob", "--user", "none", "--expires-at", "never", "--allow", "all",
                  "--route-all", "off")
        self.assertEqual(json.loads(self.asked(f"PATCH {path}")[1]), {
            "user_id": None, "expires_at": None, "allowed_destinations": None, "route_all": False})
        for action in ("suspend", "resume", "reset-clock"):
            self.server.answers[f"POST {path}/{action}"] = (200, PEER)
            self.nave("peers", action, "acme", "bob")
            self.assertIn("Idempotency-Key", self.asked(f"POST {path}/{action}")[0])
        self.server.answers[f"DELETE {path}"] = (204, "")
        self.assertEqual(self.nave("peers", "delete", "acme", "bob"), "")

    def test_lists_are_read_to_their_last_page(self):
        self.server.answers["GET /v1/users?limit=200"] = (200, {"items": [{"name": "a"}], "next_cursor": "x+y"})
        self.server.answers["GET /v1/users?limit=200&cursor=x%2By"] = items({"name": "b"})
        self.assertEqual([u["name"] for u in json.loads(self.nave("users", "list", "-o", "json"))], ["a", "b"])
        self.assertEqual([line.split()[0] for line in self.nave("users", "list").splitlines()], ["NAME", "a", "b"])

    def test_a_profile_is_written_for_its_owner_only(self):
        file = self.dir / "bob.conf"
        self.nave("peers", "profile", "acme", "bob", "--out", str(file))
        self.assertEqual(file.read_text(), PROFILE)
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.server.asked.clear()
        self.nave("peers", "profile", "acme", "bob", "--reveal", "--out", str(file), code=4)
        self.assertIn("exists", self.err)
        self.assertFalse([key for key, _, _ in self.server.asked if "reveal" in key], "the key was opened for nothing")

    def test_a_profile_that_is_refused_leaves_no_file(self):
        self.server.answers[f"POST /v1/instances/{ACME}/peers/{BOB}/profile/reveal?format=qr"] = (410, {"title": "Gone"})
        file = self.dir / "bob.txt"
        self.nave("peers", "profile", "acme", "bob", "--reveal", "--qr", "--out", str(file), code=1)
        self.assertFalse(file.exists())

    def test_a_profile_cannot_command_a_terminal(self):
        self.server.answers[f"GET /v1/instances/{ACME}/peers/{BOB}/profile"] = (200, "a\033[2J\nb\n")
        outer, inner = pty.openpty()
        subprocess.run([NAVE, "--socket", self.socket, "peers", "profile", "acme", "bob"], stdout=inner, check=True, timeout=30)
        self.assertEqual(os.read(outer, 100), b"a?[2J\r\nb\r\n")
        os.close(outer)
        os.close(inner)

    def test_status_says_in_one_line_whether_all_is_well(self):
        hub = {"name": "hub1", "connected": True}
        ready = {**INSTANCE, "state": "ready"}
        self.server.answers.update({
            "GET /v1/hubs?limit=200": items(hub), "GET /v1/instances?limit=200": items(ready),
            f"GET /v1/instances/{ACME}/peers?limit=200": items(PEER)})
        self.assertTrue(self.nave("status").startswith("All is well: 1 hub, 1 instance.\n"))
        self.assertTrue(json.loads(self.nave("status", "-o", "json"))["healthy"])
        site = {"name": "Branch", "type": "site", "state": "active", "connected": False,
                "why_not_connected": "unknown key"}
        self.server.answers.update({
            "GET /v1/hubs?limit=200": items({**hub, "connected": False}), "GET /v1/instances?limit=200": items(INSTANCE),
            f"GET /v1/instances/{ACME}/peers?limit=200": items(site, {**site, "state": "suspended"})})
        self.nave("status")
        for line in ("Not all is well:", "hub hub1: does not report", "instance acme: No hub?", "site Branch: unknown key"):
            self.assertIn(line, self.out)
        said = json.loads(self.nave("status", "-o", "json"))
        self.assertEqual((said["healthy"], len(said["troubles"])), (False, 3))

    def test_a_key_goes_only_where_it_was_meant_for(self):
        file = self.dir / "token"
        file.write_text("nave_sk_file\nsecond line\n")
        self.nave("users", "list", env={"NAVE_TOKEN": "nave_sk_variable"})
        self.assertIsNone(self.server.asked[-1][1]["Authorization"])
        self.nave("users", "list", "--token-file", str(file))
        self.assertEqual(self.server.asked[-1][1]["Authorization"], "Bearer nave_sk_file")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Daemon) as tcp:
            tcp.answers, tcp.asked = {}, []
            threading.Thread(target=tcp.serve_forever, args=(0.02,), daemon=True).start()
            url = f"http://127.0.0.1:{tcp.server_port}"
            self.nave("--url", url, "users", "list", env={"NAVE_TOKEN": "nave_sk_variable"}, socket=False)
            self.assertEqual(tcp.asked[-1][1]["Authorization"], "Bearer nave_sk_variable")
            tcp.shutdown()

    def test_api_keys_say_that_they_are_shown_once(self):
        self.server.answers["POST /v1/api-keys"] = (201, {"id": BOB, "key": "nave_sk_x"})
        self.nave("api-keys", "create", "ci", "--role", "viewer", "--instance", "acme", "--expires-at", "never")
        self.assertIn("nave_sk_x", self.out)
        self.assertIn("once", self.err)
        self.assertEqual(json.loads(self.asked("POST /v1/api-keys")[1]),
                         {"name": "ci", "role": "viewer", "instance_id": ACME, "expires_at": None})

    def test_hostile_answers_do_no_harm(self):
        for reply in ("", "[]", "{}", "{\"items\":[1,null,{}]}", "{\"items\":{}}", "not json", "{\"items\":[" * 3000,
                      json.dumps({"items": [{"id": 3, "name": ["\x1b"], "hostname": {}, "state": 1, "conditions": 7}]})):
            for key in ("users?limit=200", "instances?limit=200", "hubs?limit=200", "instances?hostname=acme"):
                self.server.answers[f"GET /v1/{key}"] = (200, reply)
            for words in (["users", "list"], ["status"], ["hubs", "show", "x"], ["instances", "show", "acme"]):
                with self.subTest(reply=reply[:40], words=words):
                    done = subprocess.run([NAVE, "--socket", self.socket, *words], capture_output=True, timeout=30, check=False)
                    self.assertIn(done.returncode, (0, 1, 4), done.stderr)
        self.server.answers["GET /v1/users?limit=200"] = (200, "<html>")
        self.nave("users", "list", code=4)

    def test_help_and_words_are_of_one_table(self):
        everything = self.nave("--help")
        for line in self.nave("--completion-words").splitlines():
            words = [word for word in line.split() if not word.startswith("--")]
            options = [word for word in line.split() if word.startswith("--")]
            self.assertRegex(everything, rf"\n  {' '.join(words)}\b")
            self.assertIn(" ".join(words), self.nave(words[0], "--help"))
            told = self.nave(*words, "--help").split("Everywhere:")[0]
            self.assertEqual(re.findall(r"^  (--[a-z0-9-]+)", told, re.M), options)
        self.assertRegex(self.nave("--version"), r"^nave \d+\.\d+\.\d+\n$")
        self.assertEqual(self.server.asked, [])


unittest.main()
