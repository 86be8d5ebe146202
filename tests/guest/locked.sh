#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A locked policy, in a guest of its own, as it lasts until that stops: tests/guest/run tests/guest/locked.sh
#
# Each attempt is made before, where it must have the effect that it is made for, or at least be possible: or the test would
# prove nothing. Then locked, where it must not.
root=$(cd "$(dirname "$0")/../.." && pwd)

# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"

writer=$base/bin/writer.bpf.o

# map_id NAME: as the kernel lists it, with its name cut at 15 bytes
map_id() {
	bpftool map show -j | tr '{' '\n' | grep "\"name\":\"$(echo "$1" | cut -c 1-15)\"" | value id
}

policy() {
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 28001
	END
}

holds() {
	accepts 28001
	is_denied 28002
}

# hold PIN NAME [hidden]: a process that has the object open, until it is ended. On SIGUSR1 it writes to it and says what came
# of that. Hidden: meanwhile, the descriptor is under way over a socket.
hold() {
	cat >hold.py <<-'END'
		import ctypes, errno, os, signal, socket, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		def bpf(command, attr):
		    buffer = ctypes.create_string_buffer(attr, len(attr))
		    result = libc.syscall(321, command, buffer, len(attr))
		    return result if result >= 0 else -ctypes.get_errno()
		path = ctypes.create_string_buffer(sys.argv[1].encode())
		fd = bpf(7, struct.pack("QII", ctypes.addressof(path), 0, 0))
		ends = socket.socketpair()
		if "hidden" in sys.argv:
		    socket.send_fds(ends[0], [b"x"], [fd])
		    os.close(fd)
		print("holds" if fd >= 0 else errno.errorcode[-fd], flush=True)
		def write(*_):
		    global fd
		    if "hidden" in sys.argv:
		        fd = socket.recv_fds(ends[1], 1, 1)[1][0]
		    key = ctypes.create_string_buffer(4)
		    value = ctypes.create_string_buffer(65536)
		    result = bpf(2, struct.pack("IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
		    print("written" if result >= 0 else errno.errorcode[-result], flush=True)
		signal.signal(signal.SIGUSR1, write)
		while True:
		    signal.pause()
	END
	background "hold-$2" python3 -S hold.py "$1" "${3-}"
	until_true 30 grep -q . "hold-$2" || because "it doesn't hold: $(cat "hold-$2.errors")"
}

possible_before() {
	expect_status 3 "$sockaccept" lock
	policy
	holds
	expect "locked" false "$(state locked)"
	# by id, and by a program
	zeros=$(head -c 112 /dev/zero | od -An -v -tx1 | tr -d '\n')
	# shellcheck disable=SC2086 # they are bytes
	bpftool map update id "$(map_id control)" key 0 0 0 0 value hex $zeros
	bpftool prog load "$writer" /sys/fs/bpf/writer type syscall map name target id "$(map_id control)"
	rm /sys/fs/bpf/writer
	unloaded
	policy
	mv $pins/seen_paths $pins/moved
	mv $pins/moved $pins/seen_paths
	sysctl -q kernel.bpf_stats_enabled=0
	holds
}

lock_refuses_holders() {
	policy
	hold $pins/file_tags map
	holder=$pid
	expect "the holder" holds "$(cat hold-map)"
	expect_status 1 "$sockaccept" lock
	expect_said "process $holder ("
	expect_said "holds a map of sockaccept's"
	finish "$holder"
	bpftool prog load "$writer" /sys/fs/bpf/writer type syscall map name target id "$(map_id control)"
	expect_status 1 "$sockaccept" lock
	expect_said "uses a map of sockaccept's"
	rm /sys/fs/bpf/writer
	hold $pins/link_socket_accept link
	expect_status 1 "$sockaccept" lock
	expect_said "holds a link of sockaccept's"
	finish "$pid"
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
	END
	ctl load shut.ini --confirm 60
	expect_status 1 "$sockaccept" lock
	expect_said "on trial"
	ctl load policy.ini
	expect "locked" false "$(state locked)"
	holds
}

# refused COMMAND...: it fails, and the policy holds
refused() {
	"$@" >said 2>&1 && because "it was possible: $*"
	attempts=$((attempts + 1))
	cat said
}

locked_policy_holds() {
	policy
	background daemon "$sockaccept" daemon --log $work/audit.log
	until_true 30 test -s audit.log || because "the daemon doesn't write: $(cat daemon.errors)"
	images=$(find $pins/policies -type f | wc -l)
	hold $pins/entries hidden hidden
	hidden=$pid
	ctl lock
	expect_said "Locked"
	ctl lock
	expect_said "Nothing to do"
	holds
	attempts=0
	for verb in "load policy.ini" unload "allow $probe 28002" "deny any 28001" "remove $probe" "mode permissive" refresh confirm; do
		# shellcheck disable=SC2086 # they are words
		expect_status 4 "$sockaccept" $verb
		expect_said "the policy is locked until the machine stops"
		attempts=$((attempts + 1))
	done
	expect "attempts refused" $attempts "$(state attempts_refused)"
	for map in policy control state entries superblocks file_tags lookups binary_paths rule_counters ports folds events; do
		refused bpftool map update id "$(map_id $map)" key 0 0 0 0 value 0 0 0 0
		refused bpftool map delete id "$(map_id $map)" key 0 0 0 0
	done
	for map in control superblocks file_tags lookups calls other_calls folds; do
		refused bpftool map dump id "$(map_id $map)"
		refused bpftool prog load "$writer" /sys/fs/bpf/writer type syscall map name target id "$(map_id $map)"
	done
	for link in $(bpftool link show -j | tr '{' '\n' | grep '"type":"tracing"' | value_of_each id); do
		refused bpftool link detach id "$link"
	done
	refused rm -f $pins/link_socket_accept
	refused rm -rf $pins
	refused mv $pins/link_socket_accept $pins/moved
	refused mv $pins /sys/fs/bpf/moved
	mkdir /sys/fs/bpf/other
	refused mv -T --exchange /sys/fs/bpf/other $pins
	refused umount /sys/fs/bpf
	refused umount -l /sys/fs/bpf
	refused unshare --mount --propagation unchanged umount -l /sys/fs/bpf
	refused sysctl kernel.ftrace_enabled=0
	refused sh -c 'echo 0 >/proc/sys/kernel/ftrace_enabled'
	expect "ftrace_enabled" 1 "$(cat /proc/sys/kernel/ftrace_enabled)"
	holds
	[ "$(state attempts_refused)" -ge $((attempts / 2)) ] || because "$attempts attempts, of which $(state attempts_refused) were counted"
	kill -USR1 "$hidden"
	until_true 30 grep -q . hold-hidden
	until_true 30 grep -q EPERM hold-hidden || because "through a descriptor from before: $(cat hold-hidden hold-hidden.errors)"
	# what only hides the pins changes nothing
	mount -t bpf bpf /sys/fs/bpf
	holds
	umount /sys/fs/bpf
	expect "images" "$images" "$(find $pins/policies -type f | wc -l)"
	holds
}

# value_of_each KEY: of all lines
value_of_each() {
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

locked_policy_can_be_read() {
	for verb in status list "list --ports" "list --json" audit "audit --all --json" report metrics "identify $probe" diff listeners \
		"save $work/saved.ini"; do
		code=0
		# shellcheck disable=SC2086 # they are words
		"$sockaccept" $verb >said 2>&1 || code=$?
		case $verb:$code in
		*:0 | diff:1 | diff:6) ;;
		*) because "$verb: status $code, $(head -n 2 said)" ;;
		esac
	done
	expect "locked" true "$(state locked)"
	ctl doctor
	expect_said "no refusal can be tried"
	background daemon "$sockaccept" daemon --log $work/audit.log
	holds
	until_true 30 grep -q 28002 audit.log || because "the daemon writes nothing: $(cat daemon.errors)"
	expect_status 4 "$sockaccept" listeners --policy saved.ini
}

echo "Linux $(uname -r)"
prepare || exit 1
test_case possible_before
test_case lock_refuses_holders
test_case locked_policy_holds
test_case locked_policy_can_be_read
summarise
