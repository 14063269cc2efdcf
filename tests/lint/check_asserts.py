#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on an assert that input could reach: code that meets packets and messages has none at all."""
import re
import sys

import tree

HOSTILE = ("dataplane/wg/", "dataplane/ovpn/", "dataplane/path/", "dataplane/api/")
ASSERT = re.compile(r"(?<!static_)(?<![\w.])(assert|abort|RTE_ASSERT|RTE_VERIFY|rte_panic|rte_exit)\s*\(")


def main(root):
    bad = 0
    for path, rel in tree.c_sources(root):
        if not rel.startswith(HOSTILE):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            code = line.split("//")[0]
            if not code.lstrip().startswith("*") and (match := ASSERT.search(code)):
                bad += 1
                print(f"{rel}:{number}: {match[1]}() where hostile input goes: refuse it with an error")
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
