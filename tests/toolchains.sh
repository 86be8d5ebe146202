#!/bin/sh
# Builds with the compilers and libbpf of the next Debian, and with the newest clang of this one: no warning, no error.
# usage: tests/toolchains.sh
#
# What this machine has (gcc 12, clang 14, libbpf 1.1) everything else is built with. The next Debian's (gcc 14, clang 19, libbpf 1.5)
# are in a root directory of their own, in ${SOCKACCEPT_CACHE:-~/.cache/sockaccept}. Prints "ok NAME" or "not ok NAME: WHY".
set -eu

name=toolchains.sh
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/.." && pwd)
# shellcheck source=tests/guest/lib.sh
. "$here/guest/lib.sh"

suite=trixie
packages=clang,gcc,make,pkgconf,bpftool,libbpf-dev,libelf-dev,zlib1g-dev,libcap-dev,libinih-dev,libjansson-dev,libc6-dev
# Raise this when the list above changes.
entry=$cache/toolchain-2
failed=0

# shellcheck disable=SC2317 # quietly calls it
make_root() {
	mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" "$suite" "$work/entry" "$(main_mirror)"
}

# judge NAME LOG COMMAND...
judge() {
	what=$1
	log=$2
	shift 2
	if "$@" >"$log" 2>&1 && ! grep -q warning "$log"; then
		echo "ok $what"
	else
		echo "not ok $what: $(grep -m 1 'error\|warning' "$log" || tail -n 1 "$log")"
		failed=1
	fi
}

# shellcheck disable=SC2317 # judge calls it
# build_there DIRECTORY ARG...: with the programs of the root directory, from a copy that is removed
build_there() {
	copy=$1
	shift
	mkdir "$copy"
	cp -r "$top/Makefile" "$top/LICENSE" "$top/bpf" "$top/policy" "$top/enforce" "$top/man" "$top/tests" "$copy/"
	code=0
	chroot "$entry" make -s -C "/${copy#"$entry"/}" all WERROR=-Werror say= "$@" || code=$?
	rm -rf "$copy"
	return "$code"
}

if [ ! -d "$entry" ]; then
	need mmdebstrap mmdebstrap
	enter_entry toolchain
	if [ ! -d "$entry" ]; then
		quietly "make a root of $suite" make_root
		mv "$work/entry" "$entry"
	fi
fi
logs=$(mktemp -d)
there=$(mktemp -d "$entry/src.XXXXXX")
trap 'rm -rf "$logs" "$there"' EXIT
judge clang-19 "$logs/clang-19" make -s -B -C "$top" B=build/clang-19 all CC=clang-19 CLANG=clang-19 WERROR=-Werror say=
judge gcc-14-libbpf-1.5 "$logs/gcc-14" build_there "$there/gcc"
judge clang-19-libbpf-1.5 "$logs/clang" build_there "$there/clang" CC=clang
exit $failed
