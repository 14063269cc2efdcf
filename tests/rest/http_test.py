#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The way in: malformed HTTP, strict JSON, tokens, header fields. The daemon lives through all."""
import http.client
import json
import os
import socket
import time

import rest_client


class HttpTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.token = cls.daemon.admin_token
        cls.owner = rest_client.Client(cls.daemon, cls.token, tcp=True)
        cls.nobody = rest_client.Client(cls.daemon, tcp=True)

    def tearDown(self):
        self.is_ok(self.nobody.get("/healthz"))

    def raw(self, data, timeout=3):
        """Bytes in, all bytes out until the daemon closes."""
        out = b""
        with socket.create_connection(("127.0.0.1", self.daemon.port), timeout) as s:
            try:
                s.sendall(data)
                while chunk := s.recv(65536):
                    out += chunk
            except (TimeoutError, ConnectionError):
                pass
        return out

    def test_malformed_http(self):
        auth = f"Host: x\r\nConnection: close\r\nAuthorization: Bearer {self.token}\r\n".encode()
        get = b"GET /v1/instances HTTP/1.1\r\n"
        post = b"POST /v1/users HTTP/1.1\r\n" + auth
        for name, data, status in (
                ("both lengths", post + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                 b"0\r\n\r\n", 400),
                ("two lengths", post + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}", 400),
                ("two hosts", get + b"Host: y\r\n" + auth + b"\r\n", 400),
                ("no host", get + b"Connection: close\r\n\r\n", 400),
                ("absolute form", b"GET http://x/v1/instances HTTP/1.1\r\n" + auth + b"\r\n", 400),
                ("two tokens", get + auth + f"Authorization: Bearer {self.token}\r\n\r\n".encode(),
                 400),
                ("control character", get + auth + b"X: a\x01b\r\n\r\n", 400),
                ("65 fields", get + auth + b"X: y\r\n" * 63 + b"\r\n", 431),
                ("20 KiB of fields", get + auth + b"X: " + b"y" * 20480 + b"\r\n\r\n", 431),
                ("long URI", b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n" + auth + b"\r\n", 414),
                ("NUL in path", b"GET /v1/%00 HTTP/1.1\r\n" + auth + b"\r\n", 400),
                ("slash in path", b"GET /v1%2finstances HTTP/1.1\r\n" + auth + b"\r\n", 400),
                ("dots", b"GET /v1/../v1/instances HTTP/1.1\r\n" + auth + b"\r\n", 400),
                ("half an escape", b"GET /v1/instances?name=%4 HTTP/1.1\r\n" + auth + b"\r\n", 400),
                ("no UTF-8", b"GET /v1/instances?name=%ff HTTP/1.1\r\n" + auth + b"\r\n", 400),
                ("2 MiB announced", post + b"Content-Length: 2097152\r\n\r\n", 413),
                ("expectation", post + b"Expect: miracles\r\nContent-Length: 2\r\n\r\n", 417),
                ("TRACE", b"TRACE /v1/instances HTTP/1.1\r\n" + auth + b"\r\n", 405),
                ("CONNECT", b"CONNECT x:1 HTTP/1.1\r\n" + auth + b"\r\n", 400)):
            with self.subTest(name):
                out = self.raw(data)
                self.assertTrue(out.startswith(b"HTTP/1.1 %d " % status), out[:300])
        for data in (b"\x16\x03\x01" + os.urandom(200), b"\r\n\r\n", b"GET\r\n\r\n", b"A" * 100000,
                     b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100):
            self.raw(data, timeout=1)

    def test_chunked_body_has_the_same_limit(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=10)
        body = iter([b'{"name":"'] + [b"a" * 65536] * 17 + [b'"}'])
        try:
            connection.request("POST", "/v1/users", body, {
                "Authorization": f"Bearer {self.token}", "Content-Type": "application/json"})
            status = connection.getresponse().status
        except ConnectionError:
            status = 413  # closed on us while we were sending: that is its right
        connection.close()
        self.assertEqual(status, 413)

    def test_bodies_are_strict_json(self):
        for body in (b"", b"{", b"{}x", b"\xef\xbb\xbf{}", b'{"name":NaN}', b'{"name":"a","name":"b"}',
                     b'{"name":"\\ud800"}', b'{"name":"\\u0000"}', b'{"name":"\xc0\xaf"}', b"[" * 40,
                     b'{"name":' + b"1" * 1000 + b"}", b"[" + b"1," * 20000 + b"1]", b"nul", b"\0"):
            with self.subTest(body[:40]):
                self.is_refused(self.api.post("/v1/users", body), 400, "malformed_body")
        for body in (b"[]", b'"x"', b"1", b"null", b"true"):
            self.is_refused(self.api.post("/v1/users", body), 400, "malformed_body", "")
        self.is_refused(self.api.call("GET", "/v1/users", "{}"), 400, "malformed_body")
        self.is_refused(self.api.call("DELETE", "/v1/users/x", "{}"), 400, "malformed_body")
        big = json.dumps({"name": "a" * ((1 << 20) - 100)})
        self.is_refused(self.api.post("/v1/users", big), 422, "unprocessable", "/name")

    def test_media_types(self):
        for media, status in (("text/plain", 415), ("application/x-www-form-urlencoded", 415),
                              ("application/jsonx", 415), ("application/merge-patch+json", 415),
                              ("application/json; charset=utf-8", 201), ("Application/JSON", 201)):
            body = {"name": self.fresh("media")}
            answer = self.api.post("/v1/users", body, Content_Type=media)
            self.assertEqual(answer.status, status, media)

    def test_paths_and_methods(self):
        for path in ("/", "/v1", "/v1/", "/v1/users/", "/v2/users", "/v1/nothing", "//v1/users"):
            self.assertIn(self.api.get(path).status, (400, 404), path)
        answer = self.is_refused(self.api.call("PUT", "/v1/users", {}), 405, "method_not_allowed")
        self.assertEqual(answer.headers["Allow"], "GET, HEAD, POST")
        answer = self.is_refused(self.api.post("/healthz"), 405, "method_not_allowed")
        self.assertEqual(answer.headers["Allow"], "GET, HEAD")
        for query in ("colour=red", "limit=1&limit=2", "limit", "=x"):
            self.is_refused(self.api.get(f"/v1/users?{query}"), 400, "malformed_request")
        many = "&".join(f"a{i}=1" for i in range(17))
        self.is_refused(self.api.get(f"/v1/users?{many}"), 400, "malformed_request")

    def test_head_is_get_without_the_body(self):
        connection = self.api.connection()
        connection.request("HEAD", "/healthz")
        response = connection.getresponse()
        self.assertEqual((response.status, response.read()), (200, b""))
        self.assertEqual(response.headers["Content-Length"],
                         self.api.get("/healthz").headers["Content-Length"])
        connection.close()

    def test_tokens(self):
        users = "/v1/users"
        answer = self.is_refused(self.nobody.get(users), 401, "unauthenticated")
        self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer"))
        self.is_ok(self.owner.get(users))
        self.is_ok(self.api.get(users))  # root over the unix socket needs none
        for token in ("nave_sk_x", self.token[:-1], self.token + "x", "x" * 5000,
                      self.token.swapcase(), "nave_nk_" + self.token[8:]):
            self.is_refused(self.nobody.get(users, Authorization=f"Bearer {token}"), 401,
                            "unauthenticated")
        for header in ("Basic eDp5", "Bearer", "Bearer ", f"Bearer {self.token} x", self.token):
            self.is_refused(self.nobody.get(users, Authorization=header), 401, "unauthenticated")
        # a bad token is bad over the unix socket, too
        self.is_refused(self.api.get(users, Authorization="Bearer nave_sk_x"), 401, "unauthenticated")
        # never in the URI, where logs would keep it
        for query in (f"token={self.token}", "access_token=x", "api_key=x", f"name={self.token}"):
            self.is_refused(self.nobody.get(f"{users}?{query}"), 400, "malformed_request", None,
                            "Authorization")
        self.is_ok(self.owner.get(f"{users}?name=nave_sk_is_how_a_name_may_begin"))
        self.assertNotIn(self.token, self.daemon.log_text())
        self.assertEqual(os.stat(f"{self.daemon.state}/admin.token").st_mode & 0o777, 0o600)

    def test_public_routes(self):
        self.assertEqual(self.is_ok(self.nobody.get("/healthz")).json, {"status": "ok"})
        self.is_ok(self.nobody.get("/readyz"))
        text = self.is_ok(self.nobody.get("/openapi.yaml")).text
        with open(rest_client.rest_contract.CONTRACT, encoding="utf-8") as stream:
            self.assertEqual(text, stream.read())

    def test_request_ids_are_in_the_audit_log(self):
        self.is_ok(self.owner.post("/v1/sites", {"name": "Seen"}), 201)
        entry = self.owner.get("/v1/audit-log?limit=1").json["items"][0]
        self.assertEqual((entry["action"], entry["object"]["name"]), ("site.create", "Seen"))
        self.assertEqual(entry["actor"]["kind"], "api_key")
        self.assertRegex(entry["request_id"], "^[0-9a-f-]{36}$")

    def test_answers_are_not_to_be_guessed_at(self):
        for path in ("/healthz", "/v1/users", "/nothing"):
            headers = self.owner.get(path).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")

    def test_many_connections_do_not_shut_others_out(self):
        idle = [socket.create_connection(("127.0.0.1", self.daemon.port)) for _ in range(300)]
        began = time.monotonic()
        self.is_ok(self.api.get("/v1/users"))
        self.assertLess(time.monotonic() - began, 2)
        for s in idle:
            s.close()

    def test_connection_is_kept_between_requests(self):
        connection = self.owner.connection()
        for _ in range(20):
            connection.request("GET", "/v1/users", headers={"Authorization": f"Bearer {self.token}"})
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            response.read()
        connection.close()


if __name__ == "__main__":
    rest_client.main()
