#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The script for RouterOS: every command and argument is one that MikroTik's own schema has."""
import json
import pathlib
import re

import rest_client
from rest_hub import Hub

SCHEMA = json.loads((pathlib.Path(__file__).resolve().parents[1] / "data/routeros_schema.json").read_text("utf-8"))
# version 6 has no schema: what its manual has for an OpenVPN client
V6_CLIENT = set("add-default-route auth certificate cipher comment connect-to disabled max-mtu mode name password"
                " port profile user".split())
COMMAND = re.compile(r"/((?:[a-z]+[ -])*?[a-z-]+) (add|remove|import|print|set|get)(?= )(.*)")


def commands(script):
    """(path, arguments) of each command, those in strings that are parsed later included."""
    for line in script.splitlines():
        if line.startswith("#"):
            continue
        rest = line
        while match := COMMAND.search(rest):
            path, verb, rest = match.groups()
            own = re.split(r'"\]$|\] \}|/certificate', rest)[0]
            own = re.sub(r"\[find [^\]]*\]?", "", own)
            path = path.replace(" ", "/")
            for search in re.findall(r"\[find ([a-z-]+)=", rest):
                assert search in ("name", "comment", "common-name"), search
                yield f"{path}/find", []
            yield f"{path}/{verb}", re.findall(r" ([a-z-]+)=", f" {own}")


class RouterosTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()

    def setUp(self):
        made = self.new_instance()
        self.path = f"/v1/instances/{made['id']}"
        self.hub.sync()
        self.instance = self.is_ok(self.api.get(self.path)).json
        self.site = self.new_peer(made, type="site", protocol="openvpn", name='Branch "1"; /system reboot\u00e9',
                                  subnets=["192.168.10.0/24"])
        self.new_peer(made, type="site", subnets=["192.168.20.0/24", "fd00:20::/64"])
        self.profile = f"{self.path}/peers/{self.site['id']}/profile"

    def script(self):
        return self.is_ok(self.api.get(f"{self.profile}?format=routeros")).text

    def test_commands_are_in_the_schema(self):
        blank = self.script()
        script = self.is_ok(self.api.post(f"{self.profile}/reveal?format=routeros")).text
        self.assertIn("BLANK", blank)
        self.assertNotIn("BLANK", script)
        found = list(commands(script))
        self.assertEqual(len([c for c in found if c[0] == "interface/ovpn-client/add"]), 2)
        self.assertEqual({c[0] for c in found} - set(SCHEMA["versions"]["7.16.2"]), set())
        for version, schema in SCHEMA["versions"].items():
            for path, arguments in found:
                self.assertEqual(set(arguments) - set(schema[path]), set(), (version, path))
        modern, plain = (set(c[1]) for c in found if c[0] == "interface/ovpn-client/add")
        self.assertEqual(plain - V6_CLIENT, set())
        self.assertEqual(modern - plain, {"protocol", "route-nopull", "use-peer-dns", "tls-version",
                                          "verify-server-certificate"})

    def test_what_it_says(self):
        script = self.is_ok(self.api.post(f"{self.profile}/reveal?format=routeros")).text
        port = self.instance["endpoints"]["openvpn_tcp"]["port"]
        adds = re.findall(r'\[:parse "(.*)"\]', script)
        self.assertEqual(len(adds), 2)
        for add, cipher in zip(adds, ("aes256-cbc", "aes256")):
            for word in ("connect-to=203.0.113.1", f"port={port}", f"user={self.site['username']}", "auth=sha1",
                         f"cipher={cipher}", "certificate=\\$own", "mode=ip", "add-default-route=no"):
                self.assertIn(f" {word} ", add)
        self.assertRegex(adds[0], r" password=[A-Za-z0-9]{22} ")
        self.assertIn(" protocol=tcp ", adds[0])
        # what version 6 does not know stands nowhere but in a string that may fail to parse
        outside = re.sub(r'\[:parse ".*"\]', "", script)
        self.assertNotIn("ovpn-client add", outside)
        routes = re.findall(r"/ip route add dst-address=(\S+)", script)
        self.assertEqual(routes, sorted([self.instance["networks"]["ipv4"], "192.168.20.0/24"]))
        # three files with whole PEM blocks, below what a script may write into a file
        contents = re.findall(r'content="(.*)"', script)
        self.assertEqual([re.search("BEGIN ([A-Z ]+)", c)[1] for c in contents],
                         ["CERTIFICATE", "CERTIFICATE", "PRIVATE KEY"])
        for content in contents:
            self.assertLess(len(content), 4096)
            self.assertTrue(content.endswith("-----\\n"))
        # the name that people gave is in the first comment, and nowhere else
        lines = script.splitlines()
        self.assertEqual([n for n, line in enumerate(lines) if "/system reboot" in line], [0])
        self.assertTrue(lines[0].startswith("# "))
        for line in script.splitlines():
            if not line.startswith("#"):
                self.assertEqual(len(re.findall(r'(?<!\\)"', line)) % 2, 0, line)
        code = re.sub(r'(?<!\\)"(\\"|[^"])*"', "", "\n".join(
            line for line in script.splitlines() if not line.startswith("#")))
        for opening, closing in ("{}", "[]", "()"):
            self.assertEqual(code.count(opening), code.count(closing), code)

    def test_a_listener_that_routers_cannot_use(self):
        def change(**tcp):
            etag = self.api.get(self.path).etag
            self.is_ok(self.api.patch(self.path, {"openvpn": {"tcp": tcp}}, If_Match=etag))
        for tcp in ({"wrap": "tls-crypt"}, {"ciphers": ["AES-256-GCM"]}, {"tls_minimum": "1.3"}):
            change(**tcp)
            self.is_refused(self.api.get(f"{self.profile}?format=routeros"), 409, "conflict", word="CBC")
            change(**{name: None for name in tcp})
        change(ciphers=["AES-128-GCM", "AES-128-CBC"], tls_auth_digest="SHA256", requires_certificate=False)
        script = self.script()
        for word in ("cipher=aes128-cbc auth=sha256", "cipher=aes128 auth=sha256", ':local own "none"'):
            self.assertIn(word, script)
        self.assertEqual(len(re.findall("BEGIN CERTIFICATE", script)), 1)

    def test_only_sites_have_one(self):
        made = self.instance
        for peer in (self.new_peer(made, protocol="openvpn"), self.new_peer(made, protocol="any"),
                     self.new_peer(made, type="site", subnets=["192.168.30.0/24"])):
            answer = self.api.get(f"{self.path}/peers/{peer['id']}/profile?format=routeros")
            self.is_refused(answer, 422, "unprocessable")


if __name__ == "__main__":
    rest_client.main()
