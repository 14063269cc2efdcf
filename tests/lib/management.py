#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""management.py [--as UID] SOCKET COMMAND...: asks a management socket as openvpn-monitor does, and prints the answers.
--as: it is asked by that user, to whom every file is open all the same. Exit code 3: the socket hung up without a greeting;
1: anything else went wrong."""
import argparse
import ctypes
import os
import socket
import sys


PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP = 28, 4


def is_whole(text):
    """An answer ends with END, or is one line."""
    return text.endswith("\nEND\r\n") or text.startswith(("SUCCESS: ", "ERROR: ")) and text.endswith("\r\n")


def ask(connection, command):
    connection.sendall(command.encode() + b"\n")
    text = ""
    while not is_whole(text):
        piece = connection.recv(65536)
        if not piece:
            sys.exit(1)
        text += piece.decode()
    return text.replace("\r\n", "\n")


def main(path, commands):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(path)
        greeting = connection.makefile("rb", buffering=0).readline().decode()
        if not greeting:
            sys.exit(3)
        if not greeting.startswith(">INFO:OpenVPN Management Interface Version"):
            sys.exit(1)
        for command in commands:
            sys.stdout.write(ask(connection, command))
        connection.sendall(b"quit\n")
        if connection.recv(1):
            sys.exit(1)


def become(uid):
    """Another user, with all that root may do."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) != 0:
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
    os.seteuid(uid)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--as", dest="uid", type=int)
    parser.add_argument("socket")
    parser.add_argument("commands", nargs="+")
    arguments = parser.parse_args()
    if arguments.uid is not None:
        become(arguments.uid)
    try:
        main(arguments.socket, arguments.commands)
    except OSError as e:
        sys.exit(f"{arguments.socket}: {e.strerror or e}")
