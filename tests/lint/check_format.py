#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when clang-format 14 would change a file. Another version formats otherwise, so it is refused."""
import shutil
import subprocess
import sys

import tree

PINNED = "14"


def formatter():
    for name in (f"clang-format-{PINNED}", "clang-format"):
        if shutil.which(name):
            version = subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout
            if f"version {PINNED}." in version:
                return name
    return None


def main(root):
    name = formatter()
    if not name:
        print(f"clang-format {PINNED} is not installed (Debian 12: apt-get install clang-format)")
        return 1
    names = [str(path) for path, _ in tree.c_sources(root)]
    return subprocess.run([name, "--dry-run", "-Werror", *names], check=False).returncode


sys.exit(main(sys.argv[1]))
