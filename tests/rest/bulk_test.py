#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nave peers create --from: 300 people and their links from a file, and nave share-links."""
import csv
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import time

import rest_client
from rest_hub import Hub

OK, REFUSED, USAGE, FAILED = 0, 1, 2, 4
PEOPLE = 300
OWED_S = 60


class BulkTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()  # an address is all that profiles need of it

    def setUp(self):
        self.instance = self.new_instance()
        self.net = self.instance["hostname"]
        self.peers = f"/v1/instances/{self.instance['id']}/peers"
        self.out = pathlib.Path(f"{self.daemon.folder}/{self.net}-links.csv")
        self.file = pathlib.Path(f"{self.daemon.folder}/{self.net}.csv")

    def command(self, *arguments):
        return [f"{rest_client.BUILD}/control/nave", *map(str, arguments), "--socket", self.daemon.socket]

    def nave(self, *arguments, code=OK):
        """(standard output, standard error)"""
        run = subprocess.run(self.command(*arguments), text=True, capture_output=True, timeout=OWED_S, check=False,
                             stdin=subprocess.DEVNULL)
        self.assertEqual(run.returncode, code, (arguments, run.stdout, run.stderr))
        return run.stdout, run.stderr

    def create(self, text=None, *more, code=OK):
        if text is not None:
            self.file.write_text(text, encoding="utf-8")
        return self.nave("peers", "create", self.net, "--from", self.file, *more, code=code)

    def links(self):
        with self.out.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))

    def people(self, count):
        lines = ["name,email,user,route_all,protocol\n"]
        for n in range(count):
            lines.append(f"{self.net}-{n}-laptop,{self.net}-{n}@example.net,\"{self.net}, person {n}\","
                         f"{'yes' if n % 3 == 0 else ''},{('wireguard', 'any', '')[n % 3]}\n")
        return "".join(lines)

    def reveal(self, url):
        return rest_client.Client(self.daemon, tcp=True).post(url[url.index("/p/"):])

    def test_300_people_with_links(self):
        began = time.monotonic()
        _, said = self.create(self.people(PEOPLE), "--share-links", self.out)
        took = time.monotonic() - began
        print(f"\n{PEOPLE} clients with share links: {took:.1f} s", flush=True)
        self.assertLess(took, OWED_S)
        for line in ("100 of 300\n", "300 of 300\n", f"300 peers made, 0 were there; 300 share links written to {self.out}\n"):
            self.assertIn(line, said)
        peers = {p["name"]: p for p in self.api.items(f"{self.peers}?limit=200")}
        users = {u["id"]: u for u in self.api.items("/v1/users?limit=200")}
        self.assertEqual(len(peers), PEOPLE)
        self.assertEqual(stat.S_IMODE(self.out.stat().st_mode), 0o600)
        rows = self.links()
        self.assertEqual(len({r["url"] for r in rows}), PEOPLE)
        for n, row in enumerate(rows):
            peer = peers[f"{self.net}-{n}-laptop"]
            self.assertEqual((peer["route_all"], peer["protocol"]), (n % 3 == 0, "any" if n % 3 == 1 else "wireguard"))
            self.assertEqual(users[peer["user_id"]]["email"], f"{self.net}-{n}@example.net")
            self.assertEqual((row["name"], row["user"], row["email"]),
                             (peer["name"], users[peer["user_id"]]["name"], users[peer["user_id"]]["email"]))
        for n in (0, 1, 299):
            page = self.reveal(rows[n]["url"])
            self.assertEqual(page.status, 200)
            self.assertIn(f"{self.net}-{n}-laptop", page.text)
        # and once more: nothing is left to be made
        _, said = self.create(None, "--share-links", self.out)
        self.assertIn("0 peers made, 300 were there; 0 share links", said)
        self.assertEqual(self.links(), rows)

    def test_a_run_that_was_killed_goes_on(self):
        self.file.write_text(self.people(60), encoding="utf-8")
        words = self.command("peers", "create", self.net, "--from", self.file, "--share-links", self.out)
        for least in (10, 30):
            with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
                self.wait_for(lambda: self.out.exists() and self.out.read_text(encoding="utf-8").count("\n") > least, 30)
                child.send_signal(signal.SIGKILL)
            self.assertEqual(child.returncode, -signal.SIGKILL)
        # what a kill in the middle of a write would leave, and a link that was made and not written down
        lines = self.out.read_text(encoding="utf-8").splitlines(keepends=True)
        self.out.write_text("".join(lines[:-2]) + lines[-2][:30], encoding="utf-8")
        self.create(None, "--share-links", self.out)
        rows = self.links()
        self.assertEqual([r["name"] for r in rows], [f"{self.net}-{n}-laptop" for n in range(60)])
        self.assertIn(lines[-2].split(",")[-2], [r["url"] for r in rows])
        peers = self.api.items(f"{self.peers}?limit=200")
        self.assertEqual(len(peers), 60)
        for peer in peers[:20]:
            self.assertEqual(len(self.api.items(f"{self.peers}/{peer['id']}/share-links")), 1)
        self.assertEqual({self.reveal(r["url"]).status for r in rows[10:30] + rows[-3:]}, {200})

    def test_a_malformed_file_makes_nothing(self):
        good = "name,email,user,route_all,protocol\nfine,,,,\n"
        for text, line, word in (
                ("", 1, "empty"), ("name\n", 1, "nobody"), ("name;email\na;b\n", 1, "commas"), ("email\na@b\n", 1, "name is missing"),
                ("name,name\na,b\n", 1, "twice"), ("name,phone\na,b\n", 1, "phone"),
                (good + ",a@example.net,,,\n", 3, "name is empty"), (good + "x,,\n", 3, "3 cells"),
                (good + "x,,,,,\n", 3, "6 cells"), (good + "x,nobody,,,\n", 3, "nobody"), (good + "x,,,maybe,\n", 3, "maybe"),
                (good + "x,,,,pigeon\n", 3, "pigeon"), (good + "fine,,,,\n", 3, "line 2"), (good + "x,,,,\n\n\nx,,,,\n", 6, "line 3"),
                (good + f"{'x' * 65},,,,\n", 3, "64"), (good + " x,,,,\n", 3, "space"), (good + 'x,,"a\nb",,\n', 3, "control"),
                (good + 'x"y,,,,\n', 3, "quotes"), (good + '"x,,,,\n', 3, "no end"),
                (good + "x,a@b.c,Al,,\ny,d@e.f,Al,,\n", 4, "a@b.c")):
            with self.subTest(text):
                _, said = self.create(text, "--share-links", self.out, code=USAGE)
                self.assertIn(f"{self.file}:{line}: ", said)
                self.assertIn(word, said)
                self.assertFalse(self.out.exists())
        self.file.write_bytes(good.encode() + b"\xff,,,,\n")
        self.assertIn(f"{self.file}:3: ", self.create(None, code=USAGE)[1])
        many = self.create(good + "x,,,,pigeon\n" * 30, code=USAGE)[1]
        self.assertIn("and 39 more", many)  # each but the first is a twin as well
        self.assertEqual(self.api.items(self.peers), [])
        self.file.unlink()
        self.create(None, code=USAGE)

    def test_what_clashes_makes_nothing(self):
        self.nave("users", "create", f"{self.net} Bob", "--email", "bob@example.net")
        self.nave("peers", "create", self.net, "--client", "taken", "--route-all")
        self.nave("peers", "create", self.net, "--client", "bobs", "--user", f"{self.net} Bob")
        for line, word in (("taken,,,,", "route_all"), ("taken,,,yes,any", "protocol"), ("taken,,Somebody new,yes,", "user"),
                           ("bobs,,,,", "user"), (f"x,other@example.net,{self.net} Bob,,", "bob@example.net")):
            with self.subTest(line):
                _, said = self.create(f"name,email,user,route_all,protocol\nfresh,,,,\n{line}\n", "--share-links", self.out,
                                      code=REFUSED)
                self.assertIn(f"{self.file}:3: ", said)
                self.assertIn(word, said)
                self.assertFalse(self.out.exists())
        self.assertEqual(len(self.api.items(self.peers)), 2)
        self.assertEqual([u for u in self.api.items("/v1/users?limit=200") if u["name"] == "Somebody new"], [])
        # as it is, it is taken for done; by its address a person is found
        _, said = self.create(f"name,email,user,route_all\ntaken,,,on\nbobs,bob@example.net,,\n,,,\n".replace(",,,\n", "")
                              + "new,bob@example.net,,\n")
        self.assertIn("1 peers made, 2 were there", said)
        bob = self.api.get(f"/v1/users?name={self.net}%20Bob").json["items"][0]
        self.assertEqual(self.api.get(f"{self.peers}?name=new").json["items"][0]["user_id"], bob["id"])

    def test_options_and_files(self):
        one = "name\nphone\n"
        for options in (["--client", "x"], ["--site", "x"], ["--public-key", "x"], ["--links-expire-in", "soon"]):
            self.create(one, *options, code=USAGE)
        self.nave("peers", "create", self.net, "--client", "x", "--share-links", self.out, code=USAGE)
        self.out.write_text("precious\n", encoding="utf-8")
        os.chmod(self.out, 0o600)
        self.create(one, "--share-links", self.out, code=FAILED)
        self.assertEqual(self.out.read_text(encoding="utf-8"), "precious\n")
        self.out.write_text("name,user,email,url,expires_at\n", encoding="utf-8")
        os.chmod(self.out, 0o644)
        self.create(one, "--share-links", self.out, code=FAILED)
        self.out.unlink()
        self.out.symlink_to("/etc/passwd")
        self.create(one, "--share-links", self.out, code=FAILED)
        self.out.unlink()
        self.assertEqual(self.api.items(self.peers), [])
        made, _ = self.create(one, "--share-links", self.out, "--links-expire-in", "3600", "--keepalive", "10", "--route-all",
                              "--protocol", "any", "--label", "team=x", "--allow", "10.0.0.0/8", "-o", "json")
        peer = json.loads(made)[0]
        self.assertEqual([peer[k] for k in ("keepalive", "route_all", "protocol", "labels", "allowed_destinations")],
                         [10, True, "any", {"team": "x"}, ["10.0.0.0/8"]])
        link = self.api.items(f"{self.peers}/{peer['id']}/share-links")[0]
        life = [time.mktime(time.strptime(link[k], "%Y-%m-%dT%H:%M:%SZ")) for k in ("created_at", "expires_at")]
        self.assertEqual(life[1] - life[0], 3600)

    def test_made_again_after_it_was_deleted(self):
        self.create("name,user\nphone,Zoe\n", "--share-links", self.out)
        first = self.links()[0]["url"]
        self.nave("peers", "delete", self.net, "phone")
        self.nave("users", "delete", "Zoe")
        self.out.unlink()
        self.create(None, "--share-links", self.out)  # not with the answers of the first time
        second = self.links()[0]["url"]
        self.assertNotEqual(first, second)
        self.assertEqual((self.reveal(first).status, self.reveal(second).status), (404, 200))
        # its link is used: a file that was lost cannot have it again, and says so with the line
        self.out.unlink()
        _, said = self.create(None, "--share-links", self.out, code=REFUSED)
        self.assertIn(f"{self.file}:2: no share link", said)
        self.create("name\nphone2\n", "--share-links", self.out)
        revoked = self.links()[0]["url"]
        peer = self.api.get(f"{self.peers}?name=phone2").json["items"][0]
        link = self.api.items(f"{self.peers}/{peer['id']}/share-links")[0]
        self.is_ok(self.api.delete(f"{self.peers}/{peer['id']}/share-links/{link['id']}"), 204)
        self.out.unlink()
        self.create(None, "--share-links", self.out)
        self.assertNotEqual(self.links()[0]["url"], revoked)
        self.assertEqual(self.reveal(self.links()[0]["url"]).status, 200)

    def test_share_links_noun(self):
        self.nave("peers", "create", self.net, "--client", "phone")
        made, said = self.nave("share-links", "create", self.net, "phone", "--expires-in", "7200")
        self.assertRegex(made, r"(?m)^url +http://127\.0\.0\.1:\d+/p/[\w-]{43}$")
        self.assertIn("this once", said)
        link = json.loads(self.nave("share-links", "create", self.net, "phone", "-o", "json")[0])
        listed, _ = self.nave("share-links", "list", self.net, "phone")
        self.assertRegex(listed, r"STATE +CREATED +EXPIRES +OPENED +REVEALED +ID\n")
        self.assertEqual(listed.count("active"), 2)
        self.assertNotIn(link["url"].rpartition("/")[2], listed)
        self.nave("share-links", "delete", self.net, "phone", link["id"])
        rows = json.loads(self.nave("share-links", "list", self.net, "phone", "-o", "json")[0])
        self.assertEqual(len(rows), 1)
        self.assertEqual(self.reveal(link["url"]).status, 404)
        self.assertEqual(self.reveal(re.search(r"http\S+", made)[0]).status, 200)
        self.assertIn("revealed", self.nave("share-links", "list", self.net, "phone")[0])
        self.nave("share-links", "create", self.net, "phone", code=REFUSED)
        self.nave("share-links", "delete", self.net, "phone", link["id"], code=REFUSED)
        self.nave("share-links", "create", self.net, "phone", "--expires-in", "soon", code=USAGE)


if __name__ == "__main__":
    rest_client.main()
