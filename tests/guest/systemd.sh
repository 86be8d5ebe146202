#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The package on a real Debian with systemd: installed, booted with, booted with a broken policy and with none, removed.
# usage: tests/guest/systemd.sh PACKAGE [KERNEL]
set -eu

here=$(cd "$(dirname "$0")" && pwd)
package=$1
kernel=${2:-6.1}
if [ "$(id -u)" -ne 0 ]; then
	echo "skip systemd: a Debian root directory can only be made as root"
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/var/tmp}/sockaccept-systemd.XXXXXX")
trap 'rm -rf "$work"' EXIT
cp -a "$("$here/debian_root.sh")" "$work/root"
mkdir "$work/root/test"
cp "$package" "$work/root/test/sockaccept.deb"
cp "$here/systemd/lib.sh" "$work/root/test/lib.sh"

failed=0
for job in "$here"/systemd/[0-9]*; do
	echo "# $(basename "$job")"
	"$here/boot" --kernel "$kernel" --timeout 600 "$work/root" "$job" || failed=1
done
if [ -s "$work/root/test/security" ]; then
	sed 's/^/# /' "$work/root/test/security"
fi
exit $failed
