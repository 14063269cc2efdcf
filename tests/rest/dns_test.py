#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names of instances in a real Knot DNS: there, changed, gone; with whatever goes wrong on the way."""
import base64
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import rest_client
import rest_hub

DOMAIN = "vpn.example.net"
SECRET = base64.b64encode(b"one secret of thirty-two bytes!!").decode()
OTHER_SECRET = base64.b64encode(b"a second one, of as many bytes!!").decode()
ZONE = f"""$ORIGIN {DOMAIN}.
$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
kept A 192.0.2.99
kept TXT "made by somebody else"
"""


WRONG_CLOCK = """
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = (int)syscall(SYS_clock_gettime, id, ts);
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		ts->tv_sec += AHEAD;
	return rc;
}
time_t time(time_t *ret)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	if (ret != NULL)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
int gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}
"""


class Knot:
    """A knotd of one's own, with one zone, on a loopback port."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nave-knot-")
        self.port = rest_client.free_port()
        self.child = None
        pathlib.Path(f"{self.folder}/zone").write_text(ZONE, encoding="ascii")
        self.configure()

    def configure(self, key="nave", secret=SECRET, action="update", zone=DOMAIN):
        pathlib.Path(f"{self.folder}/knot.conf").write_text(f"""
server:
    rundir: "{self.folder}"
    listen: 127.0.0.1@{self.port}
database:
    storage: "{self.folder}/db"
log:
  - target: stderr
    any: info
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: updates
    key: {key}
    action: [{action}]
zone:
  - domain: {zone}
    storage: "{self.folder}"
    file: zone
    zonefile-sync: -1
    journal-content: changes
    acl: updates
""", encoding="ascii")

    def wrong_clock(self, ahead):
        """What makes a program's clock so many seconds wrong when it is loaded first."""
        pathlib.Path(f"{self.folder}/clock.c").write_text(WRONG_CLOCK, encoding="ascii")
        library = f"{self.folder}/clock{ahead}.so"
        subprocess.run(["gcc", "-shared", "-fPIC", f"-DAHEAD={ahead}", f"{self.folder}/clock.c", "-o", library], check=True)
        return {**os.environ, "LD_PRELOAD": library}

    def start(self, env=None, **settings):
        self.configure(**settings)
        os.makedirs(f"{self.folder}/db", exist_ok=True)
        with open(f"{self.folder}/log", "ab") as log:
            self.child = subprocess.Popen(
                ["/usr/sbin/knotd", "-c", f"{self.folder}/knot.conf"], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env=env, preexec_fn=rest_client.die_with_parent)
        ends = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.child.poll() is None and time.monotonic() < ends, self.log()
                time.sleep(0.05)

    def stop(self):
        if self.child is not None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
            self.child = None

    def restart(self, **settings):
        self.stop()
        self.start(**settings)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    def log(self):
        return pathlib.Path(f"{self.folder}/log").read_text(encoding="utf-8", errors="replace")

    def ask(self, label, kinds=("A", "AAAA")):
        """What the server says of a name: {"60 IN A 203.0.113.1", …}."""
        found = set()
        for kind in kinds:
            said = subprocess.run(["kdig", f"@127.0.0.1#{self.port}", "+noall", "+answer", "+time=2", "+retry=0",
                                   f"{label}.{DOMAIN}", kind], capture_output=True, text=True, timeout=20, check=False)
            for line in said.stdout.splitlines():
                if line and not line.startswith(";"):
                    found.add(" ".join(line.split()[1:]))
        return found


class DnsTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        cls.knot = Knot()
        cls.addClassCleanup(cls.knot.remove)
        cls.knot.start()
        cls.secret = f"{cls.knot.folder}/secret"
        cls.put_secret(SECRET)
        cls.config = cls.settings()
        super().setUpClass()
        cls.hub = rest_hub.Hub(cls.daemon)

    @classmethod
    def settings(cls, **other):
        port = other.get("port", cls.knot.port)
        return (f'dns = {{ server = "127.0.0.1:{port}"; key_name = "nave"; key_file = "{cls.secret}"; }};')

    @classmethod
    def put_secret(cls, secret):
        pathlib.Path(cls.secret).write_text(secret + "\n", encoding="ascii")
        os.chmod(cls.secret, 0o600)

    def setUp(self):
        if self.knot.child is None:
            self.knot.start()

    def create(self, **body):
        name = self.fresh("dns")
        made = self.is_ok(self.api.post("/v1/instances", {
            "name": name, "hostname": name, "region": "local", **body}), 202).json
        self.wait_for(lambda: self.condition(made, "CertificatesReady")["status"])
        self.hub.sync()
        return made

    def condition(self, instance, kind="DnsPublished"):
        now = self.is_ok(self.api.get(f"/v1/instances/{instance['id']}")).json
        return {c["type"]: c for c in now["conditions"]}[kind]

    def is_published(self, instance, *records):
        """The records stand in the server and in the condition."""
        records = records or ("60 IN A 203.0.113.1",)
        try:
            self.wait_for(lambda: self.knot.ask(instance["hostname"]) == set(records), 20)
        except AssertionError:
            raise AssertionError(f"{self.knot.ask(instance['hostname'])}, {self.condition(instance)}\n"
                                 f"{self.daemon.log_text()[-2000:]}\n{self.knot.log()[-600:]}") from None
        shown = self.wait_for(lambda: self.condition(instance)["status"] and self.condition(instance), 20)
        self.assertEqual(shown["reason"], "Done")
        for record in records:
            self.assertIn(f"{instance['hostname']}.{DOMAIN}. {record}", shown["message"])

    def is_gone(self, hostname):
        self.wait_for(lambda: self.knot.ask(hostname) == set(), 20)

    def says(self, instance, reason, *words):
        try:
            self.wait_for(lambda: self.condition(instance)["reason"] == reason, 20)
        except AssertionError:
            raise AssertionError(f"{self.condition(instance)}\n{self.knot.log()[-600:]}") from None
        shown = self.condition(instance)
        self.assertFalse(shown["status"])
        for word in words:
            self.assertIn(word, shown["message"])
        # nobody waits for the DNS
        state = self.is_ok(self.api.get(f"/v1/instances/{instance['id']}")).json["state"]
        self.assertEqual(state, "ready")

    def delete(self, instance):
        self.is_ok(self.api.delete(f"/v1/instances/{instance['id']}"), 202)
        self.hub.sync()
        self.assertEqual(self.api.get(f"/v1/instances/{instance['id']}").status, 404)

    def metric(self, name):
        text = self.is_ok(self.api.get("/metrics")).text
        return int(re.search(rf"^{name} (\d+)$", text, re.M)[1])

    def audit(self, hostname):
        rows = [r for r in self.api.items("/v1/audit-log") if r["object"]["name"] == f"{hostname}.{DOMAIN}"]
        return [r["action"] for r in reversed(rows)]

    def test_there_changed_and_gone(self):
        made = self.create()
        self.is_published(made)
        order = [c["type"] for c in self.api.get(f"/v1/instances/{made['id']}").json["conditions"]]
        self.assertEqual(order, ["Allocated", "KeysReady", "CertificatesReady", "DnsPublished", "DataplaneReady"])
        # the hub gets other addresses: with the report the records follow
        new = ["2001:db8::7", "203.0.113.9", "203.0.113.8", "203.0.113.9"]
        self.hub.report(addresses=new)
        self.is_published(made, "60 IN A 203.0.113.8", "60 IN A 203.0.113.9", "60 IN AAAA 2001:db8::7")
        self.hub.report(addresses=list(reversed(new)))
        self.assertTrue(self.condition(made)["status"])
        self.hub.report(addresses=["2001:db8::7"])
        self.is_published(made, "60 IN AAAA 2001:db8::7")
        self.hub.report()
        self.is_published(made)
        self.delete(made)
        self.is_gone(made["hostname"])
        self.assertEqual(self.audit(made["hostname"]), ["dns_name.publish"] * 4 + ["dns_name.unpublish"])
        self.wait_for(lambda: self.metric("nave_dns_names_leaving") == 0)
        # what somebody else has made there stays
        self.assertEqual(self.knot.ask("kept", ("A", "TXT")),
                         {"3600 IN A 192.0.2.99", '3600 IN TXT "made by somebody else"'})

    def test_server_is_down(self):
        there = self.create()
        self.is_published(there)
        self.knot.stop()
        made = self.create()
        self.says(made, "Unreachable", f"127.0.0.1:{self.knot.port}", "Connection refused")
        self.delete(there)
        self.wait_for(lambda: self.metric("nave_dns_names_leaving") == 1)
        self.assertEqual(self.metric("nave_dns_names_waiting"), 1)
        self.knot.start()
        self.is_gone(there["hostname"])
        self.is_published(made)
        self.delete(made)
        self.is_gone(made["hostname"])

    def test_wrong_key(self):
        try:
            self.knot.restart(secret=OTHER_SECRET)
            made = self.create()
            self.says(made, "BadSignature", "BADSIG", self.secret)
            self.put_secret(OTHER_SECRET)  # without a restart of the daemon
            self.is_published(made)
            os.chmod(self.secret, 0o644)
            other = self.create()
            self.says(other, "NoSecret", self.secret, "chmod 600")
            self.put_secret(SECRET)
            self.knot.restart(key="somebody")
            self.says(other, "BadKey", "BADKEY", "nave")
        finally:
            self.put_secret(SECRET)
            self.knot.restart()
        self.is_published(other)

    def test_refused(self):
        try:
            self.knot.restart(action="transfer")
            made = self.create()
            self.says(made, "BadKey", "nave", DOMAIN, "BADKEY")  # as Knot calls it
            self.knot.restart(zone="example.org")
            other = self.create()
            self.says(other, "NotAuth", DOMAIN, "NOTAUTH")
        finally:
            self.knot.restart()
        self.is_published(made)

    def test_clocks(self):
        try:
            self.knot.restart(env=self.knot.wrong_clock(7200))
            made = self.create()
            self.says(made, "BadTime", "BADTIME", "s ahead of ours")
            self.assertRegex(self.condition(made)["message"], r" (7199|7200|7201) s ahead")
            self.knot.restart(env=self.knot.wrong_clock(-900))
            self.wait_for(lambda: "s behind ours" in self.condition(made)["message"], 20)
        finally:
            self.knot.restart()
        self.is_published(made)

    def test_a_hostname_goes_to_another(self):
        """Removal and addition of one name, with the server up and down: what is wanted last stays."""
        first = self.create()
        self.is_published(first)
        self.hub.report(addresses=["203.0.113.5"])
        self.delete(first)
        second = self.create(hostname=first["hostname"], name="second")
        self.is_published(second)
        self.knot.stop()
        self.delete(second)
        third = self.create(hostname=first["hostname"], name="third")
        self.hub.report(addresses=["203.0.113.6"])
        self.says(third, "Unreachable")
        self.knot.start()
        self.is_published(third, "60 IN A 203.0.113.6")
        time.sleep(2)
        self.is_published(third, "60 IN A 203.0.113.6")
        self.hub.report()
        self.is_published(third)

    def restart_control(self):
        self.daemon.kill()
        self.daemon.start()

    def test_killed_in_between(self):
        there = self.create()
        self.is_published(there)
        self.knot.stop()
        made = self.create()
        self.says(made, "Unreachable")
        self.delete(there)
        self.restart_control()
        self.assertEqual(self.metric("nave_dns_names_leaving"), 1)
        self.knot.start()
        self.is_gone(there["hostname"])
        self.is_published(made)
        # killed while an answer is out: the server has heard, or not; what is wanted comes true
        for turn in range(3):
            pair = self.create(), self.create()
            time.sleep(0.2 * turn)
            self.restart_control()
            self.hub.sync()
            for one in pair:
                self.is_published(one)
            for one in pair:
                self.is_ok(self.api.delete(f"/v1/instances/{one['id']}"), 202)
            self.restart_control()
            self.hub.sync()
            for one in pair:
                self.is_gone(one["hostname"])

    def test_silent_server_holds_nobody_up(self):
        """It takes connections and says nothing: writes go on, and the daemon ends at once."""
        self.knot.stop()
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("127.0.0.1", self.knot.port))
            s.listen(16)
            made = self.create()
            slowest = 0
            ends = time.monotonic() + 2
            while time.monotonic() < ends:
                began = time.monotonic()
                self.is_ok(self.api.patch(f"/v1/instances/{made['id']}", {"mtu": 1400}, If_Match="*"))
                slowest = max(slowest, time.monotonic() - began)
            self.assertLess(slowest, 2)
            self.says(made, "NoAnswer", f"127.0.0.1:{self.knot.port}")
            began = time.monotonic()
            self.daemon.stop()
            self.assertLess(time.monotonic() - began, 3)
        self.knot.start()
        self.daemon.start()
        self.is_published(made)

    def test_changed_by_somebody_else(self):
        """What has gone from the server comes back when it is said again."""
        made = self.create()
        self.is_published(made)
        self.knot.stop()
        shutil.rmtree(f"{self.knot.folder}/db")  # its journal: back to the zone file
        self.knot.start()
        self.assertEqual(self.knot.ask(made["hostname"]), set())
        with sqlite3.connect(f"{self.daemon.state}/control.db", timeout=10) as db:
            db.execute("UPDATE dns_name SET due_at = unixepoch()")
        self.is_published(made)

    def test_ends_of_names(self):
        """Three hundred names in the queue: the API answers meanwhile."""
        with sqlite3.connect(f"{self.daemon.state}/control.db", timeout=10) as db:
            for n in range(300):
                db.execute("INSERT INTO dns_name (name, hostname, wanted, due_at) VALUES (?, ?, '60 192.0.2.1', 0)",
                           (f"bulk{n}.{DOMAIN}", f"bulk{n}"))
        began = time.monotonic()
        made = self.create()
        self.is_published(made)
        self.wait_for(lambda: self.metric("nave_dns_names_leaving") == 0, 40)
        print(f"300 names in {time.monotonic() - began:.1f} s")


class NoServerTest(rest_client.RestTest):
    config = "hub_addresses = [];"

    def test_says_which_record_to_add(self):
        hub = rest_hub.Hub(self.daemon)
        made = self.new_instance()
        shown = {c["type"]: c for c in made["conditions"]}["DnsPublished"]
        self.assertEqual((shown["status"], shown["reason"]), (False, "NoAddress"))
        hub.sync()
        hub.report(addresses=["2001:db8::1", "203.0.113.1"])
        now = self.is_ok(self.api.get(f"/v1/instances/{made['id']}")).json
        shown = {c["type"]: c for c in now["conditions"]}["DnsPublished"]
        self.assertEqual((now["state"], shown["status"], shown["reason"]), ("ready", False, "NotConfigured"))
        name = f"{made['hostname']}.{DOMAIN}."
        self.assertEqual(shown["message"],
                         f"Add to your DNS: {name} 60 IN A 203.0.113.1; {name} 60 IN AAAA 2001:db8::1")
        hub.report(addresses=[f"2001:db8::{n}" for n in range(1, 17)])
        now = self.is_ok(self.api.get(f"/v1/instances/{made['id']}")).json
        shown = {c["type"]: c for c in now["conditions"]}["DnsPublished"]
        self.assertRegex(shown["message"], r"2001:db8::10; and 6 more$")
        self.is_ok(self.api.delete(f"/v1/instances/{made['id']}"), 202)


if __name__ == "__main__":
    rest_client.main()
