# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows which name of a file counts (renames, hard links, mounts, overlayfs, FUSE), that status, refresh and the daemon notice when a path
# leads elsewhere, and what `identify` says.
# Fails if bpf/identity.bpf.h looks up the wrong name, if enforce/kernel/identify.c accepts a file that no rule can name, if
# enforce/kernel/moved.c or enforce/change/path_watch.c misses a change, or if enforce/verbs/subject.c differs from the hook.

: "${sockaccept:?}" "${probe:?}" "${traffic:?}" "${work:?}" "${base:?}"
pid=

# --- names

# A file that is renamed loses the rule of its old name; the file that gets that name has it.
renamed_file_is_another() {
	put here/program
	put here/other
	deny_all
	ctl allow "$work/here/program" 22200
	one here/program accepted 22200
	mv here/program here/old
	one here/old EPERM 22200
	put here/program
	one here/program accepted 22200
	one here/old EPERM 22200
	one here/other EPERM 22200
	mv here/other here/program
	one here/program accepted 22200
	mv here/program here/other
	one here/other EPERM 22200
	# Not the last event: repeats of here/old can come after it.
	expect "the event's port" 22200 "$("$sockaccept" audit --json --binary "$work/here/other" | sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/' | tail -n 1)"
}

# One inode has two names with a rule each, and one without. A process is judged by the name that it was started by.
each_name_has_its_rule() {
	put here/first
	ln here/first here/second
	ln here/first here/third
	deny_all
	ctl allow "$work/here/first" 22210
	ctl allow "$work/here/second" 22211
	for _ in 1 2 3; do
		one here/first accepted 22210
		one here/second accepted 22211
		one here/third EPERM 22210
		one here/first EPERM 22211
		one here/second EPERM 22210
		one here/third EPERM 22211
	done
	put here/other
	one here/other EPERM 22210
}

# While a user's program calls accept() all the time, it is renamed between another name in the rule's directory, and the rule's name in
# another directory. It never has the rule's name in the rule's directory, so it never gets the rule.
renaming_wins_nothing() {
	mkdir spool home
	chmod 1777 spool home
	cp "$traffic" spool/server
	as_nobody cp "$traffic" spool/own
	deny_all
	ctl allow "$work/spool/server" any
	background own setpriv --reuid=65534 --regid=65534 --clear-groups spool/own serve 22245
	wait_listening 22245
	before=$(state allow)
	denials=$(state deny)
	background client "$traffic" connect 22245 1
	rounds=0
	until [ $(($(state deny) - denials)) -gt 1000 ]; do
		rounds=$((rounds + 1))
		[ $rounds -le 50 ] || because "under 1,000 denials in $rounds rounds of renaming: $(cat status)"
		as_nobody python3 -S -c 'import os
for i in range(10000):
    os.rename("spool/own", "home/server")
    os.rename("home/server", "spool/own")'
	done
	expect "connections that were allowed" "$before" "$(state allow)"
	expect "hits of the rule" 0 "$(hits spool/server)"
	background server spool/server serve 22246
	wait_listening 22246
	"$traffic" connect 22246 1 >served || true
	expect "a client of the rule's program" "served 1 unserved 0 failed 0" "$(cat served)"
}

# Something else is mounted on the path. That file has its own name, so a rule by this path would match nothing.
mounted_file_is_refused() {
	put here/program
	put there/other
	deny_all
	mount --bind there/other here/program
	expect_status 1 "$sockaccept" allow "$work/here/program" 22247
	expect_said 'something else is mounted on it'
	one there/other EPERM 22247
	umount here/program
	ctl allow "$work/here/program" 22247
	one here/program accepted 22247
	one there/other EPERM 22247
}

# A problem with one rule doesn't keep the others from being refreshed, nor status from being printed.
one_bad_path_hinders_nothing() {
	mkdir bad
	put here/one
	put here/two
	ln -s one here/current
	deny_all
	ctl allow "$work/bad/program" 22248
	ctl allow "$work/here/current" 22248
	bindfs here bad
	ln -sfn two here/current
	expect_status 1 "$sockaccept" status
	expect_said 'is on FUSE'
	expect_said 'enforcing       yes'
	ctl refresh
	expect_said 'is on FUSE'
	one here/two accepted 22248
	umount bad
	put bad/program
	one bad/program accepted 22248
}

# On overlayfs, directories are known by their names: one that is renamed to the name in a rule gets the rule.
renamed_directory_on_overlay() {
	mkdir upper work lower over
	mount -t overlay -o "lowerdir=$work/lower,upperdir=$work/upper,workdir=$work/work" overlay over
	expect "the type of the file system" 794c7630 "$(stat -f -c %t over)"
	put over/app/program
	put over/new/program
	deny_all
	ctl allow "$work/over/app/program" 22220
	one over/app/program accepted 22220
	one over/new/program EPERM 22220
	one over/new/program EPERM 22220
	mv over/app over/old
	mv over/new over/app
	one over/app/program accepted 22220
	put over/elsewhere/program
	one over/elsewhere/program EPERM 22220
	ctl status
	umount over
}

# A rule is refused if its directory is too deep for the kernel side to follow.
too_deep_on_overlay() {
	mkdir upper work lower over
	mount -t overlay -o "lowerdir=$work/lower,upperdir=$work/upper,workdir=$work/work" overlay over
	deep=over
	for _ in $(seq 65); do deep=$deep/d; done
	put "$deep/program"
	put "over/d/d/program"
	deny_all
	generation=$(state generation)
	expect_status 1 "$sockaccept" allow "$work/$deep/program" 22230
	expect_said 'is over 64 directories deep'
	expect "the generation" "$generation" "$(state generation)"
	one "$deep/program" EPERM 22230
	ctl allow "$work/over/d/d/program" 22230
	one over/d/d/program accepted 22230
	one "$deep/program" EPERM 22230
	umount over
}

fuse_is_refused() {
	mkdir there over
	put there/program
	bindfs there over
	expect "the type of the file system" 65735546 "$(stat -f -c %t over)"
	write_policy fuse.ini <<-END
		[sockaccept]
		default = deny
		[there]
		binary = $work/there/program
		allow = 22240
		[over]
		binary = $work/over/program
		allow = 22240
	END
	deny_all
	generation=$(state generation)
	expect_status 1 "$sockaccept" load fuse.ini
	expect_said 'is on FUSE, where a server makes up what is in a directory'
	expect "the generation" "$generation" "$(state generation)"
	one there/program EPERM 22240
	ctl allow "$work/there/program" 22240
	one there/program accepted 22240
	one over/program EPERM 22240
	ctl identify "$work/over/program"
	expect_said 'is on FUSE'
	expect_said 'no rule names it'
	umount over
}

# --- paths that lead elsewhere

# As with update-alternatives: the link is switched, `status` says so, `refresh` follows.
refresh_follows_link() {
	put here/one
	put here/two
	ln -s one here/current
	deny_all
	ctl allow "$work/here/current" 22250
	one here/one accepted 22250
	one here/two EPERM 22250
	ctl status
	expect "problems" '[]' "$("$sockaccept" status --json | sed 's/.*"problems":\(\[.*\]\).*/\1/')"
	ln -sfn two here/current
	one here/two EPERM 22250
	expect_status 1 "$sockaccept" status
	expect_said "$work/here/current leads to $work/here/two by now, and its rules still stand for $work/here/one"
	expect_status 1 "$sockaccept" status --json
	expect_said '"problems":["'
	before=$(hits current)
	ctl refresh
	expect_said "$work/here/current stands for $work/here/two, no longer for $work/here/one"
	expect "hits after a refresh" "$before" "$(hits current)"
	one here/two accepted 22250
	one here/one EPERM 22250
	ctl list
	expect_said "$work/here/current stands for $work/here/two"
	ctl status
	generation=$(state generation)
	ctl refresh
	expect_said 'Nothing to do'
	expect "the generation" "$generation" "$(state generation)"
}

refresh_follows_directory() {
	put app/program
	put next/program
	deny_all
	ctl allow "$work/app/program" 22260
	one app/program accepted 22260
	mv app old
	mv next app
	one app/program EPERM 22260
	one old/program accepted 22260
	expect_status 1 "$sockaccept" status
	expect_said "$work/app/program is in another directory by now"
	ctl refresh
	expect_said 'its directory was replaced'
	one app/program accepted 22260
	one old/program EPERM 22260
	rm -r app
	expect_status 1 "$sockaccept" status
	expect_said 'there is no directory'
	ctl refresh
	expect_said 'its rules go on standing for'
	mkdir app
	ctl refresh
	put app/program
	one app/program accepted 22260
	ctl status
}

# warned NUMBER: true if the daemon has warned that often
warned() {
	[ "$(grep -c warning daemon.errors)" -ge "$1" ]
}

# Whatever makes a path lead elsewhere, `status` and the metrics say so, and the daemon warns once.
daemon_tells_what_leads_elsewhere() {
	for path in here/one here/two app/program file/program next/program; do
		put $path
	done
	ln -s one here/current
	deny_all
	for path in here/current app/program file/program next/program; do
		ctl allow "$work/$path" 22270
	done
	one app/program accepted 22270
	background daemon "$sockaccept" daemon --log "$work/audit.log"
	daemon=$pid
	until_true 10 test -s audit.log || because "no log: $(cat daemon.errors)"
	ctl status
	"$sockaccept" metrics >counted
	grep -qx 'sockaccept_problems 0' counted || because "problems before: $(grep problems counted)"

	ln -sfn two here/current
	mount -t tmpfs none app
	put app/program
	mount --bind here/two file/program
	one app/program EPERM 22270
	one file/program EPERM 22270
	expect_status 1 "$sockaccept" status
	expect_said "$work/here/current leads to $work/here/two by now"
	expect_said "$work/app/program is in another directory by now"
	expect_said "$work/file/program: something else is mounted on it"
	"$sockaccept" metrics >counted
	grep -qx 'sockaccept_problems 3' counted || because "problems: $(grep problems counted)"
	until_true 10 warned 3 || because "the daemon said: $(cat daemon.errors)"
	grep -q "$work/here/current leads to $work/here/two by now, .*; run: sockaccept-ctl refresh" daemon.errors ||
		because "the daemon said: $(cat daemon.errors)"

	# One more, at a later look.
	mv next gone
	until_true 10 warned 4 || because "the daemon said: $(cat daemon.errors)"
	expect "warnings" 4 "$(grep -c . daemon.errors)"
	grep -q "$work/next/program: there is no directory" daemon.errors || because "the daemon said: $(cat daemon.errors)"
	umount file/program app
	mv gone next
	ctl refresh
	ctl status
	one here/two accepted 22270
	one app/program accepted 22270
	one file/program accepted 22270
	finish "$daemon"
}

# --- identify

identify_tells_rules() {
	put here/program
	put here/other
	ln -s program here/link
	expect_status 3 "$sockaccept" identify "$work/here/program"
	load <<-END
		[sockaccept]
		default = deny
		[mine]
		binary = $work/here/program
		allow = 22270
		[all]
		binary = any
		deny = 23
	END
	ctl identify "$work/here/link"
	expect_said "$work/here/link leads to $work/here/program"
	expect_said "matched: a rule names this file"
	grep -q '^mine .*allow .*22270' said || because "the binary's rule isn't shown: $(cat said)"
	grep -q '^all .*deny .*23' said || because "the rule for any isn't shown: $(cat said)"
	ctl identify "$work/here/other"
	expect_said 'no rule names it'
	! grep -q '^mine' said || because "another's rule is shown: $(cat said)"
	ctl identify "$work/here/missing"
	expect_said 'there is no such file yet'
	# Its present name counts, not the one before.
	mv here/program here/old
	ctl identify "$work/here/old"
	expect_said 'no rule names it'
	"$sockaccept" identify --json "$work/here/old" >identified
	judge 'said = json.load(open(sys.argv[1]))
if said["schema"] != 1 or said["binary"] is not None or said["file"] != sys.argv[2]: sys.exit("who it is: %s" % said)
if [r["section"] for r in said["rules"]] != ["all"]: sys.exit("its rules: %s" % said)' identified "$work/here/old"
	mv here/old here/program
	"$sockaccept" identify --json "$work/here/program" >identified
	judge 'said = json.load(open(sys.argv[1]))
if said["binary"] != sys.argv[2] or said["file"] != sys.argv[2]: sys.exit("who it is: %s" % said)
if [r["section"] for r in said["rules"]] != ["mine", "all"]: sys.exit("its rules: %s" % said)' identified "$work/here/program"
	expect_status 2 "$sockaccept" identify here/program
	expect_said 'neither an absolute path nor the number of a process'
	expect_status 1 "$sockaccept" identify "$work/here"
	expect_said 'is a directory'
}

identify_tells_script() {
	printf '#!/usr/bin/python3 -S\nprint()\n' >script
	printf '#!/usr/bin/env python3\nprint()\n' >by_env
	chmod 755 script by_env
	deny_all
	ctl allow "$(readlink -f /usr/bin/python3)" 22280
	ctl identify "$work/script"
	expect_said "$work/script is a script: its interpreter /usr/bin/python3 is judged in its place"
	expect_said 'matched: a rule names this file'
	ctl identify "$work/by_env"
	expect_said 'env goes on to run python3'
	printf 'plain\n' >plain
	ctl identify "$work/plain"
	expect_said 'it is not executable'
}

# Processes: with the file that it was started from, with one that was replaced or deleted since, without a file, and in namespaces.
identify_tells_process() {
	mkdir here
	cp "$traffic" here/server
	deny_all
	ctl allow "$work/here/server" 22290
	background server here/server serve 22290
	server=$pid
	wait_listening 22290
	ctl identify "$server"
	expect_said "$work/here/server"
	expect_said 'matched: a rule names this file'
	! grep -q '^note' said || because "nothing is odd, but it says: $(cat said)"
	cp "$traffic" here/new
	mv here/new here/server
	ctl identify "$server"
	expect_said 'its file was replaced since it started'
	expect_said 'matched: a rule names this file'
	rm here/server
	ctl identify "$server"
	expect_said 'its file was deleted since it started'
	ctl identify 2
	expect_said 'it has no executable'
	expect_said 'no rule names it'
	background holder unshare --user --map-root-user --mount sleep 100
	until_true 20 in_own_namespace "$pid"
	ctl identify "$pid"
	expect_said 'it is in a mount namespace of its own'
	expect_said 'it is in a user namespace'
	expect_status 1 "$sockaccept" identify 99999999
	expect_said 'there is no process'
	finish "$server"
}

in_own_namespace() {
	[ "$(readlink "/proc/$1/ns/user")" != "$(readlink /proc/1/ns/user)" ] &&
		[ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/1/ns/mnt)" ]
}

test_case renamed_file_is_another
test_case each_name_has_its_rule
test_case renaming_wins_nothing
test_case mounted_file_is_refused
test_case one_bad_path_hinders_nothing
test_case renamed_directory_on_overlay
test_case too_deep_on_overlay
test_case fuse_is_refused
test_case refresh_follows_link
test_case refresh_follows_directory
test_case daemon_tells_what_leads_elsewhere
unloaded
test_case identify_tells_rules
test_case identify_tells_script
test_case identify_tells_process
