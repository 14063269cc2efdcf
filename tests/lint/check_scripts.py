#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""shellcheck on every shell script, and the compiler on every Python file."""
import subprocess
import sys

import tree


def python_is_sound(path, rel):
    try:
        compile(path.read_text(encoding="utf-8"), rel, "exec")
    except SyntaxError as error:
        print(f"{rel}:{error.lineno}: {error.msg}")
        return False
    return True


def main(root):
    files = tree.files(root)
    bad = sum(not python_is_sound(path, rel) for path, rel in files if tree.is_python(path))
    shell = [rel for path, rel in files if tree.is_shell(path) and not rel.startswith("tests/data/")]
    print(f"{len(shell)} shell scripts")
    run = subprocess.run(["shellcheck", "-x", "--source-path=SCRIPTDIR", *shell], cwd=root, check=False)
    return 1 if bad or run.returncode else 0


sys.exit(main(sys.argv[1]))
