#!/bin/sh
# Installs the Debian packages that a target of the Makefile needs, if any is missing.
# usage: tests/packages.sh build|lint|guest|test|check
#
# Servers that only guests run (nginx, redis, ...) are not here: tests/guest/servers.sh unpacks
# them for the guest alone, so that no test of ours ever starts a service on this machine.
set -eu

build="clang gcc make pkg-config bpftool libbpf-dev libelf-dev zlib1g-dev libcap-dev libinih-dev libjansson-dev libc6-dev linux-libc-dev"
guest="qemu-system-x86 busybox-static cpio kmod zstd xz-utils ca-certificates liburing-dev python3 mmdebstrap"
lint="clang-format shfmt clang-tidy cppcheck shellcheck mandoc git"
test="libcmocka-dev libclang-rt-14-dev"
check="valgrind strace lintian dpkg-dev clang-19"

case "${1-}" in
build) wanted=$build ;;
guest) wanted="$build $guest" ;;
lint) wanted="$build $lint" ;;
test) wanted="$build $guest $test" ;;
check) wanted="$build $guest $lint $test $check" ;;
*)
	echo "usage: $0 build|lint|guest|test|check" >&2
	exit 2
	;;
esac

missing=
for package in $wanted; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "$0: please install what Debian calls:$missing" >&2
	exit 1
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
	sudo=sudo
	if ! command -v sudo >/dev/null; then
		echo "$0: as root, run: apt-get install$missing" >&2
		exit 1
	fi
fi

echo "Installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # both are lists of words
if ! { $sudo apt-get -q update &&
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "$0: apt-get could not install them; mend what it says above and try again" >&2
	exit 1
fi
