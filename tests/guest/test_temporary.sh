# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that temporary rules beat lasting ones, and end by themselves: in the kernel, at their time, whatever the wall clock says.
# Fails if is_passing() in bpf/shared/decision.h compares times wrongly, if bpf/answer.bpf.h reuses an answer beyond the end of its rule, if
# policy/policy_edit.c replaces the wrong rules, or if enforce/records/metrics_labels.c gives two rules the same labels.

: "${sockaccept:?}" "${probe:?}" "${traffic:?}"

# outcome PORT
outcome() {
	$probe accept inet accept "$1" || true
}

# changes_at MS PORT BEFORE AFTER: expects that the outcome changes from BEFORE to AFTER at that time since boot
changes_at() {
	while :; do
		began=$(uptime_ms)
		seen=$(outcome "$2")
		[ "$seen" != "$4" ] || break
		expect "outcome on $2" "$3" "$seen"
		[ "$began" -le $(($1 + 20)) ] || because "still $3 on $2 at $began ms; the rule ended at $1 ms"
	done
	[ "$(uptime_ms)" -ge "$1" ] || because "$4 on $2 at $(uptime_ms) ms; the rule ends at $1 ms"
}

# end_of TEXT: prints when the rule with this text in `list --json` ends, in ms since boot
end_of() {
	"$sockaccept" list --json | tr '{' '\n' | grep -F -- "$1" | value until_boottime_ns | sed 's/......$//'
}

temporary_rule_ends_by_itself() {
	deny_all
	ctl allow "$probe" 26001 --for 6s
	accepts 26001
	ctl list
	grep -q "cli .*$probe .*allow .*26001 .*[1-6]s" said || because "list: $(cat said)"
	end=$(end_of 26001)
	generation=$(state generation)
	# No process of ours is alive, and the wall clock jumps.
	date -s "@$(($(date +%s) + 86400))" >/dev/null
	changes_at "$end" 26001 accepted EPERM
	date -s "@$(($(date +%s) - 86400))" >/dev/null
	expect "rules left" "0 $generation" "$(state rules generation)"
	ctl allow "$probe" 26002
	expect "rules left" 1 "$(state rules)"
	is_denied 26001
}

# The kernel side doesn't reuse its answer to this server beyond the end of the rule.
temporary_rule_ends_for_a_running_server() {
	deny_all
	serve server 26011
	ctl allow "$traffic" 26011 --for 8s
	end=$(end_of 26011)
	expect "a client" "served 3 unserved 0 failed 0" "$("$traffic" connect 26011 3)"
	until_true 20 ended "$end"
	expect "a client, afterwards" "served 0 unserved 1 failed 0" "$("$traffic" connect 26011 1)"
}

ended() {
	[ "$(uptime_ms)" -gt "$1" ]
}

temporary_rules_beat_lasting_ones() {
	deny_all
	ctl deny "$probe" 26021
	ctl deny "$probe" 26022 --user root
	ctl allow any any --for 14s
	accepts 26021 26022
	# Of two temporary rules the narrower decides, and when it ends, the wider.
	ctl deny any 26022-26023 --for 7s
	is_denied 26022 26023
	accepts 26021
	changes_at "$(end_of 26022-26023)" 26022 EPERM accepted
	accepts 26023
	changes_at "$(end_of '"ports":"any"')" 26021 accepted EPERM
	is_denied 26022 26023
}

# The latest command decides. `load` keeps temporary rules.
temporary_rules_are_replaced_and_kept() {
	deny_all
	ctl allow "$probe" 26031 --for 1h
	ctl allow "$probe" 26031 --for 2h
	expect "rules" 1 "$(state rules)"
	ctl deny "$probe" 26031 --for 1h
	is_denied 26031
	ctl allow "$probe" 26031
	accepts 26031
	expect "rules" 1 "$(state rules)"
	ctl deny "$probe" 26031 --for 1h
	is_denied 26031
	ctl remove "$probe" 26031
	expect "rules" 0 "$(state rules)"
	ctl allow "$probe" 26032 --for 1h
	deny_all
	expect_said "1 temporary rule stays in force"
	accepts 26032
	ctl mode permissive
	ctl mode enforce
	accepts 26032
	is_denied 26031
}

# A monitoring system refuses everything if one series is there twice.
temporary_rules_have_metrics_of_their_own() {
	deny_all
	ctl allow "$probe" 26051 --user root
	ctl allow "$probe" 26051 --user root --for 1h
	accepts 26051
	"$sockaccept" metrics >counted
	sed 's/ [0-9.]*$//' counted | sort | uniq -d | grep -v '^#' >twice || true
	[ ! -s twice ] || because "twice: $(cat twice)"
	expect "the temporary one's" 1 "$(sed -n 's/^sockaccept_rule_hits_total{.*ports="26051",temporary="yes"} //p' counted)"
	expect "the other's" 0 "$(sed -n 's/^sockaccept_rule_hits_total{.*ports="26051"} //p' counted)"
	promtool check metrics <counted || because "promtool: $(promtool check metrics <counted 2>&1 | head -n 2)"
}

temporary_rules_are_bounded() {
	deny_all
	ctl remove "$probe"
	for time in 0s -1s 367d 12 1x ''; do
		expect_status 2 "$sockaccept" allow "$probe" 26041 "--for=$time"
	done
	# shellcheck disable=SC2046 # they are words
	ctl allow "$probe" $(seq 26100 26355) --for 1h
	expect_status 1 "$sockaccept" allow "$probe" 26356 --for 1h
	expect_said "257 temporary rules, and 256 is the most"
	accepts 26100 26355
	is_denied 26356
	ctl allow "$probe" 26356
	accepts 26356
}

test_case temporary_rule_ends_by_itself
test_case temporary_rule_ends_for_a_running_server
test_case temporary_rules_beat_lasting_ones
test_case temporary_rules_are_replaced_and_kept
test_case temporary_rules_have_metrics_of_their_own
test_case temporary_rules_are_bounded
