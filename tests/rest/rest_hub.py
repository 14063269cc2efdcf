# SPDX-License-Identifier: Apache-2.0
"""A hub that carries nothing: the node API from the other side."""
import threading
import uuid

from rest_client import Client


class Hub:
    def __init__(self, daemon, name="hub1", region="local", known=None):
        if known is None:
            answer = Client(daemon).post("/node/v1/enrol", {"name": name, "region": region})
            assert answer.status == 200, answer
            known = answer.json["hub_id"], answer.json["token"]
        self.id, token = known
        self.client = Client(daemon, token)
        self.boot_id = str(uuid.uuid4())
        self.epoch = None
        self.generation = 0
        self.instances = {}
        self.peers = {}
        self.captures = {}  # asked for, and not sent yet
        self.answers = []  # what desired gave, newest last
        self.status = {}  # peer id: members of its report
        self.failed = {}  # instance id: reason
        self.ends = threading.Event()
        self.thread = None

    def take(self, wait=0):
        """One poll, applied. Returns the answer's body."""
        after = f"after={self.generation}&wait={wait}"
        if self.epoch is not None:
            after += f"&epoch={self.epoch}"
        answer = self.client.get(f"/node/v1/desired?{after}")
        assert answer.status == 200, answer
        d = answer.json
        if d["full"]:
            self.instances.clear()
            self.peers.clear()
        for gone in d["deleted"]:
            getattr(self, gone["kind"] + "s").pop(gone["id"], None)
        self.instances.update({i["id"]: i for i in d["instances"]})
        self.peers.update({p["id"]: p for p in d["peers"]})
        # an instance takes its peers along
        self.peers = {k: p for k, p in self.peers.items() if p["instance_id"] in self.instances}
        self.captures.update({c["id"]: c for c in d["captures"]})
        self.epoch, self.generation = d["epoch"], d["generation"]
        self.answers.append(d)
        return d

    def send_captures(self, **body):
        for capture in list(self.captures):
            answer = self.client.post(f"/node/v1/captures/{capture}", body)
            assert answer.status in (204, 404), answer
            del self.captures[capture]

    def report_of_peer(self, peer_id):
        return {"id": peer_id, "endpoint": None, "last_handshake_at": None, "last_seen_at": None,
                "rx_bytes": 0, "tx_bytes": 0, "rx_packets": 0, "tx_packets": 0,
                "timestamp": "0" * 24, "last_failure": None, **self.status.get(peer_id, {})}

    def report_body(self, **changes):
        return {
            "boot_id": self.boot_id, "epoch": self.epoch, "generation": self.generation,
            "version": "1.2.3", "addresses": ["203.0.113.1"],
            "egress": {"ipv4": True, "ipv6": False},
            "instances": [
                {"id": i, "state": "failed" if i in self.failed else "ready",
                 "reason": self.failed.get(i, "")} for i in self.instances],
            "peers": [self.report_of_peer(i) for i in self.peers],
            "counters": {"rx_packets": 7, "peers_now": 3}, **changes}

    def report(self, **changes):
        answer = self.client.post("/node/v1/report", self.report_body(**changes))
        assert answer.status == 204, answer

    def sync(self):
        self.take()
        self.report()

    def run(self):
        """In the background until stop()."""
        def loop():
            while not self.ends.is_set():
                self.take(wait=2)
                self.report()
                self.send_captures(file="Cg0NCg==")
        self.thread = threading.Thread(target=loop, daemon=True)
        self.thread.start()

    def stop(self):
        self.ends.set()
        self.thread.join()
