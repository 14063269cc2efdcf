#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Users, sites, lists and their cursors, entity tags, idempotency keys."""
import concurrent.futures
import uuid

import rest_client


class PartyTest(rest_client.RestTest):
    """Users and sites: the same but for the e-mail and the state."""

    def test_life(self):
        for noun, extra in (("users", {"email": "a@example.net"}), ("sites", {})):
            path = f"/v1/{noun}"
            body = {"name": "Zoë", "labels": {"team": "x"}, **extra}
            answer = self.is_ok(self.api.post(path, body), 201)
            made = answer.json
            self.assertEqual({k: made[k] for k in body}, body)
            own = f"{path}/{made['id']}"
            self.assertEqual(answer.headers["Location"], own)
            shown = self.is_ok(self.api.get(own))
            self.assertEqual((shown.json, shown.etag), (made, answer.etag))
            self.is_refused(self.api.post(path, {"name": "Zoë"}), 409, "conflict", "/name")
            self.is_refused(self.api.patch(own, {"name": "Z"}), 428, "if_match_required")
            self.is_refused(self.api.patch(own, {"name": "Z"}, If_Match='"v9"'), 412, "etag_mismatch")
            changed = self.is_ok(self.api.patch(
                own, {"name": "Z", "labels": {"team": None, "a": "b"}}, If_Match=answer.etag))
            self.assertEqual((changed.json["name"], changed.json["labels"]), ("Z", {"a": "b"}))
            self.is_refused(self.api.patch(own, {"name": "Q"}, If_Match=answer.etag), 412,
                            "etag_mismatch")
            other = self.is_ok(self.api.post(path, {"name": "Other"}), 201).json
            self.is_refused(self.api.patch(own, {"name": other["name"]}, If_Match=changed.etag), 409,
                            "conflict", "/name")
            self.is_refused(self.api.delete(own, If_Match=answer.etag), 412, "etag_mismatch")
            self.is_refused(self.api.delete(own, If_Match="x"), 400, "malformed_request")
            self.is_ok(self.api.delete(own, If_Match=changed.etag), 204)
            for answer in (self.api.get(own), self.api.delete(own),
                           self.api.patch(own, {}, If_Match="*")):
                self.is_refused(answer, 404, "not_found")

    def test_refusals(self):
        for noun in ("users", "sites"):
            for body, status, pointer in (
                    ({}, 400, "/name"), ({"name": 1}, 400, "/name"), ({"name": None}, 400, "/name"),
                    ({"name": "a", "id": "x"}, 400, "/id"),
                    ({"name": "a", "labels": {"x": 1}}, 400, "/labels/x"),
                    ({"name": ""}, 422, "/name"), ({"name": "x" * 65}, 422, "/name"),
                    ({"name": "a\u0000b"}, 400, None), ({"name": "\u007f"}, 422, "/name"),
                    ({"name": "a", "labels": {"x y": ""}}, 422, "/labels")):
                kind = "malformed_body" if status == 400 else "unprocessable"
                with self.subTest((noun, body)):
                    self.is_refused(self.api.post(f"/v1/{noun}", body), status, kind, pointer)
        self.is_refused(self.api.post("/v1/sites", {"name": "a", "email": "x@y"}), 400,
                        "malformed_body", "/email")
        for email in ("x", "x" * 250 + "@example.net", "a b@example.net", "@", "a@"):
            with self.subTest(email):
                self.is_refused(self.api.post("/v1/users", {"name": "mail", "email": email}), 422,
                                "unprocessable", "/email")

    def test_text_is_only_text(self):
        name = "'; DROP TABLE user; -- <b>$(x)"
        made = self.is_ok(self.api.post("/v1/users", {"name": name}), 201).json
        self.assertEqual(made["name"], name)
        self.assertEqual(self.api.items("/v1/users?name=%27%20OR%201%3D1"), [])
        found = self.api.items("/v1/users?name=%27%3B%20DROP%20TABLE%20user%3B%20--%20%3Cb%3E%24(x)")
        self.assertEqual([u["id"] for u in found], [made["id"]])

    def test_deleted_site_leaves_its_peers(self):
        site = self.is_ok(self.api.post("/v1/sites", {"name": "Leaving"}), 201).json
        instance = self.new_instance()
        peer = self.new_peer(instance, type="site", subnets=["10.1.0.0/16"], site_id=site["id"])
        path = f"/v1/instances/{instance['id']}/peers"
        self.assertEqual([p["id"] for p in self.api.items(f"{path}?site_id={site['id']}")],
                         [peer["id"]])
        self.is_ok(self.api.delete(f"/v1/sites/{site['id']}"), 204)
        self.assertIsNone(self.api.get(f"{path}/{peer['id']}").json["site_id"])

    def test_filter_of_peers_by_user(self):
        user = self.is_ok(self.api.post("/v1/users", {"name": "Filtered"}), 201).json
        instance = self.new_instance()
        mine, _ = self.new_peer(instance, user_id=user["id"]), self.new_peer(instance)
        path = f"/v1/instances/{instance['id']}/peers"
        self.assertEqual([p["id"] for p in self.api.items(f"{path}?user_id={user['id']}")],
                         [mine["id"]])
        self.assertEqual(self.api.items(f"{path}?user_id={uuid.uuid4()}"), [])
        self.is_refused(self.api.get(f"{path}?user_id=x"), 400, "malformed_request")

    def test_filters_that_cannot_be(self):
        path = f"/v1/instances/{self.new_instance()['id']}/peers"
        for query in ("connected=maybe", "state=asleep", "label=x", "label==y"):
            self.is_refused(self.api.get(f"{path}?{query}"), 400, "malformed_request")
        self.is_refused(self.api.get("/v1/instances?state=asleep"), 400, "malformed_request")


class ListTest(rest_client.RestTest):
    def test_pages(self):
        for site in self.api.items("/v1/sites"):
            self.is_ok(self.api.delete(f"/v1/sites/{site['id']}"), 204)
        made = {self.is_ok(self.api.post("/v1/sites", {
            "name": f"Page {n:02}", "labels": {"even": str(n % 2 == 0)}}), 201).json["id"]
            for n in range(7)}
        for limit, pages in ((1, 7), (3, 3), (7, 1), (200, 1)):
            seen, count, cursor = [], 0, ""
            while cursor is not None:
                answer = self.is_ok(self.api.get(f"/v1/sites?limit={limit}{cursor}")).json
                self.assertLessEqual(len(answer["items"]), limit)
                seen += [s["id"] for s in answer["items"]]
                count += 1
                cursor = answer["next_cursor"] and f"&cursor={answer['next_cursor']}"
            self.assertEqual((set(seen), len(seen), count), (made, 7, pages))
        self.assertEqual(len(self.api.items("/v1/sites?name=Page%2003")), 1)
        self.assertEqual(len(self.api.items("/v1/sites?label=even%3DTrue&limit=2")), 4)
        for limit in ("0", "-1", "201", "1000000000", "99999999999999999999", "x", "1x", "", "+1"):
            self.is_refused(self.api.get(f"/v1/sites?limit={limit}"), 400, "malformed_request")

    def test_cursors(self):
        for n in range(3):
            self.is_ok(self.api.post("/v1/users", {"name": f"C{n}"}), 201)
        cursor = self.api.get("/v1/users?limit=1").json["next_cursor"]
        self.is_ok(self.api.get(f"/v1/users?limit=2&cursor={cursor}"))
        changed = cursor[:-1] + ("0" if cursor[-1] != "0" else "1")  # hex: a is A
        for other in (f"/v1/users?cursor={changed}", f"/v1/users?cursor={cursor}x",
                      "/v1/users?cursor=", "/v1/users?cursor=x", f"/v1/sites?cursor={cursor}",
                      f"/v1/users?name=C1&cursor={cursor}"):
            self.assertIn(self.api.get(other).status, (400, 410), other)
        # what is written meanwhile neither repeats nor hides what was there
        ids = {u["id"] for u in self.api.items("/v1/users")}
        page = self.api.get("/v1/users?limit=1").json
        self.is_ok(self.api.delete(f"/v1/users/{page['items'][0]['id']}"), 204)
        rest = self.api.items(f"/v1/users?limit=1&cursor={page['next_cursor']}")
        self.assertEqual({u["id"] for u in rest}, ids - {page["items"][0]["id"]})

    def test_cursor_ends_with_the_daemon(self):
        for n in range(2):
            self.is_ok(self.api.post("/v1/users", {"name": f"D{n}"}), 201)
        cursor = self.api.get("/v1/users?limit=1").json["next_cursor"]
        self.daemon.stop()
        self.daemon.start()
        self.is_refused(self.api.get(f"/v1/users?limit=1&cursor={cursor}"), 410, "cursor_expired")

    def test_filters_of_instances(self):
        mine = self.new_instance(labels={"env": "a=b"})
        self.new_instance()
        for query in (f"name={mine['name']}", f"hostname={mine['hostname']}", "label=env%3Da%3Db"):
            self.assertEqual([i["id"] for i in self.api.items(f"/v1/instances?{query}")],
                             [mine["id"]], query)
        self.assertEqual(self.api.items("/v1/instances?state=ready"), [])
        self.assertEqual(len(self.api.items("/v1/instances?state=provisioning&limit=1")), 2)

    def test_other_lists(self):
        self.assertEqual([w["name"] for w in self.api.items("/v1/workspaces?limit=1")], ["default"])
        regions = self.api.items("/v1/regions?limit=1")
        self.assertEqual([r["id"] for r in regions], ["local", "far"])
        self.assertEqual(self.api.get("/v1/regions/far").json, regions[1])
        self.is_refused(self.api.get("/v1/regions/moon"), 404, "not_found")
        self.assertEqual(self.api.items("/v1/hubs"), [])
        self.is_refused(self.api.get(f"/v1/hubs/{uuid.uuid4()}"), 404, "not_found")
        self.is_refused(self.api.get(f"/v1/workspaces/{uuid.uuid4()}"), 404, "not_found")

    def test_audit_log_is_newest_first(self):
        for n in range(5):
            self.is_ok(self.api.post("/v1/sites", {"name": f"Audit {n}"}), 201)
        entries = self.api.items("/v1/audit-log?limit=2")
        ids = [e["id"] for e in entries]
        self.assertEqual(ids, sorted(ids, reverse=True))
        names = [e["object"]["name"] for e in entries if e["action"] == "site.create"]
        self.assertEqual(names[:5], [f"Audit {n}" for n in range(4, -1, -1)])
        self.assertEqual(entries[0]["actor"]["kind"], "local")


class IdempotencyTest(rest_client.RestTest):
    def test_first_answer_again(self):
        key = {"Idempotency_Key": str(uuid.uuid4())}
        one = self.is_ok(self.api.post("/v1/users", {"name": "Once"}, **key), 201)
        self.assertNotIn("Idempotency-Replayed", one.headers)
        two = self.is_ok(self.api.post("/v1/users", {"name": "Once"}, **key), 201)
        self.assertEqual(two.headers["Idempotency-Replayed"], "true")
        self.assertEqual((two.json, two.etag, two.headers["Location"]),
                         (one.json, one.etag, one.headers["Location"]))
        self.is_refused(self.api.post("/v1/users", {"name": "Twice"}, **key), 422,
                        "idempotency_mismatch")
        # the key is its caller's and its route's
        self.is_ok(self.api.post("/v1/sites", {"name": "Once"}, **key), 201)
        owner = rest_client.Client(self.daemon, self.daemon.admin_token)
        self.is_refused(owner.post("/v1/users", {"name": "Once"}, **key), 409, "conflict", "/name")
        # and it outlives the daemon
        self.daemon.kill()
        self.daemon.start()
        three = self.is_ok(self.api.post("/v1/users", {"name": "Once"}, **key), 201)
        self.assertEqual(three.json, one.json)

    def test_every_post_honours_it(self):
        instance = self.new_instance()
        peer, user = self.new_peer(instance), self.api.post("/v1/users", {"name": "Acted"}).json
        path = f"/v1/instances/{instance['id']}"
        for target, body, status in (
                ("/v1/instances", {"name": "Idem", "hostname": "idem", "region": "local"}, 202),
                (f"{path}/peers", {"type": "client", "name": "idem"}, 201),
                (f"{path}/retry", None, 202), (f"{path}/peers/{peer['id']}/suspend", None, 200),
                (f"{path}/peers/{peer['id']}/resume", {}, 200), ("/v1/sites", {"name": "Idem"}, 201),
                (f"/v1/users/{user['id']}/suspend", None, 200),
                (f"/v1/users/{user['id']}/resume", None, 200),
                ("/v1/api-keys", {"name": "idem", "role": "viewer"}, 201)):
            key = {"Idempotency_Key": str(uuid.uuid4())}
            one = self.is_ok(self.api.post(target, body, **key), status)
            two = self.is_ok(self.api.post(target, body, **key), status)
            self.assertEqual(two.headers["Idempotency-Replayed"], "true", target)
            self.assertEqual(two.json, one.json)

    def test_kept_secret_is_not_readable_at_rest(self):
        key = {"Idempotency_Key": "k" * 255}
        body = {"name": "sealed", "role": "viewer"}
        secret = self.is_ok(self.api.post("/v1/api-keys", body, **key), 201).json["key"]
        self.assertEqual(self.api.post("/v1/api-keys", body, **key).json["key"], secret)
        for name in ("control.db", "control.db-wal"):
            with open(f"{self.daemon.state}/{name}", "rb") as stream:
                self.assertNotIn(secret.encode(), stream.read())

    def test_bad_keys(self):
        for bad in ("", "x" * 256, "a b\tc", "ä".encode().decode("latin-1")):
            self.is_refused(self.api.post("/v1/users", {"name": "Bad"}, Idempotency_Key=bad), 400,
                            "malformed_request")

    def test_refusal_is_not_kept(self):
        key = {"Idempotency_Key": str(uuid.uuid4())}
        self.is_refused(self.api.post("/v1/users", {"name": ""}, **key), 422, "unprocessable")
        self.is_ok(self.api.post("/v1/users", {"name": "Corrected"}, **key), 201)

    def test_at_the_same_moment(self):
        key = {"Idempotency_Key": str(uuid.uuid4())}
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(
                lambda _: self.api.post("/v1/users", {"name": "Many"}, **key), range(32)))
        self.assertLessEqual({a.status for a in answers}, {201, 409})
        for answer in answers:
            if answer.status == 409:
                self.is_refused(answer, 409, "in_flight")
                self.assertIn("Retry-After", answer.headers)
        self.assertEqual(len({a.json["id"] for a in answers if a.status == 201}), 1)
        self.assertEqual(len(self.api.items("/v1/users?name=Many")), 1)


if __name__ == "__main__":
    rest_client.main()
