#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""management.py SOCKET COMMAND...: asks a management socket as openvpn-monitor does, and prints the answers. Exit code 1
when it does not answer."""
import socket
import sys


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
        if not greeting.startswith(">INFO:OpenVPN Management Interface Version"):
            sys.exit(1)
        for command in commands:
            sys.stdout.write(ask(connection, command))
        connection.sendall(b"quit\n")
        if connection.recv(1):
            sys.exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2:])
    except OSError as e:
        sys.exit(f"{sys.argv[1]}: {e.strerror or e}")
