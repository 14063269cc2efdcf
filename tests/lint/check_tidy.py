#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""clang-tidy over what the build compiles, two at a time. The rules stand in .clang-tidy."""
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys
import time

JOBS = 2
ONE_FILE_SECONDS = 120
OUR_HEADERS = "/(dataplane|control|kernel)/"
# hot structures are laid out by cache line and by who writes them, not by size
LEFT_OUT = "-clang-analyzer-optin.performance.Padding"
# The analyzer walks a function's paths until this many nodes. Most functions end long before; in those that
# do not, more nodes are more of the same loops, and with clang's 225000 they take most of the time.
NODES = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "max-nodes=75000")]
NOISE = re.compile(r"^\d+ warnings? (generated|treated)|^Suppressed \d+|^Use -header-filter|^$")


def project_files(root, build):
    """Each compiled file once: a source that two targets share has the same rules in both."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = {(build / c["file"]).resolve() for c in commands}
    return sorted(f for f in found if f.is_relative_to(root) and not f.is_relative_to(build))


def tidy(build, file):
    started = time.monotonic()
    try:
        run = subprocess.run(["clang-tidy", "--quiet", "-p", str(build),
                              f"--header-filter={OUR_HEADERS}", f"--checks={LEFT_OUT}", *NODES, str(file)],
                             capture_output=True, text=True, check=False, timeout=ONE_FILE_SECONDS)
    except subprocess.TimeoutExpired:
        return file, 1, f"clang-tidy took more than {ONE_FILE_SECONDS} s", ONE_FILE_SECONDS
    said = "\n".join(line for line in (run.stdout + run.stderr).splitlines() if not NOISE.match(line))
    return file, run.returncode, said, time.monotonic() - started


def main(root, build):
    bad = 0
    files = project_files(root, build)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for file, code, said, seconds in pool.map(lambda f: tidy(build, f), files):
            print(f"{file.relative_to(root)}: {'ok' if code == 0 else 'FAILED'} ({seconds:.1f} s)", flush=True)
            if code != 0:
                bad += 1
                print(said)
    print(f"{len(files)} files, {bad} with findings")
    return 1 if bad else 0


sys.exit(main(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()))
