# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows which file a rule stands for (a directory and a name in it, whatever file has that name), and which name an event gives.
# Fails if bpf/identity.bpf.h identifies a file by its inode or by its path in a namespace, if enforce/kernel/binaries.c gives one entry two
# numbers, or if bpf/path.bpf.h reports a path that isn't the machine's. Some tests run once more with all caches dropped.

: "${sockaccept:?}" "${probe:?}" "${traffic:?}" "${work:?}"
pid=

rule_outlives_upgrade() {
	put here/program
	put elsewhere/program
	deny_all
	ctl allow "$work/here/program" 21700
	one here/program accepted 21700
	one elsewhere/program EPERM 21700

	put here/new
	mv here/new here/program
	one here/program accepted 21700
	put here/new
	one here/new EPERM 21700
	mv here/new here/program
	one here/program accepted 21700

	rm here/program
	put here/program
	one here/program accepted 21700
	one elsewhere/program EPERM 21701
	expect "the event's binary" "$work/elsewhere/program" "$(last_event | value binary)"
}

# A deny rule under `default = allow`: a new file of that name must be denied from its first accept on.
deny_rule_outlives_upgrade() {
	put here/denied
	load <<-END
		[denied]
		binary = $work/here/denied
		deny = any
	END
	one here/denied EPERM 21710
	for _ in 1 2 3 4 5; do
		put here/new
		one here/new accepted 21710
		mv here/new here/denied
		one here/denied EPERM 21710
		ctl load policy.ini
		one here/denied EPERM 21710
	done
}

# Through a bind mount an entry has two paths. Rules by both belong to one binary, even if another binary's path sorts between them.
two_paths_are_one_binary() {
	mkdir a b
	put a/program
	put a/q
	mount --bind a b
	load <<-END
		[one]
		binary = $work/a/program
		deny = any
		[between]
		binary = $work/a/q
		allow = 21770
		[two]
		binary = $work/b/program
		allow = 21771
	END
	one a/program EPERM 21770
	one a/program accepted 21771
	one b/program accepted 21771
	ctl deny "$work/b/program" 21771
	one a/program EPERM 21771
	umount b
}

# A rule stands for the directory that was there. Made again, it stands for the new one.
replaced_directory_needs_its_rule_again() {
	mkdir d
	put d/program
	deny_all
	ctl deny "$work/d/program" 21780
	ctl mode permissive
	rm -r d
	ctl mode enforce # a rule whose directory is gone hinders nothing
	mkdir d
	put d/program
	ctl allow "$work/d/program" 21780
	expect_said 'is another directory entry'
	one d/program accepted 21780
}

rule_waits_for_file() {
	mkdir later
	deny_all
	ctl allow "$work/later/program" 21720
	expect_said 'no such file yet'
	put later/program
	one later/program accepted 21720
}

rule_is_for_what_link_names() {
	put here/target
	ln -sf target here/link
	deny_all
	ctl allow "$work/here/link" 21730
	one here/link accepted 21730
	one here/target accepted 21730
	rm here/link
	one here/target accepted 21730
}

running_process_keeps_rule() {
	mkdir -p here
	cp "$traffic" here/server
	deny_all
	ctl allow "$work/here/server" 21740
	background server here/server serve 21740
	wait_listening 21740
	cp "$traffic" here/new
	mv here/new here/server
	"$traffic" connect 21740 1 >client || true
	expect "a client of the server whose file was replaced" "served 1 unserved 0 failed 0" "$(cat client)"
}

unnamed_binary_has_its_path() {
	put here/unnamed
	deny_all
	one here/unnamed EPERM 21750
	last_event >event
	expect "the event's binary" "$work/here/unnamed" "$(value binary <event)"
	! grep -q binary_hint event || because "a binary that is known has a hint: $(cat event)"
	is_denied 21750
	expect "the event's binary" "$probe" "$(last_event | value binary)"
}

# in_namespace COMMANDS: runs them as root of a user and mount namespace of their own
in_namespace() {
	unshare --user --map-root-user --mount sh -c "$1" || true
}

# no_nginx: expects that the last event has no binary, and only hints at nginx
no_nginx() {
	last_event >event
	expect "the event's binary" null "$(value binary <event)"
	expect "its hint" /usr/sbin/nginx "$(value binary_hint <event)"
}

mount_over_nginx_is_not_nginx() {
	put here/impostor
	load <<-END
		[sockaccept]
		default = deny
		[web]
		binary = /usr/sbin/nginx
		allow = any
	END
	seen=$(in_namespace "mount --bind $work/here/impostor /usr/sbin/nginx && /usr/sbin/nginx accept inet accept 21760")
	expect "a file mounted over nginx" EPERM "$seen"
	no_nginx
	seen=$(in_namespace "mount -t tmpfs tmpfs /usr/sbin && cp $work/here/impostor /usr/sbin/nginx && /usr/sbin/nginx accept inet accept 21760")
	expect "nginx on a file system mounted over its directory" EPERM "$seen"
	no_nginx
	expect "hits of the rule for nginx" 0 "$(hits /usr/sbin/nginx)"
}

# A program that is mounted elsewhere keeps its rule there.
named_binary_keeps_rule_in_namespace() {
	put here/named
	load <<-END
		[named]
		binary = $work/here/named
		deny = any
	END
	seen=$(in_namespace "mount --bind $work/here/named /usr/sbin/nginx && /usr/sbin/nginx accept inet accept 21770")
	expect "a program with a deny rule, mounted over nginx" EPERM "$seen"
	expect "the event's binary" "$work/here/named" "$(last_event | value binary)"
}

deleted_binary_is_null() {
	mkdir -p here
	cp "$traffic" here/deleted
	deny_all
	background server here/deleted serve 21780
	wait_listening 21780
	rm here/deleted
	"$traffic" connect 21780 1 >client || true
	expect "a client of the server whose file was deleted" "served 0 unserved 1 failed 0" "$(cat client)"
	finish "$pid"
	last_event >event
	expect "the event's binary" null "$(value binary <event)"
	case $(value binary_hint <event) in
	"$work/here/deleted"*) ;;
	*) because "the event's hint: expected $work/here/deleted..., saw $(cat event)" ;;
	esac
}

chroot_is_not_the_machines_path() {
	put jail/usr/sbin/nginx
	mkdir -p jail/lib64 jail/lib/x86_64-linux-gnu
	# shellcheck disable=SC2046 # they are paths
	cp $(ldd "$probe" | sed -n 's/.*=> \([^ ]*\).*/\1/p') jail/lib/x86_64-linux-gnu/
	cp "$(ldd "$probe" | sed -n 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p')" jail/lib64/
	load <<-END
		[sockaccept]
		default = deny
		[web]
		binary = /usr/sbin/nginx
		allow = any
	END
	seen=$(chroot jail /usr/sbin/nginx accept inet accept 21790) || true
	expect "another program called /usr/sbin/nginx in a chroot" EPERM "$seen"
	no_nginx
}

test_case rule_outlives_upgrade
test_case deny_rule_outlives_upgrade
test_case two_paths_are_one_binary
test_case replaced_directory_needs_its_rule_again
test_case rule_waits_for_file
test_case rule_is_for_what_link_names
test_case running_process_keeps_rule
test_case unnamed_binary_has_its_path
test_case mount_over_nginx_is_not_nginx
test_case named_binary_keeps_rule_in_namespace
test_case deleted_binary_is_null
test_case chroot_is_not_the_machines_path

# What the kernel has in memory decides nothing: the same tests, with all caches dropped before each step.
cold=yes
for each in rule_outlives_upgrade deny_rule_outlives_upgrade rule_waits_for_file rule_is_for_what_link_names; do
	test_case "${each}_with_cold_caches" $each
done
# shellcheck disable=SC2034 # harness.sh reads it
cold=
