# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The three daemons of the lab: configuration, start, stop. nave-control runs where the operator sits;
# nave-dataplane and nave-node run in the hub's namespace. Unix sockets are files: they cross namespaces.

lab_program() {
	case "$1" in
	nave-dataplane) echo "$LAB_BUILD/dataplane/nave-dataplane" ;;
	nave-node) echo "$LAB_BUILD/control/nave-node" ;;
	nave-control) echo "$LAB_BUILD/control/nave-control" ;;
	nave) echo "$LAB_BUILD/control/nave" ;;
	esac
}

# NAVE_LAB_WORKERS: how many workers the dataplane has; NAVE_LAB_PORT: devargs of its port, NAVE_LAB_PORT_MTU:
# its mtu; NAVE_LAB_PACKETS: the size of its pool
lab_configure() {
	local workers=${NAVE_LAB_WORKERS:-1}
	local devargs=net_af_packet0,iface=hub0,qdisc_bypass=1,qpairs=$workers
	mkdir -p "$LAB_DIR/etc" "$LAB_DIR/logs" "$LAB_DIR/pids" "$LAB_RUN" "$LAB_STATE" "$LAB_NODE_STATE"
	chmod 700 "$LAB_DIR" "$LAB_STATE" "$LAB_NODE_STATE"
	cat >"$LAB_DIR/etc/dataplane.conf" <<-END
		socket = "$LAB_RUN/dataplane.sock";
		eal = [ "--no-huge", "-m", "512", "--no-pci", "--no-shconf", "--iova-mode=va",
			"--file-prefix=$LAB_PREFIX", "--no-telemetry" ];
		workers = $workers;
		packets = ${NAVE_LAB_PACKETS:-32768};
		ports = ( { name = "wan0"; devargs = "${NAVE_LAB_PORT:-$devargs}";${NAVE_LAB_PORT_MTU:+ mtu = $NAVE_LAB_PORT_MTU;} } );
	END
	cat >"$LAB_DIR/etc/node.conf" <<-END
		dataplane_socket = "$LAB_RUN/dataplane.sock";
		control_url = "http://localhost";
		control_socket = "$LAB_RUN/control.sock";
		name = "hub1";
		region = "local";
		state_dir = "$LAB_NODE_STATE";
		uapi_dir = "$LAB_RUN/wireguard";
		management_dir = "$LAB_RUN/openvpn";
		
		ports = ( {
			name = "wan0"; interface = "hub0"; tap = "nave0";
			addresses = [ "$LAB_HUB4/24", "$LAB_HUB6/64" ];
			gateways = [ "203.0.113.254", "2001:db8:113::fe" ];
		} );
	END
	cat >"$LAB_DIR/etc/control.conf" <<-END
		listen = "$LAB_LISTEN";
		socket = "$LAB_RUN/control.sock";
		state_dir = "$LAB_STATE";
		vpn_domain = "vpn.example.net";
		regions = ( { id = "local"; name = "This machine"; } );
	END
}

# lab_daemon_start dataplane|node|control [OPTIONS...]
lab_daemon_start() {
	local place=()
	[ "$1" = control ] || place=(ip netns exec "$LAB_PREFIX-hub")
	lab_daemon_forget "$1"
	# a shell, in a session that outlives this script, writes the daemon's number and then how it ended
	# shellcheck disable=SC2016 # expanded by that shell
	setsid bash -c 'file=$1; shift; "$@" & echo $! >"$file"; { wait $!; } 2>/dev/null; echo $? >"$file.exit"' - "$LAB_DIR/pids/$1" \
		"${place[@]}" "$(lab_program "nave-$1")" --config "$LAB_DIR/etc/$1.conf" "${@:2}" \
		</dev/null >>"$LAB_DIR/logs/$1" 2>&1 &
	lab_until 5 test -s "$LAB_DIR/pids/$1"
}

# lab_daemon_pid NAME: its process, if that is still the one we started
lab_daemon_pid() {
	local pid
	pid=$(cat "$LAB_DIR/pids/$1" 2>/dev/null) && [ -n "$pid" ] &&
		grep -qzF "$LAB_DIR/etc/$1.conf" "/proc/$pid/cmdline" 2>/dev/null && echo "$pid"
}

lab_daemon_forget() {
	rm -f "$LAB_DIR/pids/$1" "$LAB_DIR/pids/$1.exit"
}

# lab_daemon_stop NAME [SIGNAL]: TERM is a clean stop and is given 5 s. Fails when the daemon had ended by
# itself, does not stop, or has another exit status than 0. One that was never started is fine.
lab_daemon_stop() {
	local file=$LAB_DIR/pids/$1 signal=${2:-TERM} pid='' failed=0
	[ -e "$file" ] || return 0
	if pid=$(lab_daemon_pid "$1"); then
		kill "-$signal" "$pid"
		if ! lab_until 5 test -s "$file.exit"; then
			echo "nave-$1 does not stop; killed" >&2
			kill -KILL "$pid"
			lab_until 5 test -s "$file.exit"
			failed=1
		elif [ "$signal" != KILL ] && [ "$(cat "$file.exit")" != 0 ]; then
			echo "nave-$1 stopped with exit status $(cat "$file.exit")" >&2
			failed=1
		fi
	else
		echo "nave-$1 had ended by itself, exit status $(cat "$file.exit" 2>/dev/null)" >&2
		failed=1
	fi
	lab_daemon_forget "$1"
	return "$failed"
}

lab_daemons_start() {
	lab_daemon_start control && lab_daemon_start dataplane && lab_daemon_start node &&
		lab_control_wait && lab_hub_wait
}

lab_daemons_stop() {
	local failed=0
	lab_daemon_stop node || failed=1
	lab_daemon_stop dataplane || failed=1
	lab_daemon_stop control || failed=1
	return "$failed"
}

# lab_nave ARGUMENTS... : the command line, as on the hub itself
lab_nave() {
	"$(lab_program nave)" --socket "$LAB_RUN/control.sock" "$@"
}

lab_control_wait() {
	lab_until 10 lab_control_ready || lab_daemon_complain control "nave-control does not answer"
}

lab_control_ready() {
	[ -s "$LAB_STATE/admin.token" ] && curl -s -f -o /dev/null --max-time 2 "http://$LAB_LISTEN/readyz"
}

lab_hub_wait() {
	lab_until 20 lab_hub_ready || lab_daemon_complain node "the hub does not report"
}

lab_hub_ready() {
	[ "$(lab_rest GET /v1/hubs 2>/dev/null | jq '.items | any(.connected)')" = true ]
}

lab_daemon_complain() {
	echo "$2; the end of its log $LAB_DIR/logs/$1:" >&2
	tail -n 10 "$LAB_DIR/logs/$1" >&2
	return 1
}

# lab_sanitizer_reports: what the sanitizers wrote into the logs; fails when there is anything
lab_sanitizer_reports() {
	! grep -n -A 12 -E '(Address|Leak|UndefinedBehavior|Thread)Sanitizer|runtime error:|Assertion .* failed' \
		"$LAB_DIR"/logs/*
}

# lab_down: ends the daemons, then every namespace with what runs in it
lab_down() {
	local failed=0
	lab_daemons_stop || failed=1
	lab_net_down
	return "$failed"
}
