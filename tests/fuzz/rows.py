#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rows.py: makes the inputs of fuzz_api_client and fuzz_server, which are rows of datagrams, from the single
datagrams of api_codec.corpus, and adds wrong frames to those. After a change of a message: api_check_test --write-corpus, then this."""
import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
HEADER = "<HHIiI"  # type, flags, request id, status, length of the payload
DONE, REPLY = 2, 1


def datagram(name, request_id=1, flags=None, status=None, payload=None):
    data = (HERE / "api_codec.corpus" / name).read_bytes()
    kind, old_flags, _, old_status, _ = struct.unpack_from(HEADER, data)
    payload = data[16:] if payload is None else payload
    data = struct.pack(HEADER, kind, old_flags if flags is None else flags, request_id,
                       old_status if status is None else status, len(payload)) + payload
    return struct.pack("<H", len(data)) + data


def write(folder, name, *datagrams):
    path = HERE / f"{folder}.corpus"
    path.mkdir(exist_ok=True)
    (path / name).write_bytes(b"".join(datagrams))


def client_rows():
    hello = datagram("reply_hello")
    state = datagram("reply_sync_state", 2)
    objects = datagram("reply_counter_list", 3) + datagram("reply_counter_list", 3, DONE | REPLY, payload=b"")
    pipelined = b"".join(datagram("reply_sync_state", n) for n in (4, 5, 6))
    events = (datagram("reply_tun_set", 7) + datagram("reply_event_subscribe", 8, DONE | REPLY, payload=b"")
              + datagram("reply_event", 0) * 2)
    no = {"flags": DONE | REPLY, "status": -2, "payload": b"no"}
    write("api_client", "whole", hello, state, objects, pipelined, events)
    write("api_client", "nothing")
    write("api_client", "hello_refused", datagram("reply_hello", **no))
    write("api_client", "hello_other_version", datagram("reply_hello", payload=b"\xff" + b"\1" * 23))
    write("api_client", "call_refused", hello, datagram("reply_sync_state", 2, **no), objects, pipelined)
    write("api_client", "list_refused", hello, state, datagram("reply_counter_list", 3), datagram("reply_counter_list", 3, **no))
    write("api_client", "pipelined_refused", hello, state, objects, datagram("reply_sync_state", 4, **no))
    write("api_client", "wrong_id", hello, datagram("reply_sync_state", 9))
    write("api_client", "wrong_type", hello, datagram("reply_counter_list", 2))
    write("api_client", "wrong_content", hello, datagram("reply_sync_state", 2, payload=b"\0" * 23 + b"\1"))
    write("api_client", "answer_among_events", hello, state, objects, pipelined, events, state)
    write("api_client", "event_before_subscribe", hello, datagram("reply_event", 0))


def server_rows():
    second = 1 << 31
    story = ("sync_begin", "instance_set", "peer_set", "route_set", "sync_end")
    everything = sorted(p.name for p in (HERE / "api_codec.corpus").glob("request_*") if "fault" not in p.name)
    faults = sorted(p.name for p in (HERE / "api_codec.corpus").glob("request_fault_*"))

    def row(*names, request_id=1):
        return b"".join(datagram(f"request_{n}", request_id) for n in names)

    write("server", "story", row(*story))
    write("server", "story_twice", row(*story), row(*story))
    write("server", "two_controllers", row(*story[:3]), row(*story, request_id=second), row(*story[3:]))
    write("server", "busy_story", row(*story[:2]), row("peer_set", "route_set", request_id=second), row("sync_end"))
    write("server", "lists", row(*story), row("instance_list", "peer_list", "peer_stats_list", "route_list", "port_list",
                                              "counter_list", "sync_state"))
    write("server", "deletions", row(*story), row("route_del", "peer_del", "instance_del"), row("peer_del", "instance_del"))
    write("server", "instance_goes", row("instance_set", "peer_set", "route_set", "instance_del"))
    write("server", "unknown_instance", row("peer_set", "route_set", "tun_set"))
    write("server", "devices", row("instance_set", "tun_set", "tap_set", "instance_list", "port_list"))
    write("server", "underlay", row("address_set", "neighbour_set", "underlay_route_set"))
    write("server", "generations", row("generation_set", *story, "generation_set", "generation_set"))
    write("server", "damaged_story", row(*story[:3]), datagram(faults[0]), row("sync_end"))
    write("server", "everything", b"".join(datagram(n) for n in everything))
    write("server", "everything_twice", row("instance_set"), b"".join(datagram(n) for n in everything * 2))
    write("server", "faults", b"".join(datagram(n) for n in faults))


def codec_inputs():
    """What is wrong with a frame, whatever the message."""
    hello = (HERE / "api_codec.corpus" / "request_hello").read_bytes()
    inputs = {
        "request_unknown_type": struct.pack(HEADER, 999, 0, 1, 0, 0),
        "request_flags": struct.pack(HEADER, 1, 4, 1, 0, 24) + hello[16:],
        "reply_escape": struct.pack(HEADER, 1, DONE | REPLY, 1, -1, 4) + b"\x1b[2J",
        "reply_long_text": struct.pack(HEADER, 1, DONE | REPLY, 1, -1, 241) + b"x" * 241,
        "reply_refusal": struct.pack(HEADER, 1, DONE | REPLY, 1, -1, 2) + b"no",
        "reply_positive_status": struct.pack(HEADER, 1, DONE | REPLY, 1, 1, 0),
        "reply_end_of_list_full": struct.pack(HEADER, 4, DONE | REPLY, 1, 0, 1) + b"x",
        "reply_end_of_list": struct.pack(HEADER, 4, DONE | REPLY, 1, 0, 0),
        "reply_without_end": struct.pack(HEADER, 1, REPLY, 1, 0, 0),
        "reply_event_with_id": struct.pack(HEADER, 1, 4, 1, 0, 0),
    }
    for name, data in inputs.items():
        (HERE / "api_codec.corpus" / name).write_bytes(data)


codec_inputs()
client_rows()
server_rows()
