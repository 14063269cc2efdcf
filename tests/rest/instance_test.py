#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Instances: defaults, every refusal with the field it points at, changes, hostnames."""
import concurrent.futures
import ipaddress

import rest_client
from rest_hub import Hub

INSTANCES = "/v1/instances"


class InstanceTest(rest_client.RestTest):
    def create(self, **body):
        name = self.fresh("net")
        return self.api.post(INSTANCES, {"name": name, "hostname": name, "region": "local", **body})

    def path(self, instance):
        return f"{INSTANCES}/{instance['id']}"

    def test_defaults(self):
        answer = self.is_ok(self.create(name="Acme HQ", hostname="ACME"), 202)
        made = answer.json
        self.assertEqual(answer.headers["Location"], self.path(made))
        self.assertEqual(made["hostname"], "acme")
        self.assertEqual(made["fqdn"], "acme.vpn.example.net")
        self.assertEqual(made["mtu"], 1420)
        self.assertEqual(made["access"], {
            "site_to_site": True, "client_to_site": True, "client_to_client": False})
        self.assertEqual(made["routing"], {"client_routes": "private"})
        self.assertEqual(made["dns"], {"servers": [], "search_domains": []})
        self.assertEqual(made["labels"], {})
        v4 = ipaddress.ip_network(made["networks"]["ipv4"])
        v6 = ipaddress.ip_network(made["networks"]["ipv6"])
        self.assertTrue(v4.prefixlen == 20 and v4.subnet_of(ipaddress.ip_network("10.192.0.0/10")))
        self.assertTrue(v6.prefixlen == 64 and v6.subnet_of(ipaddress.ip_network("fd00::/8")))
        self.assertEqual(made["workspace_id"], self.api.items("/v1/workspaces")[0]["id"])
        shown = self.is_ok(self.api.get(self.path(made)))
        self.assertEqual(shown.json["id"], made["id"])

    def test_everything_given(self):
        body = {
            "networks": {"ipv4": "192.168.0.0/24", "ipv6": "fd12:3456:789a::/64"}, "mtu": 9000,
            "dns": {"servers": ["9.9.9.9", "2620:fe::fe"], "search_domains": ["corp.example"]},
            "routing": {"client_routes": ["10.0.0.0/8", "fd00::/8"]},
            "access": {"site_to_site": False, "client_to_site": False, "client_to_client": True},
            "labels": {"team": "ops", "a.b/c_d-e": ""}}
        made = self.is_ok(self.create(**body), 202).json
        for name, value in body.items():
            self.assertEqual(made[name], value)

    def test_networks_of_instances_may_be_equal(self):
        network = {"ipv4": "10.7.0.0/16", "ipv6": "fd77::/64"}
        for _ in range(2):
            self.is_ok(self.create(networks=network), 202)

    def test_malformed_bodies(self):
        good = {"name": "x", "hostname": "malformed", "region": "local"}
        for change, pointer in (
                ({"name": 5}, "/name"), ({"name": None}, "/name"), ({"hostname": []}, "/hostname"),
                ({"region": {}}, "/region"), ({"moon": 1}, "/moon"), ({"mtu": "1420"}, "/mtu"),
                ({"mtu": 1420.5}, "/mtu"), ({"mtu": True}, "/mtu"), ({"networks": []}, "/networks"),
                ({"networks": {"ipv5": "x"}}, "/networks/ipv5"),
                ({"networks": {"ipv4": 1}}, "/networks/ipv4"),
                ({"dns": {"servers": "9.9.9.9"}}, "/dns/servers"),
                ({"dns": {"servers": [1]}}, "/dns/servers/0"),
                ({"dns": {"moon": []}}, "/dns/moon"),
                ({"routing": {"client_routes": 1}}, "/routing/client_routes"),
                ({"routing": {"client_routes": ["10.0.0.0/8", 1]}}, "/routing/client_routes/1"),
                ({"access": {"site_to_site": "yes"}}, "/access/site_to_site"),
                ({"labels": ["a"]}, "/labels"), ({"labels": {"a": 1}}, "/labels/a"),
                ({"a/b~c": 1}, "/a~1b~0c")):
            self.is_refused(self.api.post(INSTANCES, {**good, **change}), 400, "malformed_body",
                            pointer)
        for missing in good:
            body = {k: v for k, v in good.items() if k != missing}
            self.is_refused(self.api.post(INSTANCES, body), 400, "malformed_body", f"/{missing}")
        everything = self.api.post(INSTANCES, {"name": 1, "moon": 2})
        self.assertLessEqual({"/name", "/moon", "/hostname", "/region"}, set(everything.pointers()))

    def test_values_that_cannot_be(self):
        long_label = {"x" * 65: "v"}
        for change, pointer, word in (
                ({"name": ""}, "/name", "empty"), ({"name": "n" * 65}, "/name", "64"),
                ({"name": " x"}, "/name", "space"), ({"name": "a\u202eb"}, "/name", "U+202E"),
                ({"name": "a\nb"}, "/name", "U+000A"),
                ({"hostname": "ab"}, "/hostname", "3 to 20"),
                ({"hostname": "a" * 21}, "/hostname", "3 to 20"),
                ({"hostname": "a" * 300}, "/hostname", ""),
                ({"hostname": "-abc"}, "/hostname", "begin and end"),
                ({"hostname": "abc-"}, "/hostname", "begin and end"),
                ({"hostname": "xn--abc"}, "/hostname", "third and fourth"),
                ({"hostname": "a_b"}, "/hostname", "letters"),
                ({"hostname": "a.bc"}, "/hostname", "letters"),
                ({"hostname": "äbc"}, "/hostname", "letters"),
                ({"hostname": "www"}, "/hostname", "reserved"),
                ({"hostname": "AutoDiscover"}, "/hostname", "reserved"),
                ({"region": "moon"}, "/region", "no such region"),
                ({"mtu": 1279}, "/mtu", "1280"), ({"mtu": 9001}, "/mtu", "9000"),
                ({"mtu": -1}, "/mtu", ""), ({"mtu": 2**62}, "/mtu", ""),
                ({"networks": {"ipv4": "10.0.0.0/15"}}, "/networks/ipv4", "/16"),
                ({"networks": {"ipv4": "10.0.0.0/29"}}, "/networks/ipv4", "/28"),
                ({"networks": {"ipv4": "10.0.0.1/24"}}, "/networks/ipv4", "10.0.0.0/24"),
                ({"networks": {"ipv4": "fd00::/64"}}, "/networks/ipv4", "IPv4"),
                ({"networks": {"ipv4": "hello"}}, "/networks/ipv4", "192.168.10.0/24"),
                ({"networks": {"ipv4": "224.0.0.0/16"}}, "/networks/ipv4", "multicast"),
                ({"networks": {"ipv4": "127.0.0.0/16"}}, "/networks/ipv4", "loopback"),
                ({"networks": {"ipv4": "169.254.0.0/16"}}, "/networks/ipv4", "link-local"),
                ({"networks": {"ipv6": "2001:db8::/64"}}, "/networks/ipv6", "4193"),
                ({"networks": {"ipv6": "fd00::/48"}}, "/networks/ipv6", "/64"),
                ({"networks": {"ipv6": "10.0.0.0/24"}}, "/networks/ipv6", ""),
                ({"networks": {"ipv4": "0.0.0.0/0"}}, "/networks/ipv4", ""),
                ({"networks": {"ipv6": "::/0"}}, "/networks/ipv6", "all addresses"),
                ({"dns": {"servers": ["9.9.9.9", "x"]}}, "/dns/servers/1", "address"),
                ({"dns": {"servers": ["127.0.0.1"]}}, "/dns/servers/0", "ask"),
                ({"dns": {"servers": ["224.0.0.1"]}}, "/dns/servers/0", "ask"),
                ({"dns": {"servers": ["9.9.9.9"] * 9}}, "/dns/servers", "8"),
                ({"dns": {"search_domains": ["a..b"]}}, "/dns/search_domains/0", "domain"),
                ({"dns": {"search_domains": ["x" * 64 + ".de"]}}, "/dns/search_domains/0", ""),
                ({"dns": {"search_domains": ["x.de"] * 9}}, "/dns/search_domains", "8"),
                ({"routing": {"client_routes": "moon"}}, "/routing/client_routes", "advertised"),
                ({"routing": {"client_routes": []}}, "/routing/client_routes", "empty"),
                ({"routing": {"client_routes": ["10.0.0.1/8"]}}, "/routing/client_routes/0",
                 "10.0.0.0/8"),
                ({"routing": {"client_routes": [f"10.{i}.0.0/16" for i in range(65)]}},
                 "/routing/client_routes", "64"),
                ({"labels": {"a b": "x"}}, "/labels", "name"),
                ({"labels": {"": "x"}}, "/labels", "name"), ({"labels": long_label}, "/labels", ""),
                ({"labels": {"a": "x" * 257}}, "/labels/a", "256"),
                ({"labels": {"a/b": "x" * 257}}, "/labels/a~1b", "256"),
                ({"labels": {f"k{i}": "" for i in range(65)}}, "/labels", "64")):
            with self.subTest(change):
                self.is_refused(self.create(**change), 422, "unprocessable", pointer, word)
        both = self.create(mtu=1, hostname="x")
        self.assertEqual(set(both.pointers()), {"/mtu", "/hostname"})

    def test_limits_themselves_are_good(self):
        for change in ({"name": "ü" * 64}, {"hostname": "a" * 20}, {"hostname": "a1b"},
                       {"hostname": "a-b--c"}, {"mtu": 1280}, {"networks": {"ipv4": "10.9.0.0/28"}},
                       {"labels": {"k" * 64: "ü" * 256}}, {"labels": {f"k{i}": "" for i in range(64)}}):
            with self.subTest(change):
                self.is_ok(self.create(**change), 202)

    def test_clashes(self):
        made = self.new_instance()
        self.is_refused(self.create(name=made["name"]), 409, "conflict", "/name")
        self.is_refused(self.create(hostname=made["hostname"].upper()), 409, "conflict",
                        "/hostname", "taken")

    def test_hostname_of_a_racing_pair_is_given_once(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(
                lambda n: self.api.post(INSTANCES, {
                    "name": f"race {n}", "hostname": "race", "region": "local"}), range(8)))
        self.assertEqual(sorted(a.status for a in answers), [202] + [409] * 7)

    def test_hostnames(self):
        made = self.new_instance()
        for label, available, word in (
                ("free-one", True, None), ("WWW", False, "reserved"), ("x", False, "3 to 20"),
                (made["hostname"], False, "taken"), ("%c3%a4bc", False, "")):
            answer = self.is_ok(self.api.get(f"/v1/hostnames/{label}")).json
            self.assertEqual(answer["available"], available, answer)
            self.assertEqual(answer["reason"] is None, available, answer)
            self.assertIn(word or "", answer["reason"] or "")
        self.is_refused(self.api.get("/v1/hostnames/a%2Fb"), 400, "malformed_request")
        self.assertEqual(self.api.get("/v1/hostnames/Free-One").json["fqdn"],
                         "free-one.vpn.example.net")
        # given up: its own workspace may have it back at once
        self.is_ok(self.api.delete(self.path(made)), 204)
        self.assertTrue(self.api.get(f"/v1/hostnames/{made['hostname']}").json["available"])
        self.is_ok(self.create(hostname=made["hostname"]), 202)

    def test_patch_is_a_merge_patch(self):
        made = self.new_instance(labels={"a": "1", "b": "2"}, mtu=1300,
                                 dns={"servers": ["9.9.9.9"], "search_domains": ["x.example"]})
        path = self.path(made)

        def patch(body, media="application/merge-patch+json"):
            etag = self.api.get(path).etag
            answer = self.is_ok(self.api.patch(path, body, If_Match=etag, Content_Type=media))
            self.assertNotEqual(answer.etag, etag)
            return answer.json
        self.assertEqual(patch({"labels": {"a": None, "c": "3"}})["labels"], {"b": "2", "c": "3"})
        self.assertEqual(patch({"dns": {"servers": ["1.1.1.1"]}})["dns"],
                         {"servers": ["1.1.1.1"], "search_domains": ["x.example"]})
        self.assertEqual(patch({"mtu": None})["mtu"], 1420)
        self.assertEqual(patch({"access": {"client_to_client": True}})["access"], {
            "site_to_site": True, "client_to_site": True, "client_to_client": True})
        self.assertEqual(patch({"access": None})["access"]["client_to_client"], False)
        self.assertEqual(patch({"routing": {"client_routes": ["10.0.0.0/8"]}})["routing"],
                         {"client_routes": ["10.0.0.0/8"]})
        self.assertEqual(patch({"routing": None})["routing"], {"client_routes": "private"})
        self.assertEqual(patch({"name": "Other"}, "application/json")["name"], "Other")
        self.assertEqual(patch({"networks": {"ipv4": "10.5.0.0/24"}})["networks"],
                         {"ipv4": "10.5.0.0/24", "ipv6": made["networks"]["ipv6"]})
        self.assertEqual(patch({})["dns"]["servers"], ["1.1.1.1"])

    def test_patch_refuses(self):
        made, other = self.new_instance(), self.new_instance()
        path = self.path(made)
        etag = self.api.get(path).etag
        self.is_refused(self.api.patch(path, {"mtu": 1300}), 428, "if_match_required")
        self.is_refused(self.api.patch(path, {"mtu": 1300}, If_Match='"v999"'), 412,
                        "etag_mismatch")
        self.is_refused(self.api.patch(path, {"mtu": 1300}, If_Match=f"W/{etag}"), 412,
                        "etag_mismatch")
        self.is_refused(self.api.patch(path, {"mtu": 1300}, If_Match="v1"), 400,
                        "malformed_request")
        self.is_refused(self.api.patch(path, "mtu=1", If_Match=etag, Content_Type="text/plain"),
                        415, "unsupported_media_type")
        for body, pointer in (({"hostname": "abc"}, "/hostname"), ({"region": "far"}, "/region"),
                              ({"id": "x"}, "/id"), ({"state": "ready"}, "/state")):
            self.is_refused(self.api.patch(path, body, If_Match=etag), 400, "malformed_body",
                            pointer)
        for body, pointer in (({"mtu": 1}, "/mtu"), ({"name": None}, "/name"),
                              ({"networks": {"ipv4": "10.0.0.0/8"}}, "/networks/ipv4"),
                              ({"networks": {"ipv6": "::/0"}}, "/networks/ipv6"),
                              ({"labels": {"a b": "x"}}, "/labels")):
            self.is_refused(self.api.patch(path, body, If_Match=etag), 422, "unprocessable",
                            pointer)
        self.is_refused(self.api.patch(path, {"name": other["name"]}, If_Match=etag), 409,
                        "conflict", "/name")
        self.assertEqual(self.api.get(path).json["mtu"], made["mtu"])
        self.is_ok(self.api.patch(path, {"mtu": 1400}, If_Match=f'"x", {self.api.get(path).etag}'))
        self.is_ok(self.api.patch(path, {"mtu": 1401}, If_Match="*"))

    def test_networks_are_fixed_once_there_are_peers(self):
        made = self.new_instance()
        self.new_peer(made)
        for family, network in (("ipv4", "10.6.0.0/24"), ("ipv6", "fd66::/64")):
            etag = self.api.get(self.path(made)).etag
            answer = self.api.patch(self.path(made), {"networks": {family: network}}, If_Match=etag)
            self.is_refused(answer, 409, "conflict", f"/networks/{family}", "peers")

    def test_delete(self):
        made = self.new_instance()
        peer = self.new_peer(made)
        path = self.path(made)
        self.is_refused(self.api.delete(path, If_Match='"v77"'), 412, "etag_mismatch")
        self.is_ok(self.api.delete(path, If_Match=self.api.get(path).etag), 204)
        for gone in (path, f"{path}/peers", f"{path}/peers/{peer['id']}", f"{path}/routes"):
            self.is_refused(self.api.get(gone), 404, "not_found")
        self.is_refused(self.api.delete(path), 404, "not_found")

    def test_routes(self):
        made = self.new_instance()
        site = self.new_peer(made, type="site", subnets=["192.168.10.0/24", "fd00:10::/64"])
        client = self.new_peer(made)
        routes = self.api.items(f"{self.path(made)}/routes?limit=2")
        shown = {r["prefix"]: (r["target"], r["peer_id"]) for r in routes}
        self.assertEqual(shown["192.168.10.0/24"], ("peer", site["id"]))
        self.assertEqual(shown["fd00:10::/64"], ("peer", site["id"]))
        self.assertEqual(shown[client["addresses"]["ipv4"] + "/32"], ("peer", client["id"]))
        self.assertEqual(shown[client["addresses"]["ipv6"] + "/128"], ("peer", client["id"]))
        self.assertEqual([r["target"] for r in routes].count("hub"), 2)
        self.assertEqual(len(shown), len(routes))
        # prefixes as long as they get, one a page: the cursor holds them whole
        far = [f"2001:db8:1111:2222:3333:4444:5555:666{n}/128" for n in range(3)]
        self.new_peer(made, type="site", subnets=far)
        paged = [r["prefix"] for r in self.api.items(f"{self.path(made)}/routes?limit=1")]
        self.assertEqual([p for p in paged if p in far], far)
        self.assertEqual(len(paged), len(set(paged)))
        # the internet is where the hub says so: here IPv4 only
        hub = Hub(self.daemon)
        hub.run()
        self.addCleanup(hub.stop)
        path = f"{self.path(made)}/routes?limit=1"

        def shown_of(target):
            return {r["prefix"]: r["peer_id"] for r in self.api.items(path)
                    if r["target"] == target}
        self.wait_for(lambda: shown_of("internet") == {"0.0.0.0/0": None})
        broad = self.new_peer(made, type="site", subnets=["0.0.0.0/0"], allow_broad_routes=True)
        self.assertEqual(shown_of("internet"), {})
        self.assertEqual(shown_of("peer")["0.0.0.0/0"], broad["id"])


if __name__ == "__main__":
    rest_client.main()
