# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a policy whose pins something is mounted over is still found, and that no command then acts as if nothing were loaded.
# Fails if enforce/kernel/hidden.c doesn't find the attached program, or doesn't name the mount; or if a verb that changes the policy
# doesn't ask it first (enforce/change/publish.c, enforce/kernel/open.c).

: "${sockaccept:?}" "${pins:?}" "${probe:?}"

# programs: prints how many of our programs decide about accepts
programs() {
	bpftool prog list | grep -c 'lsm  *name socket_accept '
}

refused_as_hidden() { # COMMAND...
	expect_status 1 "$@"
	expect_said "$over"
	[ ! -e "$pins" ] || because "$*: $(find "$pins" | tr '\n' ' ')"
	expect "programs after $*" 1 "$(programs)"
}

# is_hidden_by PLACE TYPE: mounts a file system there, and expects that `status` says so
is_hidden_by() {
	over="hidden by a mount over $1"
	mount -t "$2" "$2" "$1"
	place=$1 # what is mounted there goes, whatever comes of the test
	is_denied 22801
	expect_status 1 "$sockaccept" status
	grep -q '^enforcing  *yes$' said || because "status says $(cat said)"
	expect_said "$over"
	expect_said "umount $place"
	expect_status 1 "$sockaccept" status --json
	judge 's = json.load(open("said")); assert s["loaded"] and s["hidden"] and s["enforcing"] is True and s["default"] == "deny" \
and s["rules"] == 1 and s["generation"] == int(sys.argv[1]) and len(s["problems"]) == 1, s' "$generation"
}

unhidden() {
	umount "$place"
	place=
}

nothing_is_changed() {
	refused_as_hidden "$sockaccept" load policy.ini
	mkdir -p /etc/sockaccept
	cp policy.ini /etc/sockaccept/
	refused_as_hidden "$sockaccept" load --boot
	! grep -q 'NOTHING IS ENFORCED' said || because "it says $(cat said)"
	# With the rights of a unit.
	refused_as_hidden setpriv --bounding-set=-sys_admin "$sockaccept" load policy.ini
	for verb in unload "mode permissive" "allow $probe 22801" upgrade lock; do
		# shellcheck disable=SC2086 # they are words
		refused_as_hidden "$sockaccept" $verb
	done
	expect_status 1 "$sockaccept" doctor
	grep -q "^pins  *FAILED: .*$over" said || because "doctor says $(grep ^pins said)"
	is_denied 22801
}

hidden_policy_is_found() {
	trap 'umount /sys/fs/bpf 2>/dev/null; umount /sys/fs/bpf 2>/dev/null; mount -t bpf -o mode=700 bpf /sys/fs/bpf' EXIT
	unloaded
	accepts 22801
	# What was loaded and unloaded in a bpffs on top of another hides nothing.
	mount -t bpf -o mode=700 bpf /sys/fs/bpf
	expect_status 3 "$sockaccept" status
	deny_all
	ctl unload
	expect_status 3 "$sockaccept" status
	umount /sys/fs/bpf
	place=
	trap '[ -z "$place" ] || umount "$place"; rm -rf /etc/sockaccept' EXIT
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 22802
	END
	accepts 22802
	generation=$("$sockaccept" status --json | value generation)
	is_hidden_by /sys/fs/bpf bpf
	nothing_is_changed
	unhidden
	is_hidden_by /sys/fs/bpf tmpfs
	unhidden
	is_hidden_by /sys tmpfs
	unhidden
	ctl status
	ctl allow "$probe" 22801
	accepts 22801 22802
}

test_case hidden_policy_is_found
