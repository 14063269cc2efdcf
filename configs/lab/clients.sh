# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Stock WireGuard clients: wg-quick with wireguard-go, importing what the hub issued.

# bytes of data of the pings that are counted where they arrive, whoever they say they are from
LAB_MARK=177

# the socket of wireguard-go is shared by the whole machine: its interface needs a name of its own
lab_tunnel() {
	echo "$LAB_PREFIX$1"
}

# lab_tunnel_conf MACHINE: where its profile is imported to
lab_tunnel_conf() {
	echo "$LAB_DIR/clients/$(lab_tunnel "$1").conf"
}

lab_wg_quick() {
	lab_in "$2" env PATH="$LAB_SCRIPTS:$PATH" LAB_DIR="$LAB_DIR" LOG_LEVEL=error \
		WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go \
		wg-quick "$1" "$(lab_tunnel_conf "$2")" </dev/null >>"$LAB_DIR/logs/wg-quick.$2" 2>&1
}

# lab_tunnel_up MACHINE PROFILE [SED_SCRIPT]: imports a profile, as it is or edited, and connects
lab_tunnel_up() {
	local conf
	conf=$(lab_tunnel_conf "$1")
	mkdir -p "${conf%/*}"
	(umask 077 && sed "${3:-}" "$2" >"$conf")
	if ! lab_wg_quick up "$1"; then
		tail -n 5 "$LAB_DIR/logs/wg-quick.$1" >&2
		return 1
	fi
}

lab_tunnel_down() {
	lab_wg_quick down "$1"
}

# lab_key_make MACHINE: a key pair that never leaves the client; prints the public half
lab_key_make() {
	mkdir -p "$LAB_DIR/clients"
	(umask 077 && wg genkey >"$LAB_DIR/clients/$1.key")
	wg pubkey <"$LAB_DIR/clients/$1.key"
}

# lab_key_filled MACHINE: the sed script that puts its own key into a profile issued without one
lab_key_filled() {
	# a key is base64: '|' is not in it
	printf '/^#* *PrivateKey/d; s|^\[Interface\]|&\\nPrivateKey = %s|\n' "$(cat "$LAB_DIR/clients/$1.key")"
}

# lab_ping MACHINE ADDRESS SECONDS [PING_OPTIONS...]: 0 an answer within the time, 1 asked and not answered,
# 2 it could not even be asked
lab_ping() {
	local machine=$1 address=$2 seconds=$3 said code
	shift 3
	said=$(lab_in "$machine" ping -q -n -c 1 -i 0.2 -w "$seconds" "$@" "$address" 2>&1)
	code=$?
	grep -q '^[1-9][0-9]* packets transmitted' <<<"$said" || code=2
	[ "$code" -le 1 ] || echo "ping from $machine to $address: $said" >&2
	return "$code"
}

# lab_reaches MACHINE ADDRESS [SECONDS] [PING_OPTIONS...]: an answer within the time
lab_reaches() {
	lab_ping "$1" "$2" "${3:-3}" "${@:4}"
}

# lab_refused MACHINE ADDRESS [PING_OPTIONS...]: several tries, no answer to any
lab_refused() {
	lab_ping "$1" "$2" 1 "${@:3}"
	[ $? -eq 1 ]
}

# lab_arrivals_watch MACHINE: counts the echo requests that reach it from now on
lab_arrivals_watch() {
	lab_in "$1" nft -f - <<-END
		table inet arrivals
		delete table inet arrivals
		table inet arrivals {
			counter all4 { }
			counter all6 { }
			counter marked4 { }
			counter marked6 { }
			chain arrivals {
				type filter hook prerouting priority raw;
				icmp type echo-request counter name all4
				icmpv6 type echo-request counter name all6
				icmp type echo-request meta length $((LAB_MARK + 28)) counter name marked4
				icmpv6 type echo-request meta length $((LAB_MARK + 48)) counter name marked6
			}
		}
	END
}

# lab_arrivals MACHINE all|marked 4|6: how many there were; marked are those of ping -s $LAB_MARK
lab_arrivals() {
	lab_in "$1" nft -j list counter inet arrivals "$2$3" | jq '.nftables[] | .counter // empty | .packets'
}
