# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
# File systems of their own for tests, on loop images. usage: . filesystems.sh

: "${base:?}"

# image NAME MB COMMAND...: a loop image with a file system made by the command, mounted on $base/fs/NAME
image() {
	image=$base/$1.img
	place=$base/fs/$1
	truncate -s "$2M" "$image"
	shift 2
	"$@" "$image" >/dev/null
	mkdir -p "$place"
	mount -o loop "$image" "$place"
}

# on FS: sets $fs to a directory on such a file system, mounted the first time, and checks that it is one
on() {
	kind=$1
	fs=$base/fs/$1/tree
	if [ ! -d "$fs" ]; then
		case $1 in
		ext4) image ext4 64 mkfs.ext4 -q -F ;;
		btrfs) image btrfs 160 mkfs.btrfs -q ;;
		tmpfs)
			mkdir -p "$base/fs/tmpfs"
			mount -t tmpfs tmpfs "$base/fs/tmpfs"
			;;
		overlay)
			# of two file systems, so that the overlay's numbers are neither unique nor lasting
			image lower 32 mkfs.ext4 -q -F
			image upper 64 mkfs.ext4 -q -F
			mkdir -p "$base/fs/lower/tree" "$base/fs/upper/upper" "$base/fs/upper/work" "$base/fs/overlay"
			mount -t overlay -o "lowerdir=$base/fs/lower,upperdir=$base/fs/upper/upper,workdir=$base/fs/upper/work" \
				overlay "$base/fs/overlay"
			;;
		esac
		mkdir -p "$fs"
		chmod 755 "$base/fs" "$base/fs/$1"
	fi
	case $1 in
	ext4) wanted_type=ef53 ;;
	btrfs) wanted_type=9123683e ;;
	tmpfs) wanted_type=1021994 ;;
	overlay) wanted_type=794c7630 ;;
	esac
	expect "the type of the file system at $fs" "$wanted_type" "$(stat -f -c %t "$fs")"
	rm -rf "${fs:?}"/*
}

unmount_all() {
	for place in overlay upper lower ext4 btrfs tmpfs; do
		umount "$base/fs/$place" 2>/dev/null
	done
	rm -rf "$base/fs" "$base"/*.img
}

# What the kernel has in memory of files and names, it has to read anew.
evict() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}
