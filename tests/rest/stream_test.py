#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Server-Sent Events of /v1/events: two watchers, a kill, heartbeats, keys that are revoked."""
import contextlib
import http.client
import threading
import time

import rest_client
from rest_stream import Stream


class StreamTest(rest_client.RestTest):
    def stream(self, query="", **more):
        stream = Stream(self.daemon, query, **more)
        self.addCleanup(stream.close)
        return stream

    def latest(self):
        return self.is_ok(self.api.get("/v1/events?after=latest")).json["last_id"]

    def new_site(self):
        return self.is_ok(self.api.post("/v1/sites", {"name": self.fresh("site")}), 201).json

    def in_background(self, call):
        result = []
        thread = threading.Thread(target=lambda: result.append(call()), daemon=True)
        thread.start()

        def join():
            thread.join(40)
            return result[0]
        return join

    def test_server_sent_events(self):
        before = self.latest()
        first = self.new_site()
        one, two = self.stream(f"?after={before}"), self.stream("?after=latest&type=site.*")
        self.assertEqual(one.headers["Content-Type"], "text/event-stream")
        self.assertEqual(one.event()[2]["object"]["id"], first["id"])
        for _ in range(3):
            site = self.new_site()
            self.is_ok(self.api.post("/v1/users", {"name": self.fresh("user")}), 201)
            for stream in (one, two):
                number, kind, data = stream.event()
                self.assertEqual((kind, data["object"]["id"]), ("site.created", site["id"]))
                self.assertEqual(data["id"], number)
            self.assertEqual(one.event()[1], "user.created")
        # what comes while nobody listens is told afterwards, once, also over a kill
        one.close()
        missed = [self.new_site()["id"] for _ in range(3)]
        self.daemon.kill()
        told = []
        with contextlib.suppress(OSError):
            told += [event[2]["object"]["id"] for event in iter(two.event, None)]
        self.assertEqual(told, missed[:len(told)])
        self.daemon.start()
        again = self.stream("?after=latest", Last_Event_ID=str(number + 1))
        self.assertEqual([again.event()[2]["object"]["id"] for _ in missed], missed)

    def test_stream_has_heartbeats_and_outlives_timeouts(self):
        stream = self.stream("?after=latest&type=site.*")
        self.assertEqual(stream.chunk(), "retry: 2000\n\n")
        began = time.monotonic()
        self.assertEqual(stream.chunk(), ":\n\n")
        self.assertAlmostEqual(time.monotonic() - began, 15, delta=2)
        self.assertEqual(stream.chunk(), ":\n\n")
        time.sleep(3)  # longer than a request may take
        site = self.new_site()
        self.assertEqual(stream.event()[2]["object"]["id"], site["id"])

    def test_stream_ends_with_its_key_and_with_the_daemon(self):
        key = self.is_ok(self.api.post("/v1/api-keys", {"name": self.fresh("key"), "role": "viewer"}), 201).json
        theirs, ours = self.stream("?after=latest", token=key["key"]), self.stream("?after=latest")
        self.is_ok(self.api.delete(f"/v1/api-keys/{key['id']}"), 204)
        site = self.new_site()
        self.assertIsNone(theirs.event())
        self.assertEqual(ours.event()[1], "api_key.deleted")
        self.assertEqual(ours.event()[2]["object"]["id"], site["id"])
        def wait():
            """At the end a poll is answered or cut off, as it happens; it does not wait."""
            try:
                return self.api.get("/v1/events?wait=30&after=latest").json["items"]
            except (OSError, http.client.HTTPException):
                return []
        poll = self.in_background(wait)
        time.sleep(0.3)
        began = time.monotonic()
        self.daemon.stop()
        self.assertLess(time.monotonic() - began, 3)
        self.assertIsNone(ours.event())
        self.assertEqual(poll(), [])
        self.assertLess(time.monotonic() - began, 5)
        self.daemon.start()


if __name__ == "__main__":
    rest_client.main()
