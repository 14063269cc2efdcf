#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who gets in with what, and who does not and why, in the client's words and in REST's; a peer that is suspended or
# removed is cut within a second; options that cannot be met, compression that can, and a good-bye. And a port that
# another program on the hub has.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

PROFILE=$LAB_DIR/clients/acme.kate.issued.ovpn

# failed_with TEXT [INSTANCE]: what REST says of the last failure
failed_with() {
	[[ $(lab_peer "${2:-acme}" kate '.last_failure.reason // ""') == *"$1"* ]]
}

# up_with WHAT UDP_SETTINGS
up_with() {
	check "$1: the listener" listeners "$2"
	check "$1: connected" again kate udp
	check "$1: branch LAN" lab_reaches kate 192.168.10.10 5
}

# lines of the profile: the name, and the password behind it
edit_login() {
	sed -i "/^<auth-user-pass>/,/^<\/auth-user-pass>/{/^<auth/{n;$1}}" "$PROFILE"
}

# foreign_certificate: kate of elsewhere in kate's profile, and that instance's hub would let her in
foreign_certificate() {
	sed -i '/^<cert>/,/^<\/key>/d' "$PROFILE" && sed -n '/^<cert>/,/^<\/key>/p' "$elsewhere" >>"$PROFILE"
}

# elsewhere_says TEXT: why it is not well
elsewhere_says() {
	[[ $(lab_instance elsewhere '.conditions | map(.message) | join(" ")') == *"$1"* ]]
}

# port_taken PORT: by a program on the hub that has nothing to do with us; TAKER is its process
port_taken() {
	ip netns exec "$(lab_ns hub)" python3 -c "import socket, time; s = socket.create_server(('', $1)); time.sleep(60)" &
	TAKER=$!
	at_end port_freed
	lab_until 5 lab_in hub bash -c "ss -ltn | grep -q ':$1 '"
}

port_freed() {
	[ -z "$TAKER" ] || kill "$TAKER"
	TAKER=
}

check "certificate" ovpn_guest kate 7 udp
# what others have: the neighbour's network on the same hub. Its TCP port is the next one
next=$(($(lab_instance acme .endpoints.openvpn_tcp.port) + 1))
check "a program that listens at port $next" port_taken "$next"
at_end lab_instance_del elsewhere
check "another instance" lab_nave instances create elsewhere --name Elsewhere
check "it says which port it cannot have" lab_until 10 elsewhere_says "TCP, port $next: another program on this hub has it; stop"
port_freed
check "it is well by itself once that is free" lab_until 10 lab_instance_ready elsewhere
check "a client of it" lab_peer_create elsewhere '{"type":"client","protocol":"openvpn","name":"kate","route_all":false}'
elsewhere=$(lab_openvpn_profile elsewhere kate udp)

up_with "password alone" '{"requires_certificate":false,"requires_password":true}'
check_not "no certificate in the profile" grep -q '^<cert>' "$PROFILE"
up_with "certificate and password" '{"requires_password":true}'
edit_login 'n;s/.*/wrong/'
check "wrong password" start_refused kate AUTH_FAILED
check "REST says so" lab_until 12 failed_with password
check "again with the right one" again kate udp
edit_login 's/.*/nobody/'
check "wrong username" start_refused kate AUTH_FAILED
sed -i '/^<auth-user-pass>/,/^<.auth-user-pass>/d' "$PROFILE"
check "its certificate alone is not enough" start_refused kate AUTH_FAILED

check "the standard listener" listeners '{}'
check "what is issued now" lab_openvpn_profile acme kate udp >/dev/null
check "a certificate of another instance" foreign_certificate
check "is refused at once, in TLS' own words" start_refused kate 'Received fatal SSL alert: unknown CA'
check_not "and gets no address" lab_openvpn_says kate PUSH_REPLY
check "REST says so, of whose it is" lab_until 12 failed_with certificate elsewhere

check "fragment" lab_openvpn_profile acme kate udp >/dev/null
check "is refused in words" start_refused kate 'fragment is not supported' --fragment 1300
check "REST says so" lab_until 12 failed_with fragment
for compression in 'comp-lzo no' 'comp-lzo yes' 'compress stub' 'compress stub-v2'; do
	# shellcheck disable=SC2086 # an option and its argument
	check "$compression" reconnect kate --$compression --allow-compression yes
	both_ways kate
done

# the client says good-bye: the hub has no session to send to at once, not after two minutes of silence
inner=$(inner4 kate)
before=$(counter drop_no_key)
lab_openvpn_down kate
check "it has left" lab_refused branch-lan "$inner"
check "the hub knows" counted drop_no_key "$before"

check "again" reconnect kate
check "before" lab_reaches kate 192.168.10.10 5
check "suspend" lab_peer_action acme kate suspend
check "cut within a second" cut_within_1s kate 192.168.10.10
check "the client is told and tries again, and is refused" lab_until 12 lab_openvpn_says kate AUTH_FAILED
check "resume" lab_peer_action acme kate resume
check "back" reconnect kate
check "it reaches" lab_reaches kate 192.168.10.10 5
check "remove" lab_peer_del acme kate
check "cut within a second" cut_within_1s kate 192.168.10.10
check "refused again" lab_until 12 lab_openvpn_says kate AUTH_FAILED
check "the others do not notice" lab_reaches laptop 192.168.10.10 1
