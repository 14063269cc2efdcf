# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A hub, its daemons and its clients in network namespaces: what configs/quickstart and tests/interop
# stand on. Source it after setting
#
#   LAB_PREFIX   begins the name of every namespace and client interface; at most 4 characters
#   LAB_DIR      private folder of this lab: configuration, logs, pid files, profiles
#   LAB_BUILD    the meson build folder whose programs are run
#   LAB_LISTEN   address:port of the REST API
#   LAB_RUN LAB_STATE LAB_NODE_STATE    where the daemons keep sockets, database and node state
#
# Everything waits for what it needs to see, with a deadline; nothing just sleeps.

LAB_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${LAB_PREFIX:?}" "${LAB_DIR:?}" "${LAB_BUILD:?}" "${LAB_LISTEN:?}" "${LAB_RUN:?}" "${LAB_STATE:?}" \
	"${LAB_NODE_STATE:?}"

# lab_until SECONDS COMMAND... : runs it again and again until it succeeds or the time is over
lab_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# shellcheck source=net.sh
. "$LAB_SCRIPTS/net.sh"
# shellcheck source=daemons.sh
. "$LAB_SCRIPTS/daemons.sh"
# shellcheck source=clients.sh
. "$LAB_SCRIPTS/clients.sh"
# shellcheck source=openvpn.sh
. "$LAB_SCRIPTS/openvpn.sh"
# shellcheck source=network.sh
. "$LAB_SCRIPTS/network.sh"
