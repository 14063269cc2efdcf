#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/node.py BUILD [PEERS]: what many peers (100 000) cost the hub's agent.

The nave-dataplane and the nave-node of a meson build folder in a network namespace of their own, told by a
control daemon that only exists here. One line of JSON a figure: how long until all peers are reported as applied,
what one change among them takes, and what both processes use while nothing happens. Needs root, a minute and a
half; takes everything away again.
"""
import base64
import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from pathlib import Path

EPOCH = "33333333-1111-4111-8111-111111111111"
INSTANCE = "11111111-1111-4111-8111-111111111111"
IDLE_S = 60


def peer(n, keepalive=25):
    key = n.to_bytes(4, "big") + b"\1" * 28
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(n))), "instance_id": INSTANCE, "type": "client",
            "public_key": base64.b64encode(key).decode(), "preshared_key": base64.b64encode(b"p" * 32).decode(),
            "route_all": False, "keepalive": keepalive,
            "addresses": [f"10.{192 + (n >> 16)}.{n >> 8 & 255}.{n & 255}", f"fd12::{(n >> 16) + 1:x}:{n & 65535:x}"],
            "subnets": [], "allowed_destinations": None, "expires_at": None, "endpoint": None, "timestamp_reset": 0}


def instance():
    return {"id": INSTANCE, "number": 1,
            "wireguard": {"private_key": base64.b64encode(b"k" * 32).decode(), "port": 51820},
            "addresses": {"ipv4": "10.192.0.1/10", "ipv6": "fd12::1/64"}, "mtu": 1420,
            "access": {"site_to_site": True, "client_to_site": True, "client_to_client": False},
            "egress": {"ipv4": True, "ipv6": True}}


class Control:
    """The node API, as much of it as the node asks for."""

    def __init__(self, peers):
        self.generation = 1
        self.peers = peers
        self.all = self.answer(True, [instance()], [peer(n) for n in range(2, peers + 2)])
        self.change = threading.Condition()
        self.applied = 0
        self.reported = set()

    def answer(self, full, instances, peers):
        return json.dumps({"epoch": EPOCH, "generation": self.generation, "full": full, "instances": instances,
                           "peers": peers, "deleted": []}).encode()

    def desired(self, query):
        if "epoch" not in query:
            return self.all
        after = int(query.split("after=")[1].split("&")[0])
        with self.change:
            self.change.wait_for(lambda: self.generation > after, 25)
            changed = [peer(2 + self.peers // 2, 26)] if self.generation > after else []
            return self.answer(False, [], changed)

    def change_one(self):
        with self.change:
            self.generation += 1
            self.change.notify_all()

    def report(self, body):
        o = json.loads(body)
        with self.change:
            self.applied = o["generation"]
            self.reported.update(p["id"] for p in o["peers"])
            self.change.notify_all()

    def wait(self, what, seconds):
        with self.change:
            if not self.change.wait_for(what, seconds):
                raise TimeoutError("the hub does not report")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def send(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.send(200, self.server.control.desired(self.path))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/enrol"):
            self.send(200, json.dumps({"hub_id": EPOCH, "token": "t"}).encode())
        else:
            self.server.control.report(body)
            self.send(204)

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

    def get_request(self):
        request, _ = super().get_request()
        return request, ("node", 0)


class Hub:
    def __init__(self, build, directory):
        self.build, self.directory, self.running = build, directory, []
        self.namespace = f"nave-bench-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        for command in ("link set lo up", "link add eth0 type veth peer name far0", "link set eth0 up",
                        "link set far0 up"):
            subprocess.run(["ip", "-n", self.namespace, *command.split()], check=True)
        with open(f"{directory}/dataplane.conf", "w", encoding="ascii") as f:
            f.write(f'socket = "{directory}/dataplane.sock";\n'
                    'eal = [ "--no-huge", "-m", "512", "--no-pci", "--no-shconf", "--iova-mode=va",'
                    f' "--file-prefix={self.namespace}", "--no-telemetry" ];\n'
                    'ports = ( { name = "wan0"; devargs = "net_af_packet0,iface=eth0,qdisc_bypass=1"; } );\n')
        with open(f"{directory}/node.conf", "w", encoding="ascii") as f:
            f.write(f'dataplane_socket = "{directory}/dataplane.sock"; control_socket = "{directory}/control.sock";\n'
                    f'state_dir = "{directory}/state";\n'
                    'ports = ( { name = "wan0"; interface = "eth0"; tap = "nave0"; addresses = [ "203.0.113.1/24" ];'
                    ' gateways = [ ]; } );\n')

    def start(self, program, path):
        with open(f"{self.directory}/{program}.log", "a", encoding="ascii") as log:
            p = subprocess.Popen(["ip", "netns", "exec", self.namespace, path, "--config",
                                  f"{self.directory}/{program}.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.running.append(p)
        return p

    def stop(self):
        for p in reversed(self.running):
            p.send_signal(signal.SIGTERM)
            p.wait(20)
        subprocess.run(["ip", "netns", "del", self.namespace], check=True)


def cpu_s(p):
    fields = Path(f"/proc/{p.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main_thread_cpu_s(p):
    fields = Path(f"/proc/{p.pid}/task/{p.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(p):
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{p.pid}/status").read_text(encoding="ascii").splitlines())
    return {name: int(lines[field].split()[0]) // 1024 for name, field in (("now", "VmRSS"), ("most", "VmHWM"))}


def figure(what, **values):
    print(json.dumps({"figure": what, **values}), flush=True)


class Watch:
    """Seconds, and those that both processes had of a core, since it was made."""

    def __init__(self, node, dataplane):
        self.node, self.dataplane, self.began = node, dataplane, time.monotonic()
        self.node_s, self.dataplane_s = cpu_s(node), main_thread_cpu_s(dataplane)

    def read(self):
        return {"seconds": round(time.monotonic() - self.began, 2),
                "node_cpu_s": round(cpu_s(self.node) - self.node_s, 2),
                "dataplane_server_cpu_s": round(main_thread_cpu_s(self.dataplane) - self.dataplane_s, 2)}


def measure(hub, control, build, peers):
    dataplane = hub.start("dataplane", f"{build}/dataplane/nave-dataplane")
    while not os.path.exists(f"{hub.directory}/dataplane.sock"):
        time.sleep(0.05)
    node = hub.start("node", f"{build}/control/nave-node")
    watch = Watch(node, dataplane)
    control.wait(lambda: control.applied == 1, 300)
    figure("all applied", peers=peers, **watch.read())
    control.wait(lambda: len(control.reported) == peers, 300)
    figure("each reported", **watch.read())
    watch = Watch(node, dataplane)
    control.change_one()
    control.wait(lambda: control.applied == 2, 300)
    figure("one change applied", **watch.read())
    watch = Watch(node, dataplane)
    time.sleep(IDLE_S)
    figure("idle", **watch.read())
    figure("memory in MiB", node=memory_mib(node), dataplane=memory_mib(dataplane))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build, peers = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100000
    with tempfile.TemporaryDirectory(prefix="nave-bench.") as directory:
        hub = Hub(build, directory)
        try:
            server = Server(f"{directory}/control.sock", Handler)
            server.control = Control(peers)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            measure(hub, server.control, build, peers)
        finally:
            hub.stop()


if __name__ == "__main__":
    main()
