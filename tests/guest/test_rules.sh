# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows which rule decides, and how rules are listed, replaced and removed.
# Fails if bpf/shared/decision.h or policy/image_build.c ranks rules otherwise than documented, if policy/policy_edit.c replaces or removes
# too much or too little, if enforce/kernel/live.c loses the hits of rules that stay, if enforce/change/overruled.c or weaker.c warns
# wrongly, or if `unload` leaves a pin or an attached program.

: "${sockaccept:?}" "${probe:?}" "${pins:?}" "${work:?}"
# Neither root's nor anybody's in particular.
user=4242

# as_user PORT: runs the probe as $user, on one port
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

# Also while somebody follows the events: a reader that held the link would keep the program attached.
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

# redis_policy: loads a policy whose rule has a user, and so more conditions than what the command line adds
redis_policy() {
	load <<-END
		[sockaccept]
		default = deny
		[redis]
		binary = /usr/bin/redis-server
		user = daemon
		allow = 6379
	END
}

# answers: true if redis takes a connection and answers
answers() {
	[ "$(timeout 3 redis-cli -p 6379 ping 2>/dev/null)" = PONG ]
}

answers_no_more() {
	! answers
}

# says_redis: true if the rule of the file is live
says_redis() {
	"$sockaccept" list --json | tr '{' '\n' | grep -F '"section":"redis"' | grep -qF '"verdict":"allow","ports":"6379"'
}

# run_suggestion: runs the command that the last warning suggested
run_suggestion() {
	suggestion=$(sed -n 's/.* too: sockaccept-ctl //p' said | head -n 1)
	[ -n "$suggestion" ] || because "no suggestion in: $(cat said)"
	echo "suggested: $suggestion"
	expect_status 0 sh -c "$sockaccept $suggestion"
}

overruled_deny_says_so() {
	redis_policy
	mkdir data
	chown daemon data
	background redis setpriv --reuid daemon --regid daemon --clear-groups redis-server --port 6379 --save '' --dir "$work/data"
	until_true 1 answers || because "redis, as its policy allows it, doesn't answer: $(tail -n 2 redis.errors)"
	rule="[redis] has \`allow = 6379\` for /usr/bin/redis-server and user daemon, which still decides there"
	remedy='to deny that too: sockaccept-ctl deny /usr/bin/redis-server 6379 --user daemon'
	for binary in /usr/bin/redis-server any; do
		for _ in first again; do
			ctl deny "$binary" 6379
			expect_said "warning: $rule; $remedy"
		done
		answers || because "redis is denied after all"
		ctl remove "$binary" 6379
		says_redis || because "\`remove $binary\` took the rule of the file with it"
		answers || because "redis is denied after remove $binary"
	done
	ctl deny /usr/bin/redis-server 6379
	run_suggestion
	expect "suggested" 'deny /usr/bin/redis-server 6379 --user daemon' "$suggestion"
	! grep -q 'still decides' said || because "the suggestion is overruled too: $(cat said)"
	until_true 1 answers_no_more || because "redis still answers"
	redis_policy
	until_true 1 answers || because "redis doesn't answer once its policy is loaded again"
	ctl deny any 6379-6380 --for 1h
	! grep -q 'still decides' said || because "a temporary rule beats one that lasts: $(cat said)"
	until_true 1 answers_no_more || because "redis still answers"
	ctl remove any
	answers || because "redis is denied once the temporary rule is removed"
}

# `allow` names the rules that overrule it in the same way. A protocol is a condition like a user.
overruled_allow_says_so() {
	load <<-END
		[shut]
		binary = $probe
		user = $user, root
		deny = 21701
		[tcp]
		binary = $probe
		deny = 21702/tcp, 21703
	END
	is_denied 21701 21702 21703
	ctl allow "$probe" 21701-21704
	expect "warnings" 3 "$(grep -c 'still decides there' said)"
	expect_said "[shut] has \`deny = 21701\` for $probe and users root, $user, which still decides there; to allow that too: sockaccept-ctl allow $probe 21701 --user root,$user"
	expect_said "[tcp] has \`deny = 21702/tcp\` for $probe, which still decides there; to allow that too: sockaccept-ctl allow $probe 21702/tcp"
	expect_said "[tcp] has \`deny = 21703\` for $probe"
	is_denied 21701 21702 21703
	accepts 21704
	sed -n 's/.* too: sockaccept-ctl //p' said >suggestions
	while read -r suggestion; do
		expect_status 0 sh -c "$sockaccept $suggestion"
		! grep -q 'still decides' said || because "$suggestion is overruled: $(cat said)"
	done <suggestions
	accepts 21701 21702 21703 21704
	ctl allow "$probe" 21705
	! grep -q warning said || because "warned without need: $(cat said)"
	# A temporary rule that decides otherwise.
	ctl deny "$probe" 21706 --user root --for 1h
	ctl allow "$probe" 21706
	expect_said "[cli] has a temporary \`deny = 21706\` for $probe and user root for "
	is_denied 21706
	run_suggestion
	accepts 21706
}

# `remove` keeps rules from files, unless it is asked for exactly that rule.
remove_leaves_files() {
	unloaded
	redis_policy
	expect_status 1 "$sockaccept" remove /usr/bin/redis-server 6379
	expect_said 'so nothing was removed'
	expect_status 1 "$sockaccept" remove /usr/bin/redis-server
	ctl deny /usr/bin/redis-server 6379 --user 4242
	ctl deny /usr/bin/redis-server 6379/tcp 6380 --for 1h
	ctl remove /usr/bin/redis-server
	expect "rules" 1 "$(state rules)"
	says_redis || because "the rule of the file is gone"
	expect_status 1 "$sockaccept" remove /usr/bin/redis-server 6379 --user 4242
	ctl remove /usr/bin/redis-server 6379 --user daemon
	expect "rules" 0 "$(state rules)"
	load <<-END
		[plain]
		binary = $probe
		deny = 21711, 21712
	END
	ctl allow "$probe" 21711 --for 1h
	accepts 21711
	ctl remove "$probe" 21711
	is_denied 21711 21712
	ctl allow "$probe" 21712 --for 1h
	# For one port the file's rule was removed above, for the other it wasn't.
	ctl remove "$probe" 21711 21712
	accepts 21711
	is_denied 21712
	ctl remove "$probe" --user any
	accepts 21712
	expect "rules" 0 "$(state rules)"
}

# said_weaker COUNT TEXT: expects that many warnings of a weaker policy, with this text
said_weaker() {
	expect "warnings with '$2'" "$1" "$(grep -c "warning: .* now: .*" said)"
	[ "$1" -eq 0 ] || expect_said "$2"
}

# A policy that is weaker than the one in force is loaded, with a warning.
weaker_policy_says_so() {
	default='the default was deny and is allow now'
	mode='the mode was enforce and is permissive now'
	deny_all
	is_denied 21795
	printf '[sockaccept]\njudge-listen = no\ngate = no\ndrain = no\n' | write_policy empty.ini
	ctl load --no-warnings empty.ini
	said_weaker 1 "$default"
	accepts 21795
	# One that is as strict, or stricter, gives no warning.
	ctl load empty.ini
	said_weaker 0 "$default"
	deny_all
	said_weaker 0 "$default"
	is_denied 21795
	ctl mode permissive
	said_weaker 1 "$mode"
	accepts 21795
	ctl mode permissive
	said_weaker 0 "$mode"
	ctl mode enforce
	said_weaker 0 "$mode"
	printf '[sockaccept]\nmode = permissive\ndefault = deny\njudge-listen = no\ngate = no\ndrain = no\n' | write_policy loose.ini
	ctl load --confirm 600 loose.ini
	said_weaker 1 "$mode"
	accepts 21795
	# The policy on trial is the one in force.
	ctl load empty.ini
	said_weaker 1 "$default"
	deny_all
	is_denied 21795
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
test_case overruled_deny_says_so
test_case overruled_allow_says_so
test_case remove_leaves_files
test_case weaker_policy_says_so
test_case unload_removes_everything
