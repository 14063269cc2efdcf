#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""config_test.py DATAPLANE NODE CONTROL: each daemon refuses a bad configuration whole, with exit code 78 and
FILE:LINE: reason, and says nothing about a good one."""
import os
import pathlib
import subprocess
import sys
import tempfile

GOOD = {
    "dataplane": 'socket = "/run/x.sock";\nworker_lcore = 0;\nservice_lcore = 0;\n'
                 'ports = ( { name = "wan0"; devargs = "net_af_packet0,iface=hub0"; } );\n',
    "node": 'dataplane_socket = "/run/x.sock";\nname = "hub1";\nregion = "local";\n'
            'ports = ( { name = "wan0"; tap = "nave0"; addresses = [ "203.0.113.1/24" ]; } );\n',
    "control": 'listen = "127.0.0.1:8480";\nvpn_domain = "vpn.example.net";\nregions = ( { id = "local"; name = "Here"; } );\n',
}
# daemon, line that the reason must name (of a syntax error: where the parser stopped), text
BAD = [
    ("dataplane", 2, "nonsense\n"),
    ("dataplane", 2, 'socket = "/run/x.sock";\ncolour = "red";\n' + GOOD["dataplane"].split("\n", 1)[1]),
    ("dataplane", 2, 'socket = "/run/x.sock";\nworker_lcore = "zero";\n'),
    ("dataplane", 2, 'socket = "/run/x.sock";\nports = 5;\n'),
    ("dataplane", 2, 'socket = "/run/x.sock";\nports = ( { name = "wan0"; } );\n'),
    ("dataplane", 1, 'socket = "' + "x" * 200 + '";\n' + GOOD["dataplane"].split("\n", 1)[1]),
    ("dataplane", 1, "workers = 0;\n"),
    ("dataplane", 1, "workers = 33;\n"),
    ("dataplane", 1, 'workers = "two";\n'),
    ("dataplane", 1, "worker_lcore = [ ];\n"),
    ("dataplane", 1, "worker_lcore = [ 0, 128 ];\n"),
    ("dataplane", 1, "worker_lcore = [ -1 ];\n"),
    ("dataplane", 1, 'worker_lcore = [ "0" ];\n'),
    ("dataplane", 1, 'ports = ( { name = "wan0"; devargs = "net_null0"; queues = 0; } );\n'),
    ("dataplane", 1, 'ports = ( { name = "wan0"; devargs = "net_null0"; cores = 1; } );\n'),
    ("dataplane", 1, 'ports = ( { name = "wan0"; devargs = "net_null0"; mtu = 1279; } );\n'),
    ("dataplane", 1, 'ports = ( { name = "wan0"; devargs = "net_null0"; mtu = 9217; } );\n'),
    ("dataplane", 1, 'dscp = "some";\n'),
    ("dataplane", 1, "dscp = 0;\n"),
    ("dataplane", 1, 'instances = ( { number = 1; addresses = "10.0.0.1/24"; } );\n'),
    ("dataplane", 1, 'instances = ( { number = 1; addresses = [ "10.0.0.1/24", "10.1.0.1/24" ]; } );\n'),
    ("dataplane", 1, 'instances = ( { number = 1; mtu = 9000; } );\n' + GOOD["dataplane"]),
    ("dataplane", 1, "packets = -1;\n"),
    ("dataplane", 1, "packets = 4095;\n"),
    ("dataplane", 1, "idle_sleep_us = 100001;\n"),
    ("node", 2, "nonsense\n"),
    ("node", 3, 'name = "hub1";\nregion = "local";\ncolour = "red";\n'),
    ("node", 2, 'name = "hub1";\nports = ( { name = "wan0"; tap = "nave0"; addresses = [ "203.0.113.1" ]; } );\n'),
    ("node", 2, 'name = "hub1";\nports = ( { name = "wan0"; tap = "nave0"; gateways = [ "here" ]; } );\n'),
    ("node", 2, 'name = "hub1";\nports = ( { name = "wan0"; } );\n'),
    ("node", 2, 'name = "hub1";\nports = ( { name = "wan0"; tap = "a-name-that-is-too-long"; } );\n'),
    ("node", 1, 'region = "' + "x" * 300 + '";\n'),
    ("node", 2, 'name = "hub1";\nports = ( { name = "wan0"; tap = "nave3"; } );\n'),
    ("node", 2, 'uapi_dir = "/run/x";\nmanagement_dir = "/run/x";\nports = ( { name = "wan0"; tap = "nave0"; } );\n'),
    ("control", 2, "nonsense\n"),
    ("node", 1, 'control_socket = ""; control_url = "http://control.example.net";\nports = ( { name = "wan0"; tap = "nave0"; } );\n'),
    ("control", 3, 'vpn_domain = "a.b";\nregions = ( { id = "local"; name = "Here"; } );\ncolour = "red";\n'),
    ("control", 2, 'vpn_domain = "a.b";\nregions = 1;\n'),
    ("control", 1, 'listen = "0.0.0.0:8480";\nvpn_domain = "a.b";\nregions = ( { id = "local"; name = "Here"; } );\n'),
]
# of every daemon
for name, text in GOOD.items():
    lines = text.count("\n")
    BAD += [(name, lines + 1, text + text.split("\n", maxsplit=1)[0] + "\n"), (name, lines + 2, f"{text}\n\0\n"),
            (name, 1, "\N{ZERO WIDTH NO-BREAK SPACE}" + text)]

# what else is taken
GOOD_MORE = [
    *((name, text.replace("\n", "\r\n")) for name, text in GOOD.items()),
    ("dataplane", 'workers = 2;\nworker_lcore = [ 0, 1 ];\n' + GOOD["dataplane"].split("\n", 2)[2].replace('hub0"', 'hub0"; queues = 2')),
    ("dataplane", "workers = 32;\n" + GOOD["dataplane"]),
    ("dataplane", 'instances = ( { number = 1; mtu = 9000; addresses = [ "10.0.0.1/24", "fd00::1/64" ]; } );\n'
     + GOOD["dataplane"].replace('hub0"', 'hub0"; mtu = 9216')),
    ("dataplane", 'dscp = "copy";\n' + GOOD["dataplane"].replace('hub0"', 'hub0"; mtu = 9216; queues = 1')),
]


def main():
    programs = dict(zip(("dataplane", "node", "control"), sys.argv[1:4], strict=True))
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "the.conf"

        def check(daemon, text):
            file.write_text(text, encoding="utf-8", newline="")
            file.chmod(0o600)
            return subprocess.run([programs[daemon], "--check-config", "--config", file], capture_output=True,
                                  text=True, timeout=20, check=False)

        for daemon, text in [*GOOD.items(), *GOOD_MORE]:
            r = check(daemon, text)
            if r.returncode != 0 or r.stdout or r.stderr:
                bad += 1
                print(f"nave-{daemon} refuses a good configuration: {r}")
        for daemon, line, text in BAD:
            r = check(daemon, text)
            if r.returncode != 78 or not r.stderr.startswith(f"{file}:{line}: ") or r.stderr.count("\n") != 1:
                bad += 1
                print(f"nave-{daemon}, wanted line {line}: {r.returncode} {r.stderr!r}\n{text}")
        os.mkfifo(file.with_name("fifo"))
        for daemon, program in programs.items():
            for name in ("none", ".", "fifo"):
                r = subprocess.run([program, "--check-config", "--config", f"{folder}/{name}"], capture_output=True,
                                   text=True, timeout=20, check=False)
                if r.returncode != 78 or f"{folder}/{name}:" not in r.stderr:
                    bad += 1
                    print(f"nave-{daemon} with {name} for a file: {r}")
            wrong = [["--nonsense"], ["operand"]]
            if daemon == "dataplane":
                wrong += [["--workers", n] for n in ("0", "33", "two", "-1", "1x", "")]
            for words in wrong:
                r = subprocess.run([program, *words], capture_output=True, text=True, timeout=20, check=False)
                if r.returncode != 64 or not r.stderr:
                    bad += 1
                    print(f"nave-{daemon} {words}: {r}")
    return 1 if bad else 0


sys.exit(main())
