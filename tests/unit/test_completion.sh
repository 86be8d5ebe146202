#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The completion of bash, as bash runs it.
set -u

ctl=${CTL:-build/sockaccept-ctl}
# shellcheck source=/dev/null # it is made by the program
. <("$ctl" help --completion)
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
touch "$directory/policy.ini" "$directory/with blank"

# completes NAME WANTED WORD...: the last word, which may be empty
completes() {
	name=$1
	wanted=$2
	shift 2
	COMP_WORDS=(sockaccept-ctl "$@")
	COMP_CWORD=$#
	_sockaccept_ctl
	seen="${COMPREPLY[*]}"
	if [ "$seen" = "$wanted" ]; then
		echo "ok $name"
	else
		echo "not ok $name: expected '$wanted', saw '$seen'"
	fi
}

verbs=$("$ctl" help | sed -n 's/^  \([a-z]*\) .*/\1/p' | tr '\n' ' ')
completes all_verbs "${verbs}--help --version" ''
completes one_verb status stat
completes options_of_a_verb "--hits --ports --json --help" list -
completes an_option --checkpoint audit --ch
completes words_of_a_verb "enforce permissive" mode ''
completes verbs_of_help report help rep
completes files_of_load "$directory/policy.ini" load "$directory/p"
completes a_file_with_a_blank "$directory/with blank" check "$directory/w"
completes any_binary any allow an
completes verdicts "allow deny" audit --verdict ''
completes users root audit --user roo
completes a_log "$directory/policy.ini" audit --log "$directory/p"
completes nothing_for_a_number "" audit --limit ''
completes nothing_for_no_verb "" nonsense x
