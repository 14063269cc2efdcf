# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Floods at the hub's WireGuard listener, from the cable between the lab's internet and the hub. Each is bounded by
# flood.c in rate and time.

# flood_prepare INSTANCE: whom it is aimed at, and what to replay: an initiation and data of the client laptop
flood_prepare() {
	FLOOD_PORT=$(lab_instance "$1" .endpoints.wireguard.port) FLOOD_KEY=$(lab_instance "$1" .endpoints.wireguard.public_key)
	lab_reaches web "$LAB_HUB4" 5 || return
	FLOOD_MAC=$(lab_ip inet neigh show "$LAB_HUB4" dev to-hub | grep -o 'lladdr [^ ]*' | cut -d' ' -f2)
	# what the hub answers to the senders that there are not, whose MAC address nobody has; counted, then lost. Replays go under the name of laptop,
	# which has little to say itself
	lab_ip inet route replace blackhole 198.18.0.0/15
	lab_in inet nft -f - <<-END
		table netdev flood
		delete table netdev flood
		table netdev flood {
			counter answers { }
			chain answers {
				type filter hook ingress device to-hub priority 0;
				ip daddr { 198.18.0.0/15, $(lab_member4 3) } udp sport $FLOOD_PORT counter name answers
			}
		}
	END
	flood_capture 1 initiation && flood_capture 4 data
}

# flood_capture TYPE NAME: frames of laptop with such messages, as they come over the hub's cable
flood_capture() {
	local file=$LAB_DIR/flood.$2 tcpdump
	ip netns exec "$(lab_ns inet)" tcpdump -q -U --immediate-mode -c 1 -i to-hub -w "$file" \
		"src host $(lab_member4 3) and udp dst port $FLOOD_PORT and udp[8] = $1" 2>"$file.log" &
	tcpdump=$!
	lab_until 5 grep -qs listening "$file.log" && lab_tunnel_again laptop && lab_reaches laptop 192.168.10.10 5 &&
		wait "$tcpdump"
}

# flood_begin KIND RATE SECONDS hub|hole: in the background, as FLOOD_PID. A hole is an address on the hub's cable
# that nobody has. KIND: junk, bad-mac1, initiation, replay-initiation, replay-data
flood_begin() {
	local mac=$FLOOD_MAC address=$LAB_HUB4 argument=$FLOOD_KEY
	[ "$4" = hub ] || mac=02:00:00:00:00:63 address=203.0.113.99
	[ "${1#replay-}" = "$1" ] || argument=$LAB_DIR/flood.${1#replay-}
	ip netns exec "$(lab_ns inet)" "$LAB_BUILD/tests/lib/flood" to-hub "$mac" "$address" "$FLOOD_PORT" "$2" "$3" \
		"${1%%-[id]*}" "$argument" >"$LAB_DIR/flood.sent" &
	FLOOD_PID=$!
}

# flood_is_on: it still runs
flood_is_on() {
	kill -0 "$FLOOD_PID" 2>/dev/null
}

# flood_end: waits for it; FLOOD_FRAMES and FLOOD_BYTES went out
# shellcheck disable=SC2034 # read by those who source this
flood_end() {
	wait "$FLOOD_PID" && read -r FLOOD_FRAMES FLOOD_BYTES <"$LAB_DIR/flood.sent"
}

# flood_answered: bytes that went to those under whose names a flood comes
flood_answered() {
	lab_in inet nft -j list counter netdev flood answers | jq '.nftables[] | .counter // empty | .bytes'
}
