#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Shows that a `lock` that is killed at any of its calls leaves the policy locked, or as it was and with a remedy that works.
# Fails if enforce/change/guard.c attaches, freezes and pins in another order, or if enforce/kernel/locked.c doesn't recognise what it left.
# Runs in a guest of its own, because a lock lasts until the machine stops: tests/guest/run tests/guest/lock_killed.sh
root=$(cd "$(dirname "$0")/../.." && pwd)

# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"

holds() {
	accepts 28101
	is_denied 28102
}

begin_anew() {
	unloaded
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 28101
	END
}

# can_be_changed: expects that the policy can be changed, at once or after the remedy that the message names
can_be_changed() {
	if ! "$sockaccept" allow "$probe" 28103 >said 2>&1; then
		expect_said "a lock that didn't come to its end"
		expect_status 1 "$sockaccept" status
		expect_said "a lock that didn't come to its end"
		expect_status 1 "$sockaccept" doctor
		expect_said "a lock that didn't come to its end"
		ctl upgrade
		holds
		ctl allow "$probe" 28103
	fi
	accepts 28103
	ctl remove "$probe" 28103
}

# leaves_much: true if it was killed at one of the last calls, which freeze and pin
leaves_much() {
	grep -qE 'bpf (6|8|22)$|write' called
}

# Wherever `lock` is killed, the policy can be read and changed, or it is locked. If no killed one locks it, the last one, which isn't
# killed, does.
killed_lock_is_none_or_whole() {
	begin_anew
	kills=0
	call=1
	while "$killat" $call "$sockaccept" lock >called 2>message; do
		kills=$((kills + 1))
		holds
		"$sockaccept" list >listed || because "killed at call $(cat called), list: $(cat listed)"
		[ "$(state locked)" = false ] || break
		if leaves_much; then
			call=$((call + 1))
			can_be_changed
		else
			call=$((call + ${KILL_EVERY:-1}))
		fi
	done
	echo "$kills kills; the last one: $(cat called)"
	[ $kills -ge 20 ] || because "only $kills kills"
	expect "locked" true "$(state locked)"
	expect_status 4 "$sockaccept" allow "$probe" 28103
	expect_status 4 "$sockaccept" unload
	holds
}

echo "Linux $(uname -r)"
prepare || exit 1
test_case killed_lock_is_none_or_whole
summarise
