#!/bin/sh
# What can be said of the code without running it: `make lint`, and a part of `make check`.
# usage: tests/lint.sh --format      writes what format would have, in place
#        tests/lint.sh [NAME...]     only these: includes format cleanup shellcheck cppcheck clang-tidy manual clang-build
#
# Prints "ok NAME" for each, or "not ok NAME" and what is wrong. Exits with 1 if anything is.
# shellcheck disable=SC2317 # check calls the functions below by their names
set -u
cd "$(dirname "$0")/.." || exit 2
wanted=$*
status=0

# The C files of this project; and its shell scripts, whatever their names are.
c_files() {
	git ls-files '*.[ch]' 2>/dev/null || find bpf policy enforce tests -name '*.[ch]'
}

shell_files() {
	echo tests/*.sh tests/*/*.sh tests/guest/systemd/* tests/guest/run tests/guest/boot tests/guest/init tests/guest/init_systemd \
		enforce/boot/*.sh enforce/boot/deb/postinst enforce/boot/deb/prerm enforce/boot/deb/postrm .ci/run
}

# A check is one test: it succeeds, and prints nothing.
check() { # NAME COMMAND...
	name=$1
	shift
	case " $wanted " in
	'  ' | *" $name "*) ;;
	*) return ;;
	esac
	code=0
	said=$("$@" 2>&1) || code=$?
	if [ "$code" -eq 0 ] && [ -z "$said" ]; then
		echo "ok $name"
		return
	fi
	echo "not ok $name: status $code"
	printf '%s\n' "$said" | head -n 40 | sed 's/^/    /'
	status=1
}

format() {
	# shellcheck disable=SC2046 # a list of files
	clang-format --dry-run --Werror $(c_files)
	# shellcheck disable=SC2046
	shfmt -d $(shell_files)
}

shell_check() {
	# shellcheck disable=SC2046
	shellcheck -x $(shell_files)
}

cpp_check() {
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --error-exitcode=1 -I. -D__STDC__ \
		'-DLIBBPF_OPTS(type,name,...)=struct type name = {0}' policy enforce
}

# Two at a time: one takes minutes.
clang_tidy() {
	find policy enforce -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 16 sh -c 'clang-tidy --quiet "$@" -- -std=gnu11 -D_GNU_SOURCE -I. -Ibuild \
		-DSOCKACCEPT_VERSION=\"0\" 2>/dev/null' sh
}

# What is cleaned up when it goes out of scope has a value from the start: else an early return cleans up what was on the stack.
cleanup() {
	! grep -rnE '_cleanup_[a-z]+_ [^=;(]*;' enforce policy
}

manual() {
	mandoc -Tlint -W warning man/*.[1-8]
}

clang_build() {
	make -s -B B=build/clang all CC=clang WERROR=-Werror say=
}

if [ "$wanted" = --format ]; then
	# shellcheck disable=SC2046
	clang-format -i $(c_files)
	# shellcheck disable=SC2046
	shfmt -w $(shell_files)
	exit
fi
check includes tests/includes.sh
check format format
check cleanup cleanup
check shellcheck shell_check
check manual manual
check cppcheck cpp_check
check clang-tidy clang_tidy
check clang-build clang_build
exit $status
