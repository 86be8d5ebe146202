# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a new version takes over from an older one with other maps without a gap, also if it is killed or its calls fail; and that an
# older version leaves a newer one alone.
# Fails if enforce/kernel/take_over.c removes the old kernel side before the new one decides, if carry_processes.c forgets what a process
# is, or if enforce/kernel/open.c accepts another layout.

: "${sockaccept:?}" "${traffic:?}" "${probe:?}" "${killat:?}" "${pins:?}" "${root:?}" "${work:?}"
pid=
code=

older=$root/build/older/build/sockaccept-ctl

load_older() {
	write_policy older.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		events = 1024
		[served]
		binary = $traffic
		allow = 22950
	END
	expect_status 0 "$older" load older.ini
	expect_status 0 "$older" allow "$probe" 22952
}

# While the kernel sides change, one server is served all the time, and another one never.
older_is_taken_over_without_a_gap() {
	unloaded
	load_older
	expect_status 1 "$sockaccept" status
	expect_said "was loaded by an older sockaccept-ctl (layout 1, not "
	expect_status 1 "$sockaccept" allow "$probe" 22953
	expect_said "take it over: sockaccept-ctl upgrade"
	background spinner "$traffic" spin 1000000000 22951
	spinner=$pid
	serve server 22950
	server=$pid
	background clients "$traffic" supply 22950
	clients=$pid
	sleep 1
	ctl upgrade
	expect_said "Taken over from layout 1 to "
	expect_said "2 rules, generation 3."
	sleep 1
	finish "$spinner"
	finish "$clients"
	finish "$server"
	grep -q '^accepted 0 denied [1-9][0-9]* other 0$' spinner || because "the spinner: $(cat spinner)"
	grep -q '^22950 accepted [1-9][0-9]* denied 0 other 0$' server || because "the server: $(cat server)"
	[ ! -e "$pins-new" ] || because "the old kernel side is still there"
	accepts 22952
	is_denied 22953
	expect "rules" 2 "$("$sockaccept" list --json | tr '{' '\n' | grep -c '"section":"\(served\|cli\)"')"
	expect "the size of the buffers" 1024 "$("$sockaccept" metrics | sed -n 's/^sockaccept_events_room //p')"
	ctl upgrade
	expect_said "Nothing to do"
	ctl allow "$probe" 22953
	accepts 22953
}

# The older daemon has nothing to read until it is restarted, but doesn't fail.
older_daemon_awaits_its_restart() {
	unloaded
	load_older
	background daemon "$older" daemon --log "$work/log"
	daemon=$pid
	is_denied 22957
	ctl upgrade
	is_denied 22958
	# It goes on reading what was unloaded for 3 s.
	sleep 5
	kill -0 "$daemon" || because "it has ended: $(cat daemon.errors)"
	code=0
	kill -TERM "$daemon"
	wait "$daemon" || code=$?
	expect "its status" 0 "$code"
	expect "ports in its log" "22957" "$(sed -n 's/.*"port":\(2295[78]\)}.*/\1/p' log | sort -u)"
	expect "what it complained of" "" "$(cat daemon.errors)"
}

# The file of a running server was renamed, so only the old kernel side knows what the process is.
processes_stay_what_they_are() {
	unloaded
	cp "$traffic" server
	write_policy older.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[server]
		binary = $work/server
		allow = 22960
	END
	expect_status 0 "$older" load older.ini
	background running "$work/server" serve 22960
	server=$pid
	until_true 20 grep -q ready running
	expect "a client" "served 1 unserved 0 failed 0" "$("$traffic" connect 22960 1)"
	mv server renamed
	expect "a client, renamed" "served 1 unserved 0 failed 0" "$("$traffic" connect 22960 1)"
	ctl upgrade
	expect "a client, taken over" "served 2 unserved 0 failed 0" "$("$traffic" connect 22960 2)"
	finish "$server"
	cp renamed copy
	background running "$work/copy" serve 22960
	until_true 20 grep -q ready running
	expect "a client of a copy" "served 0 unserved 1 failed 0" "$("$traffic" connect 22960 1)"
}

older_trial_can_be_confirmed() {
	unloaded
	load_older
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
	END
	expect_status 0 "$older" load shut.ini --confirm 600
	expect_status 1 "$sockaccept" upgrade
	expect_said "on trial for another"
	ctl confirm
	expect_said "take it over: sockaccept-ctl upgrade"
	expect_status 1 "$sockaccept" confirm
	expect_said "nothing to confirm"
	ctl upgrade
	is_denied 22952
	expect "trial" null "$(state trial)"
}

# `status` still says after an upgrade that the boot fell back.
last_good_is_said_after_an_upgrade() {
	unloaded
	mkdir -p /etc/sockaccept
	write_policy /etc/sockaccept/policy.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		failure = closed
	END
	expect_status 0 "$older" load
	expect_status 0 "$older" unload
	echo '[broken' >>/etc/sockaccept/policy.ini
	expect_status 6 "$older" load --boot
	ctl upgrade
	rm -r /etc/sockaccept /var/lib/sockaccept
	expect_status 1 "$sockaccept" status
	expect_said "invalid at boot"
	is_denied 22952
}

# A path that has gone since the older version loaded it doesn't prevent the upgrade.
what_waits_is_taken_over() {
	unloaded
	mkdir app
	cp "$probe" app/program
	load_older
	expect_status 0 "$older" allow "$work/app/program" 22954
	rm -r app
	ctl upgrade
	expect_said "$work/app/program: there is no directory $work/app; the rule waits for it"
	accepts 22952
	is_denied 22954
	"$sockaccept" list --json | tr '{' '\n' | grep "$work/app/program" | grep -q '"waits":true' || because "it doesn't wait"
	mkdir app
	cp "$probe" app/program
	ctl refresh
	expect "app/program accept inet accept 22954" accepted "$(app/program accept inet accept 22954)"
}

older_leaves_newer_alone() {
	unloaded
	deny_all
	ctl allow "$probe" 22955
	for verb in status list audit unload upgrade refresh "allow $probe 22956" "mode permissive" "load policy.ini"; do
		# shellcheck disable=SC2086 # they are words
		expect_status 1 "$older" $verb
		expect_said "was loaded by a newer sockaccept-ctl"
	done
	accepts 22955
	is_denied 22956
	expect "the generation" 2 "$(state generation)"
}

# Wherever it is killed, the policy holds, and the next upgrade completes it. Each kill takes two loads, so only every fourth is tried.
killed_upgrade_is_whole() {
	KILL_EVERY=$((4 * ${KILL_EVERY:-1}))
	unloaded
	load_older
	kill_points '6|17' "$sockaccept" upgrade >points
	kills=0
	while read -r point; do
		"$sockaccept" unload >/dev/null || "$older" unload
		load_older
		call=$("$killat" "$point" "$sockaccept" upgrade 2>/dev/null) || break
		kills=$((kills + 1))
		is_denied 22954
		accepts 22952
		ctl upgrade
		[ ! -e "$pins-new" ] || because "killed at call $call, the next one leaves $pins-new"
		is_denied 22954
		accepts 22952
		expect "rules, killed at call $call" 2 "$(state rules)"
	done <points
	echo "$kills kills"
	[ $kills -ge "$(least 32)" ] || because "only $kills kills: the upgrade made these calls: $(tr '\n' ' ' <calls)"
}

# side: prints whose kernel side it is: older, ours or none
side() {
	if "$older" status >/dev/null 2>&1; then
		echo older
	elif "$sockaccept" status >/dev/null; then
		echo ours
	else
		echo none
	fi
}

# These take two loads too, so only every fourth is tried.
failing_upgrades_change_nothing() {
	unloaded
	load_older
	calls=$(calls_of "$sockaccept" upgrade)
	failed=0
	tries=0
	for call in $(seq 1 $((4 * ${KILL_EVERY:-1})) "$calls"); do
		tries=$((tries + 1))
		for error in $(errors_of $tries); do
			if [ "$(side)" != older ]; then
				ctl unload
				[ ! -e "$pins-new" ] || because "call $(head -n 1 called), $point, leaves $pins-new for good"
				load_older
			fi
			let_fail "$call" "$error" "$sockaccept" upgrade
			judge_failure "$(side)" older ours
			[ ! -e "$pins-new" ] || grep -q 'the old kernel side still decides' message || because "call $(head -n 1 called), $point, leaves $pins-new: $(cat message)"
			accepts 22952
			is_denied 22954
		done
	done
	echo "$failed of $tries tries failed"
	[ $failed -ge "$(least 20)" ] || because "only $failed failed, of $calls calls"
	ctl upgrade
}

test_case older_is_taken_over_without_a_gap
test_case older_leaves_newer_alone
if [ -z "${BRIEF-}" ]; then
	test_case processes_stay_what_they_are
	test_case older_trial_can_be_confirmed
	test_case what_waits_is_taken_over
	test_case last_good_is_said_after_an_upgrade
	test_case older_daemon_awaits_its_restart
	test_case killed_upgrade_is_whole
	test_case failing_upgrades_change_nothing
fi
