#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a source file or script does not carry its SPDX line at the top."""
import sys

import tree

MARK = "SPDX-License-Identifier: Apache-2.0"
SUFFIXES = (".c", ".h", ".py", ".sh", ".sql", ".service", ".socket", ".conf", "meson.build", ".yaml")


def wants_licence(path, rel):
    if ".corpus/" in rel or rel.startswith("tests/data/"):
        return False
    return rel.endswith(SUFFIXES) or tree.shebang(path) != ""


def main(root):
    bad = 0
    for path, rel in tree.files(root):
        if not wants_licence(path, rel):
            continue
        head = path.read_text(encoding="utf-8", errors="replace").splitlines()[:3]
        if not any(MARK in line for line in head):
            bad += 1
            print(f"{rel}:1: no '{MARK}' in the first three lines")
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
