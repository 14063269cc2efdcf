# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A machine with Debian's kernel and its WireGuard module: emulated (no KVM is needed), without a disk, on a tap that
# is its cable to the lab's internet. The kernel is downloaded once and kept in build/kernel-guest; the small root
# file system is made from it, busybox-static and wg.

VM_CACHE=${ROOT:?}/build/kernel-guest
VM_DIR=$LAB_DIR/guest
# what the guest needs besides what Debian builds into the kernel
VM_MODULES=(virtio_pci virtio_net wireguard)

# vm_kernel: prints the folder with the unpacked kernel package; downloads it when it is not there yet
vm_kernel() {
	local package unpacked
	for unpacked in "$VM_CACHE"/linux-image-*; do
		[ ! -e "$unpacked/complete" ] || { echo "$unpacked" && return; }
	done
	mkdir -p "$VM_CACHE" || return
	package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
	if [ -z "$package" ] || ! (cd "$VM_CACHE" && timeout 60 apt-get -q download "$package") >"$VM_CACHE/log" 2>&1; then
		# an old list names packages that the archive has replaced
		timeout 60 apt-get -q update >"$VM_CACHE/log" 2>&1
		package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')
		(cd "$VM_CACHE" && timeout 60 apt-get -q download "$package") >>"$VM_CACHE/log" 2>&1 || {
			cat "$VM_CACHE/log" >&2
			echo "Debian's kernel $package cannot be downloaded" >&2
			return 1
		}
	fi
	unpacked=$VM_CACHE/$package
	rm -rf "$unpacked"
	dpkg-deb -x "$VM_CACHE/${package}"_*.deb "$unpacked" || return
	rm -f "$VM_CACHE/${package}"_*.deb
	depmod -b "$unpacked" "${package#linux-image-}" && touch "$unpacked/complete" && echo "$unpacked"
}

# vm_modules KERNEL_FOLDER: the files of VM_MODULES in the order in which they are loaded
vm_modules() {
	local module
	for module in "${VM_MODULES[@]}"; do
		modprobe -d "$1" -S "$(basename "$1" | sed s/^linux-image-//)" --show-depends "$module" || return
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# vm_root KERNEL_FOLDER FILE: makes the guest's root file system, a compressed cpio
vm_root() {
	local root=$VM_DIR/root modules module library
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,proc,sys,modules,lib64} || return
	modules=$(vm_modules "$1") || return
	for module in $modules; do
		cp "$module" "$root/modules/" && echo "insmod /modules/$(basename "$module")"
	done >"$root/load" || return
	cp /bin/busybox "$root/bin/" && cp "$(command -v wg)" "$root/bin/" || return
	for library in $(ldd "$(command -v wg)" | grep -o '/[^ ]*'); do
		mkdir -p "$root/$(dirname "$library")" && cp "$library" "$root/$library" || return
	done
	# the second serial line carries commands, "NUMBER COMMAND": their output, then "== NUMBER STATUS"
	cat >"$root/init" <<-'END'
		#!/bin/busybox sh
		/bin/busybox --install -s /bin
		mount -t proc proc /proc
		mount -t sysfs sysfs /sys
		mount -t devtmpfs dev /dev
		. /load
		stty -F /dev/ttyS1 raw -echo
		exec </dev/ttyS1 >/dev/ttyS1 2>&1
		echo "== 0 0"
		while read -r number line; do
			eval "$line"
			echo "== $number $?"
		done
	END
	chmod 755 "$root/init"
	(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) >"$2"
}

# vm_boot NUMBER: as the lab's member of that number, see lab_member_address
vm_boot() {
	local kernel root=$VM_DIR/root.cpio.gz
	kernel=$(vm_kernel) && mkdir -p "$VM_DIR" && vm_root "$kernel" "$root" || return
	lab_ip inet tuntap add to-kernel mode tap && lab_ip inet link set to-kernel up || return
	at_end lab_ip inet tuntap del to-kernel mode tap
	mkfifo "$VM_DIR/line.in" "$VM_DIR/line.out" || return
	ip netns exec "$(lab_ns inet)" qemu-system-x86_64 -accel tcg -machine pc -cpu max -m 192 -nodefaults -no-user-config \
		-display none -kernel "$kernel"/boot/vmlinuz-* -initrd "$root" \
		-append "console=ttyS0 quiet panic=-1 rdinit=/init" -no-reboot -serial "file:$VM_DIR/console" \
		-chardev "pipe,id=line,path=$VM_DIR/line" -serial chardev:line \
		-netdev tap,id=wan,ifname=to-kernel,script=no,downscript=no -device virtio-net-pci,netdev=wan,romfile= \
		</dev/null >"$VM_DIR/qemu" 2>&1 &
	at_end vm_end $!
	exec {VM_IN}<>"$VM_DIR/line.in" {VM_OUT}<>"$VM_DIR/line.out"
	vm_answer 0 60 >/dev/null || {
		tail -n 20 "$VM_DIR/qemu" "$VM_DIR/console" >&2
		return 1
	}
	vm ip link set lo up && vm ip link set eth0 up && vm_address "$1"
}

vm_end() {
	kill "$1" && wait "$1"
	rm -rf "$VM_DIR"
}

# vm_answer NUMBER SECONDS: what that command says, and its exit status; 124 when it is not done by then. What one
# before it says too late is left out.
vm_answer() {
	local line said=()
	while IFS= read -r -t "$2" -u "$VM_OUT" line; do
		line=${line%$'\r'}
		case "$line" in
		"== $1 "*)
			[ "${#said[@]}" -eq 0 ] || printf '%s\n' "${said[@]}"
			return "${line##* }"
			;;
		'== '*) said=() ;;
		*) said+=("$line") ;;
		esac
	done
	return 124
}

# vm COMMAND...: runs it there
vm() {
	local number=$((SRANDOM % 1000000 + 1)) # not counted: it is also called in subshells
	echo "$number $*" >&"$VM_IN"
	vm_answer "$number" 30
}

# vm_address NUMBER: gives it (another) place on the internet
vm_address() {
	lab_ip inet address flush dev to-kernel scope global
	lab_address inet to-kernel "198.51.100.$(($1 * 16 + 1))/28" "2001:db8:100:$1::1/64"
	vm "ip address flush dev eth0 scope global; ip address add $(lab_member4 "$1")/28 dev eth0;" \
		"ip address add $(lab_member6 "$1")/64 dev eth0; ip route replace default via 198.51.100.$(($1 * 16 + 1));" \
		"ip -6 route replace default via 2001:db8:100:$1::1"
}

# vm_tunnel_up: makes the peer "kernel" of acme and imports its profile, as wg-quick would
vm_tunnel_up() {
	local profile conf=$VM_DIR/wg0.conf address network
	lab_nave peers create acme --client kernel >/dev/null && profile=$(lab_peer_profile acme kernel) || return
	at_end lab_peer_del acme kernel
	cp "$profile" "$conf"
	vm "echo $(wg-quick strip "$conf" | base64 -w 0) | base64 -d >/wg0.conf" &&
		vm "ip link add wg0 type wireguard && wg setconf wg0 /wg0.conf && ip link set wg0 mtu 1420 up" || return
	for address in $(vm_listed "$conf" Address); do
		vm "ip address add $address dev wg0" || return
	done
	for network in $(vm_listed "$conf" AllowedIPs); do
		vm "ip route replace $network dev wg0" || return
	done
}

# vm_listed FILE SETTING: its values, one a line
vm_listed() {
	sed -n "s/^$2 *= *//p" "$1" | tr -d ' ' | tr ',' '\n'
}

# vm_reaches ADDRESS [PING_OPTIONS...]
vm_reaches() {
	vm "ping -q -c 10 -i 0.2 -w 5 ${*:2} $1 | grep -q ' [1-9][0-9]* packets received'"
}

# vm_handshake: the second of its last one
vm_handshake() {
	vm "wg show wg0 latest-handshakes | cut -f2"
}

vm_shook_hands_after() {
	[ "$(vm_handshake)" -gt "$1" ]
}

# vm_forgets: its peer, and with it every session, and learns of it anew
vm_forgets() {
	vm "wg set wg0 peer \$(wg show wg0 peers) remove && wg setconf wg0 /wg0.conf"
}
