# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that switches of the kernel that turn enforcement off are refused by the kernel or reported as NOT ENFORCING; and that a guest meant
# to have a preemptible or real-time kernel has one.
# Fails if enforce/kernel/prerequisites.c doesn't look at kernel.ftrace_enabled, or if a kernel lets that be 0 and calls BPF programs all
# the same.

: "${sockaccept:?}"
ftrace=/proc/sys/kernel/ftrace_enabled

# From Linux 7 on, the kernel refuses to set ftrace_enabled to 0 while a program is attached.
ftrace_off_is_said_or_refused() {
	deny_all
	trap 'echo 1 >$ftrace' EXIT
	if ! echo 0 >$ftrace; then
		expect $ftrace 1 "$(cat $ftrace)"
		is_denied 21950
		expect "status says enforcing" true "$(state enforcing)"
		return
	fi
	expect_status 1 "$sockaccept" status
	expect_said 'NOT ENFORCING'
	expect_said ftrace_enabled
	expect_status 1 "$sockaccept" status --json
	expect "enforcing" false "$(value enforcing <said)"
	ctl load --no-warnings policy.ini
	expect_said 'NOT ENFORCING'
	accepts 21950 # so it would be wrong to say otherwise
	echo 1 >$ftrace
	ctl status
	ctl doctor
	is_denied 21950
}

# A guest with preempt=full, in which a program can be held up anywhere.
kernel_preempts_itself() {
	grep -q '(full)' /sys/kernel/debug/sched/preempt || because "the kernel says $(cat /sys/kernel/debug/sched/preempt)"
}

# The version tells: /sys/kernel/realtime is gone since real-time support is in mainline.
kernel_is_realtime() {
	uname -v | grep -qw PREEMPT_RT || because "the kernel says $(uname -v)"
}

test_case ftrace_off_is_said_or_refused
! grep -q preempt=full /proc/cmdline || test_case kernel_preempts_itself
case $(uname -r) in
*-rt-*) test_case kernel_is_realtime ;;
esac
