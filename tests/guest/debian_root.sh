#!/bin/sh
# Prints a directory with a small Debian that boots: systemd, nginx, sshd, and what sockaccept's package depends on.
# usage: tests/guest/debian_root.sh
#
# It is kept in ${SOCKACCEPT_CACHE:-~/.cache/sockaccept}, for tests to copy; remove it there to get a newer one. It is of the
# release that this machine runs, as the package is made here.
set -eu

name=debian_root.sh
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

packages="systemd-sysv,dbus,init-system-helpers,nginx-light,openssh-server,openssh-client,netcat-openbsd,libbpf1,libcap2,libinih1,libjansson4,libelf1,zlib1g,bash-completion,apt"

# Raise this when the list above or the layout changes.
entry=$cache/debian-1

make_root() {
	mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" --skip=cleanup/apt/lists \
		"$(codename)" "$work/entry" "$(main_mirror)"
}

# settle: what would make it wait, or ask
settle() {
	root=$work/entry
	ln -sf /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
	ln -sf /dev/null "$root/etc/systemd/system/systemd-networkd-wait-online.service"
	echo guest >"$root/etc/hostname"
	: >"$root/etc/fstab"
	rm -f "$root/etc/resolv.conf"
	chmod 755 "$root"
}

if [ ! -d "$entry" ]; then
	need mmdebstrap mmdebstrap
	enter_entry debian
	if [ ! -d "$entry" ]; then
		quietly "make a Debian root" make_root
		settle
		mv "$work/entry" "$entry"
	fi
fi
echo "$entry"
