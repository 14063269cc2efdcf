# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The lab's dataplane with other workers and another port, for tests that source interop.sh before.

export LSAN_OPTIONS=suppressions=$ROOT/tests/lib/lsan.supp

# hub_as WORKERS [DEVARGS]: the dataplane again, with so many workers on that port
hub_as() {
	lab_daemon_stop dataplane || return
	NAVE_LAB_WORKERS=$1 NAVE_LAB_PORT=${2:-} lab_configure
	lab_daemon_start dataplane && lab_hub_wait && lab_reaches laptop 192.168.10.10 20 &&
		lab_reaches branch-lan fd00:20::10 20 && lab_reaches roadie "$LAB_WEB4" 20 && lab_until 20 settled
}

# after a restart hub and peers call each other, and what is under the key that loses is lost
settled() {
	lab_in laptop ping -q -n -c 50 -i 0.02 192.168.20.10 | grep -q ' 0% packet loss'
}

hub_as_before() {
	hub_as "${NAVE_LAB_WORKERS:-1}" "${NAVE_LAB_PORT:-}"
}

tcp_both_ways() {
	iperf3_serves depot-lan
	lab_in laptop iperf3 -c 192.168.20.10 -t 2 --bidir >"$LAB_DIR/iperf3.out" 2>&1
}

# everybody_is_served: by the hub as it was started last
everybody_is_served() {
	check "a client and a site" lab_reaches laptop 192.168.20.10 5
	check "site to site over IPv6" lab_reaches branch-lan fd00:20::10 5
	check "the internet" lab_reaches roadie "$LAB_WEB4" 5
	check "the hub" lab_reaches laptop "$(lab_hub_inner acme 4)" 5
	check "who must not is refused" lab_refused laptop "$(lab_inner acme roadie 4)"
	steady_begin laptop 192.168.20.10
	sleep 2 # that long it pings
	check "no ping is lost" steady_lossless 20
	check "TCP both ways for two seconds" tcp_both_ways
	check "nothing is dropped between the workers" test "$(counter drop_handoff_full)" = 0
}
