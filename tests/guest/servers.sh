#!/bin/sh
# Prints a directory with servers and clients for guests, after fetching them if need be.
# usage: tests/guest/servers.sh
#
# The directory is laid over the machine's own files in each guest, where /usr/sbin/nginx and the
# others are then found as usual. They are unpacked, never installed: installing a server starts it,
# and running tests must not do that to anybody's machine. It is kept in
# ${SOCKACCEPT_CACHE:-~/.cache/sockaccept}; remove it there to get newer versions.
set -eu

name=servers.sh
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

packages="nginx-light redis-server ncat openssh-server strace bpftrace curl socat iproute2 procps xfsprogs btrfs-progs e2fsprogs bindfs prometheus logrotate rsyslog systemd nodejs haproxy postfix"

# Raise this when the list above or the layout changes.
entry=$cache/servers-5

# is_whole: whether the entry is there, and so is what it relies on, since libraries that the machine
# had are not in it and the machine may have lost one
is_whole() {
	[ -d "$entry" ] || return 1
	# shellcheck disable=SC2046 # a list of words
	! dpkg-query -W -f '${db:Status-Status}\n' $(cat "$entry/relies-on") 2>&1 | grep -qvx installed
}

# relies_on: the packages of this machine that ours need, directly or not
relies_on() {
	# shellcheck disable=SC2086
	apt-cache -c "$work/apt/apt.conf" depends --recurse --important $packages |
		grep '^[a-z0-9]' | cut -d : -f 1 | sort -u >"$work/closure"
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u |
		comm -12 - "$work/closure"
}

# download: a dry installation with this machine's own package states finds what is missing here
download() {
	# shellcheck disable=SC2086
	apt-get -q -y -c "$work/apt/apt.conf" -o Debug::NoLocking=1 --no-install-recommends --no-upgrade \
		--download-only install $packages
}

# unpack: /bin, /lib and others are links into /usr here, and a package that still has files in /lib
# must not turn the link into a directory, which would hide the machine's own
unpack() {
	mkdir "$work/entry"
	for link in bin sbin lib lib64; do
		[ ! -L "/$link" ] || ln -s "usr/$link" "$work/entry/$link"
		mkdir -p "$work/entry/usr/$link"
	done
	for deb in "$work"/apt/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" >"$work/tar"
		tar -C "$work/entry" --keep-directory-symlink --no-same-owner -xpf "$work/tar"
	done
	find "$work/entry" -perm /6000 -exec chmod ug-s {} + # nothing in a cache shall be set-user-ID
}

# settle: what the packages' own scripts would have done, as far as a server needs it to start
settle() {
	etc=$work/entry/etc
	ln -sf ../sites-available/default "$etc/nginx/sites-enabled/default"
	mkdir -p "$work/entry/var/www/html" "$work/entry/var/log/nginx" "$work/entry/var/log/redis" \
		"$work/entry/var/lib/redis"
	cp "$work/entry/usr/share/nginx/html/index.html" "$work/entry/var/www/html/"
	cp "$work/entry/usr/share/openssh/sshd_config" "$etc/ssh/sshd_config"
}

if ! is_whole; then
	need dpkg-query dpkg
	enter_entry servers
	if ! is_whole; then
		suite=$(codename)
		[ -n "$suite" ] || die "this machine doesn't run a Debian release, so its servers can't be fetched"
		private_apt "$suite" "$suite-updates" "$suite-security"
		quietly "download $packages" download
		quietly "unpack $packages" unpack
		quietly "arrange the files of $packages" settle
		relies_on >"$work/entry/relies-on"
		rm -rf "$entry"
		mv "$work/entry" "$entry"
	fi
fi
echo "$entry"
