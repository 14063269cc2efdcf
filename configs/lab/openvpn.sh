# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Stock OpenVPN clients: Debian's openvpn, with the profile that the hub issued.

# one file of that client's: lab_openvpn_file MACHINE KIND
lab_openvpn_file() {
	echo "$LAB_DIR/clients/$(lab_tunnel "$1").openvpn.$2"
}

# lab_openvpn_start MACHINE PROFILE [OPTION...]: openvpn's own, behind the profile's. It goes on in the background.
lab_openvpn_start() {
	local machine=$1 profile=$2 config
	shift 2
	config=$(lab_openvpn_file "$machine" ovpn)
	mkdir -p "${config%/*}"
	(umask 077 && cat "$profile" >"$config")
	rm -f "$(lab_openvpn_file "$machine" log)"
	lab_in "$machine" openvpn --config "$config" --dev "$(lab_tunnel "$machine")" --dev-type tun \
		--writepid "$(lab_openvpn_file "$machine" pid)" --log "$(lab_openvpn_file "$machine" log)" \
		--verb 4 --daemon "$@"
}

# lab_openvpn_says MACHINE TEXT: its log has it
lab_openvpn_says() {
	grep -qF -- "$2" "$(lab_openvpn_file "$1" log)" 2>/dev/null
}

# lab_openvpn_up MACHINE PROFILE [OPTION...]: connected within 15 s
lab_openvpn_up() {
	lab_openvpn_start "$@" || return 1
	if ! lab_until 15 lab_openvpn_says "$1" 'Initialization Sequence Completed'; then
		tail -n 20 "$(lab_openvpn_file "$1" log)" >&2
		return 1
	fi
}

# lab_openvpn_gone PID: also when nobody has asked yet how it ended
lab_openvpn_gone() {
	! grep -qs . "/proc/$1/cmdline"
}

# lab_openvpn_down MACHINE [SIGNAL]: ends it, which says good-bye unless it is KILL
lab_openvpn_down() {
	local file pid
	file=$(lab_openvpn_file "$1" pid)
	pid=$(cat "$file" 2>/dev/null) || return 0
	rm -f "$file"
	kill -"${2:-TERM}" "$pid" 2>/dev/null || return 0
	lab_until 5 lab_openvpn_gone "$pid"
}

# lab_openvpn_profile INSTANCE NAME udp|tcp: as issued, with the keys that the hub made
lab_openvpn_profile() {
	local file=$LAB_DIR/clients/$1.$2.issued.ovpn path
	mkdir -p "$LAB_DIR/clients"
	path=$(lab_peer_path "$1" "$2") && lab_rest POST "$path/profile/reveal" >/dev/null &&
		(umask 077 && lab_rest GET "$path/profile?format=openvpn&transport=$3" >"$file") && echo "$file"
}

# lab_openvpn_connect INSTANCE MACHINE udp|tcp [OPTION...]: a split client with the profile as issued
lab_openvpn_connect() {
	local instance=$1 machine=$2 profile
	lab_peer_create "$instance" \
		"{\"type\":\"client\",\"protocol\":\"openvpn\",\"name\":\"$machine\",\"route_all\":false}" &&
		profile=$(lab_openvpn_profile "$instance" "$machine" "$3") || return
	shift 3
	lab_openvpn_up "$machine" "$profile" "$@"
}

# What quickstart has beside the standard network, with LAB_OPENVPN set: nomad, a laptop over UDP, and the site shop,
# over TCP with the settings of an old RouterOS. A site's record comes before the other sites take their profiles.
lab_openvpn_places() {
	lab_member_add nomad 5 && lab_site_add shop 6 30
}

lab_openvpn_records() {
	lab_peer_create acme '{"type":"client","protocol":"openvpn","name":"nomad","route_all":false}' &&
		lab_peer_create acme '{"type":"site","protocol":"openvpn","name":"shop",
			"subnets":["192.168.30.0/24","fd00:30::/64"]}'
}

lab_openvpn_members_up() {
	local profile
	profile=$(lab_openvpn_profile acme nomad udp) && lab_openvpn_up nomad "$profile" &&
		profile=$(lab_openvpn_profile acme shop tcp) &&
		lab_openvpn_up shop "$profile" --data-ciphers AES-256-CBC --auth SHA1
}
