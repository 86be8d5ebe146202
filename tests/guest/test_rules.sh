# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Which rule decides, and how rules are listed, replaced and removed.

: "${sockaccept:?}" "${probe:?}" "${pins:?}"
# Neither root's nor anybody's in particular.
user=4242

# as_user: the probe as another user, on one port
as_user() {
	setpriv --reuid "$user" --regid "$user" --clear-groups "$probe" accept inet accept "$1" || true
}

named_beats_any() {
	load <<-END
		[everybody]
		binary = any
		deny = 21600
		allow = 21601
		[probe]
		binary = $probe
		allow = any
		deny = 21601
	END
	accepts 21600
	is_denied 21601
	expect "the deciding rule" "probe: deny 21601" "$(last_event | value rule)"
}

narrower_beats_wider() {
	load <<-END
		[sockaccept]
		default = allow
		[probe]
		binary = $probe
		deny = any
		allow = 21610-21619
		deny = 21612-21615
		allow = 21613
		deny = 21613-21614
	END
	expect_outcomes "EPERM accepted accepted EPERM accepted EPERM EPERM accepted EPERM" inet accept \
		21609 21610 21611 21612 21613 21614 21615 21616 21620
}

deny_beats_allow() {
	load <<-END
		[first]
		binary = $probe
		allow = 21620-21625
		deny = 21620-21625
		[any]
		binary = any
		deny = 21626
		allow = 21626
	END
	is_denied 21620
	is_denied 21625
	is_denied 21626
}

user_beats_none() {
	load <<-END
		[sockaccept]
		default = deny
		[user]
		binary = $probe
		user = $user
		allow = any
		[nobody-in-particular]
		binary = $probe
		deny = 21630
	END
	is_denied 21630
	is_denied 21631
	expect "user $user on 21630" accepted "$(as_user 21630)"
	expect "user $user on 21631" accepted "$(as_user 21631)"
	ctl deny "$probe" 21631 --user $user
	expect "user $user on 21631, denied" EPERM "$(as_user 21631)"
	expect "the event's user" $user "$(last_event | value uid)"
	expect "the deciding rule" "cli: deny 21631 user $user" "$(last_event | value rule)"
}

users_of_a_verb() {
	deny_all
	expect "user $user, before" EPERM "$(as_user 21690)"
	ctl allow "$probe" 21690 21691 --user "root,$user,0"
	expect "rules" 4 "$(state rules)"
	accepts 21690 21691
	expect "user $user" accepted "$(as_user 21691)"
	expect "another user" EPERM "$(user=65534 as_user 21691)"
	expect_status 1 "$sockaccept" remove "$probe" 21690 --user "$user,1"
	expect_said 'for port 21690 of user 1, so nothing was removed'
	expect_status 1 "$sockaccept" remove "$probe" --user 1
	expect "rules, after a removal that failed" 4 "$(state rules)"
	ctl remove "$probe" --user "$user"
	expect "user $user, removed" EPERM "$(as_user 21691)"
	accepts 21690 21691
	expect_status 1 "$sockaccept" remove "$probe" 21690,21691 --user 'root, daemon'
	ctl remove "$probe" 21690,21691 --user root
	is_denied 21690 21691
}

last_word_counts() {
	deny_all
	ctl allow "$probe" 21640
	accepts 21640
	ctl deny "$probe" 21640
	is_denied 21640
	ctl allow "$probe" 21640
	accepts 21640
	expect "rules" 1 "$(state rules)"
}

hits_are_counted_and_kept() {
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 21650
		deny = 21651
	END
	for _ in 1 2 3; do
		accepts 21650
	done
	is_denied 21651
	is_denied 21651
	expect "hits of allow and deny" "3 2" "$(hits '"ports":"21650"') $(hits '"ports":"21651"')"
	ctl allow /usr/sbin/nginx 80
	ctl deny "$probe" 21652
	ctl remove /usr/sbin/nginx
	expect "hits after changes of other rules" "3 2" "$(hits '"ports":"21650"') $(hits '"ports":"21651"')"
	accepts 21650
	expect "hits" 4 "$(hits '"ports":"21650"')"
	ctl load "$PWD/policy.ini"
	expect "hits after load" "0 0" "$(hits '"ports":"21650"') $(hits '"ports":"21651"')"
}

remove_removes() {
	deny_all
	ctl allow "$probe" 21660 21661 21662
	ctl deny any 21660
	ctl remove "$probe" 21660
	is_denied 21660
	accepts 21661
	expect_status 1 "$sockaccept" remove "$probe" 21660
	ctl remove "$probe"
	is_denied 21661
	expect "rules" 1 "$(state rules)"
	ctl remove any 21660
	expect "rules" 0 "$(state rules)"
}

generation_grows_by_one() {
	unloaded
	deny_all
	expect "the first load's generation" 1 "$(state generation)"
	ctl allow "$probe" 21670
	ctl deny "$probe" 21670
	ctl remove "$probe" 21670
	ctl mode permissive
	ctl mode enforce
	deny_all
	expect "the generation after six changes" 7 "$(state generation)"
	is_denied 21670
	expect "the event's generation" 7 "$(last_event | value generation)"
}

rules_in_events() {
	load <<-END
		[sockaccept]
		default = deny
		[some label]
		binary = $probe
		deny = 21680-21689/tcp
	END
	is_denied 21680
	expect "the event's rule" "some label: deny 21680-21689/tcp" "$(last_event | value rule)"
	expect "its reason" rule "$(last_event | value reason)"
	is_denied 21690
	expect "the event's rule" null "$(last_event | value rule)"
	expect "its reason" default "$(last_event | value reason)"
}

# Also while somebody follows the events: who holds the link would keep the program attached.
unload_removes_everything() {
	deny_all
	is_denied 21695
	background follower "$sockaccept" audit --follow --json
	until_true 10 test -s follower || because "audit --follow: no event within 10 s"
	ctl unload
	[ ! -e "$pins" ] || because "there is still $(find "$pins" | tr '\n' ' ')"
	accepts 21695
	expect_status 3 "$sockaccept" status
	expect_status 3 "$sockaccept" unload
	seen=0
	# shellcheck disable=SC2154 # harness.sh sets it
	wait "$pid" || seen=$?
	expect "the follower's status" 3 $seen
}

test_case named_beats_any
test_case narrower_beats_wider
test_case deny_beats_allow
test_case user_beats_none
test_case users_of_a_verb
test_case last_word_counts
test_case hits_are_counted_and_kept
test_case remove_removes
test_case generation_grows_by_one
test_case rules_in_events
test_case unload_removes_everything
