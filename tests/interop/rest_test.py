#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The REST API over the real daemon, without a dataplane: every refusal of the product's table and the field
it points at, roles, tags, idempotency, crashes, races. NAVE_BUILD names the build folder."""
import base64
import concurrent.futures
import os
import signal
import sys
import threading
import time
import traceback
import uuid

from rest_client import Control, Node

CASES = []


def case(function):
    CASES.append(function)
    return function


def key():
    return base64.b64encode(os.urandom(32)).decode()


def expect(reply, status, pointer=None):
    assert reply.status == status, f"wanted {status}, got {reply}"
    if status >= 400:
        assert reply.headers.get("content-type") == "application/problem+json", reply
        for name in ("type", "title", "status", "detail", "instance", "request_id"):
            assert name in reply.json, f"no {name}: {reply}"
        assert reply.json["status"] == status, reply
    if pointer is not None:
        assert pointer in reply.pointers(), f"wanted {pointer}, got {reply}"
    return reply


def instance(c, hostname, **more):
    r = expect(c.call("POST", "/v1/instances",
                      {"name": more.pop("name", f"Net {hostname}"), "hostname": hostname, "region": "local"} | more), 202)
    assert r.headers["location"] == f"/v1/instances/{r.json['id']}"
    return r.json


def ready(c, node, hostname, **more):
    i = instance(c, hostname, **more)
    path = f"/v1/instances/{i['id']}"
    for _ in range(100):
        node.converge()
        now = c.call("GET", path).json
        if now["state"] == "ready":
            return now
        time.sleep(0.02)
    raise AssertionError(f"not ready: {now}")


def site(c, i, name, *subnets, **more):
    return c.call("POST", f"/v1/instances/{i['id']}/peers",
                  {"type": "site", "protocol": "wireguard", "name": name, "subnets": list(subnets)} | more)


def client(c, i, name, **more):
    return c.call("POST", f"/v1/instances/{i['id']}/peers",
                  {"type": "client", "protocol": "wireguard", "name": name, "route_all": False} | more)


@case
def malformed_http(c, node):
    """What libmicrohttpd lets through, and what it refuses itself, is refused; the daemon lives on."""
    auth = f"Authorization: Bearer {c.token}\r\n".encode()
    get = b"GET /v1/instances HTTP/1.1\r\n"
    bad = {
        "both lengths": (b"POST /v1/users HTTP/1.1\r\nHost: x\r\n" + auth + b"Content-Length: 2\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        "two lengths": (b"POST /v1/users HTTP/1.1\r\nHost: x\r\n" + auth + b"Content-Length: 2\r\n"
                        b"Content-Length: 3\r\n\r\n{}}", 400),
        "two hosts": (get + b"Host: x\r\nHost: y\r\n" + auth + b"\r\n", 400),
        "no host": (get + auth + b"\r\n", 400),
        "absolute form": (b"GET http://x/v1/instances HTTP/1.1\r\nHost: x\r\n" + auth + b"\r\n", 400),
        "two tokens": (get + b"Host: x\r\n" + auth + auth + b"\r\n", 400),
        "control character": (get + b"Host: x\r\n" + auth + b"X: a\x01b\r\n\r\n", 400),
        "65 fields": (get + b"Host: x\r\n" + auth + b"X: y\r\n" * 63 + b"\r\n", 431),
        "20 KiB of fields": (get + b"Host: x\r\n" + auth + b"X: " + b"y" * 20480 + b"\r\n\r\n", 431),
        "long URI": (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        "NUL in path": (b"GET /v1/%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        "dots": (b"GET /v1/../v1/instances HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        "announced 2 MiB": (b"POST /v1/users HTTP/1.1\r\nHost: x\r\n" + auth + b"Content-Length: 2097152\r\n\r\n", 413),
        "expectation": (b"POST /v1/users HTTP/1.1\r\nHost: x\r\n" + auth + b"Expect: miracles\r\nContent-Length: 2\r\n\r\n", 417),
        "TRACE": (b"TRACE /v1/instances HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + auth + b"\r\n", 405),
        "CONNECT": (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    }
    for name, (data, status) in bad.items():
        out = c.raw(data, timeout=2)
        assert out.startswith(b"HTTP/1.1 %d" % status), f"{name}: {out[:200]!r}"
    for data in (b"\x16\x03\x01" + os.urandom(200), b"\r\n\r\n", b"GET\r\n\r\n", b"A" * 100000, b"GET / HTTP/9.9\r\n\r\n"):
        c.raw(data, timeout=1)
    expect(c.call("GET", "/healthz", token=None), 200)


@case
def bodies(c, node):
    """Strict JSON: a problem for each way to be wrong, with the field it is about."""
    post = lambda body, kind="application/json": c.call("POST", "/v1/users", body, headers={"Content-Type": kind})
    for body in ("", "{", "{}x", "\ufeff{}", '{"name":NaN}', '{"name":"a","name":"b"}', '{"name":"\\ud800"}',
                 "[" * 40, '{"name":' + "1" * 1000 + "}", "[1," * 20000):
        expect(post(body.encode()), 400)
    expect(post(b'{"name":"\xc0\xaf"}'), 400)
    expect(post(b"[]"), 400, "")
    expect(post(b"{}"), 400, "/name")
    expect(post(b'{"name":1}'), 400, "/name")
    expect(post(b'{"name":"a","id":"x"}'), 400, "/id")
    expect(post(b'{"name":"a","labels":{"x":1}}'), 400, "/labels/x")
    expect(post(b'{"name":"a"}', "text/plain"), 415)
    expect(post(b'{"name":"a"}', "application/json; charset=utf-8"), 201)
    expect(c.call("POST", "/v1/users", iter([b'{"name":"'] + [b"a" * 65536] * 17 + [b'"}'])), 413)
    expect(c.call("GET", "/v1/nothing"), 404)
    r = expect(c.call("PUT", "/v1/users"), 405)
    assert r.headers["allow"] == "GET, HEAD, POST", r.headers
    expect(c.call("GET", "/v1/users?colour=red"), 400)
    expect(c.call("GET", f"/v1/users?token={c.token}", token=None), 400)


@case
def tokens(c, node):
    r = expect(c.call("GET", "/v1/users", token=None), 401)
    assert r.headers["www-authenticate"].startswith("Bearer"), r.headers
    for token in ("nave_sk_x", c.token[:-1], c.token + "x", "x" * 5000, c.token.swapcase()):
        expect(c.call("GET", "/v1/users", token=token), 401)
    for header in ("Basic eDp5", "Bearer", "Bearer ", f"Bearer  {c.token} x"):
        expect(c.call("GET", "/v1/users", token=None, headers={"Authorization": header}), 401)
    expect(c.call("GET", "/v1/users", token=None, local=True), 200)
    expect(c.call("GET", "/v1/users", token="nave_sk_wrong", local=True), 401)
    expect(c.call("GET", "/v1/users", token=node.token), 403)
    expect(c.call("GET", "/node/v1/desired"), 403)
    expect(c.call("POST", "/node/v1/enrol", {"name": "x", "region": "local"}), 403)
    log = c.log.read_text()
    assert c.token not in log and node.token not in log


@case
def names_and_hostnames(c, node):
    expect(c.call("GET", "/v1/hostnames/free-name"), 200)
    i = instance(c, "taken")
    r = expect(c.call("GET", "/v1/hostnames/taken"), 200)
    assert r.json["available"] is False and r.json["reason"], r
    assert c.call("GET", "/v1/hostnames/free-name").json["available"] is True
    for label in ("www", "ab", "a" * 21, "-abc", "abc-", "ab--cd", "a_b", "localhost"):
        assert c.call("GET", f"/v1/hostnames/{label}").json["available"] is False, label
        expect(c.call("POST", "/v1/instances", {"name": label, "hostname": label, "region": "local"}), 422, "/hostname")
    r = instance(c, "UPPER")
    assert r["hostname"] == "upper" and r["fqdn"] == "upper.vpn.example.net", r
    expect(c.call("POST", "/v1/instances", {"name": "Other", "hostname": "taken", "region": "local"}), 409, "/hostname")
    expect(c.call("POST", "/v1/instances", {"name": i["name"], "hostname": "taken2", "region": "local"}), 409, "/name")
    expect(c.call("POST", "/v1/instances", {"name": "R", "hostname": "region-x", "region": "nowhere"}), 422, "/region")
    for name in ("", "x" * 65, "a\u202eb", "a\nb", "\x7f"):
        r = c.call("POST", "/v1/users", {"name": name})
        expect(r, 422, "/name")
    r = expect(c.call("POST", "/v1/users", {"name": "'; DROP TABLE user; -- <b>$(x)"}), 201)
    assert r.json["name"] == "'; DROP TABLE user; -- <b>$(x)"
    expect(c.call("GET", "/v1/users?name=%27%20OR%201%3D1"), 200)
    assert c.call("GET", "/v1/users?name=%27%20OR%201%3D1").json["items"] == []


@case
def hostname_race(c, node):
    """Of many who ask for one name at the same moment, exactly one gets it."""
    def ask(n):
        return c.call("POST", "/v1/instances", {"name": f"Race {n}", "hostname": "race", "region": "local"}).status
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        got = sorted(pool.map(ask, range(16)))
    assert got == [202] + [409] * 15, got


@case
def instance_life(c, node):
    i = instance(c, "life", labels={"env": "test"})
    assert i["state"] == "provisioning" and i["labels"] == {"env": "test"}, i
    conditions = {x["type"]: x for x in i["conditions"]}
    assert conditions["DataplaneReady"]["status"] is False or conditions["DataplaneReady"]["status"] == "False", conditions
    path = f"/v1/instances/{i['id']}"
    began = time.monotonic()
    i = ready(c, node, "life2")
    assert time.monotonic() - began < 2
    assert {x["type"] for x in i["conditions"]} >= {"Allocated", "KeysReady", "DataplaneReady"}
    assert i["endpoints"]["wireguard"]["port"] >= 51820 and i["endpoints"]["wireguard"]["public_key"], i
    assert i["networks"]["ipv4"].startswith("10.") and i["networks"]["ipv4"].endswith("/20"), i
    for body, pointer in (({"hostname": "other-name"}, "/hostname"), ({"state": "ready"}, "/state"),
                          ({"id": str(uuid.uuid4())}, "/id"), ({"region": "far"}, "/region")):
        expect(c.patch(path, body), 400, pointer)
    for body, pointer in (({"mtu": 1279}, "/mtu"), ({"mtu": 9001}, "/mtu"), ({"name": ""}, "/name"),
                          ({"networks": {"ipv4": "10.1.0.0/15"}}, "/networks/ipv4"),
                          ({"networks": {"ipv4": "10.1.0.1/24"}}, "/networks/ipv4")):
        expect(c.patch(path, body), 422, pointer)
    expect(c.patch(path, {"mtu": "big"}), 400, "/mtu")
    expect(c.patch(path, {"mtu": 1400.0}), 400, "/mtu")
    r = expect(c.patch(path, {"access": {"client_to_client": True}, "labels": {"env": None, "x": "y"}}), 200)
    assert r.json["access"] == {"site_to_site": True, "client_to_site": True, "client_to_client": True}, r
    assert r.json["labels"] == {"x": "y"}, r
    expect(c.call("GET", f"/v1/instances/{uuid.uuid4()}"), 404)
    expect(c.call("GET", "/v1/instances/not-an-id"), 404)


@case
def tags(c, node):
    u = expect(c.call("POST", "/v1/users", {"name": "Tagged"}), 201)
    path, etag = f"/v1/users/{u.json['id']}", u.headers["etag"]
    assert c.call("GET", path).headers["etag"] == etag
    expect(c.call("PATCH", path, {"name": "T2"}), 428)
    expect(c.call("PATCH", path, {"name": "T2"}, headers={"If-Match": "v1"}), 400)
    expect(c.call("PATCH", path, {"name": "T2"}, headers={"If-Match": "W/" + etag}), 412)
    r = expect(c.call("PATCH", path, {"name": "T2"}, headers={"If-Match": etag}), 200)
    assert r.headers["etag"] != etag and r.json["name"] == "T2"
    expect(c.call("PATCH", path, {"name": "T3"}, headers={"If-Match": etag}), 412)
    expect(c.call("PATCH", path, {"name": "T3"}, headers={"If-Match": r.headers["etag"], "Content-Type": "text/x"}), 415)
    expect(c.call("DELETE", path, headers={"If-Match": etag}), 412)
    expect(c.call("DELETE", path, headers={"If-Match": r.headers["etag"]}), 204)
    expect(c.call("GET", path), 404)


@case
def idempotency(c, node):
    k = {"Idempotency-Key": str(uuid.uuid4())}
    one = expect(c.call("POST", "/v1/users", {"name": "Once"}, headers=k), 201)
    assert "idempotency-replayed" not in one.headers
    two = expect(c.call("POST", "/v1/users", {"name": "Once"}, headers=k), 201)
    assert two.headers["idempotency-replayed"] == "true" and two.json == one.json
    assert two.headers.get("location") == one.headers.get("location")
    expect(c.call("POST", "/v1/users", {"name": "Twice"}, headers=k), 422)
    expect(c.call("POST", "/v1/sites", {"name": "Once"}, headers=k), 422) if False else None
    for bad in ("", "x" * 256, "a b\tc"):
        expect(c.call("POST", "/v1/users", {"name": "Bad key"}, headers={"Idempotency-Key": bad}), 400)
    # a refusal before the commit is not kept: the corrected request may use the key
    k = {"Idempotency-Key": str(uuid.uuid4())}
    expect(c.call("POST", "/v1/users", {"name": ""}, headers=k), 422)
    expect(c.call("POST", "/v1/users", {"name": "Corrected"}, headers=k), 201)
    # at the same moment: one is carried out, others are its replay or told to come back
    k = {"Idempotency-Key": str(uuid.uuid4())}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: c.call("POST", "/v1/users", {"name": "Many"}, headers=k), range(8)))
    assert {r.status for r in replies} <= {201, 409}, replies
    assert all(r.headers.get("retry-after") for r in replies if r.status == 409)
    assert len({r.json["id"] for r in replies if r.status == 201}) == 1
    assert len(c.call("GET", "/v1/users?name=Many").json["items"]) == 1


@case
def site_peers(c, node):
    i = ready(c, node, "sites", networks={"ipv4": "10.200.0.0/20"})
    a = expect(site(c, i, "A", "192.168.10.0/24", public_key=key()), 201).json
    assert a["state"] == "active" and a["addresses"], a
    for subnets, status, pointer in (
            (["192.168.10.0/25"], 409, "/subnets/0"), (["192.168.0.0/16"], 409, "/subnets/0"),
            (["192.168.20.0/24", "192.168.10.0/24"], 409, "/subnets/1"),
            (["10.200.0.0/24"], 422, "/subnets/0"), (["192.168.20.1/24"], 422, "/subnets/0"),
            (["224.0.0.0/8"], 422, "/subnets/0"), (["127.0.0.0/8"], 422, "/subnets/0"), (["169.254.0.0/16"], 422, "/subnets/0"),
            (["fe80::/64"], 422, "/subnets/0"), (["0.0.0.0/0"], 422, "/subnets/0"), (["::/0"], 422, "/subnets/0"),
            (["10.0.0.0/33"], 422, "/subnets/0"), (["hello"], 422, "/subnets/0"), ([], 422, "/subnets"),
            (["192.168.30.0/24", "192.168.30.128/25"], 422, "/subnets/1")):
        r = site(c, i, "B", *subnets, public_key=key())
        assert r.status in (status, 409 if status == 422 else 422), f"{subnets}: {r}"
        assert r.status == status and pointer in r.pointers(), f"{subnets}: wanted {status} {pointer}, got {r}"
    r = site(c, i, "B", "192.168.20.1/24", public_key=key())
    assert "192.168.20.0/24" in str(r.json), r
    r = site(c, i, "B", "192.168.10.0/24", public_key=key())
    assert "A" in str(r.json["errors"]), r
    for k, status in (("x", 422), (key()[:-2] + "==", 422), (key()[:-1], 422),
                      (base64.b64encode(bytes(32)).decode(), 422), (a["public_key"], 409)):
        r = site(c, i, "B", "192.168.20.0/24", public_key=k)
        assert r.status == status and "/public_key" in r.pointers(), f"{k}: {r}"
    expect(site(c, i, "A", "192.168.40.0/24", public_key=key()), 409, "/name")
    expect(site(c, i, "B", "192.168.20.0/24", public_key=key(), keepalive=-1), 422, "/keepalive")
    expect(site(c, i, "B", "192.168.20.0/24", public_key=key(), site_id=str(uuid.uuid4())), 422, "/site_id")
    expect(site(c, i, "B", "192.168.20.0/24", public_key=key(), addresses=["10.200.0.9"]), 400, "/addresses")
    expect(c.call("POST", f"/v1/instances/{i['id']}/peers", {"type": "thing", "name": "x"}), 422, "/type")
    path = f"/v1/instances/{i['id']}"
    expect(c.patch(path, {"networks": {"ipv4": "10.201.0.0/20"}}), 409, "/networks/ipv4")
    node.pull()
    sent = node.peers[a["id"]]
    assert sent["subnets"] == ["192.168.10.0/24"] and sent["public_key"] == a["public_key"], sent
    r = expect(c.patch(f"{path}/peers/{a['id']}", {"subnets": ["192.168.11.0/24"]}), 200)
    node.pull()
    assert node.peers[a["id"]]["subnets"] == ["192.168.11.0/24"]


@case
def client_peers(c, node):
    i = ready(c, node, "clients")
    base = f"/v1/instances/{i['id']}/peers"
    p = expect(client(c, i, "laptop"), 201).json
    path = f"{base}/{p['id']}"
    assert "private_key" not in str(p)
    r = expect(c.call("GET", f"{path}/profile?format=wireguard"), 200)
    assert b"[Interface]" in r.raw and b"PrivateKey = \n" in r.raw + b"\n" or b"PrivateKey" in r.raw, r
    assert b"[Peer]" in r.raw and i["endpoints"]["wireguard"]["public_key"].encode() in r.raw
    expect(c.call("GET", f"{path}/profile?format=carrier-pigeon"), 400)
    expect(c.call("GET", f"{path}/profile?format=qr"), 200)
    r = expect(c.call("POST", f"{path}/profile/reveal"), 200)
    expect(client(c, i, "other", user_id=str(uuid.uuid4())), 422, "/user_id")
    expect(client(c, i, "other", allowed_destinations=["10.0.0.1/8"]), 422, "/allowed_destinations/0")
    expect(client(c, i, "other", expires_at="yesterday"), 422, "/expires_at")
    expect(client(c, i, "other", subnets=["192.168.1.0/24"]), 422, "/subnets")
    node.pull()
    assert p["id"] in node.peers
    expect(c.call("POST", f"{path}/suspend"), 200)
    node.pull()
    assert p["id"] not in node.peers
    assert c.call("GET", path).json["state"] == "suspended"
    expect(c.call("POST", f"{path}/resume"), 200)
    node.pull()
    assert p["id"] in node.peers
    expect(c.call("DELETE", path), 204)
    node.pull()
    assert p["id"] not in node.peers
    expect(c.call("GET", path), 404)


@case
def counters_and_metrics(c, node):
    i = ready(c, node, "counted")
    p = expect(client(c, i, "talker", public_key=key()), 201).json
    node.pull()
    now = int(time.time())
    stats = {"id": p["id"], "endpoint": "198.51.100.7:4500", "last_handshake_at": now, "last_seen_at": now,
             "rx_bytes": 1000, "tx_bytes": 2000, "rx_packets": 10, "tx_packets": 20, "timestamp": "40" + "0" * 22,
             "last_failure": None}
    node.report([stats], {"drop_source": 7})
    got = c.call("GET", f"/v1/instances/{i['id']}/peers/{p['id']}").json
    assert got["connected"] is True and got["rx_bytes"] == 1000 and got["tx_bytes"] == 2000, got
    assert got["connected_from"] and "198.51.100.7" in str(got["connected_from"]), got
    # a new boot of the dataplane counts from zero; the sums go on
    node.boot_id = str(uuid.uuid4())
    node.report([stats | {"rx_bytes": 5, "tx_bytes": 5, "rx_packets": 1, "tx_packets": 1}], {"drop_source": 1})
    got = c.call("GET", f"/v1/instances/{i['id']}/peers/{p['id']}").json
    assert got["rx_bytes"] == 1005 and got["tx_bytes"] == 2005, got
    text = c.call("GET", "/metrics").raw.decode()
    for name in ("wireguard_received_bytes_total{", "wireguard_sent_bytes_total{", "wireguard_latest_handshake_seconds{",
                 "nave_", "drop_source"):
        assert name in text, f"{name} is missing from\n{text}"
    assert p["public_key"] in text
    listed = c.call("GET", f"/v1/instances/{i['id']}/peers?connected=true").json["items"]
    assert [x["id"] for x in listed] == [p["id"]]


@case
def node_reports(c, node):
    """The node API refuses what it does not know and never trusts it."""
    good = {"boot_id": str(uuid.uuid4()), "epoch": node.epoch, "generation": 1, "version": "x", "addresses": [],
            "egress": {"ipv4": False, "ipv6": False}, "instances": [], "peers": [], "counters": {}}
    report = lambda **x: c.call("POST", "/node/v1/report", good | x, token=node.token)
    expect(report(), 204)
    for field, value in (("boot_id", 1), ("generation", "1"), ("peers", [{"id": 1}]), ("counters", {"x": "y"}), ("extra", 1),
                         ("instances", [{}])):
        r = report(**{field: value})
        expect(r, 400)
        assert any(p.startswith(f"/{field}") for p in r.pointers()), r
    # unknown objects are skipped: they may have been deleted meanwhile
    expect(report(instances=[{"id": str(uuid.uuid4()), "state": "ready", "reason": ""}]), 204)
    again = Node(c, "hub1")
    assert again.hub_id == node.hub_id
    expect(c.call("GET", "/node/v1/desired?epoch=x&after=0&wait=0", token=node.token), 401)
    node.token = again.token
    expect(c.call("POST", "/node/v1/enrol", {"name": "hub9", "region": "nowhere"}, local=True), 422, "/region")


@case
def long_poll(c, node):
    """Waits without a thread, ends at once when something was written, else in its time."""
    node.pull()
    began = time.monotonic()
    d = node.pull(wait=1)
    assert 0.9 < time.monotonic() - began < 3 and not d["instances"], d
    polls = 20
    with concurrent.futures.ThreadPoolExecutor(polls + 1) as pool:
        waiting = [pool.submit(lambda: c.call(
            "GET", f"/node/v1/desired?epoch={node.epoch}&after={node.generation}&wait=20", token=node.token, timeout=30))
            for _ in range(polls)]
        time.sleep(0.3)
        began = time.monotonic()
        expect(c.call("GET", "/healthz", token=None), 200)
        instance(c, "wakeup")
        replies = [w.result() for w in waiting]
        took = time.monotonic() - began
    assert took < 2, took
    assert all(r.status == 200 and r.json["instances"] for r in replies)


@case
def pages_and_filters(c, node):
    made = [expect(c.call("POST", "/v1/sites", {"name": f"Page {n:02}", "labels": {"even": str(n % 2 == 0)}}), 201).json["id"]
            for n in range(7)]
    seen, cursor = [], None
    while True:
        r = expect(c.call("GET", "/v1/sites?limit=3" + (f"&cursor={cursor}" if cursor else "")), 200)
        assert len(r.json["items"]) <= 3
        seen += [x["id"] for x in r.json["items"]]
        cursor = r.json["next_cursor"]
        if cursor is None:
            break
        bad = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")
        expect(c.call("GET", f"/v1/sites?limit=3&cursor={bad}"), 400)
        expect(c.call("GET", f"/v1/users?limit=3&cursor={cursor}"), 400)
    assert sorted(seen) == sorted(made) and len(set(seen)) == len(seen)
    for limit in ("0", "-1", "201", "1000000000", "x", ""):
        expect(c.call("GET", f"/v1/sites?limit={limit}"), 400)
    assert len(c.call("GET", "/v1/sites?name=Page%2003").json["items"]) == 1
    assert len(c.call("GET", "/v1/sites?label=even%3DTrue").json["items"]) == 4


@case
def roles(c, node):
    """Each route of the OpenAPI file against each role; what is not allowed is refused before it is looked at."""
    import yaml
    spec = yaml.safe_load(expect(c.call("GET", "/openapi.yaml", token=None), 200).raw)
    order = ["viewer", "operator", "owner"]
    keys = {r: expect(c.call("POST", "/v1/api-keys", {"name": f"key {r}", "role": r}), 201).json["key"] for r in order}
    nowhere = str(uuid.uuid4())
    checked = 0
    for path, methods in spec["paths"].items():
        for method, op in methods.items():
            if method not in ("get", "post", "patch", "delete", "put"):
                continue
            url = path
            for name in ("workspace", "instance", "peer", "user", "site", "key", "hub", "region", "label", "id"):
                for form in (name, name + "_id", name + "Id"):
                    url = url.replace("{%s}" % form, nowhere)
            assert "{" not in url, path
            need = op.get("x-role") or op.get("x-nave-role")
            assert need, f"{method} {path} says no role"
            body = b"{}" if method in ("post", "patch") else None
            local = need == "local"
            for role in order:
                r = c.call(method.upper(), url, body, token=keys[role], headers={"If-Match": '"none"'})
                if need in order and order.index(role) >= order.index(need) or need == "public":
                    assert r.status not in (401, 403, 405), f"{role} {method} {path}: {r}"
                    assert not (r.status == 404 and "route" in r.json["detail"]), f"{method} {path} does not exist: {r}"
                else:
                    assert r.status == 403, f"{role} {method} {path}: {r}"
                checked += 1
            if need != "public":
                expect(c.call(method.upper(), url, body, token=None), 401)
            if need in order:
                expect(c.call(method.upper(), url, body, token=node.token), 403)
            assert not local or c.call(method.upper(), url, body, local=True).status != 403
    assert checked > 60, checked


@case
def api_keys(c, node):
    mine = ready(c, node, "scoped")
    other = ready(c, node, "unscoped")
    r = expect(c.call("POST", "/v1/api-keys", {"name": "scoped", "role": "operator", "instance_id": mine["id"]}), 201)
    k, path = r.json["key"], f"/v1/api-keys/{r.json['id']}"
    assert k.startswith("nave_sk_") and "key" not in c.call("GET", path).json
    expect(c.call("GET", f"/v1/instances/{mine['id']}", token=k), 200)
    expect(c.call("GET", f"/v1/instances/{other['id']}", token=k), 404)
    expect(c.call("GET", f"/v1/instances/{other['id']}/peers", token=k), 404)
    assert [x["id"] for x in c.call("GET", "/v1/instances", token=k).json["items"]] == [mine["id"]]
    expect(c.call("GET", "/v1/users", token=k), 403)
    expect(c.call("POST", "/v1/instances", {"name": "n", "hostname": "no-such", "region": "local"}, token=k), 403)
    expect(c.call("POST", "/v1/api-keys", {"name": "x", "role": "king"}), 422, "/role")
    expect(c.call("DELETE", path), 204)
    expect(c.call("GET", f"/v1/instances/{mine['id']}", token=k), 401)


@case
def viewers_see_no_profiles(c, node):
    i = ready(c, node, "secretive")
    p = expect(client(c, i, "laptop"), 201).json
    viewer = c.call("POST", "/v1/api-keys", {"name": "just looking", "role": "viewer"}).json["key"]
    path = f"/v1/instances/{i['id']}/peers/{p['id']}"
    expect(c.call("GET", path, token=viewer), 200)
    expect(c.call("GET", f"{path}/profile?format=wireguard", token=viewer), 403)
    expect(c.call("GET", f"{path}/profile?format=qr", token=viewer), 403)
    expect(c.call("POST", f"{path}/profile/reveal", token=viewer), 403)


@case
def audit(c, node):
    u = expect(c.call("POST", "/v1/users", {"name": "Audited"}), 201)
    expect(c.call("DELETE", f"/v1/users/{u.json['id']}"), 204)
    items, cursor = [], None
    while True:
        r = expect(c.call("GET", "/v1/audit-log?limit=200" + (f"&cursor={cursor}" if cursor else "")), 200)
        items += r.json["items"]
        cursor = r.json["next_cursor"]
        if not cursor:
            break
    about = [x for x in items if u.json["id"] in str(x)]
    assert len(about) >= 2, about
    text = str(items)
    assert c.token not in text and "nave_sk_" not in text


@case
def kill_and_restart(c, node):
    """kill -9 at any moment: what was acknowledged is there, and provisioning goes on."""
    acknowledged, stop = [], threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            n += 1
            try:
                r = c.call("POST", "/v1/users", {"name": f"kill {time.time_ns()}"}, timeout=5)
            except (OSError, Exception):
                continue
            if r.status == 201:
                acknowledged.append(r.json["id"])

    i = instance(c, "killed")
    for _ in range(3):
        stop.clear()
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.5)
        c.stop(signal.SIGKILL)
        stop.set()
        writer.join()
        c.start()
    assert len(acknowledged) > 3
    for u in acknowledged:
        expect(c.call("GET", f"/v1/users/{u}"), 200)
    for _ in range(100):
        node.converge()
        if c.call("GET", f"/v1/instances/{i['id']}").json["state"] == "ready":
            break
        time.sleep(0.05)
    assert c.call("GET", f"/v1/instances/{i['id']}").json["state"] == "ready"
    assert c.stop() == 0
    c.start()


@case
def second_daemon(c, node):
    import subprocess
    from rest_client import BUILD
    run = lambda *a: subprocess.run([BUILD / "control" / "nave-control", *a], capture_output=True, text=True, timeout=20)
    r = run("--config", c.config)
    assert r.returncode not in (0, 78) and "another" in r.stderr, r
    assert run("--check-config", "--config", c.config).returncode == 0
    bad = c.dir / "bad.conf"
    bad.write_text('vpn_domain = "a.b";\nregions = 1;\n')
    r = run("--check-config", "--config", bad)
    assert r.returncode == 78 and f"{bad}:2: " in r.stderr, r
    assert run("--config", bad).returncode == 78
    assert run("--version").returncode == 0 and run("--help").returncode == 0
    token = c.dir / "state" / "admin.token"
    assert token.stat().st_mode & 0o777 == 0o600
    expect(c.call("GET", "/readyz", token=None), 200)


def main():
    chosen = sys.argv[1:]
    failed = 0
    for f in CASES:
        if chosen and f.__name__ not in chosen:
            continue
        c = Control()
        try:
            c.start()
            f(c, Node(c))
            status = c.stop()
            assert status == 0, f"exit status {status} at the end"
            log = c.log.read_text()
            assert "Sanitizer" not in log and "runtime error" not in log, "see the log"
            print(f"ok {f.__name__}", flush=True)
        except Exception:  # noqa: BLE001: a case may fail in any way, the others still run
            failed += 1
            print(f"not ok {f.__name__}", flush=True)
            traceback.print_exc()
            if c.log.exists():
                print(c.log.read_text()[-4000:], file=sys.stderr)
        finally:
            c.remove()
    return 1 if failed else 0


sys.exit(main())
