#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The package on a real Debian with systemd: installed, booted with under all kinds of difficulties, upgraded, removed.
# usage: tests/guest/systemd.sh PACKAGE OLDER_PACKAGE TRAFFIC [KERNEL]
#
# TRAFFIC is the test program of that name. Each job is a boot; its line `# append: ...` adds to the kernel's command line.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
package=$1
older=$2
traffic=$3
kernel=${4:-6.1}
if [ "$(id -u)" -ne 0 ]; then
	echo "skip systemd: a Debian root directory can only be made as root"
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/sockaccept-systemd.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -a "$("$here/debian_root.sh")" "$work/root"
mkdir "$work/root/test"
# All that the package needs is there; apt reads the whole archive's lists for half a minute otherwise, each time.
rm -rf "$work"/root/var/lib/apt/lists/*
cp "$package" "$work/root/test/sockaccept.deb"
cp "$older" "$work/root/test/older.deb"
cp "$traffic" "$work/root/test/traffic"
cp "$here/systemd/lib.sh" "$work/root/test/lib.sh"

failed=0
for job in "$here"/systemd/[0-9]*; do
	echo "# $(basename "$job")"
	"$here/boot" --kernel "$kernel" --append "$(sed -n 's/^# append: //p' "$job")" --timeout 1500 "$work/root" "$job" || failed=1
done
sed 's/^/# /' "$work/root/test/report" 2>/dev/null || true
exit $failed
