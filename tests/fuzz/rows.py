#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rows.py: makes the inputs of fuzz_api_client, which are rows of datagrams, from the single datagrams of
api_codec.corpus, and adds wrong frames to those. After a change of a message: api_check_test --write-corpus, then this."""
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
    write("api_client", "hello_other_version", datagram("reply_hello", payload=b"\x02" + b"\1" * 23))
    write("api_client", "call_refused", hello, datagram("reply_sync_state", 2, **no), objects, pipelined)
    write("api_client", "list_refused", hello, state, datagram("reply_counter_list", 3), datagram("reply_counter_list", 3, **no))
    write("api_client", "pipelined_refused", hello, state, objects, datagram("reply_sync_state", 4, **no))
    write("api_client", "wrong_id", hello, datagram("reply_sync_state", 9))
    write("api_client", "wrong_type", hello, datagram("reply_counter_list", 2))
    write("api_client", "wrong_content", hello, datagram("reply_sync_state", 2, payload=b"\0" * 23 + b"\1"))
    write("api_client", "answer_among_events", hello, state, objects, pipelined, events, state)
    write("api_client", "event_before_subscribe", hello, datagram("reply_event", 0))


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
