# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that load, confirm and status say when the next boot will load another policy than the one in force, none, or an invalid one; and
# that they say nothing otherwise.
# Fails if enforce/change/boot_files.c or differences.c compares wrongly: temporary rules, for example, are no difference.

: "${sockaccept:?}" "${probe:?}" "${work:?}"

# comes_from SOURCE DIFFERS: expects this of `status`, as text and as JSON; DIFFERS is `differs` or `alike`
comes_from() {
	ctl status --json
	judge 's = json.load(open("said")); assert [s["source"], s["files_differ"]] == [sys.argv[1], sys.argv[2] == "differs"], s' "$1" "$2"
	ctl status
	grep -q "^source  *$1\$" said || because "status says of the source: $(grep ^source said)"
	case $2 in
	differs) expect_said 'next boot  ' ;;
	*) ! grep 'next boot' said || because "status says $(grep 'next boot' said)" ;;
	esac
}

says_nothing_of_the_boot() {
	ctl "$@"
	! grep 'next boot' said || because "$* says $(cat said)"
}

next_boot_is_named() {
	mkdir -p /etc/sockaccept
	trap 'rm -rf /etc/sockaccept' EXIT
	deny_all
	expect_said "This policy comes from $work/policy.ini: the next boot loads nothing, as there is no policy in /etc/sockaccept."
	comes_from "$work/policy.ini" differs
	says_nothing_of_the_boot load --no-warnings policy.ini
	cp policy.ini /etc/sockaccept/
	says_nothing_of_the_boot load policy.ini
	comes_from "$work/policy.ini" alike
	says_nothing_of_the_boot load
	comes_from /etc/sockaccept alike

	# A temporary rule is no difference; a lasting one is.
	says_nothing_of_the_boot allow "$probe" 22901 --for 1h
	comes_from /etc/sockaccept alike
	says_nothing_of_the_boot allow "$probe" 22902
	comes_from /etc/sockaccept differs
	expect_said 'another policy; see: sockaccept-ctl diff'
	ctl remove "$probe"
	comes_from /etc/sockaccept alike
	ctl mode permissive
	comes_from /etc/sockaccept differs

	mkdir new.d
	printf '[probe]\nbinary = %s\nallow = 22903\n' "$probe" | write_policy new.d/a.ini
	ctl load new.d --confirm 60
	expect_said "This policy comes from $work/new.d: the next boot loads /etc/sockaccept, which has another policy"
	ctl confirm
	expect_said "This policy comes from $work/new.d: the next boot loads /etc/sockaccept, which has another policy"
	echo '[oops' >>/etc/sockaccept/policy.ini
	comes_from "$work/new.d" differs
	expect_said 'which is invalid; see: sockaccept-ctl check'
}

test_case next_boot_is_named
