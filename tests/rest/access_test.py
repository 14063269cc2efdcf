#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every operation of the contract against every role, keys of one instance."""
import re
import time
import uuid

import rest_client
from rest_hub import Hub

ROLES = ["viewer", "operator", "owner"]


class AccessTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.nobody = rest_client.Client(cls.daemon, tcp=True)

    def new_key(self, **body):
        body = {"name": self.fresh("key"), "role": "operator", **body}
        return self.is_ok(self.api.post("/v1/api-keys", body), 201).json

    def client(self, key):
        return rest_client.Client(self.daemon, key, tcp=True)

    def call(self, client, operation):
        path = re.sub(r"\{\w+\}", str(uuid.uuid4()), operation.path)
        body = {} if operation.method in ("POST", "PATCH") else None
        return client.call(operation.method, path, body, If_Match='"v1"')

    def test_every_operation_against_every_role(self):
        clients = {role: self.client(self.new_key(role=role)["key"]) for role in ROLES}
        for operation in rest_client.CONTRACT.operations:
            with self.subTest(operation.id):
                for role, client in clients.items():
                    answer = self.call(client, operation)
                    covers = operation.role in ROLES \
                        and ROLES.index(role) >= ROLES.index(operation.role)
                    if covers or operation.role == "public":
                        self.assertNotIn(answer.status, (401, 403, 405), answer)
                        self.assertNotIn("no such route", answer.text)
                    else:
                        self.is_refused(answer, 403, "forbidden")
                if operation.role != "public":
                    self.is_refused(self.call(self.nobody, operation), 401, "unauthenticated")
                if operation.role not in ("public", "node"):
                    self.is_refused(self.call(self.hub.client, operation), 403, "forbidden")

    def test_key_life(self):
        made = self.new_key(labels={"for": "ci"})
        self.assertRegex(made["key"], r"^nave_sk_[0-9A-Za-z_-]{40,}$")
        path = f"/v1/api-keys/{made['id']}"
        shown = self.is_ok(self.api.get(path)).json
        self.assertNotIn("key", shown)
        self.assertIsNone(shown["last_used_at"])
        self.assertEqual(shown["labels"], {"for": "ci"})
        days = (time.mktime(time.strptime(shown["expires_at"], "%Y-%m-%dT%H:%M:%SZ"))
                - time.mktime(time.strptime(shown["created_at"], "%Y-%m-%dT%H:%M:%SZ"))) / 86400
        self.assertAlmostEqual(days, 90, delta=0.1)
        client = self.client(made["key"])
        self.is_ok(client.get("/v1/instances"))
        self.wait_for(lambda: self.api.get(path).json["last_used_at"])
        self.is_refused(self.api.post("/v1/api-keys", {"name": made["name"], "role": "viewer"}), 409,
                        "conflict", "/name")
        self.is_ok(self.api.delete(path), 204)
        self.is_refused(client.get("/v1/instances"), 401, "unauthenticated")
        self.is_refused(self.api.get(path), 404, "not_found")

    def test_secret_is_nowhere_else(self):
        made = self.new_key()
        for path in (f"/v1/api-keys/{made['id']}", "/v1/api-keys", "/v1/audit-log"):
            self.assertNotIn(made["key"], self.api.get(path).text)
        self.assertNotIn(made["key"], self.daemon.log_text())
        for name in ("control.db", "control.db-wal"):
            with open(f"{self.daemon.state}/{name}", "rb") as stream:
                self.assertNotIn(made["key"].encode(), stream.read())

    def test_expiry(self):
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        client = self.client(self.new_key(expires_at=soon)["key"])
        self.is_ok(client.get("/v1/instances"))
        self.wait_for(lambda: client.get("/v1/instances").status == 401, 5)
        self.assertIsNone(self.new_key(expires_at=None)["expires_at"])

    def test_refusals(self):
        good = {"name": "refused", "role": "viewer"}
        for change, status, pointer in (
                ({"role": "king"}, 422, "/role"), ({"role": 1}, 400, "/role"),
                ({"name": ""}, 422, "/name"), ({"key": "nave_sk_mine"}, 400, "/key"),
                ({"instance_id": "x"}, 422, "/instance_id"),
                ({"instance_id": str(uuid.uuid4())}, 422, "/instance_id"),
                ({"expires_at": "x"}, 422, "/expires_at"),
                ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "/expires_at"),
                ({"labels": {"a b": ""}}, 422, "/labels")):
            with self.subTest(change):
                kind = "malformed_body" if status == 400 else "unprocessable"
                self.is_refused(self.api.post("/v1/api-keys", {**good, **change}), status, kind,
                                pointer)

    def test_key_of_one_instance(self):
        mine, other = self.new_instance(), self.new_instance()
        stranger = self.new_peer(other)
        client = self.client(self.new_key(instance_id=mine["id"])["key"])
        self.assertEqual([i["id"] for i in client.items("/v1/instances")], [mine["id"]])
        path = f"/v1/instances/{mine['id']}"
        self.is_ok(client.get(path))
        peer = self.is_ok(client.post(f"{path}/peers", {"type": "client", "name": "in"}), 201).json
        self.is_ok(client.get(f"{path}/peers/{peer['id']}"))
        self.is_ok(client.delete(f"{path}/peers/{peer['id']}"), 204)
        self.is_ok(client.patch(path, {"mtu": 1400}, If_Match=client.get(path).etag))
        away = f"/v1/instances/{other['id']}"
        for method, tail in (("GET", ""), ("GET", "/peers"), ("GET", "/routes"), ("POST", "/peers"),
                             ("PATCH", ""), ("POST", "/retry"),
                             ("GET", f"/peers/{stranger['id']}"),
                             ("GET", f"/peers/{stranger['id']}/profile")):
            body = {} if method in ("POST", "PATCH") else None
            answer = client.call(method, away + tail, body, If_Match="*")
            self.is_refused(answer, 404, "not_found")
        # a peer of the other instance is not reached by way of its own
        self.is_refused(client.get(f"{path}/peers/{stranger['id']}"), 404, "not_found")
        for method, target in (("GET", "/v1/users"), ("GET", "/v1/hubs"), ("GET", "/metrics"),
                               ("DELETE", path), ("GET", "/v1/api-keys"), ("GET", "/v1/audit-log")):
            self.is_refused(client.call(method, target), 403, "forbidden")
        body = {"name": "n", "hostname": "no-such", "region": "local"}
        self.is_refused(client.post("/v1/instances", body), 403, "forbidden")
        # it ends with its instance
        self.is_ok(self.api.delete(path), 202)
        self.hub.sync()
        self.is_refused(self.api.get(path), 404, "not_found")
        self.is_refused(client.get("/v1/instances"), 401, "unauthenticated")

    def test_viewer_sees_no_profile(self):
        instance = self.new_instance()
        peer = self.new_peer(instance)
        client = self.client(self.new_key(role="viewer")["key"])
        path = f"/v1/instances/{instance['id']}/peers/{peer['id']}"
        self.is_ok(client.get(path))
        for method, tail in (("GET", "profile"), ("GET", "profile?format=qr"),
                             ("POST", "profile/reveal")):
            self.is_refused(client.call(method, f"{path}/{tail}"), 403, "forbidden")

    def test_audit_names_the_key(self):
        made = self.new_key(name="the culprit")
        self.is_ok(self.client(made["key"]).post("/v1/users", {"name": "By a key"}), 201)
        entry = self.api.get("/v1/audit-log?limit=1").json["items"][0]
        self.assertEqual(entry["actor"], {"kind": "api_key", "id": made["id"], "name": "the culprit"})
        self.assertEqual(entry["action"], "user.create")


if __name__ == "__main__":
    rest_client.main()
