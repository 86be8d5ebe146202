#!/bin/sh
# The inner loop: `make test`. Two minutes at most, on two processors.
# usage: tests/test.sh [NAME]
#
# Without NAME: all unit tests with the sanitizers in, and in one guest what the project is for. With NAME, that alone:
#   test_ini                     a unit test: tests/unit/test_ini.c, or .sh
#   test_listen                  a file of guest tests: tests/guest/test_listen.sh
#   denied_listen_is_refused     one guest test
# KERNEL chooses the guest's kernel (6.1, 6.12, 7, 6.1-rt, 7-rt; default 6.1). SHOW=1 prints what a guest test prints.
set -u
cd "$(dirname "$0")/.." || exit 2
name=${1-}
kernel=${KERNEL:-6.1}
essentials="baseline_deny_control_inet baseline_deny_control_inet6 running_server_obeys_new_rule clients_are_refused_at_once deny_ends_a_wait
	every_accept_is_recorded spinner_makes_few_events deny_resets_what_waits"
export CMOCKA_MESSAGE_OUTPUT=TAP

in_guest() { # SUITE-ARGUMENT...: or, with ONLY in the environment, a file's tests
	tests/guest/run --by-turns --kernel "$kernel" --timeout "${TIMEOUT:-900}" --env "SHOW=${SHOW-}" --env "ONLY=${ONLY-}" \
		--env "ACCEPTS=${ACCEPTS:-2000}" tests/guest/suite.sh "$@"
}

unit() { # FILE
	case $1 in
	*.sh) "$1" ;;
	*) "build/sanitized/$(basename "$1" .c)" ;;
	esac
}

# all: a line for each test that failed, and how many passed
all() {
	{
		for file in tests/unit/test_*; do
			unit "$file" 2>&1 || echo "not ok $(basename "$file"): ended with $?"
		done
		# shellcheck disable=SC2086 # they are words
		in_guest $essentials || echo "not ok the guest's tests: ended with $?"
	} | awk '/^ok / { passed++ } /^not ok / { failed++; print } END { print passed + 0 " passed, " failed + 0 " failed"; exit failed > 0 }'
}

if [ -z "$name" ]; then
	all
elif [ -e "tests/unit/$name.c" ] || [ -e "tests/unit/$name.sh" ]; then
	for file in "tests/unit/$name".*; do
		unit "$file"
	done
elif [ -e "tests/guest/$name.sh" ]; then
	ONLY=$name.sh in_guest
elif grep -q "test_case $name\$\|test_case $name " tests/guest/test_*.sh; then
	in_guest "$name"
else
	echo "tests/test.sh: there is no test '$name': it is neither in tests/unit nor in tests/guest" >&2
	exit 2
fi
