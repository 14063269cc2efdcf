# SPDX-License-Identifier: Apache-2.0
"""Server-Sent Events over a raw socket."""
import json
import socket


class Stream:
    """Server-Sent Events by hand: what a browser's EventSource does."""

    def __init__(self, daemon, query="", token=None, **headers):
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), 30)
        fields = {"Host": "localhost", "Accept": "text/event-stream",
                  "Authorization": f"Bearer {token or daemon.admin_token}",
                  **{k.replace("_", "-"): v for k, v in headers.items()}}
        head = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        self.socket.sendall(f"GET /v1/events{query} HTTP/1.1\r\n{head}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(": ")
            self.headers[name] = value
        self.text = ""

    def chunk(self):
        """The next one; "" at the end."""
        size = int(self.file.readline() or b"0", 16)
        text = self.file.read(size).decode() if size else ""
        self.file.readline()
        return text

    def event(self):
        """The next (id, type, data); None at the end. Comments are passed over."""
        while True:
            while "\n\n" not in self.text:
                more = self.chunk()
                if not more:
                    return None
                self.text += more
            block, _, self.text = self.text.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in fields:
                return int(fields["id"]), fields["event"], json.loads(fields["data"])

    def close(self):
        self.file.close()
        self.socket.close()
