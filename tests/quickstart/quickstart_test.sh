#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a newcomer does: the one command, then once more, then its end; and that it sees when the network is not
# as it must be. The release build, so that the dataplane's system call filter is on.
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

# shown ROW: it is in the table, whatever the spaces
shown() {
	tr -s ' ' <<<"$said" | grep -qxF "$1 "
}

said=$(configs/quickstart) || fail "the first run succeeds"
for row in 'from \ to branch-lan depot-lan shop-lan laptop nomad roadie hub internet' \
	'host behind branch - yes yes yes yes yes yes -' 'host behind shop (OpenVPN) yes yes - yes yes yes yes -' \
	'laptop (split) yes yes yes - refused refused yes yes,direct' \
	'nomad (split, OpenVPN) yes yes yes refused - refused yes yes,direct' \
	'roadie (route-all) yes yes yes refused refused - yes yes,from-hub' \
	"rogue with laptop's address refused refused refused - refused refused - refused"; do
	shown "$row" || fail "the table tells who reaches whom, with the row '$row': $said"
done
grep -qF 'sudo configs/quickstart --down' <<<"$said" || fail "it tells how to remove it: $said"
began=$SECONDS
answer=$(configs/quickstart --json) || fail "a second run succeeds"
[ "$(jq -r .ok <<<"$answer")" = true ] || fail "everybody reaches what they may: $answer"
[ "$(jq '.reach | length' <<<"$answer")" -eq 52 ] || fail "it looked at every pair: $answer"
[ $((SECONDS - began)) -lt 60 ] || fail "it is there within 60 s once built"
curl -s -f -o /dev/null "$(jq -r .url <<<"$answer")/openapi.yaml" || fail "the hub runs at the URL that was told"
nave_rest() {
	curl -sS --fail-with-body -m 10 -H "Authorization: Bearer $(cat "$(jq -r .token_file <<<"$answer")")" \
		"$(jq -r .url <<<"$answer")$1" "${@:2}"
}
[ -r "$(jq -r .token_file <<<"$answer")" ] || fail "the token lies where it was told"
while read -r command; do
	timeout 20 bash -c "${command//sudo /}" >/dev/null 2>&1 || fail "what it proposes to try works: $command"
done < <(jq -r '.try_next[] | select(. != "")' <<<"$answer")

# a difference: clients are let through to each other
instance=/v1/instances/$(nave_rest /v1/instances | jq -r '.items[0].id')
nave_rest "$instance" -X PATCH -H 'Content-Type: application/json' -d '{"access":{"client_to_client":true}}' \
	-H "If-Match: $(nave_rest "$instance" -o /dev/null -D - | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')" >/dev/null
said=$(configs/quickstart --again 2>/dev/null)
[ $? -eq 1 ] || fail "a network that is not as it must be is an error"
shown 'laptop (split) yes yes yes - !yes !yes yes yes,direct' || fail "the cell is marked: $said"
answer=$(configs/quickstart --again --json 2>/dev/null)
[ "$(jq -c '[.ok, (.reach[] | select(.expected != .observed) | .from + ">" + .to)]' <<<"$answer")" = \
	'[false,"laptop>nomad","laptop>roadie","nomad>laptop","nomad>roadie","roadie>laptop","roadie>nomad","rogue>nomad","rogue>roadie"]' ] || fail "the difference is in the JSON: $answer"

configs/quickstart --nonsense >/dev/null 2>&1
[ $? -eq 2 ] || fail "wrong usage is 2"
configs/quickstart --down || fail "--down succeeds"
for left in /run/nave /var/lib/nave /var/lib/nave-node /run/nave-quickstart; do
	[ ! -e "$left" ] || fail "--down leaves no $left"
done
! ip netns list | grep -q '^nq-' || fail "--down leaves no namespace"
! pgrep -f 'build/quickstart|wireguard-go nq|openvpn .*nq' >/dev/null || fail "--down leaves no process"
configs/quickstart --down || fail "--down twice is fine"
echo "ok"
