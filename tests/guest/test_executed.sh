# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a process is judged by the name under which it was executed, whatever happens to names later and whatever the kernel keeps in
# memory: all caches are dropped before each step.
# Fails if bpf/process.bpf.h looks the name up again at accept(2), if bpf/execute.bpf.h doesn't settle it at execve(2) and fork(2), or if a
# kernel drops the inode of a running program.

: "${root:?}" "${sockaccept:?}" "${carry:?}" "${work:?}" "${base:?}"
fs=

# shellcheck source=tests/guest/filesystems.sh
. "$root/tests/guest/filesystems.sh"

# judged PROGRAM OUTCOME PORT: executes it now, and expects this
judged() {
	evict
	seen=$("$fs/$1" listen "$3" take) || true
	expect "$1" "$2" "$seen"
}

# started PROGRAM PORT [STEP...]: starts a process that listens, and that does the steps (default: `take`) once goes_on tells it to
started() {
	program=$1
	port=$2
	shift 2
	[ $# -gt 0 ] || set -- take
	evict
	rm -f "go-$port" "go-$port.ready"
	background "server-$port" "$fs/$program" listen "$port" wait "go-$port" "$@"
	until_true 30 test -e "go-$port.ready" || because "$program doesn't wait: $(cat "server-$port" "server-$port.errors")"
}

# goes_on PORT OUTCOME: lets that process go on, and expects this
goes_on() {
	evict
	touch "go-$1"
	until_true 30 grep -q . "server-$1" || because "nothing came of the process on port $1: $(cat "server-$1.errors")"
	until_true 5 test "$(cat "server-$1")" = "$2" || because "the process on port $1: expected '$2', saw '$(cat "server-$1")'"
}

# programs FS: $fs/named and $fs/link are one file, $fs/other is another
programs() {
	on "$1"
	cp "$carry" "$fs/named"
	ln "$fs/named" "$fs/link"
	cp "$carry" "$fs/other"
}

allow_named() {
	load <<-END
		[sockaccept]
		default = deny
		[named]
		binary = $fs/named
		allow = 24000-24099
	END
}

deny_named() {
	load <<-END
		[named]
		binary = $fs/named
		deny = 24000-24099
	END
}

# hard_link FS FIRST SECOND: a hard link is another binary, whichever of the two is executed first
hard_link() {
	programs "$1"
	unloaded
	judged "$2" accepted 24000
	allow_named
	for _ in 1 2; do
		for name in "$2" "$3"; do
			case $name in
			named) judged named accepted 24000 ;;
			link) judged link EPERM 24000 ;;
			esac
		done
	done
	deny_named
	for _ in 1 2; do
		judged "$3" "$(if [ "$3" = named ]; then echo EPERM; else echo accepted; fi)" 24000
		judged "$2" "$(if [ "$2" = named ]; then echo EPERM; else echo accepted; fi)" 24000
	done
	# Both run at the same time.
	started named 24001
	started link 24002
	started named 24003 fork take
	started link 24004 fork take
	goes_on 24002 accepted
	goes_on 24001 EPERM
	goes_on 24003 EPERM
	goes_on 24004 accepted
}

# renamed FS: the file is renamed after it was executed, and before its first accept
renamed() {
	programs "$1"
	allow_named
	judged other EPERM 24010
	started named 24010
	started named 24011 fork take
	started named 24012 thread take
	started other 24013
	started other 24014 fork take
	started link 24015
	evict
	mv "$fs/named" "$fs/away"
	evict
	mv "$fs/other" "$fs/named"
	goes_on 24010 accepted
	goes_on 24011 accepted
	goes_on 24012 accepted
	goes_on 24013 EPERM
	goes_on 24014 EPERM
	goes_on 24015 EPERM
	# Executed now, each is what its name says.
	judged named accepted 24010
	judged away EPERM 24010
	# A file that gets another name, and its old name back.
	started named 24016
	mv "$fs/named" "$fs/other"
	started other 24017
	mv "$fs/other" "$fs/named"
	started named 24018
	mv "$fs/named" "$fs/other"
	goes_on 24016 accepted
	goes_on 24017 EPERM
	goes_on 24018 accepted
}

# removed FS: the file of a running process is replaced or removed
removed() {
	programs "$1"
	allow_named
	started named 24020
	started named 24021
	cp "$carry" "$fs/new"
	mv "$fs/new" "$fs/named"
	judged named accepted 24022
	rm "$fs/named"
	goes_on 24020 accepted
	cp "$carry" "$fs/named"
	goes_on 24021 accepted
	judged named accepted 24022
}

# directory_renamed FS: the directory of the file is renamed
directory_renamed() {
	programs "$1"
	mkdir "$fs/d" "$fs/e"
	cp "$carry" "$fs/d/program"
	cp "$carry" "$fs/e/program"
	load <<-END
		[sockaccept]
		default = deny
		[program]
		binary = $fs/d/program
		allow = 24000-24099
	END
	judged d/program accepted 24030
	judged e/program EPERM 24030
	started d/program 24031
	started e/program 24032
	mv "$fs/d" "$fs/c"
	mv "$fs/e" "$fs/d"
	goes_on 24031 accepted
	goes_on 24032 EPERM
}

# before FS: a process that was executed before the policy came, or before a rule named its file, is judged by the present name of its file
before() {
	programs "$1"
	unloaded
	started named 24040
	started named 24041
	allow_named
	goes_on 24040 accepted
	mv "$fs/named" "$fs/away"
	goes_on 24041 EPERM
	mv "$fs/away" "$fs/named"
	started other 24042
	started other 24043
	ctl allow "$fs/other" 24042 24043
	goes_on 24042 accepted
	mv "$fs/other" "$fs/away"
	goes_on 24043 EPERM
	judged away EPERM 24042
}

# A process keeps its identity when the parent that it inherited it from is gone.
orphan_stays_what_it_is() {
	programs ext4
	allow_named
	judged link EPERM 24050
	# This is the second name that is executed: such processes have a record of their own.
	started named 24050 orphan take
	mv "$fs/named" "$fs/away"
	goes_on 24050 accepted
}

test_case hard_link_is_another_name hard_link ext4 named link
test_case hard_link_comes_first hard_link ext4 link named
test_case hard_link_on_tmpfs hard_link tmpfs named link
for kind in ext4 overlay; do
	test_case "renamed_after_its_start_on_$kind" renamed $kind
	test_case "removed_after_its_start_on_$kind" removed $kind
	test_case "directory_renamed_after_its_start_on_$kind" directory_renamed $kind
	test_case "started_before_its_rule_on_$kind" before $kind
done
test_case orphan_stays_what_it_is
unmount_all
