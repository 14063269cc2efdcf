#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A host of the internet: HTTP on port 80, v4 and v6. GET / tells the caller the address it came from,
GET /name its own name (the first argument), GET /bytes/N sends N bytes, POST takes a body and tells its size."""
import http.server
import socket
import socketserver
import sys


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    daemon_threads = True

    def server_bind(self):
        # not HTTPServer's own: that asks the DNS for this machine's name
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        socketserver.TCPServer.server_bind(self)


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path.startswith("/bytes/"):
            self.answer(b"\0" * int(self.path.removeprefix("/bytes/")))
        elif self.path == "/name":
            self.answer(" ".join(sys.argv[1:]).encode())
        else:
            self.answer(f"{self.client_address[0].removeprefix('::ffff:')}\n".encode())

    def do_POST(self):
        left = size = int(self.headers["Content-Length"])
        while left > 0 and (got := len(self.rfile.read(min(left, 65536)))):
            left -= got
        self.answer(f"{size - left}\n".encode())

    def log_message(self, *_):
        pass


Server(("::", 80), Request).serve_forever()
