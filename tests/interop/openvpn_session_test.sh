#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A session's life: renegotiated by either side under traffic without a loss, while the hub's certificate is renewed; a
# client that is killed and comes again from the same port, and one whose address and then port change under way, also
# between two renegotiations.
# shellcheck source=../lib/interop.sh
. "$(dirname "$0")/../lib/interop.sh"
# shellcheck source=../lib/openvpn.sh
. "$ROOT/tests/lib/openvpn.sh"

PORT=40777

# handshakes MACHINE: how many its log tells of
handshakes() {
	grep -c 'Control Channel: TLS' "$(lab_openvpn_file "$1" log)"
}

# handshakes_pass MACHINE NUMBER
handshakes_pass() {
	[ "$(handshakes "$1")" -gt "$2" ]
}

# pings_begin MACHINE: a hundred a second, with 700 bytes, for 13 s
pings_begin() {
	lab_in "$1" ping -q -n -i 0.01 -c 1300 -W 1 -s 700 192.168.10.10 >"$LAB_DIR/pings.$1" 2>&1 &
	pids+=($!)
}

# each client notes the numbers of the hub's certificates that it is shown
NOTES=$LAB_DIR/note_certificate
cat >"$NOTES" <<-END
	#!/bin/sh
	[ "\$2" != 0 ] || echo "\$tls_serial_0" >>"$NOTES.\$1"
END
chmod +x "$NOTES"

# certificates_seen MACHINE: how many there were
certificates_seen() {
	sort -u "$NOTES.$1" | wc -l
}

# certificate_is_due: that of acme's hub, as at two thirds of its time. nave-control looks each 5 s.
certificate_is_due() {
	python3 -B - "$LAB_STATE/control.db" "$(lab_instance acme .id)" <<-END
		import sqlite3, sys, uuid
		with sqlite3.connect(sys.argv[1], timeout=10) as database:
		    done = database.execute("UPDATE authority SET renews_at = 1 WHERE instance_id = ?",
		                            (uuid.UUID(sys.argv[2]).bytes,))
		sys.exit(done.rowcount != 1)
	END
}

# the hub renews after 9 to 10 s; who asks for less is first
check "the listener" listeners '{"renegotiate_seconds":10}'
noting=(--script-security 2 --tls-verify)
check "rita renews over UDP" ovpn_guest rita 7 udp --reneg-sec 3 "${noting[@]}" "$NOTES rita"
check "tina renews over TCP" ovpn_guest tina 8 tcp --reneg-sec 3 "${noting[@]}" "$NOTES tina"
check "the hub renews sara" ovpn_guest sara 9 udp --reneg-sec 0 "${noting[@]}" "$NOTES sara"
pids=()
for machine in rita tina sara; do
	check "$machine: before" lab_reaches "$machine" 192.168.10.10 5
	pings_begin "$machine"
	check "$machine: one certificate" same 1 certificates_seen "$machine"
done
check "the hub's certificate is due" certificate_is_due
wait "${pids[@]}"
for machine in rita tina sara; do
	least=3
	[ "$machine" != sara ] || least=1
	check "$machine: renewed $least times at least" handshakes_pass "$machine" "$least"
	check "$machine: not a packet lost: $(grep transmitted "$LAB_DIR/pings.$machine")" \
		grep -q '^1300 packets transmitted, 1300 received' "$LAB_DIR/pings.$machine"
	check "$machine: the new certificate has reached it" lab_until 12 same 2 certificates_seen "$machine"
	check_not "$machine: never anew" lab_openvpn_says "$machine" SIGUSR1
done
lab_openvpn_down tina KILL
lab_openvpn_down sara KILL

# killed, and again from the same port, when the hub still knows the session of before
sed -i '/^nobind$/d' "$LAB_DIR/clients/acme.rita.issued.ovpn"
check "from a port of its own" reconnect rita --lport "$PORT"
check "it reaches" lab_reaches rita 192.168.10.10 5
began=$EPOCHSECONDS
check "killed and again from that port" reconnect rita --lport "$PORT" --reneg-sec 4
check "within 5 s" test $((EPOCHSECONDS - began)) -le 5
check "it reaches" lab_reaches rita 192.168.10.10 5

# another address under way. The socket is bound to no address, as an app's is
lab_member_address rita 10
check "at another address, within 2 s" lab_reaches rita 192.168.10.10 2
check "towards the client too" lab_reaches branch-lan "$(inner4 rita)" 2
count=$(handshakes rita)
check "renewed from there" lab_until 10 handshakes_pass rita "$count"

# through NAT that forgot: another port outside, the client's own inside. The router does it, where sums are whole
nat() {
	lab_in inet nft -f - <<-END
		table ip nat_again
		delete table ip nat_again
		table ip nat_again {
			chain both {
				type filter hook prerouting priority raw
				ip saddr $(lab_member4 10) udp sport $PORT udp sport set $1
				ip daddr $(lab_member4 10) udp dport $1 udp dport set $PORT udp checksum set 0
			}
		}
	END
}
at_end lab_in inet nft delete table ip nat_again
for outside in 41001 41002; do
	check "port $outside outside" nat "$outside"
	check "within 2 s" lab_reaches rita 192.168.10.10 2
	check "towards the client too" lab_reaches branch-lan "$(inner4 rita)" 2
done
count=$(handshakes rita)
check "renewed through it" lab_until 10 handshakes_pass rita "$((count + 1))"
check "it reaches" lab_reaches rita 192.168.10.10 1
check_not "the same session all the time" lab_openvpn_says rita SIGUSR1
check "seen there" lab_until 12 same "$(lab_member4 10)" connected_from rita
