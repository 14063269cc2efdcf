# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Instances and peers of the lab, made as an operator makes them: by the REST API and the command line.
# Peers carry the name of their machine. Instances are named by their hostname.

# lab_rest METHOD PATH [JSON]: one call as the administrator; prints the answer. A change names the
# version that it is about, so it is read first.
lab_rest() {
	local arguments=(-sS --fail-with-body --max-time 10 -X "$1") token etag
	token=$(cat "$LAB_STATE/admin.token")
	arguments+=(-H "Authorization: Bearer $token")
	if [ "$1" = PATCH ]; then
		etag=$(curl -sS --fail --max-time 10 -o /dev/null -D - -H "Authorization: Bearer $token" \
			"http://$LAB_LISTEN$2" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p')
		arguments+=(-H "If-Match: $etag")
	fi
	[ $# -lt 3 ] || arguments+=(-H 'Content-Type: application/json' -d "$3")
	curl "${arguments[@]}" "http://$LAB_LISTEN$2"
}

# lab_rest_list PATH: every item of a list, one a line
lab_rest_list() {
	local cursor='' answer
	while answer=$(lab_rest GET "$1?limit=200${cursor:+&cursor=$cursor}"); do
		jq -c '.items[]' <<<"$answer"
		cursor=$(jq -r '.next_cursor // empty' <<<"$answer")
		[ -n "$cursor" ] || return 0
	done
	return 1
}

# lab_instance NAME JQ_FILTER: something of an instance
lab_instance() {
	local answer # jq 1.6 calls an empty input a success
	answer=$(lab_rest GET "/v1/instances?hostname=$1") && jq -er ".items[0] | $2" <<<"$answer"
}

lab_instance_path() {
	local id
	id=$(lab_instance "$1" .id) && echo "/v1/instances/$id"
}

# lab_instance_create NAME [JSON]: and waits until the hub carries it; what the JSON asks for goes by REST
lab_instance_create() {
	local body
	if [ $# -eq 1 ]; then
		lab_nave instances create "$1" --name "Network $1" --wait >/dev/null
		return
	fi
	body=$(jq -cn --arg name "$1" --argjson more "$2" \
		'{name: "Network \($name)", hostname: $name, region: "local"} + ($more // {})')
	lab_rest POST /v1/instances "$body" >/dev/null && lab_until 10 lab_instance_ready "$1"
}

lab_instance_ready() {
	[ "$(lab_instance "$1" .state)" = ready ]
}

lab_instance_update() {
	local path
	path=$(lab_instance_path "$1") && lab_rest PATCH "$path" "$2" >/dev/null
}

lab_instance_del() {
	local path
	path=$(lab_instance_path "$1") && lab_rest DELETE "$path" >/dev/null
}

# lab_peer INSTANCE NAME JQ_FILTER: something of a peer
lab_peer() {
	local path answer
	path=$(lab_instance_path "$1") && answer=$(lab_rest GET "$path/peers?name=$2") &&
		jq -er ".items[0] | $3" <<<"$answer"
}

lab_peer_path() {
	local path id
	path=$(lab_instance_path "$1") && id=$(lab_peer "$1" "$2" .id) && echo "$path/peers/$id"
}

lab_peer_create() {
	local path
	path=$(lab_instance_path "$1") && lab_rest POST "$path/peers" "$2" >/dev/null
}

lab_peer_update() {
	local path
	path=$(lab_peer_path "$1" "$2") && lab_rest PATCH "$path" "$3" >/dev/null
}

# lab_peer_action INSTANCE NAME suspend|resume
lab_peer_action() {
	local path
	path=$(lab_peer_path "$1" "$2") && lab_rest POST "$path/$3" >/dev/null
}

# lab_peer_del INSTANCE NAME: fine when it is gone already
lab_peer_del() {
	local path
	path=$(lab_peer_path "$1" "$2") || return 0
	lab_rest DELETE "$path" >/dev/null
}

# lab_peer_profile INSTANCE NAME: as issued, with the key where the hub made it
lab_peer_profile() {
	local file=$LAB_DIR/clients/$1.$2.issued
	mkdir -p "$LAB_DIR/clients"
	rm -f "$file"
	lab_nave peers profile "$1" "$2" --reveal --out "$file" && echo "$file"
}

# lab_inner INSTANCE PEER 4|6: its address inside
lab_inner() {
	lab_peer "$1" "$2" .addresses | lab_pick_family "$3"
}

# lab_hub_inner INSTANCE 4|6: the hub's address inside, the first of the network
lab_hub_inner() {
	lab_network_address "$1" "$2" 1
}

# lab_inner_nobody INSTANCE: an IPv4 address of the network that no peer has
lab_inner_nobody() {
	lab_network_address "$1" 4 -2
}

lab_network_address() {
	python3 -c 'import ipaddress, sys; print(ipaddress.ip_network(sys.argv[1])[int(sys.argv[2])])' \
		"$(lab_instance "$1" ".networks.ipv$2")" "$3"
}

# of a JSON list of addresses, or an object {ipv4, ipv6}
lab_pick_family() {
	jq -r --arg family "$1" '[.[]] | map(select(contains(":") == ($family == "6")))[0] | sub("/.*"; "")'
}

# lab_site_create INSTANCE MACHINE SUBNET...: a router that makes its own key
lab_site_create() {
	local instance=$1 machine=$2 subnet arguments=()
	shift 2
	for subnet; do
		arguments+=(--subnet "$subnet")
	done
	lab_nave peers create "$instance" --site "$machine" --public-key "$(lab_key_make "$machine")" \
		"${arguments[@]}" >/dev/null
}

# lab_site_import INSTANCE MACHINE: it imports its profile, fills in its key, and connects
lab_site_import() {
	local profile
	profile=$(lab_peer_profile "$1" "$2") && lab_tunnel_up "$2" "$profile" "$(lab_key_filled "$2")"
}

# lab_client_connect INSTANCE MACHINE true|false [SED_SCRIPT]: somebody whose key the hub made; the third
# says route-all or split, the last edits the profile before it is imported
lab_client_connect() {
	local profile arguments=()
	[ "$3" = false ] || arguments=(--route-all)
	lab_nave peers create "$1" --client "$2" "${arguments[@]}" >/dev/null && profile=$(lab_peer_profile "$1" "$2") &&
		lab_tunnel_up "$2" "$profile" "${4:-}"
}

# lab_tunnel_again MACHINE: disconnects and connects: a new handshake
lab_tunnel_again() {
	lab_wg_quick down "$1" && lab_wg_quick up "$1"
}

# lab_standard_up: the lab with the network "acme" and everybody connected; LAB_OPENVPN: also those who speak that
lab_standard_up() {
	local openvpn=${LAB_OPENVPN:-} machine hub machines=(branch depot laptop roadie rogue)
	lab_configure
	lab_internet_up && lab_site_add branch 1 10 && lab_site_add depot 2 20 &&
		lab_member_add laptop 3 && lab_member_add roadie 4 && lab_member_add rogue 12 || return
	[ -z "$openvpn" ] || lab_openvpn_places || return
	setsid ip netns exec "$(lab_ns web)" python3 -B "$LAB_SCRIPTS/internet.py" web </dev/null >/dev/null 2>&1 &
	lab_daemons_start && lab_instance_create acme || return
	# all sites first: a profile lists the networks that there are when it is issued
	[ -z "$openvpn" ] || lab_openvpn_records || return
	lab_site_create acme branch 192.168.10.0/24 fd00:10::/64 &&
		lab_site_create acme depot 192.168.20.0/24 fd00:20::/64 &&
		lab_site_import acme branch && lab_site_import acme depot &&
		lab_client_connect acme laptop false && lab_client_connect acme roadie true &&
		lab_client_connect acme rogue false 's|^AllowedIPs.*|AllowedIPs = 0.0.0.0/0, ::/0|' || return
	[ -z "$openvpn" ] || { machines+=(nomad shop) && lab_openvpn_members_up; } || return
	hub=$(lab_hub_inner acme 4)
	for machine in "${machines[@]}"; do
		lab_reaches "$machine" "$hub" 10 || {
			echo "$machine does not reach the hub's inner address $hub" >&2
			return 1
		}
	done
	lab_until 5 lab_in laptop curl -s -o /dev/null --max-time 2 "http://$LAB_WEB4/"
}
