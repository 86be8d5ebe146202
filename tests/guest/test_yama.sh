# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that where Yama lets nobody trace, a change of the policy names the process that may take one more connection.
# Fails if enforce/change/ask_again.c doesn't notice that, or names a process that doesn't wait in accept(2).
# Must be the last file of a guest: the switch can't be turned back, and killat needs to trace.

: "${blocked:?}" "${work:?}" "${pid=}"

# A process with a thread that waits in accept(2) can't be asked again, and is named. One that waits in poll(2) isn't.
yama_is_told() {
	[ -e /proc/sys/kernel/yama/ptrace_scope ] || skip "this kernel has no Yama"
	load <<-END
		[sockaccept]
		default = allow
	END
	background waits "$blocked" 26140 1
	waits=$pid
	until_true 30 grep -q ready waits || because "no listener: $(cat waits.errors)"
	serve idle 26141
	echo 3 >/proc/sys/kernel/yama/ptrace_scope
	ctl deny any 26140 26141
	expect_said "(pid $waits) may take one more connection on 0.0.0.0:26140/tcp"
	expect_said "kernel.yama.ptrace_scope is 3, which lets nobody do that"
	expect "warnings of that" 1 "$(grep -c 'one more connection' "$work/said")"
	python3 -S -c 'import _socket
_socket.socket().connect(("127.0.0.1", 26140))'
	until_true 20 grep -q '^accepted' waits || because "the thread took none: $(cat waits)"
}

test_case yama_is_told
