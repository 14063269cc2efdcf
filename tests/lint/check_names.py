#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on names that say nothing, and on work left lying about."""
import re
import sys

import tree

EMPTY_NAMES = re.compile(r"(^|[/_-])(utils?|common|misc|helpers?|stuff)([._/-]|$)")
EMPTY_VERBS = re.compile(r"^\w[\w\s*]*\b((?:do|process|handle)_?)\(", re.M)
LEFT_LYING = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def main(root):
    bad = 0
    for path, rel in tree.files(root):
        if EMPTY_NAMES.search(rel):
            bad += 1
            print(f"{rel}:1: a file is a noun that is found without grep; this name says nothing")
        if rel.startswith("tests/lint/") or not rel.endswith((".c", ".h", ".py", ".sh", ".sql")):
            continue
        text = path.read_text(encoding="utf-8")
        for pattern, why in ((EMPTY_VERBS, "a verb without an object"), (LEFT_LYING, "unfinished work")):
            for match in pattern.finditer(text):
                bad += 1
                print(f"{rel}:{text.count(chr(10), 0, match.start()) + 1}: {why}: {match[1]}")
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
