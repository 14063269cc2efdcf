#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a newcomer does: the one command, then once more, then its end. The release build, so that the
# dataplane's system call filter is on.
set -u
cd "$(dirname "$0")/../.." || exit 1
# somebody's own hub on this machine is none of ours to touch
if [ -e /var/lib/nave ] && [ ! -e /var/lib/nave/made-by-quickstart ]; then
	echo "/var/lib/nave belongs to a hub that is not quickstart's" >&2
	exit 1
fi
trap 'configs/quickstart --down >/dev/null 2>&1' EXIT
trap 'exit 143' TERM INT HUP

fail() {
	echo "NOT SO: $*"
	exit 1
}

configs/quickstart >/dev/null || fail "the first run succeeds"
began=$SECONDS
answer=$(configs/quickstart --json) || fail "a second run succeeds"
[ "$(jq -r .ok <<<"$answer")" = true ] || fail "everybody reaches what they may: $answer"
[ "$(jq '.reach | length' <<<"$answer")" -ge 25 ] || fail "it looked at every pair: $answer"
[ $((SECONDS - began)) -lt 60 ] || fail "it is there within 60 s once built"
curl -s -f -o /dev/null "$(jq -r .url <<<"$answer")/openapi.yaml" || fail "the hub runs at the URL that was told"
[ -r "$(jq -r .token_file <<<"$answer")" ] || fail "the token lies where it was told"
while read -r command; do
	timeout 20 bash -c "${command//sudo /}" >/dev/null 2>&1 || fail "what it proposes to try works: $command"
done < <(jq -r '.try_next[] | select(. != "")' <<<"$answer")

configs/quickstart --nonsense >/dev/null 2>&1
[ $? -eq 2 ] || fail "wrong usage is 2"
configs/quickstart --down || fail "--down succeeds"
for left in /run/nave /var/lib/nave /var/lib/nave-node /run/nave-quickstart; do
	[ ! -e "$left" ] || fail "--down leaves no $left"
done
! ip netns list | grep -q '^nq-' || fail "--down leaves no namespace"
! pgrep -f build/quickstart >/dev/null || fail "--down leaves no process"
configs/quickstart --down || fail "--down twice is fine"
echo "ok"
