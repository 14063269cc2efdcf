#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The nave command against the real daemon: every noun and verb, and its exit codes."""
import base64
import json
import os
import pathlib
import stat
import subprocess
import time

import rest_client
from rest_hub import Hub

OK, REFUSED, USAGE, UNREACHABLE, FAILED, TIMEOUT = 0, 1, 2, 3, 4, 5


class CliTest(rest_client.RestTest):
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

    def nave(self, *arguments, code=OK, **environment):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("NAVE_")}
        where = [] if "--url" in arguments or "--socket" in arguments else [
            "--socket", self.daemon.socket]
        run = subprocess.run([f"{rest_client.BUILD}/control/nave", *arguments, *where], text=True,
                             capture_output=True, timeout=30, check=False,
                             stdin=subprocess.DEVNULL, env=clean | environment)
        self.assertEqual(run.returncode, code, (arguments, run.stdout, run.stderr))
        if code == OK:
            return run.stdout
        self.assertTrue(run.stderr, arguments)
        return run.stderr

    def json(self, *arguments, **more):
        return json.loads(self.nave(*arguments, "-o", "json", **more))

    def new_net(self):
        name = self.fresh("cli")
        self.nave("instances", "create", name, "--name", f"Net {name}", "--wait")
        return name

    def test_instances(self):
        name = self.fresh("cli")
        made = self.json("instances", "create", name, "--name", "Everything", "--network4",
                         "10.44.0.0/24", "--network6", "fd44::/64", "--mtu", "1400", "--dns",
                         "9.9.9.9", "--dns", "1.1.1.1", "--search-domain", "x.example",
                         "--client-routes", "advertised", "--client-to-client", "on", "--label",
                         "a=b", "--wait", "--timeout", "20")
        self.assertEqual(made["state"], "ready")
        self.assertEqual(made["networks"], {"ipv4": "10.44.0.0/24", "ipv6": "fd44::/64"})
        self.assertEqual(made["dns"], {"servers": ["9.9.9.9", "1.1.1.1"],
                                       "search_domains": ["x.example"]})
        for way in (name, "Everything", made["id"]):
            self.assertEqual(self.json("instances", "show", way)["id"], made["id"])
        self.assertIn(name, self.nave("instances", "list"))
        self.assertIn("10.44.0.1", self.nave("instances", "routes", name))
        self.nave("instances", "update", name, "--mtu", "1300", "--label", "a=", "--label", "c=d",
                  "--client-to-client", "off", "--client-routes",
                  "10.0.0.0/8", "--client-routes", "fd00::/8")
        now = self.json("instances", "show", name)
        self.assertEqual((now["mtu"], now["labels"]), (1300, {"c": "d"}))
        self.assertEqual(now["routing"], {"client_routes": ["10.0.0.0/8", "fd00::/8"]})
        self.assertFalse(now["access"]["client_to_client"])
        self.nave("instances", "retry", name)
        self.nave("instances", "delete", name, "--wait")
        self.nave("instances", "show", name, code=REFUSED)

    def test_peers(self):
        net = self.new_net()
        key = base64.b64encode(os.urandom(32)).decode()
        place = self.json("sites", "create", "Leeds")
        site = self.json("peers", "create", net, "--site", "Branch 1", "--place", "Leeds", "--subnet",
                         "192.168.10.0/24", "--subnet", "fd00:10::/64", "--public-key", key)
        self.assertEqual(site["site_id"], place["id"])
        self.assertEqual(site["subnets"], ["192.168.10.0/24", "fd00:10::/64"])
        self.assertEqual(site["public_key"], key)
        self.nave("users", "create", "Carol", "--email", "carol@example.net")
        client = self.json("peers", "create", net, "--client", "carol-laptop", "--user", "Carol",
                           "--route-all", "--keepalive", "10", "--allow", "10.0.0.0/8",
                           "--expires-at", "2099-01-01T00:00:00Z")
        self.assertEqual((client["route_all"], client["keepalive"]), (True, 10))
        self.assertEqual(client["allowed_destinations"], ["10.0.0.0/8"])
        self.assertIn("Branch 1", self.nave("peers", "list", net))
        self.nave("peers", "update", net, "carol-laptop", "--name", "carols", "--route-all", "off",
                  "--allow", "all", "--expires-at", "never", "--user", "none")
        now = self.json("peers", "show", net, "carols")
        self.assertEqual([now[k] for k in ("route_all", "allowed_destinations", "expires_at",
                                           "user_id")], [False, None, None, None])
        self.nave("peers", "suspend", net, "carols")
        self.assertEqual(self.json("peers", "show", net, "carols")["state"], "suspended")
        self.assertIn("resume", self.nave("peers", "show", net, "carols"))
        self.nave("peers", "resume", net, "carols")
        self.nave("peers", "reset-clock", net, "carols")
        self.assertEqual(self.json("peers", "show", net, "carols")["state"], "active")
        overlap = self.nave("peers", "create", net, "--site", "Branch 2", "--subnet",
                            "192.168.10.0/25", code=REFUSED)
        self.assertIn("Branch 1", overlap)
        self.nave("peers", "delete", net, "Branch 1")
        self.nave("peers", "create", net, "--site", "Branch 2", "--subnet", "192.168.10.0/25")
        self.nave("peers", "show", net, "Branch 1", code=REFUSED)

    def test_capture(self):
        net = self.new_net()
        self.nave("peers", "create", net, "--client", "phone")
        file = pathlib.Path(f"{self.daemon.folder}/{net}.pcapng")
        args = ("peers", "capture", net, "phone", "--side", "outer", "--seconds", "1", "--max-bytes",
                "4096", "--out", str(file))
        self.nave(*args)
        self.assertEqual(file.read_bytes(), b"\n\r\r\n")
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.nave(*args, code=FAILED)  # never over another file
        instance = self.json("instances", "show", net)["id"]
        peer = self.json("peers", "show", net, "phone")["id"]
        self.assertEqual(self.api.items(f"/v1/instances/{instance}/peers/{peer}/captures"), [])
        file.unlink()
        self.nave("peers", "suspend", net, "phone")
        self.nave(*args, code=REFUSED)
        self.assertFalse(file.exists())

    def test_profiles(self):
        net = self.new_net()
        self.nave("peers", "create", net, "--client", "phone")
        text = self.nave("peers", "profile", net, "phone")
        self.assertIn("[Interface]", text)
        self.assertNotRegex(text, r"(?m)^PrivateKey = \S")
        file = f"{self.daemon.folder}/{net}.conf"
        self.nave("peers", "profile", net, "phone", "--reveal", "--out", file)
        text = pathlib.Path(file).read_text(encoding="utf-8")
        self.assertRegex(text, r"(?m)^PrivateKey = \S{44}$")
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        self.assertEqual(subprocess.run(["wg-quick", "strip", file], capture_output=True,
                                        check=False).returncode, 0)
        self.assertIn("█", self.nave("peers", "profile", net, "phone", "--qr"))

    def test_openvpn_profiles(self):
        net = self.new_net()
        self.nave("peers", "create", net, "--client", "phone", "--protocol", "any")
        self.nave("peers", "create", net, "--site", "Leeds", "--subnet", "192.168.7.0/24", "--protocol", "openvpn",
                  "--username", "leeds-router")
        self.assertEqual(self.json("peers", "show", net, "Leeds")["username"], "leeds-router")
        self.assertRegex(self.nave("peers", "list", net), r"Leeds +site +openvpn ")
        self.assertIn("[Interface]", self.nave("peers", "profile", net, "phone"))
        self.assertIn("\nproto udp\n", self.nave("peers", "profile", net, "phone", "--format", "openvpn"))
        self.assertIn("\nproto tcp\n", self.nave("peers", "profile", net, "Leeds", "--transport", "tcp"))
        file = f"{self.daemon.folder}/{net}.rsc"
        self.nave("peers", "profile", net, "Leeds", "--format", "routeros", "--reveal", "--out", file)
        text = pathlib.Path(file).read_text(encoding="utf-8")
        self.assertRegex(text, r"user=leeds-router password=[A-Za-z0-9]{22} ")
        for words, code in ((["phone", "--format", "routeros"], 1), (["Leeds", "--qr"], 1),
                            (["phone", "--format", "pigeon"], 1), (["phone", "--qr", "--format", "openvpn"], 2)):
            self.nave("peers", "profile", net, *words, code=code)

    def test_workspace(self):
        self.nave("users", "create", "Dan", "--label", "team=x")
        self.nave("users", "update", "Dan", "--email", "dan@example.net")
        self.assertEqual(self.json("users", "show", "Dan")["email"], "dan@example.net")
        self.nave("users", "suspend", "Dan")
        self.assertIn("suspended", self.nave("users", "list"))
        self.nave("users", "resume", "Dan")
        self.nave("users", "delete", "Dan")
        self.nave("users", "show", "Dan", code=REFUSED)
        self.nave("sites", "create", "Depot")
        self.nave("sites", "update", "Depot", "--name", "Old depot")
        self.assertIn("Old depot", self.nave("sites", "list"))
        self.nave("sites", "delete", "Old depot")
        self.nave("sites", "show", "Old depot", code=REFUSED)
        self.assertIn("hub1", self.nave("hubs", "list"))
        self.assertEqual(self.json("hubs", "show", "hub1")["id"], self.hub.id)
        self.assertIn("far", self.nave("regions", "list"))
        self.assertIn("reserved", self.nave("hostnames", "show", "www"))
        self.assertIn("Depot", self.nave("audit", "list"))
        self.assertIn(self.new_net(), self.nave("status"))

    def test_keys(self):
        made = self.json("api-keys", "create", "cli key", "--role", "viewer")
        url = f"http://127.0.0.1:{self.daemon.port}"
        file = f"{self.daemon.folder}/token"
        pathlib.Path(file).write_text(made["key"] + "\n", encoding="utf-8")
        os.chmod(file, 0o600)
        self.nave("instances", "list", "--url", url, "--token-file", file)
        self.nave("instances", "list", "--url", url, NAVE_TOKEN=made["key"])
        self.nave("users", "create", "Eve", "--url", url, "--token-file", file, code=REFUSED)
        self.nave("instances", "list", "--url", url, NAVE_TOKEN="nave_sk_x", code=REFUSED)
        self.assertNotIn(made["key"], self.nave("api-keys", "list"))
        self.nave("api-keys", "delete", "cli key")
        self.nave("instances", "list", "--url", url, "--token-file", file, code=REFUSED)

    def test_refusals_say_which_option(self):
        self.assertIn("hostname", self.nave("instances", "create", "www", "--name", "x", code=REFUSED))
        text = self.nave("instances", "create", "good-one", "--name", "x", "--mtu", "1", code=REFUSED)
        self.assertIn("1280", text)
        self.nave("instances", "create", "far-away", "--name", "Far", "--region", "far", "--wait",
                  "--timeout", "1", code=TIMEOUT)

    def test_wrong_usage(self):
        for arguments in (["moon"], ["instances", "moon"], ["instances", "show"],
                          ["instances", "create", "x", "--moon"], ["peers", "list"],
                          ["instances", "create", "abc", "--name", "x", "--mtu", "many"],
                          ["peers", "create", "x", "--site", "a", "--client", "b"]):
            self.nave(*arguments, code=USAGE)

    def test_nobody_there(self):
        self.nave("status", "--socket", f"{self.daemon.folder}/nothing", code=UNREACHABLE)
        self.nave("status", "--url", f"http://127.0.0.1:{rest_client.free_port()}",
                  NAVE_TOKEN="nave_sk_x", code=UNREACHABLE)

    def test_many_are_listed_whole(self):
        net = self.new_net()
        path = f"/v1/instances/{self.json('instances', 'show', net)['id']}/peers"
        for n in range(205):
            self.is_ok(self.api.post(path, {"type": "client", "name": f"many {n}"}), 201)
        began = time.monotonic()
        listed = self.json("peers", "list", net)
        rows = listed["items"] if isinstance(listed, dict) else listed
        self.assertEqual(len(rows), 205)
        self.assertLess(time.monotonic() - began, 5)


if __name__ == "__main__":
    rest_client.main()
