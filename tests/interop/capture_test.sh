#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nave peers capture: one peer's packets, inside and outside, as files that tcpdump reads.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"

FOLDER=$(mktemp -d "$LAB_DIR/capture.XXXXXX")
at_end rm -rf "$FOLDER"
guest visitor 5

# capture SIDE: of the visitor, five seconds long, in the background; its end is waited for
capture() {
	rm -f "$FOLDER/$1.pcapng"
	lab_nave peers capture acme visitor --side "$1" --seconds 5 --out "$FOLDER/$1.pcapng" 2>"$FOLDER/$1.log" &
	CAPTURE=$!
}

# packets SIDE FILTER: how many it has
packets() {
	tcpdump --count -n -r "$FOLDER/$1.pcapng" "$2" 2>/dev/null | awk '{print $1}'
}

capture inner
visitor=$(lab_inner acme visitor 4)
branch=192.168.10.10
# from now on until it ends, so that it begins somewhere in between
(while kill -0 "$CAPTURE" 2>/dev/null; do lab_reaches visitor "$branch" 1; lab_reaches laptop "$branch" 1; done) &
check "the inner capture ends well" wait "$CAPTURE"
wait
check "its questions" test "$(packets inner "icmp[0] = 8 and src $visitor and dst $branch")" -ge 1
check "the answers to it" test "$(packets inner "icmp[0] = 0 and dst $visitor and src $branch")" -ge 1
check "of nobody else" test "$(packets inner "not host $visitor")" -eq 0

capture outer
(while kill -0 "$CAPTURE" 2>/dev/null; do lab_tunnel_again visitor; lab_reaches visitor "$branch" 1; done) &
check "the outer capture ends well" wait "$CAPTURE"
wait
here=$(lab_member4 5)
check "handshakes of it" test "$(packets outer "src $here and udp[8] = 1")" -ge 1
check "the answers" test "$(packets outer "dst $here and udp[8] = 2")" -ge 1
check "data of it" test "$(packets outer "src $here and udp[8] = 4")" -ge 1
check "data to it" test "$(packets outer "dst $here and udp[8] = 4")" -ge 1
check "of nobody else" test "$(packets outer "not host $here")" -eq 0
check "nothing in the clear" test "$(packets outer icmp)" -eq 0
check "none was left out" test "$(counter capture_lost)" -eq 0
check "only the owner can read it" test "$(stat -c %a "$FOLDER/inner.pcapng")" = 600
