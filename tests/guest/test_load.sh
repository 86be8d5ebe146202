# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows what `load` says when the kernel refuses what it is given, and that it leaves nothing behind.
# Fails if enforce/kernel/load.c gives the wrong reason or size, or if enforce/change/publish.c doesn't find out by a real accept(2) that
# the program isn't called, or leaves it attached.
# What needs another machine is tested elsewhere: no BPF LSM in no_bpf_lsm.sh, little memory in little_memory.sh.

: "${sockaccept:?}" "${pins:?}" "${work:?}"
small=/sys/fs/cgroup/small

# in_small COMMAND...: runs it in a control group with little memory
in_small() {
	sh -c "echo \$\$ >$small/cgroup.procs && exec \"\$@\"" in_small "$@"
}

# The message gives the size of all maps: with 1,048,576 events in each buffer, the buffers alone take 1 GiB.
memory_of_a_control_group_lacks() {
	unloaded
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir -p $small
	trap 'rmdir $small; echo -memory >/sys/fs/cgroup/cgroup.subtree_control' EXIT
	echo 96M >$small/memory.max
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		events = 1048576
	END
	expect_status 1 in_small "$sockaccept" load policy.ini
	expect_said 'not enough memory'
	expect_said '1024 MiB of them for events'
	expect_said 'lower than 1048576'
	expect "lines of the message" 1 "$(wc -l <said)"
	[ ! -e "$pins" ] || because "a load that failed left $(find "$pins" | tr '\n' ' ')"
	accepts 21940
	echo max >$small/memory.max
	sed -i '/^events/d' policy.ini
	expect_status 0 in_small "$sockaccept" load policy.ini
	is_denied 21940
	unloaded
}

# The list of security modules can't be read then. A real accept that is refused shows that BPF LSM is among them.
without_securityfs_it_is_tried() {
	unloaded
	umount /sys/kernel/security
	trap 'mount -t securityfs securityfs /sys/kernel/security' EXIT
	accepts 21941
	deny_all
	is_denied 21941
	ctl status
	ctl doctor
	grep -q '^lsm=  *none: ' said || because "doctor said of lsm=: $(grep '^lsm=' said)"
	ctl load policy.ini
	is_denied 21941
	unloaded
}

# A program that isn't called doesn't stay attached. Where ftrace can't be turned off, as on Linux 7, nothing makes the load fail.
without_securityfs_a_load_that_fails_is_undone() {
	unloaded
	umount /sys/kernel/security
	trap 'echo 1 >/proc/sys/kernel/ftrace_enabled; mount -t securityfs securityfs /sys/kernel/security' EXIT
	write_policy policy.ini </dev/null
	if ! echo 0 >/proc/sys/kernel/ftrace_enabled; then
		ctl load policy.ini
		return
	fi
	expect_status 5 "$sockaccept" load policy.ini
	expect_said 'kernel.ftrace_enabled is 0'
	[ ! -e "$pins" ] || because "it left $(find "$pins" | tr '\n' ' ')"
	until_true 10 no_link_is_left || because "links are left: $(bpftool link list)"
	echo 1 >/proc/sys/kernel/ftrace_enabled
	ctl load policy.ini
	unloaded
}

no_link_is_left() {
	[ "$(bpftool link list | grep -c '^[0-9]')" -eq 0 ]
}

test_case memory_of_a_control_group_lacks
test_case without_securityfs_it_is_tried
test_case without_securityfs_a_load_that_fails_is_undone
