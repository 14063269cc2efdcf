#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
openapi.yaml as a whole: every operation is driven to every answer that the file names for it, and
each answer is held against its schema (rest_contract.py does that for every call of every test).
"""
import pathlib
import re
import uuid

import yaml

import rest_client
from rest_hub import Hub

ROUTES = pathlib.Path(rest_client.__file__).resolve().parents[2] / "control/http/routes.c"
# Driven where a disk can be filled: crash_test.py.
ELSEWHERE = {503}


class ContractTest(rest_client.RestTest):
    config = 'webhook_allow = ["127.0.0.1/32"];'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()
        cls.instance = cls.make("/v1/instances", name="Home", hostname="home", region="local")
        cls.peers = f"/v1/instances/{cls.instance['id']}/peers"
        cls.values = {
            "instance": cls.instance["id"], "hub": cls.hub.id, "region": "local", "label": "free",
            "workspace": cls.instance["workspace_id"],
            "peer": cls.make(cls.peers, type="client", name="Kept")["id"],
            "user": cls.make("/v1/users", name="Kept")["id"],
            "site": cls.make("/v1/sites", name="Kept")["id"],
            "key": cls.make("/v1/api-keys", name="Kept", role="viewer")["id"],
            "capture": str(uuid.uuid4()), "delivery": str(uuid.uuid4()), "link": str(uuid.uuid4()), "token": "unknown",
            "webhook": cls.make("/v1/webhooks", name="Kept", url="http://127.0.0.1:9/")["id"]}

    @classmethod
    def make(cls, path, **body):
        answer = cls.api.post(path, body)
        assert answer.status in (201, 202), answer
        return answer.json

    def client_of(self, operation):
        return self.hub.client if operation.role == "node" else self.api

    def path_of(self, operation, values=None):
        return re.sub(r"\{(\w+)\}", lambda m: (values or self.values)[m[1]], operation.path)

    def good_body(self, operation):
        """What makes the operation succeed."""
        name = self.fresh("new")
        bodies = {
            "createInstance": {"name": name, "hostname": name, "region": "local"},
            "createPeer": {"type": "client", "name": name}, "createUser": {"name": name},
            "createHub": {"name": name, "region": "far"},
            "createSite": {"name": name}, "postCapture": {"file": "", "reason": "driven"}, "createApiKey": {"name": name, "role": "viewer"},
            "createWebhook": {"name": name, "url": "https://hooks.example.net/", "enabled": False},
            "enrolNode": {"name": "other", "region": "far"}, "postReport": self.hub.report_body()}
        if operation.id == "moveInstance":
            return {"hub_id": self.hub.id}
        if operation.id in bodies:
            return bodies[operation.id]
        return {} if "requestBody" in operation.spec else None

    def call(self, operation, body=None, values=None, **headers):
        path = self.path_of(operation, values)
        if operation.method == "PATCH" and "If_Match" not in headers:
            headers["If_Match"] = "*"
        return self.client_of(operation).call(operation.method, path, body, **headers)

    def throw_away(self, noun):
        """An object for a DELETE to take."""
        name = self.fresh("gone")
        paths = {"instance": ("/v1/instances", {"hostname": name, "region": "local"}),
                 "peer": (self.peers, {"type": "client"}), "user": ("/v1/users", {}),
                 "site": ("/v1/sites", {}), "hub": ("/v1/hubs", {"region": "far"}), "key": ("/v1/api-keys", {"role": "viewer"}),
                 "webhook": ("/v1/webhooks", {"url": "https://hooks.example.net/", "enabled": False})}
        if noun == "capture":
            return self.new_capture()
        if noun == "link":
            return self.new_link()
        path, body = paths[noun]
        return self.make(path, name=name, **body)["id"]

    def new_capture(self):
        """Of a fresh peer: each may have only a few."""
        peer = self.make(self.peers, type="client", name=self.fresh("seen"))
        self.values["peer"] = peer["id"]
        return self.make(f"{self.peers}/{peer['id']}/captures")["id"]

    def new_link(self):
        peer = self.make(self.peers, type="client", name=self.fresh("sent"))
        self.values["peer"] = peer["id"]
        link = self.make(f"{self.peers}/{peer['id']}/share-links")
        self.values["token"] = link["url"].rpartition("/")[2]
        return link["id"]

    def drive_success(self, operation):
        if operation.id.endswith(("ShareLink", "SharePage")):
            self.values["link"] = self.new_link()
        if "apture" in operation.id:
            self.values["capture"] = self.new_capture()
        if operation.id == "getCaptureFile":
            self.is_ok(self.hub.client.post(f"/node/v1/captures/{self.values['capture']}",
                                            {"file": "Cg0NCg=="}), 204)
        if operation.id == "redeliver":
            path = f"/v1/webhooks/{self.values['webhook']}/deliveries"
            self.values["delivery"] = self.wait_for(lambda: self.api.get(path).json["items"])[0]["id"]
        if operation.method == "DELETE":
            noun = operation.path.rpartition("{")[2].rstrip("}")
            thrown = self.throw_away(noun)
            return self.call(operation, values={**self.values, noun: thrown})
        return self.call(operation, self.good_body(operation))

    def drive_400(self, operation):
        if operation.method in ("POST", "PATCH"):
            return self.call(operation, {"moon": 1})
        query = {"getDesired": "?wait=x", "getProfile": "?format=moon", "getInstanceBandwidth": "?by=moon",
                 "getPeerBandwidth": "?from=moon", "listEvents": "?type=!"}[operation.id]
        return self.client_of(operation).get(self.path_of(operation) + query)

    def drive_404(self, operation):
        values = {name: str(uuid.uuid4()) for name in self.values}
        return self.call(operation, self.good_body(operation), values)

    def drive_409(self, operation):
        other = self.fresh("clash")
        nouns = {"updatePeer": (self.peers, {"type": "client"}), "updateUser": ("/v1/users", {}),
                 "updateSite": ("/v1/sites", {}),
                 "updateWebhook": ("/v1/webhooks", {"url": "https://hooks.example.net/", "enabled": False}),
                 "updateInstance": ("/v1/instances", {"hostname": other, "region": "local"})}
        if operation.id in nouns:
            path, body = nouns[operation.id]
            self.make(path, name=other, **body)
            return self.call(operation, {"name": other})
        if operation.id == "retryInstance":
            return self.of_deleting_instance("retry")
        if operation.id in ("getProfile", "revealProfile", "createCapture", "moveInstance"):
            return self.of_far_instance(operation)
        if operation.id == "getCaptureFile":
            self.values["capture"] = self.new_capture()
            return self.call(operation)
        if operation.id == "createShareLink":
            for _ in range(8):
                self.call(operation, {})
        if operation.id == "deleteHub": # instances are on it
            return self.call(operation)
        body = self.good_body(operation)
        self.call(operation, body)
        return self.call(operation, body)

    def of_deleting_instance(self, action):
        instance = self.throw_away("instance")
        path = f"/v1/instances/{instance}"
        self.wait_for(lambda: self.api.get(path).json["endpoints"]["wireguard"])
        self.is_ok(self.api.delete(path), 202)
        return self.api.post(f"{path}/{action}")

    def of_far_instance(self, operation):
        """An instance where no hub has told an address has no profile yet."""
        name = self.fresh("far")
        far = self.make("/v1/instances", name=name, hostname=name, region="far")
        peer = self.make(f"/v1/instances/{far['id']}/peers", type="client", name="p")
        body = self.good_body(operation) if operation.id == "moveInstance" else {}
        return self.call(operation, body if operation.method == "POST" else None,
                         {"instance": far["id"], "peer": peer["id"]})

    def drive_410(self, operation):
        return self.client_of(operation).get(self.path_of(operation) + "?after=999999999")

    def drive_412(self, operation):
        if operation.id == "deleteShareLink":
            self.values["link"] = self.new_link()
        body = {} if operation.method == "PATCH" else None
        return self.call(operation, body, If_Match='"v999999"')

    def drive_415(self, operation):
        return self.call(operation, "x", Content_Type="text/plain")

    def drive_422(self, operation):
        if operation.id in ("getProfile", "revealProfile"):  # a client has no script for a router
            path = f"{self.path_of(operation)}?format=routeros"
            return self.client_of(operation).call(operation.method, path)
        body = self.good_body(operation)
        if operation.id == "postReport":
            return self.call(operation, {**body, "boot_id": "x"})
        if operation.id == "moveInstance":
            return self.call(operation, {"hub_id": str(uuid.uuid4())})
        if operation.id == "createCapture":
            return self.call(operation, {"seconds": 0})
        if operation.id == "createShareLink":
            return self.call(operation, {"expires_in": 59})
        if operation.id == "postCapture":
            self.values["capture"] = self.new_capture()
            return self.call(operation, {"file": "no base64"})
        return self.call(operation, {**body, "name": ""})

    def drive_428(self, operation):
        return self.api.patch(self.path_of(operation), {})

    def test_every_operation_to_every_answer(self):
        self.wait_for(lambda: self.hub.sync() or self.api.get(
            f"/v1/instances/{self.instance['id']}").json["state"] == "ready")
        for operation in rest_client.CONTRACT.operations:
            for status in map(int, operation.spec["responses"].keys() - {"default"}):
                if status in ELSEWHERE or (operation.id, status) == ("deleteInstance", 202):
                    continue  # the latter is driven with retryInstance's 409
                drive = getattr(self, f"drive_{status}") if status >= 400 else self.drive_success
                with self.subTest(f"{operation.id} {status}"):
                    answer = drive(operation)
                    # an instance is on its hub within a moment: then it is 202 instead
                    if (operation.id, answer.status) != ("deleteInstance", 202):
                        self.assertEqual(answer.status, status, answer)
        seen = rest_client.CONTRACT.seen
        self.assertIn(("deleteInstance", 202), seen)
        for operation in rest_client.CONTRACT.operations:
            self.assertTrue(any(o == operation.id and s < 300 for o, s in seen), operation.id)

    def test_instance_that_was_on_no_hub_is_gone_at_once(self):
        daemon = rest_client.Daemon()
        self.addCleanup(daemon.remove)
        daemon.start()
        api = rest_client.Client(daemon)
        made = api.post("/v1/instances", {"name": "x", "hostname": "xyz", "region": "local"}).json
        self.is_ok(api.delete(f"/v1/instances/{made['id']}"), 204)
        daemon.stop()

    def test_the_file_and_the_table_of_routes_are_the_same(self):
        text = ROUTES.read_text(encoding="utf-8")
        names = dict(re.findall(r'#define (INSTANCE|PEER|CAPTURE|LINK) (.+)', text))
        instance = names["INSTANCE"].strip('"')
        peer = instance + re.search(r'"(.+)"', names["PEER"])[1]
        capture = peer + re.search(r'"(.+)"', names["CAPTURE"])[1]
        link = peer + re.search(r'"(.+)"', names["LINK"])[1]
        roles = {"PUBLIC": "public", "OWNER": "owner", "NODE": "node", "ROLE_ENROL": "enrol",
                 "VIEWER": "viewer", "OPERATOR": "operator"}
        rows = set()
        for method, base, tail, role in re.findall(
                r'\{"([A-Z]+)",\s*(INSTANCE|PEER|CAPTURE|LINK)?\s*(?:"([^"]*)")?,\s*([A-Z_]+)', text):
            path = {"INSTANCE": instance, "PEER": peer, "CAPTURE": capture, "LINK": link,
                    "": ""}[base] + tail
            rows.add((method, path, roles[role]))
        self.assertEqual(rows, {
            (o.method, o.path, o.role) for o in rest_client.CONTRACT.operations})

    def test_operation_ids_are_unique_and_refs_lead_somewhere(self):
        ids = [o.id for o in rest_client.CONTRACT.operations]
        self.assertEqual(len(ids), len(set(ids)))
        text = yaml.safe_dump(rest_client.CONTRACT.document)
        for ref in re.findall(r"\$ref: '?(#[^'\s]+)", text):
            rest_client.CONTRACT.resolve({"$ref": ref})


if __name__ == "__main__":
    rest_client.main()
