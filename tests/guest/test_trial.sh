# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a policy that isn't confirmed in time is rolled back by the kernel alone, and that a confirmed one stays.
# Fails if slot_on_trial() in bpf/caller.bpf.h switches too early, too late or back again, if enforce/kernel/trial_word.c lets a
# confirmation and a rollback both win, or if enforce/change/publish.c or trial.c falls back to the wrong policy.

: "${sockaccept:?}" "${probe:?}"
pid=

# two_policies: open.ini allows the probe port 25001, shut.ini nothing
two_policies() {
	write_policy open.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[probe]
		binary = $probe
		user = root
		allow = 25001
	END
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
	END
}

# falls_back_between MS MS: expects a denial before the first time since boot, and an accept after the second
falls_back_between() {
	while :; do
		before=$(uptime_ms)
		seen=$($probe accept inet accept 25001) || true
		case $seen in
		accepted) break ;;
		EPERM) [ "$before" -le $(($2 + 20)) ] || because "still denied at $before ms, and the time was up by $2 ms" ;;
		*) because "the probe: $seen" ;;
		esac
	done
	[ "$(uptime_ms)" -ge "$1" ] || because "allowed at $(uptime_ms) ms, before the time was up, at $1 ms"
}

unconfirmed_policy_goes_again() {
	unloaded
	two_policies
	ctl load open.ini
	began=$(uptime_ms)
	ctl load shut.ini --confirm 8
	ended=$(uptime_ms)
	expect_said "On trial for 8 s"
	is_denied 25001
	ctl status
	expect_said "it stays with: sockaccept-ctl confirm"
	ctl status --json
	judge 's = json.load(open("said")); assert s["trial"] == "pending" and 0 <= s["confirm_within"] <= 8 and s["generation"] == 2, s'
	for change in "allow $probe 25002" "deny $probe 25002" "remove $probe" "mode permissive" refresh; do
		# shellcheck disable=SC2086 # they are words
		expect_status 1 "$sockaccept" $change
		expect_said "on trial for another"
	done
	# The wall clock doesn't matter.
	date -s "@$(($(date +%s) + 86400))" >/dev/null
	falls_back_between $((began + 8000)) $((ended + 8000))
	date -s "@$(($(date +%s) - 86400))" >/dev/null
	ctl status --json
	judge 's = json.load(open("said")); assert s["trial"] == "over" and s["generation"] == 3 and s["rules"] == 1, s'
	expect_status 1 "$sockaccept" confirm
	expect_said "too late"
	ctl status --json
	judge 's = json.load(open("said")); assert s["trial"] is None and s["generation"] == 3, s'
	accepts 25001
	ctl allow "$probe" 25002
	expect_said "generation 4"
	accepts 25001 25002
	is_denied 25003
}

confirmed_policy_stays() {
	two_policies
	ctl load open.ini
	generation=$(state generation)
	expect_status 1 "$sockaccept" confirm
	expect_said "nothing to confirm"
	ctl load shut.ini --confirm 3
	ctl confirm
	expect_said "generation $((generation + 1)) stays"
	sleep 3.2
	is_denied 25001
	expect "generation" $((generation + 1)) "$(state generation)"
	ctl load open.ini
	expect_said "generation $((generation + 2))"
	accepts 25001
}

first_load_on_trial_goes_again() {
	unloaded
	two_policies
	ctl load shut.ini --confirm 3
	is_denied 25001
	until_true 10 sh -c "$probe accept inet accept 25001 | grep -q accepted" || because "still denied"
	expect "rules and default" "allow 2" "$(state default generation)"
}

# Several trials in a row all fall back to the policy before the first.
trial_is_replaced() {
	two_policies
	ctl load open.ini
	ctl load shut.ini --confirm 60
	ctl load shut.ini --confirm 3
	is_denied 25001
	until_true 10 sh -c "$probe accept inet accept 25001 | grep -q accepted" || because "still denied"
	ctl load shut.ini --confirm 3
	is_denied 25001
	ctl load open.ini
	accepts 25001
	expect "on trial" null "$(state trial)"
	sleep 3.2
	accepts 25001
	ctl load shut.ini
	is_denied 25001
}

# Either the confirmation or the rollback wins, and `confirm` says which.
confirm_and_fallback_exclude_each_other() {
	two_policies
	ctl load open.ini
	confirmed=0
	for round in 1 2 3; do
		ctl load open.ini
		ctl load shut.ini --confirm 1
		background "spin-$round" sh -c "while :; do $probe accept inet accept 25001; done"
		spinner=$pid
		sleep 0.$((50 + round * 8))
		if "$sockaccept" confirm; then
			confirmed=$((confirmed + 1))
			is_denied 25001
			sleep 0.5
			is_denied 25001
		else
			accepts 25001
			sleep 0.5
			accepts 25001
		fi
		finish "$spinner"
		# Allowed from some time on, or denied all the time.
		uniq "spin-$round" | tr '\n' ' ' | grep -qE '^EPERM (accepted )?$' || because "round $round: $(uniq "spin-$round" | tr '\n' ' ')"
	done
	echo "confirmed in time: $confirmed of 3"
}

bad_times_are_refused() {
	unloaded
	two_policies
	for time in 0 86401 -1 1m '' 3.5; do
		expect_status 2 "$sockaccept" load open.ini "--confirm=$time"
	done
	expect_status 3 "$sockaccept" status
	expect_status 3 "$sockaccept" confirm
}

test_case unconfirmed_policy_goes_again
test_case first_load_on_trial_goes_again
# These test user space, which is the same on every kernel.
if [ -z "${BRIEF-}" ]; then
	test_case confirmed_policy_stays
	test_case trial_is_replaced
	test_case confirm_and_fallback_exclude_each_other
	test_case bad_times_are_refused
fi
