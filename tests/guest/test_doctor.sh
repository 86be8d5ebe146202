# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows what `doctor` says of a healthy machine, and of each fault.
# Faults that need another boot are tested elsewhere: lsm= without bpf in no_bpf_lsm.sh, the units in systemd/.
# Fails if enforce/verbs/doctor*.c misses a fault or blames the wrong part, if self_test.c or refuses_unfollowed() in bpf/accept.bpf.h
# records or counts doctor's own accepts, or if the load that it tries leaves something in the kernel.

: "${sockaccept:?}" "${pins:?}" "${probe:?}" "${work:?}"
pid=

# finds PART HEALTH: expects that the last doctor said this of a part
finds() {
	expect "doctor's $1" "$2" "$(tr '{' '\n' <said | grep -F "\"name\":\"$1\"" | value health)"
}

ill() {
	expect_status 1 "$sockaccept" doctor --json
	finds "$1" failed
	tr '{' '\n' <said | grep -F "\"name\":\"$1\"" | grep -qF -- "$2" || because "no '$2' in what it says of $1: $(grep -F "$1" said)"
}

doctor_finds_all_well() {
	deny_all
	ctl doctor
	expect_said 'all is well'
	expect "parts that aren't" 0 "$(grep -cE 'FAILED|not tried' said)"
	ctl doctor --json
	judge 'r = json.load(open("said")); assert r["well"] is True and len(r["parts"]) == 16, r'
	expect "the word in the kernel" 0 "$(self_test_word)"
	ctl mode permissive
	ctl doctor
	expect_said 'all is well'
}

# kept: prints everything that is counted and recorded
kept() {
	"$sockaccept" status --json | sed 's/"generation.*"decisions"/"decisions"/'
	"$sockaccept" audit --all --json
	"$sockaccept" report --json | sed "s/\"since\".*\"denied\"/\"denied\"/"
	"$sockaccept" list --json
	"$sockaccept" list --ports --json
	"$sockaccept" metrics | grep -v program_
}

# Whoever watches for new events, or counts denials, doesn't notice a doctor.
doctor_leaves_no_records() {
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[probe]
		binary = $probe
		allow = 22701
	END
	write_policy named.ini <<-END
		[doctor]
		binary = $(readlink -f "$sockaccept")
		deny = any
	END
	write_policy open.ini </dev/null
	for policy in shut named open; do
		ctl load $policy.ini
		for mode in enforce permissive; do
			ctl mode $mode
			accepts 22701
			$probe accept inet accept 22702 >outcome || true
			kept >before
			for _ in 1 2 3; do
				ctl doctor
				expect_said 'the next one decided by the policy'
			done
			kept >after
			cmp -s before after || because "$policy.ini, $mode: $(diff before after | head -n 4 | cut -c 1-300)"
		done
	done
	# An accept of somebody else is counted.
	accepts 22701
	kept >after
	! cmp -s before after || because "an accept isn't counted"
}

# self_test_word: prints that word of the map `control`
self_test_word() {
	bpftool map dump pinned "$pins"/control -j | python3 -S -c '
import json, sys
print(json.load(sys.stdin)[0].get("formatted", {}).get("value", {}).get("self_test", "?"))'
}

doctor_is_heard_without_ipv4() {
	deny_all
	ip addr del 127.0.0.1/8 dev lo
	trap 'ip link set lo down; ip link set lo up' EXIT # which adds it again
	ctl doctor --json
	finds self_test ok
	ip link set lo down
	ill self_test 'ip link set lo up'
	ip link set lo up
}

doctor_misses_what_is_not_loaded() {
	unloaded
	ill pins 'sockaccept-ctl load'
	finds load ok
	finds program unknown
	finds self_test unknown
	finds lsm ok
}

# in_kernel: prints how many BPF programs and maps there are
in_kernel() {
	echo "$(bpftool prog list | grep -c '^[0-9]') $(bpftool map list | grep -c '^[0-9]')"
}

in_kernel_are() {
	[ "$(in_kernel)" = "$1" ]
}

# The kernel frees what was tried a moment after the last reference to it is gone.
doctor_tries_what_is_not_loaded() {
	unloaded
	until_true 10 in_kernel_are "0 0" || because "there are programs and maps: $(in_kernel)"
	expect_status 1 "$sockaccept" doctor
	expect_said 'the kernel takes the programs'
	expect_said '1 check failed'
	[ ! -e "$pins" ] || because "doctor left $(find "$pins" | tr '\n' ' ')"
	until_true 10 in_kernel_are "0 0" || because "doctor left programs and maps: $(in_kernel)"
	mkdir -p /etc/sockaccept
	printf '[sockaccept]\nevents = 65536\n' | write_policy /etc/sockaccept/policy.ini
	trap 'rm -r /etc/sockaccept' EXIT
	expect "MiB more with 65536 events than with 16384" 48 $(($(maps_mib) - $(mv /etc/sockaccept/policy.ini . && maps_mib)))
	deny_all
	ctl doctor --json
	finds load ok
	expect_said 'the kernel has taken the programs'
}

# maps_mib: prints how many MiB the maps take, as doctor says
maps_mib() {
	"$sockaccept" doctor | sed -n 's/.*maps take \([0-9]*\) MiB.*/\1/p'
}

# If a capability that loading needs is missing, doctor says that, not that loading fails.
doctor_tries_only_what_can_work() {
	unloaded
	expect_status 1 setpriv --bounding-set=-perfmon,-sys_admin "$sockaccept" doctor --json
	finds capabilities failed
	finds load unknown
}

doctor_sees_that_ftrace_is_off() {
	deny_all
	trap 'echo 1 >/proc/sys/kernel/ftrace_enabled' EXIT
	if ! echo 0 >/proc/sys/kernel/ftrace_enabled; then
		ctl doctor
		return
	fi
	ill ftrace_enabled 'sysctl kernel.ftrace_enabled=1'
	ill self_test 'NOT ENFORCING'
	echo 1 >/proc/sys/kernel/ftrace_enabled
	ctl doctor
}

doctor_misses_a_pin() {
	deny_all
	mv "$pins"/seen_paths /sys/fs/bpf/kept
	ill pins 'seen_paths is missing'
	mv /sys/fs/bpf/kept "$pins"/seen_paths
	rm "$pins"/link_task_prctl
	ill program 'link_task_prctl is missing'
	finds self_test ok
	rm "$pins"/link_socket_accept
	ill pins 'not loaded'
	unloaded
}

doctor_knows_the_machines_bpffs() {
	deny_all
	expect_status 1 unshare --mount sh -c "mount -t bpf bpf /sys/fs/bpf && '$sockaccept' doctor --json"
	finds bpffs failed
	expect_said 'nsenter --target 1'
	umount -l /sys/fs/bpf
	ill bpffs 'mount -t bpf'
	mount -t bpf -o mode=700 bpf /sys/fs/bpf
	deny_all
	ctl doctor
}

doctor_counts_capabilities() {
	deny_all
	expect_status 1 setpriv --bounding-set=-perfmon,-sys_admin "$sockaccept" doctor --json
	finds capabilities failed
	expect_said 'lacks cap_perfmon'
	finds self_test ok
	expect_status 4 as_nobody "$sockaccept" doctor
}

doctor_sees_moved_paths() {
	mkdir old new
	cp "$probe" old/server
	cp "$probe" new/server
	ln -s old current
	load <<-END
		[web]
		binary = $work/current/server
		allow = 80
	END
	ctl doctor
	ln -sfn new current
	ill policy 'sockaccept-ctl refresh'
	ctl refresh
	ctl doctor
}

# The link pinned there belongs to another program, which doesn't decide about accepts.
doctor_knows_its_own_program() {
	deny_all
	mv "$pins"/link_socket_accept /sys/fs/bpf/kept
	bpftool link pin pinned "$pins"/link_task_prctl "$pins"/link_socket_accept
	ill program 'another program'
	rm "$pins"/link_socket_accept
	mv /sys/fs/bpf/kept "$pins"/link_socket_accept
	ctl doctor
}

doctor_sees_gate_and_drain() {
	load <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = yes
		drain = yes
	END
	for _ in 1 2; do # nor does its own accept, which was refused, call for a drain
		ctl doctor --json
		finds gate ok
		finds drain_unit absent
	done
	expect_outcomes EPERM inet accept 22711
	ill drain_unit 'let this run: sockaccept-ctl drain'
	background drain "$sockaccept" drain
	ctl doctor --json
	finds drain_unit ok
	finish "$pid"
	rm "$pins"/link_connection_request
	ill gate 'run: sockaccept-ctl load'
	ctl mode permissive
	ctl doctor --json
	finds gate absent
	finds drain_unit absent
	ctl mode enforce
	ctl doctor --json
	finds gate ok
}

test_case doctor_misses_what_is_not_loaded
test_case doctor_tries_only_what_can_work
test_case doctor_tries_what_is_not_loaded
test_case doctor_finds_all_well
test_case doctor_sees_gate_and_drain
test_case doctor_leaves_no_records
test_case doctor_is_heard_without_ipv4
test_case doctor_sees_that_ftrace_is_off
test_case doctor_misses_a_pin
test_case doctor_knows_the_machines_bpffs
test_case doctor_counts_capabilities
test_case doctor_sees_moved_paths
test_case doctor_knows_its_own_program
