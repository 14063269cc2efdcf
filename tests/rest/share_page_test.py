#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a share link in headless Chromium: button, download and QR code, without scripts."""
import os
import re

import rest_client
from rest_browser import Browser
from rest_hub import Hub

PRIVATE = re.compile(r"PrivateKey = ([A-Za-z0-9+/]{43}=)")
PLATFORMS = ("Windows", "macOS", "iOS", "Android", "Linux")


class SharePageTest(rest_client.RestTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hub = Hub(cls.daemon)
        cls.hub.sync()
        cls.hub.run()
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def tearDownClass(cls):
        cls.hub.stop()
        super().tearDownClass()

    def new_page(self, **more):
        """(peer, url) of a fresh link."""
        peer = self.new_peer(self.new_instance(), **more)
        path = f"/v1/instances/{peer['instance_id']}/peers/{peer['id']}/share-links"
        return peer, self.is_ok(self.api.post(path), 201).json["url"]

    def picture(self, name):
        """Kept where somebody wants to look at it."""
        if os.environ.get("NAVE_PICTURES"):
            self.browser.picture(f"{os.environ['NAVE_PICTURES']}/{name}.png")

    def is_untroubled(self):
        self.assertEqual([text for text in self.browser.complaints if "favicon" not in text], [])

    def test_button_download_and_code(self):
        peer, url = self.new_page(protocol="any", name="Ann's <b>phone</b>")
        self.browser.visit(url)
        self.assertIn("Ann's &lt;b&gt;phone&lt;/b&gt;", self.browser.dom())
        self.assertNotIn("PrivateKey", self.browser.dom())
        self.picture("offer")
        self.browser.told.clear()
        self.browser.click("button")
        self.browser.wait("Page.loadEventFired")
        dom = self.browser.dom()
        private = PRIVATE.search(dom)[1]
        box = self.browser.call("DOM.getBoxModel", nodeId=self.browser.find("svg"))["model"]
        self.assertEqual(box["width"], box["height"])  # a code is a square, and big enough for a camera
        self.assertGreater(box["width"], 250)
        for platform in PLATFORMS:
            self.assertIn(f"<h3>{platform}</h3>", dom)
        self.picture("profile")
        self.is_untroubled()
        name, text = self.browser.save("a[href='?format=wireguard']")
        self.assertRegex(name, r"\Anet\d+\.conf\Z")
        self.assertIn(f"PrivateKey = {private}", text)
        name, text = self.browser.save("a[href='?format=openvpn-tcp']")
        self.assertRegex(name, r"\Anet\d+-tcp\.ovpn\Z")
        self.assertIn("proto tcp", text)
        # this browser sees it again by the link, another one does not
        self.browser.visit(url)
        self.assertIn(private, self.browser.dom())
        self.assertEqual(rest_client.Client(self.daemon, tcp=True).get(url[url.index("/p/"):]).status, 404)
        self.assertEqual({u.partition("/p/")[0] for u in self.browser.asked if "favicon" not in u},
                         {f"http://127.0.0.1:{self.daemon.port}"})
        profile = self.api.get(f"/v1/instances/{peer['instance_id']}/peers/{peer['id']}/profile").text
        self.assertIn(private, profile)

    def test_what_cannot_be_used(self):
        _, url = self.new_page()
        self.browser.visit(url[:-1] + ("A" if url[-1] != "A" else "B"))
        self.assertIn("cannot be used", self.browser.dom())
        self.assertFalse(self.browser.find("button"))
        self.picture("end")


if __name__ == "__main__":
    rest_client.main()
