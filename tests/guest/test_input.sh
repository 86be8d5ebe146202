# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that bad input is refused with a message and the documented exit status, and changes nothing: command lines, policy files that
# others can write, a missing bpffs, a full output.
# Fails if enforce/main.c accepts a wrong argument or ignores a failed write, if policy/source.c trusts a file that it shouldn't, if
# policy/ini_*.c names the wrong line, or if enforce/kernel/prerequisites.c takes another mount for the machine's bpffs.

: "${sockaccept:?}" "${probe:?}" "${work:?}"

not_root() {
	deny_all
	cp policy.ini readable.ini
	chmod 644 readable.ini
	generation=$(state generation)
	for verb in status list audit unload "load $work/readable.ini" "allow any 80" "deny any 80" "remove any" "mode permissive"; do
		# shellcheck disable=SC2086 # a verb and its arguments
		expect_status 4 as_nobody "$sockaccept" $verb
		expect_said root
	done
	expect_status 0 as_nobody "$sockaccept" check "$work/readable.ini"
	expect_status 0 as_nobody "$sockaccept" help
	expect "the generation" "$generation" "$(state generation)"
	is_denied 21900
}

# `check --offline` checks a policy for another machine, which has its own users and directories.
check_for_another_machine() {
	cat >other.ini <<-END
		[app]
		binary = $work/none/app/server
		user = nobody-of-that-name
		allow = 80
	END
	chmod 666 other.ini
	expect_status 6 as_nobody "$sockaccept" check "$work/other.ini"
	expect_status 0 as_nobody "$sockaccept" check --offline "$work/other.ini"
	expect_said "other.ini:3: note: unknown user 'nobody-of-that-name'"
	expect_said "other.ini:2: note: $work/none/app/server: there is no directory $work/none"
	expect_said "other.ini: note: can be written by anyone"
	expect_said "Valid: 1 rule."
	! grep warning: said || because "check --offline warns: $(cat said)"
	expect_status 0 "$sockaccept" check --offline --json other.ini
	judge 's = json.load(open("said")); assert s["valid"] and not s["errors"] and not s["warnings"] and len(s["notes"]) == 3, s'
	expect_status 0 "$sockaccept" check --offline --no-warnings other.ini
	expect "lines without notes" "Valid: 1 rule." "$(cat said)"
	# What is wrong on any machine is an error.
	sed -i 's/^allow/alow/' other.ini
	expect_status 6 "$sockaccept" check --offline other.ini
	expect_said "unknown key 'alow'"
}

usage_errors() {
	deny_all
	generation=$(state generation)
	expect_status 2 "$sockaccept"
	expect_status 2 "$sockaccept" alow any 80
	# shellcheck disable=SC2016 # it is text
	expect_said '`allow`'
	expect_status 2 "$sockaccept" statsu
	# shellcheck disable=SC2016
	expect_said '`status`'
	expect_status 2 "$sockaccept" allow
	expect_status 2 "$sockaccept" allow any
	expect_status 2 "$sockaccept" deny "$probe"
	expect_status 2 "$sockaccept" remove
	expect_status 2 "$sockaccept" mode
	expect_status 2 "$sockaccept" mode strict
	expect_status 2 "$sockaccept" mode enforce now
	expect_status 2 "$sockaccept" load one two
	expect_status 2 "$sockaccept" unload all
	expect_status 2 "$sockaccept" status all
	expect_status 2 "$sockaccept" list --follow
	expect_status 2 "$sockaccept" list --nonsense
	expect_status 2 "$sockaccept" allow any 80 --user
	for user in no-such-user root,no-such-user 'root,' '' 4294967295 00 'root daemon'; do
		expect_status 2 "$sockaccept" allow any 80 --user "$user"
	done
	for port in 65536 0x50 -1 80-79 80- 80/udp 80/ '' http '80 81'; do
		expect_status 2 "$sockaccept" allow any -- "$port"
	done
	"$sockaccept" alow >out 2>err || true
	[ ! -s out ] || because "a usage error went to standard output"
	"$sockaccept" --help >out 2>err || because "--help failed"
	[ -s out ] || because "--help said nothing on standard output"
	expect "the generation" "$generation" "$(state generation)"
}

bad_binaries() {
	deny_all
	generation=$(state generation)
	expect_status 2 "$sockaccept" allow ncat 80
	expect_said absolute
	expect_status 1 "$sockaccept" allow /usr/bin 80
	expect_said directory
	expect_status 1 "$sockaccept" allow /dev/null 80
	expect "the generation" "$generation" "$(state generation)"
	ctl allow /usr/bin/nosuch 80
	expect_said 'no such file yet'
	# A path that doesn't exist yet is no error: a package can bring the directory.
	ctl allow /usr/nosuch/ncat 80
	expect_said 'there is no directory /usr/nosuch; the rule waits for it'
	ctl allow "$probe/x" 80
	expect_said 'the rule waits for it'
}

# in_mounts COMMANDS TEXT: runs them, then status, in a mount namespace of their own. A policy in force must not look there as if none were.
in_mounts() {
	expect_status 5 unshare --mount sh -c "set -e; $1; exec '$sockaccept' status"
	expect_said "$2"
	expect_status 5 unshare --mount sh -c "set -e; $1; exec '$sockaccept' load '$work/policy.ini'"
}

bpffs_missing_or_other() {
	deny_all
	in_mounts 'umount /sys/fs/bpf' 'mount -t bpf'
	in_mounts 'mount -t tmpfs tmpfs /sys/fs/bpf' 'mount -t bpf'
	in_mounts 'umount -l /sys' '/sys/fs/bpf'
	in_mounts 'mount -t bpf bpf /sys/fs/bpf' 'mount namespace'
	is_denied 21910
	expect "still loaded" true "$(state loaded)"
}

# refused FILE TEXT: expects that load refuses it with this text, and applies nothing
refused() {
	expect_status 6 timeout 20 "$sockaccept" load "$1"
	expect_said "$2"
	expect "generation and default" "$before" "$(state generation default)"
}

# new_policy: writes a policy that would allow everything
new_policy() {
	rm -rf bad
	echo '[sockaccept]' >bad
	chmod 600 bad
}

policy_files_of_others() {
	deny_all
	before=$(state generation default)
	new_policy
	chown 65534 bad
	refused bad 'belongs to user 65534'
	new_policy
	chmod 660 bad
	refused bad 'its group'
	new_policy
	chmod 602 bad
	refused bad anyone
	rm bad
	mkfifo -m 600 bad
	refused bad FIFO
	refused /dev/zero device
	refused no-such-file 'No such file'
	rm bad
	mkdir -m 700 bad
	refused bad '.ini'
	echo '[sockaccept]' >bad/x.ini
	chmod 600 bad/x.ini
	chmod 770 bad
	refused bad 'its group'
	chmod 700 bad
	chown 65534 bad/x.ini
	refused bad 'bad/x.ini: belongs to user 65534'
	new_policy
	ln -sf bad link
	chown 65534 bad
	refused link 'belongs to user 65534'
	is_denied 21920
}

invalid_policies() {
	deny_all
	before=$(state generation default)
	while IFS='|' read -r line text; do
		printf '[sockaccept]\ndefault = allow\n[x]\nbinary = /usr/bin/ncat\nallow = 80\n%b\n' "$line" >bad
		refused bad "bad:$text"
	done <<-'END'
		colour = red|6: 
		allow = 80000|6: 
		allow = http|6: 
		allow =|6: 
		user = no-such-user-here|6: 
		binary = ncat|6: 
		nonsense|6: 
		[sockaccept]\nmode = strict|7: 
	END
	head -c 2000 /dev/zero | tr '\0' x >long
	printf '[x]\nbinary = /usr/bin/ncat\nallow = 80 ; %s\n' "$(cat long)" >bad
	refused bad 'bad:3:'
	is_denied 21930
}

output_that_cannot_be_written() {
	deny_all
	is_denied 21940
	for verb in status 'status --json' list 'list --json' 'audit --json' help; do
		code=0
		# shellcheck disable=SC2086 # a verb and its option
		"$sockaccept" $verb >/dev/full 2>said || code=$?
		expect "status of $verb > /dev/full" 1 $code
	done
}

test_case not_root
test_case check_for_another_machine
test_case usage_errors
test_case bad_binaries
test_case bpffs_missing_or_other
test_case policy_files_of_others
test_case invalid_policies
test_case output_that_cannot_be_written
