#!/bin/sh
# Prints the directory of a Debian kernel that a guest can boot, after fetching it if need be.
# usage: tests/guest/kernel.sh 6.1|6.12|7|6.1-rt|7-rt
#
# The directory holds vmlinuz, vmlinux, version, config, lib/modules/VERSION, and initrd: busybox and
# the modules that tests/guest/run needs before it has a root directory. It is kept in
# ${SOCKACCEPT_CACHE:-~/.cache/sockaccept}; remove it there to get the newest kernel of the series.
#
# The kernels come from Debian's archive and are unpacked, never installed, so that the machine that
# runs the tests keeps booting what it boots.
set -eu

name=kernel.sh
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib.sh
. "$here/lib.sh"

# Raise this when prepare changes, and it is done again for cached kernels, without fetching them.
prepared="prepared-1"
initrd_modules="virtio_pci virtio_console 9pnet_virtio 9p overlay"

# suites SERIES: where Debian has it
suites() {
	case $1 in
	6.1 | 6.1-rt) echo bookworm bookworm-security ;;
	6.12) echo bookworm-backports ;;
	7 | 7-rt) echo trixie-backports ;;
	*)
		echo "usage: $0 6.1|6.12|7|6.1-rt|7-rt" >&2
		return 2
		;;
	esac
}

# flavour SERIES: what Debian's names for its packages end in: rt-amd64 for a real-time kernel
flavour() {
	case $1 in
	*-rt) echo rt-amd64 ;;
	*) echo amd64 ;;
	esac
}

# newest SERIES: the name of the newest image package. The pattern lets pass neither the cloud
# flavour (it has no 9p) nor unsigned and dbg, and a real-time kernel only where one is asked for.
newest() {
	apt-cache -c "$work/apt/apt.conf" pkgnames linux-image- |
		grep -E "^linux-image-$(echo "${1%-rt}" | sed 's/\./\\./g')\.[0-9.]+(\+[a-z0-9.]+)?(-[0-9]+)?-$(flavour "$1")$" |
		sort -V | tail -n 1
}

# parts IMAGE: the image package and, since Linux 7.0, those into which Debian has split it
parts() {
	echo "$1"
	apt-cache -c "$work/apt/apt.conf" depends --important "$1" |
		sed -n "s/^ *Depends: \\(linux-[a-z]*-${1#linux-image-}\\)\$/\\1/p"
}

# download PACKAGE...: the files land in $work/debs
download() {
	cd "$work/debs"
	exec apt-get -q -c "$work/apt/apt.conf" download "$@"
}

# lay_out VERSION: from the unpacked packages to the cache entry's own layout
lay_out() {
	mkdir -p "$work/entry/lib/modules"
	for modules in "$work/root/lib/modules/$1" "$work/root/usr/lib/modules/$1"; do
		[ ! -d "$modules" ] || mv "$modules" "$work/entry/lib/modules/"
	done
	modules=$work/entry/lib/modules/$1
	rm -f "$modules/build" "$modules/source"
	for file in vmlinuz config; do
		if [ -f "$work/root/boot/$file-$1" ]; then
			mv "$work/root/boot/$file-$1" "$work/entry/$file"
		else # since Linux 7.0
			mv "$modules/$file" "$work/entry/$file"
		fi
	done
	depmod -b "$work/entry" "$1"
	echo "$1" >"$work/entry/version"
}

# fetch SERIES: makes the cache entry
fetch() {
	# shellcheck disable=SC2046 # they are words
	private_apt $(suites "$1")
	image=$(newest "$1")
	[ -n "$image" ] || die "Debian has no linux-image-${1%-rt}*-$(flavour "$1") in $(suites "$1" | tr ' ' ',')"
	mkdir "$work/debs" "$work/root"
	# shellcheck disable=SC2046
	quietly "download $image" download $(parts "$image")
	for deb in "$work"/debs/*.deb; do
		# timeout, because it passes a signal on to the programs that dpkg starts, which would
		# otherwise fill the directory that leave_entry removes
		quietly "unpack $deb" timeout 1200 dpkg -x "$deb" "$work/root"
	done
	quietly "arrange the files of $image" lay_out "${image#linux-image-}"
}

# plain FILE: a module, without its compression
plain() {
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -dcq "$1" ;;
	*) cat "$1" ;;
	esac
}

# number SIZE OFFSET FILE: an unsigned number in the boot header of a bzImage
number() {
	od -An -t "u$1" -j "$2" -N "$1" "$3" | tr -d ' '
}

# make_vmlinux ENTRY: the kernel that is packed inside vmlinuz. It boots as such, by PVH, and an
# emulated CPU would take up to four seconds to unpack it at each boot. The offsets are those of
# Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the payload's last four
# bytes are its unpacked size.
make_vmlinux() {
	from=$((($(number 1 0x1f1 "$1/vmlinuz") + 1) * 512 + $(number 4 0x248 "$1/vmlinuz")))
	length=$(($(number 4 0x24c "$1/vmlinuz") - 4))
	tail -c "+$((from + 1))" "$1/vmlinuz" | head -c "$length" >"$work/payload"
	case $(od -An -t x1 -N 4 "$work/payload") in
	' fd 37 7a 58') xz -dc "$work/payload" ;;
	' 28 b5 2f fd') zstd -dcq "$work/payload" ;;
	' 1f 8b'*) gzip -dc "$work/payload" ;;
	*)
		echo "its compression is not known here"
		return 1
		;;
	esac >"$work/vmlinux"
}

# make_initrd ENTRY: uncompressed, as an emulated CPU unpacks it
make_initrd() {
	version=$(cat "$1/version")
	tree=$work/initrd-tree
	mkdir -p "$tree/bin" "$tree/modules" "$tree/dev" "$tree/proc" "$tree/sys" \
		"$tree/host" "$tree/servers" "$tree/top" "$tree/root"
	cp "$busybox" "$tree/bin/busybox"
	for module in $initrd_modules; do
		modprobe -d "$1" -S "$version" --show-depends "$module"
	done >"$work/depends"
	sed -n 's/^insmod \([^ ]*\).*/\1/p' "$work/depends" | awk '!seen[$0]++' >"$work/needed"
	while read -r file; do
		short=$(basename "$file" | sed 's/\.ko.*/.ko/')
		plain "$file" >"$tree/modules/$short"
		echo "$short"
	done <"$work/needed" >"$tree/modules/order"
	(cd "$tree" && find . | cpio --quiet -R 0:0 -o -H newc) >"$work/initrd"
}

# prepare ENTRY
prepare() {
	make_vmlinux "$1"
	make_initrd "$1"
	mv "$work/vmlinux" "$work/initrd" "$1/"
	: >"$1/$prepared"
}

[ $# -eq 1 ] || suites ''
series=$1
suites "$series" >/dev/null
entry=$cache/kernel-$series

if [ ! -f "$entry/$prepared" ]; then
	need dpkg dpkg
	need depmod kmod
	need cpio cpio
	need xz xz-utils
	need zstd zstd
	need busybox busybox-static
	busybox=$(command -v busybox)
	enter_entry "kernel-$series"
	if [ ! -d "$entry" ]; then
		fetch "$series"
		mv "$work/entry" "$entry"
	fi
	[ -f "$entry/$prepared" ] || quietly "prepare $entry for booting" prepare "$entry"
fi
echo "$entry"
