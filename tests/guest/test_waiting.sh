# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a rule whose path leads nowhere, or whose user isn't known, waits while all other rules are in force; and that the last good
# policy holds at boot, whatever is missing.
# Fails if policy/resolve.c or enforce/kernel/binaries.c makes such a rule an error or lets it match, if enforce/verbs/refresh.c doesn't
# find what came back, or if enforce/change/fall_back.c or last_good.c loses the policy.

: "${sockaccept:?}" "${probe:?}" "${work:?}" "${pins:?}"

# waits BINARY...: expects that exactly these binaries of rules wait
waits() {
	"$sockaccept" list --json | tr '{' '\n' | grep '"waits":true' | value_of binary | sort -u >waiting
	for binary; do echo "$binary"; done | sort -u >expected
	cmp -s expected waiting || because "waiting: expected $(tr '\n' ' ' <expected), saw $(tr '\n' ' ' <waiting)"
}

value_of() { # KEY
	sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

# next_number: prints the number that the next binary gets
next_number() {
	bpftool map lookup pinned "$pins/control" key 0 0 0 0 | sed -n 's/.*"next_binary": \([0-9]*\).*/\1/p'
}

# waiting_policy FILE: writes a policy with each way in which a path can lead nowhere, and two binaries that exist
waiting_policy() {
	write_policy "$1" <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		[there]
		binary = $work/there/program
		allow = 28000
		[gone]
		binary = $work/none/deeper/program
		allow = 28001
		[dangling]
		binary = $work/there/dangling
		allow = 28002
		[loop]
		binary = $work/there/loop
		allow = 28003
		[no directory]
		binary = $work/there/program/program
		allow = 28004
		[file]
		binary = $work/there/later
		allow = 28005
		[last]
		binary = $work/there/other
		allow = 28006
	END
}

rule_waits_for_directory() {
	put there/program
	put there/other
	ln -s "$work/none/linked" there/dangling
	ln -s loop there/loop
	waiting_policy policy.ini
	one there/program accepted 28000
	one there/other accepted 28006
	expect_status 0 "$sockaccept" check policy.ini
	expect_said "policy.ini:8: warning: $work/none/deeper/program: there is no directory $work/none; the rule waits for it"
	"$sockaccept" check --json policy.ini >checked
	judge 'said = json.load(open(sys.argv[1]))
lines = [w["line"] for w in said["warnings"] if "the rule waits for it" in w["message"]]
if not said["valid"] or said["errors"] or lines != [8, 11, 14, 17, 20]: sys.exit("check says %s" % said)' checked

	ctl load policy.ini
	expect_said "there is no directory $work/none; the rule waits for it"
	one there/program accepted 28000
	one there/other accepted 28006
	one there/program EPERM 28006
	one there/other EPERM 28001
	waits "$work/none/deeper/program" "$work/there/dangling" "$work/there/loop" "$work/there/program/program" "$work/there/later"
	ctl list
	expect_said "$work/none/deeper/program waits: there is no directory $work/none"
	expect_said "$work/there/later waits: there is no such file"
	grep -q '^gone .* waits$' said || because "the table has no mark: $(cat said)"
	! grep -q '^there .* waits$' said || because "another is marked: $(cat said)"
	ctl status
	expect_said "$work/none/deeper/program: there is no directory $work/none"
	"$sockaccept" status --json >seen_status
	judge 'said = json.load(open(sys.argv[1]))
why = dict((w["binary"], w["why"]) for w in said["waiting"])
if not said["enforcing"] or said["problems"] or len(why) != 5: sys.exit("status says %s" % said)
if why[sys.argv[2] + "/none/deeper/program"] != "there is no directory %s/none" % sys.argv[2]: sys.exit("why: %s" % why)' seen_status "$work"

	mkdir -p none/deeper
	put none/deeper/program
	one none/deeper/program EPERM 28001
	ctl refresh
	expect_said "$work/none/deeper/program is there by now"
	expect_said "$work/there/loop waits: "
	one none/deeper/program accepted 28001
	one none/deeper/program EPERM 28000
	put none/linked
	one none/linked accepted 28002
	waits "$work/there/loop" "$work/there/program/program" "$work/there/later"
	put there/later
	one there/later accepted 28005
	waits "$work/there/loop" "$work/there/program/program"
	rm there/loop
	put there/loop
	rm there/program
	put there/program/program
	ctl refresh
	one there/loop accepted 28003
	one there/program/program accepted 28004
	one there/other accepted 28006
	generation=$(state generation)
	ctl refresh
	expect "the generation" "$generation" "$(state generation)"
}

# A rule whose directory is gone still stands for the same file, which a process can still run.
lost_directory_keeps_what_it_stood_for() {
	put app/program
	deny_all
	ctl allow "$work/app/program" 28010
	one app/program accepted 28010
	mv app away
	expect_status 1 "$sockaccept" status
	expect_said 'its rules still stand for'
	waits "$work/app/program"
	"$sockaccept" status --json >seen_status || true
	judge 'said = json.load(open(sys.argv[1]))
if len(said["problems"]) != 1 or len(said["waiting"]) != 1: sys.exit("status says %s" % said)' seen_status
	one away/program accepted 28010
	ctl refresh
	expect_said "$work/app/program waits: there is no directory $work/app; its rules still stand for $work/app/program"
	expect_said "Nothing to do yet: what waits isn't there, and each other path leads where it did."
	one away/program accepted 28010
	# A directory in its place changes nothing either.
	mkdir -p app/program
	ctl refresh
	expect_said "is a directory"
	expect_said "Nothing to do for 1 path, as warned; each other path leads where it did."
	one away/program accepted 28010
	rmdir app/program app
	mv away app
	ctl refresh
	expect_said 'Nothing to do: each path leads where it did.'
	ctl status
	waits
}

allow_and_deny_wait_too() {
	put there/program
	deny_all
	ctl allow "$work/none/program" 28020
	expect_said "$work/none/program: there is no directory $work/none; the rule waits for it"
	ctl allow "$work/there/program" 28020
	one there/program accepted 28020
	ctl deny "$work/none/program" 28021 --user root
	waits "$work/none/program"
	put none/program
	one none/program EPERM 28020
	# Another rule for it finds what the first one waited for.
	ctl allow "$work/none/program" 28022
	expect_said 'is there by now'
	one none/program accepted 28020
	one none/program EPERM 28021
	one none/program accepted 28022
	rm -r none
	mkdir other
	ctl remove "$work/none/program"
	ctl allow "$work/none/program" 28020
	ctl remove "$work/none/program"
	ctl status
	one there/program accepted 28020
}

# A path that waits keeps one number, however often it is loaded, refreshed, removed and named again.
numbers_are_not_burnt() {
	put there/program
	put there/other
	waiting_policy policy.ini
	ctl load policy.ini
	next=$(next_number)
	[ "$next" -gt 5 ] || because "the next number is $next"
	for _ in 1 2 3; do
		ctl refresh
		ctl load policy.ini
		ctl remove "$work/none/deeper/program"
		ctl allow "$work/none/deeper/program" 28001
	done
	expect "the next number" "$next" "$(next_number)"
	mkdir -p none/deeper
	ctl refresh
	expect "with one for the entry" $((next + 1)) "$(next_number)"
	rm -r none
	ctl load policy.ini
	expect "waiting again" $((next + 1)) "$(next_number)"
}

# --- at boot

# as_user ID COPY OUTCOME PORT
as_user() {
	seen=$(setpriv --reuid "$1" --regid 65534 --clear-groups "$2" accept inet accept "$4") || true
	expect "as user $1: $2 accept inet accept $4" "$3" "$seen"
}

removed_user_waits_at_boot() {
	chmod 755 .
	put there/program
	cp /etc/passwd passwd
	echo 'late:x:4711:65534::/:/bin/sh' >>/etc/passwd
	write_policy users.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		[only late]
		binary = $work/there/program
		user = late
		allow = 28030
		[both]
		binary = $work/there/program
		user = late, nobody
		allow = 28031
	END
	unloaded
	as_user 4711 there/program accepted 28030
	ctl load users.ini
	as_user 4711 there/program accepted 28030
	as_user 65534 there/program EPERM 28030
	cp passwd /etc/passwd
	unloaded
	# An unknown user is an error where somebody can fix it.
	expect_status 6 "$sockaccept" load users.ini
	expect_said "users.ini:6: unknown user 'late'"
	expect_status 6 "$sockaccept" check users.ini
	ctl load --boot users.ini
	expect_said "users.ini:6: warning: unknown user 'late'; the rules of [only late] for this user wait, and match nobody until then"
	for user in 0 4711 65534; do
		as_user $user there/program EPERM 28030
	done
	as_user 4711 there/program EPERM 28031
	as_user 65534 there/program accepted 28031
	"$sockaccept" list --json >listed
	judge 'rules = json.load(open(sys.argv[1]))["rules"]
seen = sorted((r["ports"], r["waits"], r.get("unknown_user"), r.get("uid")) for r in rules)
if seen != [("28030", True, "late", None), ("28031", False, None, 65534), ("28031", True, "late", None)]: sys.exit("list: %s" % seen)' listed
	ctl status
	expect_said "$work/there/program: unknown user 'late'"
	generation=$(state generation)
	ctl refresh
	expect_said "unknown user 'late'"
	expect "the generation" "$generation" "$(state generation)"
	# Other changes leave it as it is.
	ctl allow "$work/there/program" 28032
	as_user 4711 there/program EPERM 28030
	echo 'late:x:4711:65534::/:/bin/sh' >>/etc/passwd
	ctl refresh
	expect_said "the user 'late' is known by now; its rules stand for the id 4711"
	as_user 4711 there/program accepted 28030
	as_user 4711 there/program accepted 28031
	as_user 65534 there/program EPERM 28030
	waits
	cp passwd /etc/passwd
}

# A file that no rule can name is an error in `load`, but waits at boot.
what_no_rule_can_name_waits_at_boot() {
	unloaded
	put there/program
	mkdir -p over is-a-directory
	put hidden/program
	bindfs hidden over
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		[there]
		binary = $work/there/program
		allow = 28040
		[fuse]
		binary = $work/over/program
		allow = 28041
		[directory]
		binary = $work/is-a-directory
		allow = 28042
	END
	one over/program accepted 28041
	expect_status 6 "$sockaccept" load policy.ini
	expect_said 'is a directory; name the file in it'
	unloaded
	ctl load --boot policy.ini
	expect_said "policy.ini:8: $work/over/program: is on FUSE"
	one there/program accepted 28040
	one over/program EPERM 28041
	waits "$work/over/program" "$work/is-a-directory"
	ctl status
	expect_said "$work/over/program: it is on FUSE"
	ctl refresh
	expect_said "$work/over/program waits: it is on FUSE"
	umount over
	ctl refresh
	put over/program
	one over/program accepted 28041
	rmdir is-a-directory
	put is-a-directory
	ctl refresh
	one ./is-a-directory accepted 28042
	waits
}

# boot STATUS: loads as the unit does, and expects this status
boot() {
	unloaded
	expect_status "$1" "$sockaccept" load --boot
}

# Directories, files and a user of the policy go, and its files become invalid: the last good policy holds.
last_good_holds_whatever_is_missing() {
	rm -rf /etc/sockaccept /var/lib/sockaccept
	mkdir -p /etc/sockaccept/policy.d
	chmod 755 .
	put there/program
	put app/bin/program
	cp /etc/passwd passwd
	echo 'late:x:4711:65534::/:/bin/sh' >>/etc/passwd
	write_policy /etc/sockaccept/policy.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		failure = closed
		[there]
		binary = $work/there/program
		allow = 28050
		[app]
		binary = $work/app/bin/program
		user = root, late
		allow = 28051
	END
	ctl load
	one there/program accepted 28050
	one app/bin/program accepted 28051
	cp passwd /etc/passwd
	rm -r app
	# The files are valid; only things that they name have gone.
	boot 0
	expect_said "unknown user 'late'"
	one there/program accepted 28050
	one there/program EPERM 28051
	waits "$work/app/bin/program"
	grep -q '^user   = 4711' /var/lib/sockaccept/last-good.ini || because "the last good policy has lost its user: $(cat /var/lib/sockaccept/last-good.ini)"
	for broken in '[oops' 'colour = red' '[r]'; do
		echo "$broken" >>/etc/sockaccept/policy.ini
		boot 6
		head -n 2 said | grep -q '^/etc/sockaccept/policy.ini:[0-9]*: ' || because "where isn't said first: $(cat said)"
		expect_said 'the last good one, /var/lib/sockaccept/last-good.ini, is in force'
		one there/program accepted 28050
		one there/program EPERM 28051
		waits "$work/app/bin/program"
	done
	mv there away
	boot 6
	waits "$work/there/program" "$work/app/bin/program"
	one away/program EPERM 28050
	mv away there
	put app/bin/program
	ctl refresh
	one there/program accepted 28050
	one app/bin/program accepted 28051
	as_user 4711 app/bin/program accepted 28051
	as_user 65534 app/bin/program EPERM 28051
	rm /etc/sockaccept/policy.ini
	boot 6
	one there/program accepted 28050
	one there/program EPERM 28051
	rm -rf /etc/sockaccept /var/lib/sockaccept
	boot 6
	expect_said 'NOTHING IS ENFORCED'
	one there/program accepted 28051
}

test_case rule_waits_for_directory
test_case lost_directory_keeps_what_it_stood_for
test_case allow_and_deny_wait_too
test_case numbers_are_not_burnt
test_case removed_user_waits_at_boot
test_case what_no_rule_can_name_waits_at_boot
test_case last_good_holds_whatever_is_missing
