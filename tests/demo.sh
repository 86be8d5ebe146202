#!/bin/sh
# `make demo`: boots a throwaway virtual machine and shows sockaccept at work in it. The transcript is
# made by tests/guest/demo_guest.sh; nothing of this machine is changed.
set -eu

series=${KERNEL:-6.1}
echo "Fetching Debian's kernel $series and the servers, once, into a cache ..."
tests/guest/kernel.sh "$series" >/dev/null
tests/guest/servers.sh >/dev/null
echo "Booting a throwaway virtual machine; this machine's files are read-only in it ..."
exec tests/guest/run --kernel "$series" --timeout 300 tests/guest/demo_guest.sh
