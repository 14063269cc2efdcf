# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium over its debugging pipe, with scripts turned off: what is clicked is clicked by mouse."""
import base64
import fcntl
import json
import os
import pathlib
import subprocess
import tempfile
import time

PATIENCE_S = 30


class Browser:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="nave-chromium-", ignore_cleanup_errors=True)
        self.number = 0
        self.told = []  # events, oldest first
        self.asked = set()  # every address that it has gone to
        self.complaints = []  # of its console: what the policy forbids, say
        self.rest = b""
        pipes = [os.pipe(), os.pipe()]
        # out of the way of 3 and 4
        (into, self.out), (self.into, out) = [[fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in p] for p in pipes]
        for end in pipes[0] + pipes[1]:
            os.close(end)
        # the pipe's ends are 3 and 4 there, by the browser's own rule
        self.child = subprocess.Popen(
            ["bash", "-c", f'exec 3<&{into} 4>&{out} {into}<&- {out}>&-; exec "$@"', "chromium", "chromium", "--headless=new",
             "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             "--window-size=800,1000", f"--user-data-dir={self.folder.name}/profile", "about:blank"],
            pass_fds=(into, out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.folder.name})
        os.close(into)
        os.close(out)
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "DOM", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setScriptExecutionDisabled", value=True)

    def read(self):
        """The next message."""
        while b"\0" not in self.rest:
            data = os.read(self.into, 1 << 20)
            assert data, "Chromium has ended"
            self.rest += data
        message, _, self.rest = self.rest.partition(b"\0")
        message = json.loads(message)
        if message.get("method") == "Network.requestWillBeSent":
            self.asked.add(message["params"]["request"]["url"])
        if message.get("method") == "Log.entryAdded":
            self.complaints.append(message["params"]["entry"]["text"])
        return message

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None and not method.startswith(("Target.", "Browser.")):
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.told.append(answer)

    def wait(self, method):
        """For the next event of that name."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            for at, event in enumerate(self.told):
                if event.get("method") == method:
                    del self.told[:at + 1]
                    return event["params"]
            self.told.append(self.read())
        raise AssertionError(f"no {method}")

    def visit(self, url):
        self.told.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def find(self, selector):
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        return self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]

    def click(self, selector):
        node = self.find(selector)
        assert node, f"no {selector} in {self.dom()}"
        self.call("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = self.call("DOM.getBoxModel", nodeId=node)["model"]["content"]
        at = {"x": (quad[0] + quad[4]) / 2, "y": (quad[1] + quad[5]) / 2, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, **at)

    def dom(self):
        root = self.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        return self.call("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    def save(self, selector):
        """Clicks a download; its name and content."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder.name))
        self.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.click(selector)
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            done = [f for f in folder.iterdir() if not f.name.endswith(".crdownload") and not f.name.startswith(".")]
            if done and done[0].stat().st_size > 0:
                return done[0].name, done[0].read_text(encoding="utf-8")
            time.sleep(0.05)
        raise AssertionError(f"nothing was downloaded by {selector}")

    def picture(self, file):
        """The whole page."""
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        pathlib.Path(file).write_bytes(base64.b64decode(data))

    def close(self):
        self.call("Browser.close")
        self.child.wait(timeout=PATIENCE_S)
        os.close(self.out)
        os.close(self.into)
        self.folder.cleanup()
