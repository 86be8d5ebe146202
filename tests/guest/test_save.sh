# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that --save, save and diff agree with the policy in force, and that commands that are killed, or whose calls fail, leave all or
# nothing changed.
# Fails if enforce/change/local_rules.c saves what another file undoes, or puts a change in force before its file is complete, if
# enforce/base/replace.c writes a file other than whole, or if enforce/change/publish.c puts a policy in force before its trial has begun.

: "${sockaccept:?}" "${probe:?}" "${killat:?}" "${work:?}"

etc=/etc/sockaccept
local_rules=$etc/policy.d/90-local.ini

# default_policy: loads the policy on standard input as the only file in /etc/sockaccept
default_policy() {
	rm -rf $etc
	mkdir -p $etc/policy.d
	write_policy $etc/policy.ini
	ctl load
}

base_policy() {
	default_policy <<-END
		; ours
		[sockaccept]
		default = deny
		judge-listen = no

		[base]
		binary = $probe
		allow = 27001, 27009
		deny = 27002
	END
}

saved_rules_last() {
	base_policy
	ctl allow "$probe" 27003 27004 --save
	expect_said "saved in $local_rules"
	ctl deny any 27005 --user nobody,0 --save
	grep -qx 'user   = nobody, 0' $local_rules || because "the file: $(cat $local_rules)"
	sed -i 's/^allow.*/& ; mine/' $local_rules
	ctl allow "$probe" 27006 --save
	grep -q '^allow  = 27003, 27004, 27006 ; mine$' $local_rules || because "the file: $(cat $local_rules)"
	expect "rights" 644 "$(stat -c %a $local_rules)"
	accepts 27003 27004 27006
	"$sockaccept" list --json | sed 's/"hits":[0-9]*//g; s/"section":"[a-z]*",//g' | tr '{' '\n' | sort >before
	ctl load
	"$sockaccept" list --json | sed 's/"hits":[0-9]*//g; s/"section":"[a-z]*",//g' | tr '{' '\n' | sort >after
	cmp -s before after || because "after a load: $(diff before after | head -n 4)"
	ctl diff
	expect_said "No difference."
	ctl remove "$probe" 27003 --save
	ctl deny "$probe" 27004 --save
	ctl load
	is_denied 27003 27004
	accepts 27006
	# The same once more.
	ctl deny "$probe" 27004 --save
	expect_said "says so already"
	# `--user any` removes the rule without a user.
	ctl allow "$probe" 27008 --user root --save
	ctl allow "$probe" 27008 --save
	ctl remove "$probe" 27008 --user any --save
	expect_status 1 "$sockaccept" remove "$probe" 27008 --user any --save
	expect_said "has no rule for port 27008 without a user, so nothing was removed"
	expect "lines with it" 1 "$(grep -cw 27008 $local_rules)"
	accepts 27008
	ctl remove "$probe" 27008 --save
	is_denied 27008
}

# A rule that other files leave without any effect is refused, and nothing changes. One with some effect is saved, with a warning.
saving_what_has_no_effect_is_refused() {
	default_policy <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		[shared]
		binary = $probe
		user = root
		allow = 27021
	END
	ctl allow "$probe" 27022 --save
	accepts 27021 27022
	cp $local_rules local.before
	generation=$(state generation)
	for binary in "$probe" any; do
		expect_status 1 "$sockaccept" deny "$binary" 27021 --save
		expect_said "\`deny = 27021\` for $binary would have no effect: [shared] has \`allow = 27021\` for $probe and user root, which decides; say instead: sockaccept-ctl deny $probe 27021 --user root --save. Nothing was changed"
	done
	cmp -s $local_rules local.before || because "the file was changed: $(cat $local_rules)"
	expect "the generation" "$generation" "$(state generation)"
	accepts 27021
	expect_status 0 sh -c "$sockaccept $(sed -n 's/.* say instead: sockaccept-ctl \(.*\)\. Nothing.*/\1/p' said)"
	is_denied 27021
	ctl load
	is_denied 27021
	# Once it is removed, the file decides again.
	ctl remove "$probe" 27021 --user root --save
	ctl load
	accepts 27021 27022
	# Of some effect.
	ctl allow "$probe" 27020-27029 --save
	! grep -q warning said || because "warned: $(cat said)"
	ctl deny "$probe" 27020-27029 --save
	expect_said "[shared] has \`allow = 27021\` for $probe and user root, which still decides there; to deny that too: sockaccept-ctl deny $probe 27021 --user root --save"
	expect_said "[cli] has \`allow = 27022\` for $probe, which still decides"
	# The same once more changes nothing.
	ctl deny "$probe" 27020-27029 --save
	expect_said "says so already"
	ctl remove "$probe" --save
	ctl load
	accepts 27021
	is_denied 27022
	default_policy <<-END
		[sockaccept]
		judge-listen = no
		[shared]
		binary = $probe
		user = root
		deny = 27021
	END
	# Only root is denied, so this `allow` has no effect; what would have one must be changed in the file.
	expect_status 1 "$sockaccept" allow "$probe" 27021 --save
	expect_said "which decides; change it there. Nothing was changed"
	is_denied 27021
	[ ! -e $local_rules ] || because "written: $(cat $local_rules)"
}

# A change that another file would undo is refused, and so is one that no file can hold.
saving_what_would_not_hold_is_refused() {
	base_policy
	ctl allow "$probe" 27003 --save
	cp $local_rules local.before
	generation=$(state generation)
	expect_status 1 "$sockaccept" allow "$probe" 27002 --save
	expect_said "$etc/policy.ini:7: [base] of the policy's files has \`deny = 27002\` for $probe, which would win with the next load"
	expect_status 1 "$sockaccept" remove "$probe" 27001 --save
	expect_said "which would be back with the next load"
	# By another name of the same file.
	ln -sf "$probe" link
	printf '[alias]\nbinary = %s\ndeny = 27008\n' "$work/link" >>$local_rules
	cp $local_rules local.before
	expect_status 1 "$sockaccept" allow "$probe" 27008 --save
	expect_said "which would win with the next load"
	expect "the file" "$(cat local.before)" "$(cat $local_rules)"
	sed -i '/alias/,$d' $local_rules
	chown nobody $local_rules
	expect_status 1 "$sockaccept" allow "$probe" 27008 --save
	expect_said "belongs to user 65534"
	chown root $local_rules
	expect_status 2 "$sockaccept" allow "$probe" 27005 --save --for 1h
	printf '[shared]\nbinary = %s\nbinary = /bin/true\nallow = 27007\n' "$probe" >>$local_rules
	cp $local_rules local.before
	ctl load
	generation=$(state generation)
	expect_status 1 "$sockaccept" deny "$probe" 27007 --save
	expect_said "$local_rules:9: [shared]: this line is for other binaries or users too"
	echo '[broken' >>$local_rules
	cp $local_rules local.before
	expect_status 6 "$sockaccept" allow "$probe" 27008 --save
	expect_said "fix them first"
	cmp -s $local_rules local.before || because "the file was changed: $(cat $local_rules)"
	expect "the generation" "$generation" "$(state generation)"
}

save_and_diff_are_inverse() {
	base_policy
	ctl diff
	ctl allow "$probe" 27011 --user root
	ctl remove "$probe" 27001
	ctl allow "$probe" 27012 --for 1h
	ctl mode permissive
	expect_status 1 "$sockaccept" diff
	for line in '- mode = enforce' '+ mode = permissive' "- [base] $probe: allow 27001" "+ [cli] $probe: allow 27011 user 0" \
		"+ [cli] $probe: allow 27012, temporary: for "; do
		expect_said "$line"
	done
	expect "lines" 7 "$(wc -l <said)"
	expect_status 1 "$sockaccept" diff --json
	judge 'd = json.load(open("said"))["differences"]; assert len(d) == 4 and d[0] == {"setting": "mode", "files": "enforce", "live": "permissive"} and d[1]["in"] == "files", d'
	ctl save "$work/saved.ini"
	expect_said "1 temporary rule is not in it"
	"$sockaccept" save >printed.ini 2>/dev/null
	cmp -s saved.ini printed.ini || because "the file and what is printed differ"
	expect_status 1 "$sockaccept" diff saved.ini
	expect "lines: only the temporary one" 3 "$(wc -l <said)"
	ctl remove "$probe" 27012
	ctl diff saved.ini
	ctl load saved.ini
	ctl diff saved.ini
}

# ---------------------------------------------------------------------------------------------

# says PORT: prints whether the live policy and the file have a rule for it: two times `yes` or `no`
says() {
	live=no
	saved=no
	! "$sockaccept" list --json | grep -q "\"ports\":\"$1\"" || live=yes
	! grep -qw "$1" $local_rules || saved=yes
	echo "$live $saved"
}

killed_save_is_whole() {
	base_policy
	ctl allow "$probe" 27100 --save
	kill_points '2|6|22' "$sockaccept" allow "$probe" 27101 --save >points
	expect "when it isn't killed" "yes yes" "$(says 27101)"
	kills=0
	port=27102
	while read -r point; do
		port=$((port + 1))
		call=$("$killat" "$point" "$sockaccept" allow "$probe" $port --save 2>/dev/null) || break
		kills=$((kills + 1))
		case $(says $port) in
		"no no" | "no yes" | "yes yes") ;;
		*) because "killed at call $call: live and saved: $(says $port)" ;;
		esac
		ctl check
		ctl allow "$probe" $port --save
		expect "after the next, killed at call $call" "yes yes" "$(says $port)"
	done <points
	echo "$kills kills"
	[ $kills -ge "$(least 6)" ] || because "only $kills kills: it made these calls: $(tr '\n' ' ' <calls)"
	expect "files" $local_rules "$(echo $etc/policy.d/*)"
}

# If a call of a command fails, the command says so and changes nothing; or it can do without the call, and changes everything.
failing_calls_change_nothing() {
	base_policy
	ctl allow "$probe" 27200 --save
	calls=$(calls_of "$sockaccept" allow "$probe" 27201 --save)
	[ "$calls" -ge 20 ] || because "only $calls calls"
	failed=0
	port=27202
	for call in $(seq 1 "${KILL_EVERY:-1}" "$calls"); do
		for error in $(errors_of "$call"); do
			port=$((port + 1))
			let_fail "$call" "$error" "$sockaccept" allow "$probe" $port --save
			judge_failure "$(says $port)" "no no" "yes yes"
		done
	done
	echo "$failed failed"
	[ $failed -ge "$(least 12)" ] || because "only $failed failed"
	expect "files" $local_rules "$(echo $etc/policy.d/*)"
}

# The same for a load, which changes only the live policy.
failing_loads_change_nothing() {
	base_policy
	write_policy other.ini <<-END
		[sockaccept]
		default = deny
		[other]
		binary = $probe
		allow = 27301
	END
	calls=$(calls_of "$sockaccept" load other.ini)
	failed=0
	for call in $(seq 1 "${KILL_EVERY:-1}" "$calls"); do
		for error in $(errors_of "$call"); do
			ctl load
			generation=$(state generation)
			let_fail "$call" "$error" "$sockaccept" load other.ini
			seen=$(state generation)
			judge_failure "$seen" "$generation" $((generation + 1))
			[ "$seen" != "$generation" ] || accepts 27001
		done
	done
	echo "$failed failed"
	[ $failed -ge "$(least 8)" ] || because "only $failed failed"
}

# The policy is confirmed, or as much on trial as before.
failing_confirms_change_nothing() {
	base_policy
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
	END
	ctl load shut.ini --confirm 600
	calls=$(calls_of "$sockaccept" confirm)
	failed=0
	for call in $(seq 1 "${KILL_EVERY:-1}" "$calls"); do
		for error in $(errors_of "$call"); do
			[ "$(state trial)" = pending ] || ctl load shut.ini --confirm 600
			let_fail "$call" "$error" "$sockaccept" confirm
			judge_failure "$(state trial)" pending null
			is_denied 27001
		done
	done
	echo "$failed of $calls failed"
	[ $failed -ge "$(least 8)" ] || because "only $failed failed, of these calls: $(tr '\n' ' ' <calls)"
}

killed_trial_is_whole() {
	base_policy
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
	END
	kill_points '2|6|22' "$sockaccept" load shut.ini --confirm 600 >points
	kills=0
	while read -r point; do
		ctl load
		call=$("$killat" "$point" "$sockaccept" load shut.ini --confirm 600 2>/dev/null) || break
		kills=$((kills + 1))
		seen=$($probe accept inet accept 27001) || true
		# Never the new policy without its trial.
		case "$seen $(state trial)" in
		"accepted null" | "accepted pending" | "EPERM pending") ;;
		*) because "killed at call $call: $seen, trial $(state trial)" ;;
		esac
	done <points
	ctl load shut.ini --confirm 600
	kill_points none "$sockaccept" confirm >points
	while read -r point; do
		ctl load shut.ini --confirm 600
		call=$("$killat" "$point" "$sockaccept" confirm 2>/dev/null) || break
		kills=$((kills + 1))
		is_denied 27001
	done <points
	echo "$kills kills"
	[ $kills -ge "$(least 8)" ] || because "only $kills kills"
	ctl load shut.ini --confirm 600
	ctl confirm
}

# A `listen` rule lets nobody accept, and is shown and kept, whatever else is allowed, denied or removed.
listening_for_others_is_kept() {
	default_policy <<-END
		[sockaccept]
		default = deny

		[lends]
		binary = $probe
		user = root
		listen = 27011-27012
		allow = 27013
	END
	is_denied 27011
	accepts 27013
	ctl list --json
	judge 'r = json.load(open("said"))["rules"]; l = [x for x in r if x["verdict"] == "listen"]; assert len(r) == 2 and len(l) == 1 and l[0]["ports"] == "27011-27012" and "uid" not in l[0], r'
	ctl list
	grep -q '^lends .* any .*listen .*27011-27012' said || because "the table: $(cat said)"
	ctl metrics
	expect_said 'verdict="listen",ports="27011-27012"'
	ctl status --json
	judge 'assert json.load(open("said"))["judge_listen"] is True'
	ctl diff
	expect_said "No difference."

	ctl allow "$probe" 27011-27012
	accepts 27011
	ctl remove "$probe" 27011-27012
	expect_status 1 "$sockaccept" remove "$probe" 27011-27012
	ctl remove "$probe" 27013 --user root
	expect_status 1 "$sockaccept" diff
	grep -q listen said && because "diff: $(cat said)"
	is_denied 27011
	ctl save saved.ini
	grep -qx 'listen = 27011-27012' saved.ini || because "saved: $(cat saved.ini)"
	ctl load saved.ini
	expect "rules" 1 "$(state rules)"

	# Without it, and with judge-listen = no.
	sed -i -e 's/^listen = .*/deny = 1/' -e 's/^default.*/&\njudge-listen = no/' $etc/policy.ini
	expect_status 1 "$sockaccept" diff --json
	judge 'd = json.load(open("said"))["differences"]; assert {"setting": "judge-listen", "files": "no", "live": "yes"} in d and any(x.get("verdict") == "listen" and x["in"] == "live" for x in d), d'
	ctl load
	expect_said "judge-listen was yes and is no now"
	ctl status
	expect_said "judge-listen"
	ctl status --json
	judge 'assert json.load(open("said"))["judge_listen"] is False'
	ctl save saved.ini
	grep -qx 'judge-listen = no' saved.ini || because "saved: $(cat saved.ini)"
}

nothing_fits() {
	base_policy
	ctl allow "$probe" 27400 --save
	cp -r $etc kept
	mount -t tmpfs -o size=64k none $etc
	cp -r kept/* $etc/
	cat /dev/zero >$etc/full 2>/dev/null || true
	expect_status 1 "$sockaccept" allow "$probe" 27401 --save
	expect_said "90-local.ini can't be written: No space left on device. Nothing was changed"
	expect "live and saved" "no no" "$(says 27401)"
	rm $etc/full
	mount -o remount,ro $etc
	expect_status 1 "$sockaccept" allow "$probe" 27401 --save
	expect_said "Read-only file system"
	expect "live and saved" "no no" "$(says 27401)"
	umount $etc
}

test_case saved_rules_last
test_case saving_what_would_not_hold_is_refused
test_case saving_what_has_no_effect_is_refused
test_case save_and_diff_are_inverse
test_case killed_save_is_whole
test_case failing_calls_change_nothing
test_case failing_loads_change_nothing
test_case failing_confirms_change_nothing
test_case killed_trial_is_whole
test_case listening_for_others_is_kept
test_case nothing_fits
rm -rf $etc
