#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files and functions that outgrow a reader: a word from 600 and 60 lines, a failure from 1000 and 120."""
import re
import sys

import tree

FILE_WANTED, FILE_MOST = 600, 1000
FUNCTION_WANTED, FUNCTION_MOST = 60, 120
NAME = re.compile(r"(\w+)\s*\(")


def functions(lines):
    """(name, first line, length) of every function body: by our format '{' and '}' stand in column one."""
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield name_above(lines, start), start, number - start + 1
            start = 0


def name_above(lines, brace):
    for line in reversed(lines[max(0, brace - 8) : brace - 1]):
        if line and not line[0].isspace() and (match := NAME.search(line)):
            return match[1]
    return "?"


def judge(where, what, length, wanted, most):
    if length > most:
        print(f"{where}: {what} has {length} lines, at most {most}")
        return 1
    if length > wanted:
        print(f"{where}: (warning) {what} has {length} lines, {wanted} wanted")
    return 0


def main(root):
    bad = 0
    for path, rel in tree.files(root):
        if not (rel.endswith((".c", ".h")) or tree.is_python(path) or tree.is_shell(path)):
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        bad += judge(f"{rel}:1", "the file", len(lines), FILE_WANTED, FILE_MOST)
        if rel.endswith(".c"):
            for name, start, length in functions(lines):
                bad += judge(f"{rel}:{start}", f"{name}()", length, FUNCTION_WANTED, FUNCTION_MOST)
    return 1 if bad else 0


sys.exit(main(sys.argv[1]))
