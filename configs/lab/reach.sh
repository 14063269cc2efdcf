# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Who reaches whom in the standard network, looked at from the hosts, and compared with what must be.
# A cell is tried over IPv4 and IPv6: "yes" or "refused" (both the same), or which of the two got through.
# No answer says little where the sender's address is somebody else's: there the far host counts what arrives.

REACH_ROWS=(branch-lan depot-lan shop-lan laptop nomad roadie rogue rogue-spoofing)
REACH_COLUMNS=(branch-lan depot-lan shop-lan laptop nomad roadie hub internet)

reach_title() {
	case "$1" in
	branch-lan) echo "host behind branch" ;;
	depot-lan) echo "host behind depot" ;;
	shop-lan) echo "host behind shop (OpenVPN)" ;;
	laptop) echo "laptop (split)" ;;
	nomad) echo "nomad (split, OpenVPN)" ;;
	roadie) echo "roadie (route-all)" ;;
	rogue) echo "rogue (split, routes all in)" ;;
	rogue-spoofing) echo "rogue with laptop's address" ;;
	esac
}

# reach_expected FROM TO: what the peer records and the access rules of acme say; "-" is not looked at
reach_expected() {
	case "$1>$2" in
	*-lan">internet" | rogue-spoofing">hub" | rogue">laptop" | rogue-spoofing">laptop") echo - ;;
	roadie">internet") echo yes,from-hub ;;
	laptop">internet" | nomad">internet") echo yes,direct ;;
	*">internet" | rogue-spoofing">"*) echo refused ;;
	"$1>$1") echo - ;;
	laptop">nomad" | laptop">roadie" | nomad">laptop" | nomad">roadie" | roadie">laptop" | roadie">nomad") echo refused ;;
	rogue">roadie" | rogue">nomad") echo refused ;;
	*) echo yes ;;
	esac
}

# reach_address TARGET 4|6
reach_address() {
	case "$1$2" in
	branch-lan4) echo 192.168.10.10 ;;
	branch-lan6) echo fd00:10::10 ;;
	depot-lan4) echo 192.168.20.10 ;;
	depot-lan6) echo fd00:20::10 ;;
	shop-lan4) echo 192.168.30.10 ;;
	shop-lan6) echo fd00:30::10 ;;
	internet4) echo "$LAB_WEB4" ;;
	internet6) echo "$LAB_WEB6" ;;
	hub?) lab_hub_inner acme "$2" ;;
	*) lab_inner acme "$1" "$2" ;;
	esac
}

# reach_machine TARGET: the host that it stands for
reach_machine() {
	[ "$1" = internet ] && echo web || echo "$1"
}

# reach_try FROM TO FAMILY: prints what happened
reach_try() {
	local from=$1 address seen code seconds=2
	address=${REACH_AT[$2$3]}
	if [ "$from" = rogue-spoofing ]; then
		# whether it arrived is told by the far host, when all is over
		lab_ping rogue "$address" 2 -s "$LAB_MARK" -I "${REACH_AT[laptop$3]}"
		[ $? -eq 1 ] && echo sent || echo unsent
		return
	fi
	# an answer ends the wait: a busy machine may take its time, and a refusal takes all of it
	[[ $(reach_expected "$from" "$2") != yes* ]] || seconds=10
	lab_ping "$from" "$address" "$seconds"
	code=$?
	if [ "$code" -eq 1 ]; then
		echo refused
	elif [ "$code" -ne 0 ]; then
		echo unsent
	elif [ "$2" != internet ]; then
		echo yes
	else
		[ "$3" = 4 ] || address="[$address]"
		seen=$(lab_in "$from" curl -s -m 10 "http://$address/")
		case "$seen" in
		"$LAB_HUB4" | "$LAB_HUB6") echo yes,from-hub ;;
		198.51.100.* | 2001:db8:100:*) echo yes,direct ;;
		*) echo "yes,from-$seen" ;;
		esac
	fi
}

# REACH_AT[TARGET FAMILY]: asked of the hub once
declare -A REACH_AT=()

# reach_measure: all cells at once, into $LAB_DIR/reach/FROM.TO.FAMILY
reach_measure() {
	local from to family pids=()
	rm -rf "$LAB_DIR/reach"
	mkdir "$LAB_DIR/reach"
	for family in 4 6; do
		for to in "${REACH_COLUMNS[@]}"; do
			REACH_AT[$to$family]=$(reach_address "$to" "$family")
		done
		# deprecated: used only when asked for
		lab_ip rogue address replace "${REACH_AT[laptop$family]}" dev "$(lab_tunnel rogue)" preferred_lft 0
	done
	for to in "${REACH_COLUMNS[@]}"; do
		[ "$(reach_expected rogue-spoofing "$to")" = - ] || lab_arrivals_watch "$(reach_machine "$to")"
	done
	for from in "${REACH_ROWS[@]}"; do
		for to in "${REACH_COLUMNS[@]}"; do
			[ "$(reach_expected "$from" "$to")" != - ] || continue
			for family in 4 6; do
				reach_try "$from" "$to" "$family" >"$LAB_DIR/reach/$from.$to.$family" &
				pids+=($!)
			done
		done
	done
	wait "${pids[@]}"
	for to in "${REACH_COLUMNS[@]}"; do
		[ "$(reach_expected rogue-spoofing "$to")" = - ] || for family in 4 6; do
			reach_arrived "$to" "$family"
		done
	done
}

# reach_arrived TO FAMILY: settles a cell of rogue-spoofing
reach_arrived() {
	local cell=$LAB_DIR/reach/rogue-spoofing.$1.$2 machine
	machine=$(reach_machine "$1")
	if ! grep -qx sent "$cell" || [ "$(lab_arrivals "$machine" all "$2")" -eq 0 ]; then
		echo unseen >"$cell" # nothing can be said: not even the others' pings were counted
	elif [ "$(lab_arrivals "$machine" marked "$2")" -eq 0 ]; then
		echo refused >"$cell"
	else
		echo arrived >"$cell"
	fi
}

# reach_observed FROM TO: one word for both families
reach_observed() {
	local four six
	four=$(cat "$LAB_DIR/reach/$1.$2.4")
	six=$(cat "$LAB_DIR/reach/$1.$2.6")
	if [ "$four" = "$six" ]; then
		echo "$four"
	else
		echo "v4:$four v6:$six"
	fi
}

reach_as_expected() {
	local from to expected
	for from in "${REACH_ROWS[@]}"; do
		for to in "${REACH_COLUMNS[@]}"; do
			expected=$(reach_expected "$from" "$to")
			[ "$expected" = - ] || [ "$(reach_observed "$from" "$to")" = "$expected" ] || return 1
		done
	done
}

reach_table() {
	local from to expected observed
	printf '\n%-30s' 'from \ to'
	printf '%-13s' "${REACH_COLUMNS[@]}"
	printf '\n'
	for from in "${REACH_ROWS[@]}"; do
		printf '%-30s' "$(reach_title "$from")"
		for to in "${REACH_COLUMNS[@]}"; do
			expected=$(reach_expected "$from" "$to")
			observed=-
			[ "$expected" = - ] || observed=$(reach_observed "$from" "$to")
			[ "$observed" = "$expected" ] || observed="!$observed"
			printf '%-13s' "$observed"
		done
		printf '\n'
	done
	printf '\nyes and refused: over IPv4 and IPv6. from-hub: the internet sees the hub, direct: the client itself.\n'
}

# reach_json: an array, one object a cell
reach_json() {
	local from to expected
	for from in "${REACH_ROWS[@]}"; do
		for to in "${REACH_COLUMNS[@]}"; do
			expected=$(reach_expected "$from" "$to")
			[ "$expected" = - ] || jq -n --arg from "$from" --arg to "$to" --arg expected "$expected" \
				--arg observed "$(reach_observed "$from" "$to")" '$ARGS.named'
		done
	done | jq -s .
}
