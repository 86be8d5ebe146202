#!/bin/sh
# Holds the manual pages against the program, whose verb table `help` prints.
# usage: tests/unit/test_manual.sh [SOCKACCEPT-CTL]
#
# Needs no privilege. The program is build/sockaccept-ctl unless another is given.
set -u

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
program=${1:-$top/build/sockaccept-ctl}
man=$top/man
page=$man/sockaccept-ctl.8

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

passed=0
failed=0

# judge NAME PROBLEM: an empty problem is none
judge() {
	if [ -z "$2" ]; then
		passed=$((passed + 1))
		echo "ok $1"
	else
		failed=$((failed + 1))
		printf 'not ok %s: %s\n' "$1" "$(printf '%s' "$2" | tr '\n' ' ')"
	fi
}

# --- what the program says

program_verbs() {
	"$program" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p'
}

# program_options VERB
program_options() {
	"$program" help "$1" | sed -n 's/^  \(--[a-z-]*\).*/\1/p'
}

# program_statuses: those that the summary lists
program_statuses() {
	"$program" help | sed -n '/^Status:/,/^$/p' | grep -o '[0-9][0-9]* ' | tr -d ' '
}

# --- what the page says

# section NAME: its lines
section() {
	joined "$page" | awk -v name="$1" '/^\.Sh /{inside = ($0 == ".Sh " name); next} inside'
}

# joined PAGE: lines that go on behind a backslash are one
joined() {
	sed -e ':join' -e '/\\$/{N;s/\\\n//;b join' -e '}' "$1"
}

page_verbs() {
	section VERBS | sed -n 's/^\.It Cm \([^ ]*\).*/\1/p'
}

# verb_line VERB: the head of its item
verb_line() {
	section VERBS | grep -E "^\.It Cm $1( |\$)"
}

# flags: every --option in the macros of standard input
flags() {
	grep -o 'Fl -[a-z-]*' | sed 's/^Fl -/--/'
}

# --- tests

# differ WHAT WANTED GOT: two lists of words; says which are in one of them only
differ() {
	printf '%s\n' "$2" | sort -u >"$work/wanted"
	printf '%s\n' "$3" | sort -u >"$work/got"
	comm -23 "$work/wanted" "$work/got" | sed -n "s/^\(..*\)/$1 \1 is missing in the page;/p"
	comm -13 "$work/wanted" "$work/got" | sed -n "s/^\(..*\)/$1 \1 is in the page only;/p"
}

test_verbs() {
	verbs=$(program_verbs)
	if [ -z "$verbs" ]; then
		judge verbs "$program help names no verb"
		return
	fi
	judge verbs "$(differ verb "$verbs" "$(page_verbs)")"
	problem=
	[ "$verbs" = "$(page_verbs)" ] || problem="the page has them in another order than help"
	judge order_of_verbs "$problem"
}

test_options() {
	all='--help
--version'
	for verb in $(program_verbs); do
		options=$(program_options "$verb")
		all="$all
$options"
		judge "options_of_$verb" "$(differ option "$options" "$(verb_line "$verb" | flags)")"
	done
	judge options "$(differ option "$all" "$(section OPTIONS | grep '^\.It ' | flags)")"
}

test_statuses() {
	wanted='0
1
2
3
4
5
6'
	judge statuses "$(differ status "$wanted" "$(section 'EXIT STATUS' | sed -n 's/^\.It //p')")"
	judge statuses_in_help "$(differ status "$wanted" "$(program_statuses)")"
}

# A page that isn't installed is no fault of the page that refers to it; nor is an old index of pages.
test_lint() {
	for file in "$man"/*.[0-9]; do
		judge "lint_$(basename "$file")" "$(mandoc -Tlint -W warning "$file" 2>&1 | grep -v 'outdated mandoc.db')"
	done
}

# test_width: as text, no line is longer than 80 characters
test_width() {
	for file in "$man"/*.[0-9]; do
		problem=$(mandoc -Tascii -O width=80 "$file" 2>/dev/null | col -bx | awk 'length > 80')
		judge "width_$(basename "$file")" "$problem"
	done
}

# policies PAGE DIRECTORY: each display after a line `.\" policy` into a file, without mdoc's escapes
policies() {
	awk -v directory="$2" '
		/^\.\\" policy$/ { marked = 1; next }
		/^\.Bd / && marked { marked = 0; inside = 1; file = sprintf("%s/%d.ini", directory, ++count); next }
		/^\.Ed/ { inside = 0; next }
		inside { gsub(/\\-/, "-"); gsub(/\\&/, ""); gsub(/\\e/, "\\"); print >file }
	' "$1"
}

# A display that is no policy was marked by mistake, or one that is was not: each has a section header. No example may
# make a warning, but that its programs aren't on this machine.
test_policies() {
	policies "$man/sockaccept.ini.5" "$work"
	chmod 644 "$work"/*.ini 2>/dev/null
	marked=$(find "$work" -name '*.ini' | wc -l)
	displays=$(grep -c '^\.Bd ' "$man/sockaccept.ini.5")
	problem=
	[ "$marked" -gt 0 ] || problem="no display is marked as a policy"
	[ "$marked" -eq "$displays" ] || problem="$displays displays, of which $marked are marked as policies"
	judge policies_marked "$problem"

	for file in "$work"/*.ini; do
		[ -f "$file" ] || continue
		output=$("$program" check "$file" 2>&1) && output=$(echo "$output" | grep 'warning:' | grep -v 'the rule waits for it')
		judge "policy_$(basename "$file" .ini)" "$output"
	done
}

# model_tests: the tests that the threat model names as its proof
model_tests() {
	joined "$man/sockaccept.7" |
		awk '/^\.Sh /{inside = ($0 == ".Sh THREAT MODEL"); next} inside && /^\.Pq /' |
		grep -o '[a-z0-9]*_[a-z0-9_]*[a-z0-9]' | grep -v '^_' | sort -u
}

# has_test NAME: also one that is made for each file system, or family
has_test() {
	case $1 in
	denied_*_is_harmless) set -- 'denied_[$][{]harmless[}]_is_harmless' ;;
	esac
	grep -qE "^[[:space:]]*test_case \"?($1|${1%_ext4}_[$]kind|${1%_inet}_[$](family|each))\"?( |\$)" "$top"/tests/guest/test_*.sh \
		"$top"/tests/guest/locked.sh "$top"/tests/guest/lock_killed.sh "$top"/tests/guest/little_memory.sh "$top"/tests/guest/no_bpf_lsm.sh \
		"$top"/tests/guest/systemd/[0-9]*
}

# promise_tests: the tests that man/docs/promises.md names, in italics
promise_tests() {
	tr '\n' ' ' <"$man/docs/promises.md" | grep -o '[^*]\*[^*]*\*' | grep -o '[a-z0-9]*_[a-z0-9_]*[a-z0-9]' | sort -u
}

# No claim without a test: judge_claims NAME WHERE TEST...
judge_claims() {
	claims=$1
	problem=
	[ $# -gt 2 ] || problem="$2 names no test"
	shift 2
	for name; do
		has_test "$name" || problem="$problem there is no test $name;"
	done
	judge "$claims" "$problem"
}

if [ ! -x "$program" ]; then
	echo "$0: there is no $program; run make" >&2
	exit 1
fi
test_verbs
test_options
test_statuses
if command -v mandoc >/dev/null; then
	test_lint
	test_width
else
	judge lint "mandoc is missing; run tests/packages.sh check"
fi
test_policies
# shellcheck disable=SC2046 # lists of names
judge_claims threat_model "sockaccept(7), in THREAT MODEL," $(model_tests)
# shellcheck disable=SC2046
judge_claims promises promises.md $(promise_tests)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
