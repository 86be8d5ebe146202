# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a rule stands for the same directory entry on ext4, tmpfs, overlayfs and btrfs: through upgrades of the program, dropped
# caches, snapshots, and numbers of inodes and devices that are used again.
# Fails if bpf/identity.bpf.h tells directories apart by too little, if bpf/identify.bpf.h doesn't forget an unmounted file system, or if
# enforce/kernel/module_layout.c doesn't find the subvolume of a file on btrfs.

: "${root:?}" "${sockaccept:?}" "${probe:?}" "${traffic:?}" "${upgrade:?}" "${work:?}" "${base:?}"
pid=

# shellcheck source=tests/guest/filesystems.sh
. "$root/tests/guest/filesystems.sh"

# upgraded FS COUNT: upgrades a program in each way, while the same policy is loaded in a loop
upgraded() {
	on "$1"
	mkdir "$fs/bin"
	load <<-END
		[sockaccept]
		default = deny
		[upgraded]
		binary = $fs/bin/program
		allow = 22000
		[other]
		binary = $fs/bin/another
		allow = any
	END
	(while [ ! -e stop ]; do "$sockaccept" load policy.ini >loaded 2>&1 || mv loaded failed; done) &
	loader=$!
	echo $loader >>"$base/pids"
	$upgrade "$2" "$fs/bin/program" 22000 22001 >upgrades || true
	touch stop
	wait $loader || true
	[ ! -e failed ] || because "a load failed: $(tail -n 2 failed)"
	expect "upgrades" "$2 upgrades, 0 wrong" "$(tail -n 1 upgrades)"
	"$sockaccept" audit --json >events
	! grep -q 'program.other","pid".*"verdict":"allow"' events || because "a copy of another name was allowed"
}

# follows_file FS: a rule holds while its file comes, goes and is replaced
follows_file() {
	on "$1"
	mkdir "$fs/bin" "$fs/elsewhere"
	put "$fs/elsewhere/server"
	deny_all
	one "$fs/elsewhere/server" EPERM 22010
	ctl allow "$fs/bin/server" 22010 22011
	expect_said 'no such file yet'
	one "$fs/elsewhere/server" EPERM 22010
	put "$fs/bin/server"
	one "$fs/bin/server" accepted 22010
	evict
	one "$fs/bin/server" accepted 22010
	rm "$fs/bin/server"
	evict
	put "$fs/bin/server"
	one "$fs/bin/server" accepted 22010
	one "$fs/elsewhere/server" EPERM 22010
	expect "the event's binary" "$fs/elsewhere/server" "$(last_event | value binary)"
}

# connects OUTCOME PORT: expects this of a client of the server there
connects() {
	$traffic connect "$2" 1 >client || true
	expect "a client of port $2" "$1" "$(cat client)"
}

# governs_running FS: the server ran before there was a policy, and its file is replaced, then deleted
governs_running() {
	on "$1"
	mkdir "$fs/bin"
	cp "$traffic" "$fs/bin/server"
	unloaded
	background server "$fs/bin/server" serve 22020
	wait_listening 22020
	first=$pid
	cp "$traffic" "$fs/bin/new"
	mv "$fs/bin/new" "$fs/bin/server"
	deny_all
	connects "served 0 unserved 1 failed 0" 22020
	ctl allow "$fs/bin/server" 22020 22021
	connects "served 1 unserved 0 failed 0" 22020
	background second "$fs/bin/server" serve 22021
	wait_listening 22021
	rm "$fs/bin/server"
	connects "served 1 unserved 0 failed 0" 22021
	connects "served 1 unserved 0 failed 0" 22020
	ctl deny "$fs/bin/server" any
	ctl remove "$fs/bin/server" 22020 22021
	connects "served 0 unserved 1 failed 0" 22021
	connects "served 0 unserved 1 failed 0" 22020
	finish "$pid"
	finish "$first"
}

# outlives_eviction FS: caches are dropped between the rule and the first accept, and files take each other's names
outlives_eviction() {
	on "$1"
	put "$fs/bin/program"
	put "$fs/bin/other"
	deny_all
	ctl allow "$fs/bin/program" 22030
	evict
	one "$fs/bin/program" accepted 22030
	one "$fs/bin/other" EPERM 22030
	evict
	one "$fs/bin/other" EPERM 22030
	mv "$fs/bin/other" "$fs/bin/program"
	evict
	one "$fs/bin/program" accepted 22030
}

# inode FILE
inode() {
	stat -c %i "$1"
}

# number_used_again FS: another binary gets the inode number of a deleted file; tries until it does
number_used_again() {
	on "$1"
	put "$fs/bin/program"
	deny_all
	ctl allow "$fs/bin/program" 22040
	one "$fs/bin/program" accepted 22040
	number=$(inode "$fs/bin/program")
	rm "$fs/bin/program"
	evict
	tries=0
	until [ "$(inode "$fs/bin/impostor$tries" 2>/dev/null)" = "$number" ]; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || because "no file got the number $number again"
		put "$fs/bin/impostor$tries"
	done
	one "$fs/bin/impostor$tries" EPERM 22040
	put "$fs/bin/program"
	one "$fs/bin/program" accepted 22040
}

# A user's file on the upper layer has the same inode number as the rule's file on the lower layer.
number_of_another_layer() {
	on overlay
	umount "$base/fs/overlay"
	mkdir -p "$base/fs/lower/tree/fill" # so that its number is above those in use on the other layer
	(cd "$base/fs/lower/tree/fill" && seq 40 | xargs touch)
	put "$base/fs/lower/tree/bin/program"
	mkdir -p "$base/fs/upper/upper/tree/home"
	chmod 777 "$base/fs/upper/upper/tree/home"
	number=$(inode "$base/fs/lower/tree/bin/program")
	mount -t overlay -o "lowerdir=$base/fs/lower,upperdir=$base/fs/upper/upper,workdir=$base/fs/upper/work" \
		overlay "$base/fs/overlay"
	deny_all
	ctl allow "$fs/bin/program" 22050
	one "$fs/bin/program" accepted 22050
	tries=0
	until [ "$(inode "$fs/home/program" 2>/dev/null)" = "$number" ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || because "no file got the number $number"
		[ ! -e "$fs/home/program" ] || mv "$fs/home/program" "$fs/home/$tries"
		setpriv --reuid=65534 --regid=65534 --clear-groups cp "$probe" "$fs/home/program"
	done
	expect "the number on the upper layer" "$number" "$(inode "$base/fs/upper/upper/tree/home/program")"
	seen=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$fs/home/program" accept inet accept 22050) || true
	expect "a user's file of the same number" EPERM "$seen"
	one "$fs/bin/program" accepted 22050
}

# Two directories whose numbers of device, inode and generation are the same.
snapshot_is_elsewhere() {
	on btrfs
	btrfs -q subvolume create "$fs/subvolume" >/dev/null
	put "$fs/subvolume/bin/program"
	deny_all
	ctl allow "$fs/subvolume/bin/program" 22060
	one "$fs/subvolume/bin/program" accepted 22060
	btrfs -q subvolume snapshot "$fs/subvolume" "$fs/snapshot" >/dev/null
	expect "the snapshot's directory's number" "$(inode "$fs/subvolume/bin")" "$(inode "$fs/snapshot/bin")"
	one "$fs/snapshot/bin/program" EPERM 22060
	expect "the event's binary" "$fs/snapshot/bin/program" "$(last_event | value binary)"
	put "$fs/snapshot/bin/modified"
	mv "$fs/snapshot/bin/modified" "$fs/snapshot/bin/program"
	one "$fs/snapshot/bin/program" EPERM 22060
	ctl allow "$fs/snapshot/bin/program" 22060
	one "$fs/snapshot/bin/program" accepted 22060
	ctl remove "$fs/snapshot/bin/program"
	one "$fs/subvolume/bin/program" accepted 22060
	one "$fs/snapshot/bin/program" EPERM 22060
	btrfs -q subvolume delete "$fs/snapshot" >/dev/null
	btrfs -q subvolume delete "$fs/subvolume" >/dev/null
}

# Another file system is mounted with the same device number, inode numbers and UUID.
device_used_again() {
	mkdir here
	truncate -s 16M one.img
	mkfs.ext4 -q -F one.img
	mount -o loop one.img here
	put "$work/here/program"
	cp one.img two.img
	device=$(stat -c %d here)
	deny_all
	ctl allow "$work/here/program" 22070
	one here/program accepted 22070
	ctl status
	umount here
	mount -o loop two.img here
	put "$work/here/program"
	expect "the device's number" "$device" "$(stat -c %d here)"
	one here/program EPERM 22070
	expect_status 1 "$sockaccept" status
	expect_said "$work/here/program is in another directory by now"
	ctl refresh
	one here/program accepted 22070
	ctl status
	umount here
}

for kind in ext4 tmpfs overlay btrfs; do
	test_case "upgraded_$kind" upgraded "$kind" "${UPGRADES:-100}"
	test_case "follows_file_$kind" follows_file "$kind"
	test_case "governs_running_$kind" governs_running "$kind"
	test_case "outlives_eviction_$kind" outlives_eviction "$kind"
done
# The others never use a number again.
test_case number_used_again_ext4 number_used_again ext4
test_case number_used_again_overlay number_used_again overlay
test_case number_of_another_layer
test_case snapshot_is_elsewhere
test_case device_used_again
unmount_all
