#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Cases B7, C3, C5, E1 to E7 and F of WireGuard's netns test: what wg sets is what wg shows.
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# configure LINES: all of nave2, anew
configure() {
	cat >"$LAB_DIR/setconf"
	hub_wg setconf nave2 "$LAB_DIR/setconf"
}

peer_block() {
	printf '[Peer]\nPublicKey = %s\n' "$1"
}

# how many peers of nave2 have how many prefixes, a line each
prefixes() {
	hub_wg show nave2 allowed-ips |
		awk '{ n[$2 == "(none)" ? 0 : NF - 1]++ } END { for (i in n) print n[i], i }' | sort -n -k 2
}

# a line each section, its words sorted
sorted() {
	local section
	awk -v RS= '{ gsub(/[ ,\n]+/, " "); print }' | while read -r section; do
		tr ' ' '\n' <<<"$section" | sort | xargs
	done | sort
}

# a public key for number N, which nobody has the other half of
public_number() {
	{ printf '%b' "\\x$(printf %02x $(($1 % 256)))\\x$(printf %02x $(($1 / 256 + 1)))" && head -c 30 /dev/zero; } | base64
}

peers_are() {
	[ "$(hub_wg show nave2 peers | wc -l)" -eq "$1" ]
}

check "peer a" peer_up a 2
check "peer b" peer_up b 3
check "b says where it is" lab_reaches b 10.99.0.1
check "a reaches b" lab_reaches a 10.99.0.3

case_is B7 "another key of the hub, then of a peer"
hub_wg set nave1 private-key "$(private_key second)"
peer_trusts a second
check "at once, with the hub's new key" lab_reaches a 10.99.0.1
check "not with the old one" lab_refused b 10.99.0.1
hub_wg set nave1 private-key "$(private_key hub)"
peer_trusts b hub
check "at once, with the old one again" lab_reaches b 10.99.0.1
peer_wg a set private-key "$(private_key a2)"
peer_trusts a hub
hub_wg set nave1 peer "$(public_key a)" remove peer "$(public_key a2)" preshared-key "$(psk a)" \
	allowed-ips 10.99.0.2/32,fd99::2/128
check "at once, with the peer's new key" lab_reaches a 10.99.0.3
check "the peer's old key is gone" same "" of_hub 1 peers a

case_is C3 "an endpoint within a tunnel, and within itself"
before=$(hub_sent)
hub_wg set nave1 peer "$(public_key onion)" endpoint 10.99.0.2:5 allowed-ips 10.99.0.9/32 persistent-keepalive 1
check "nothing comes of it" lab_refused b 10.99.0.9
hub_wg set nave1 peer "$(public_key onion)" endpoint 10.99.0.9:5
check "nor of this" lab_refused b 10.99.0.9
check_not "the hub itself is refused" hub_wg set nave1 peer "$(public_key onion)" endpoint "$LAB_HUB4:51820"
check "which leaves it where it was" same 10.99.0.9:5 of_hub 1 endpoints onion
sent=$(($(hub_sent) - before))
check "and nothing goes round: $sent packets" test "$sent" -lt 100
hub_wg set nave1 peer "$(public_key onion)" remove
check "the hub goes on" lab_reaches a 10.99.0.3

case_is C5 "who writes to a peer that is gone is told, by the hub"
hub_wg set nave1 peer "$(public_key a2)" remove
told=$(lab_in b ping -n -c 1 -W 2 10.99.0.2)
check "unreachable, says its inner address" grep -Eq 'From 10.99.0.1 .*(Unreachable|unreachable)' <<<"$told"

case_is E1 "130 560 allowed addresses on one peer"
{
	peer_block "$(public_number 1)"
	for i in {0..509}; do
		printf 'AllowedIPs = '
		for j in {0..254}; do
			printf '10.%d.%d.%d/32, ' "$((i / 255))" "$((i % 255))" "$j"
		done
		printf '10.%d.%d.255/32\n' "$((i / 255))" "$((i % 255))"
	done
} | configure
check "130 560 are shown" test "$(hub_wg show nave2 allowed-ips | tr '\t ' '\n' | tail -n +2 | sort -u | wc -l)" -eq 130560

case_is E2 "40 peers with 52 networks each"
for ((p = 0; p < 40; p++)); do
	peer_block "$(public_number "$p")"
	for ((n = 0; n < 26; n++)); do
		printf 'AllowedIPs = %d.%d.0.0/16, %x:%x::/32\n' "$((p + 1))" "$n" "$((p + 1))" "$n"
	done
done | configure
check "40 times 52" same "40 52" prefixes

case_is E3 "30 peers, the last with networks"
{
	for ((p = 0; p < 30; p++)); do
		peer_block "$(public_number "$p")"
	done
	printf 'AllowedIPs = '
	for ((n = 0; n < 250; n++)); do
		printf '10.%d.0.0/16, ' "$n"
	done
	echo 10.255.0.0/16
} | configure
hub_wg showconf nave2 >"$LAB_DIR/showconf"
check "30 peers in it" test "$(grep -c '^\[Peer\]' "$LAB_DIR/showconf")" -eq 30
sorted <"$LAB_DIR/showconf" >"$LAB_DIR/before"
configure <"$LAB_DIR/showconf"
check "what it says is what is" diff <(hub_wg showconf nave2 | sorted) "$LAB_DIR/before"

case_is E4 "197 IPv6 networks on one of two"
{
	peer_block "$(public_number 1)"
	peer_block "$(public_number 2)"
	for ((n = 0; n < 197; n++)); do
		printf 'AllowedIPs = abcd:%x::/32\n' "$n"
	done
} | configure
check "197 and none" same "1 0
1 197" prefixes

case_is E5 "a device that is none"
check_not "is not shown" hub_wg show nave9
check_not "nor set" hub_wg set nave9 listen-port 1

case_is E6 "keys set, read, cleared; whose is whose"
configure <<<''
check "nobody" peers_are 0
hub_wg set nave2 private-key "$(private_key e6)" peer "$(public_key x)" preshared-key "$(psk x)"
check "the private key" same "$(cat "$(private_key e6)")" hub_wg show nave2 private-key
check "the preshared key" grep -qF "$(cat "$(psk x)")" <<<"$(hub_wg show nave2 preshared-keys)"
hub_wg set nave2 private-key /dev/null peer "$(public_key x)" preshared-key /dev/null
check "no private key" same '(none)' hub_wg show nave2 private-key
check "no preshared key" grep -qF '(none)' <<<"$(hub_wg show nave2 preshared-keys)"
hub_wg set nave2 private-key "$(private_key x)"
check "our key is no peer any more" peers_are 0
hub_wg set nave2 peer "$(public_key x)" allowed-ips 10.1.0.0/16
check "and becomes none" peers_are 0
printf '\xff%.0s' {1..32} | base64 >"$LAB_DIR/keys/ones"
hub_wg set nave2 private-key "$LAB_DIR/keys/ones"
check "a key is clamped" same "$({ printf '\xf8' && printf '\xff%.0s' {1..30} && printf '\x7f'; } | base64)" hub_wg show nave2 private-key
hub_wg set nave2 peer "$(public_number 1)" allowed-ips 10.1.0.0/16,10.2.0.0/16 peer "$(public_number 2)" allowed-ips 10.1.0.0/16
check "a network is whose it became last" grep -qxF "$(public_number 1)	10.2.0.0/16" <<<"$(hub_wg show nave2 allowed-ips)"
check_not "a port that is another's is refused" hub_wg set nave2 listen-port 51820
check_not "with all that stands beside it" hub_wg set nave2 listen-port 51820 peer "$(public_number 3)"
check "nothing of it was done" peers_are 2

case_is E7 "seven points of low order get no packet"
port=40000
hub_wg set nave2 private-key "$(private_key e6)"
lab_in inet tcpdump -l -n -i to-hub "udp and dst host $(lab_member4 2)" >"$LAB_DIR/low-order" 2>"$LAB_DIR/tcpdump" &
watch=$!
at_end kill "$watch"
check "somebody looks" lab_until 5 grep -q listening "$LAB_DIR/tcpdump"
points=(AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
	4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA= X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=
	7P///////////////////////////////////////38= 7f///////////////////////////////////////38=
	7v///////////////////////////////////////38=)
for key in "${points[@]}"; do
	hub_wg set nave2 peer "$key" persistent-keepalive 1 endpoint "$(lab_member4 2):$((port++))"
done
check "all seven are peers" test "$(hub_wg show nave2 peers | grep -cxF -f <(printf '%s\n' "${points[@]}"))" -eq 7
hub_wg set nave2 peer "$(public_number 4)" persistent-keepalive 1 endpoint "$(lab_member4 2):$port"
check "a good key's packet comes" lab_until 5 grep -q "\.$port:" "$LAB_DIR/low-order"
sleep 1.2 # a keepalive more
check_not "of the others none" grep -Eq "\.4000[0-6]:" "$LAB_DIR/low-order"

case_is F "a hundred times made and taken away"
configure <<<''
for ((n = 0; n < 100; n++)); do
	hub_wg set nave2 peer "$(public_number "$n")" allowed-ips 10.3.0.0/24 || break
	hub_wg set nave2 peer "$(public_number "$n")" remove || break
done
check "all of them" test "$n" -eq 100
check "nobody is left" peers_are 0
check "nor anything of them" test "$(hub_wg showconf nave2 | grep -c ' = ')" -eq 1
check "the hub goes on" lab_reaches b 10.99.0.1

check "a clean end" netns_down
