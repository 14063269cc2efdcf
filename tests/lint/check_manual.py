#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_manual.py ROOT NAVE DAEMON...: the manual says what --help says, and names every setting."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
MANUAL = ROOT / "configs/man"
FAULTS = []


def fault(where, what):
    FAULTS.append(f"{where}: {what}")


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout


def plain(roff):
    """Text of a line of roff, without what escapes it."""
    return roff.replace("\\-", "-").replace("\\e", "\\")


def sections(page, macro):
    """{title: lines} of a page; what stands before the first title is left out."""
    found, title = {}, None
    for line in (MANUAL / page).read_text(encoding="utf-8").splitlines():
        if line.startswith((".SH", ".SS")):
            title = None
            if line.startswith(macro + " "):
                title = plain(line[len(macro) + 1:].strip('"'))
                found[title] = []
        elif title is not None:
            found[title].append(line)
    return found


def options_of_lines(lines):
    """The options that have a paragraph of their own."""
    heads = [plain(line) for before, line in zip(lines, lines[1:]) if before == ".TP"]
    return [match[0] for match in (re.search(r"--[a-z0-9-]+", head) for head in heads) if match]


def options_of_help(text):
    return re.findall(r"^  (?:-[a-z], )?(--[a-z0-9-]+)", text, re.M)


def compare(where, manual, program):
    if manual != program:
        fault(where, f"the manual has {manual}, --help has {program}")


def check_nave(nave):
    told = sections("nave.1", ".SS")
    usages = []
    for line in run(nave, "--completion-words").splitlines():
        words = [word for word in line.split() if not word.startswith("--")]
        text = run(nave, *words, "--help")
        usage = text.splitlines()[0]
        usages.append(usage)
        if usage in told:
            compare(f"nave.1: {usage}", options_of_lines(told[usage]), options_of_help(text.split("Everywhere:")[0]))
    compare("nave.1: commands", list(told), usages)
    everywhere = options_of_help(run(nave, "--help").split("Everywhere:")[1])
    compare("nave.1: OPTIONS", options_of_lines(sections("nave.1", ".SH")["OPTIONS"]), everywhere)


def check_daemon(program):
    page = pathlib.Path(program).name + ".8"
    compare(page, options_of_lines(sections(page, ".SH")["OPTIONS"]), options_of_help(run(program, "--help")))


def check_settings(name):
    """The settings of a page are those of the example, which --check-config has read."""
    page = f"{name}.conf.5"
    told = set()
    for title, lines in sections(page, ".SH").items():
        if title.startswith("SETTINGS"):
            told |= {line[3:] for before, line in zip(lines, lines[1:]) if before == ".TP"}
    told |= set(re.findall(r"^\.I (\w+)$", (MANUAL / page).read_text(encoding="utf-8"), re.M))
    example = (ROOT / f"configs/{name}.conf").read_text(encoding="utf-8")
    shown = set(re.findall(r"^# (\w+) = ", example, re.M))
    # nested ones, in a group of lines, in a default or in words
    shown |= set(re.findall(r"^#   +(\w+) = ", example, re.M))
    shown |= set(re.findall(r"\b(\w+) = ", "\n".join(re.findall(r"^# \w+ = \(.*", example, re.M))))
    shown |= set(re.findall(r"\b(\w+) = N\b", example))
    shown |= set(re.findall(r"\b(\w+) = ", re.sub(r"^#.*$", "", example, flags=re.M)))
    if told != shown:
        fault(page, f"only in the manual: {sorted(told - shown)}, only in configs/{name}.conf: {sorted(shown - told)}")


def check_roff(page, version):
    head = page.read_text(encoding="utf-8").splitlines()[1]
    if f'"Nave {version}"' not in head:
        fault(page.name, f"is of another version than {version}: {head}")
    said = subprocess.run(["groff", "-man", "-ww", "-z", "-Kutf8", page], capture_output=True, text=True, timeout=30, check=False)
    if said.stderr:
        fault(page.name, said.stderr)


def main(nave, daemons):
    check_nave(nave)
    for program in daemons:
        check_daemon(program)
        check_settings(pathlib.Path(program).name.removeprefix("nave-"))
    pages = sorted(MANUAL.iterdir())
    if len(pages) != 1 + 2 * len(daemons):
        fault("configs/man", f"{len(pages)} pages")
    for page in pages:
        check_roff(page, run(nave, "--version").split()[1])
    print("\n".join(FAULTS) or f"{len(pages)} pages")
    return 1 if FAULTS else 0


sys.exit(main(sys.argv[2], sys.argv[3:]))
