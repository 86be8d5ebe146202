#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a guest: a shell on the terminal that `tests/guest/run --terminal` brings along, with the programs built and a policy loaded.
# usage: make guest            (KERNEL chooses the kernel; it ends with the shell)
set -eu
PATH=$PWD/build:$PWD/build/tests/guest:$PATH
export PATH

mkdir -p /etc/sockaccept
printf '[sockaccept]\ndefault = allow\n' >/etc/sockaccept/policy.ini
sockaccept-ctl load
exec 3<>/dev/ttyS1 # as long as it is open, it keeps its size
stty rows "${LINES:-24}" columns "${COLUMNS:-80}" </dev/ttyS1
cat >/dev/ttyS1 <<-END

	Linux $(uname -r), a throwaway machine: what you change ends with it.
	This machine's files are there, sockaccept-ctl and tests/guest's helpers are in
	PATH, and a policy that allows all is loaded. Try: bpftool prog tracelog. End: exit

END
# The line is this session's terminal since it was opened: nothing else is to be done for job control.
PS1="guest:\w\$ " exec /bin/bash --norc -i </dev/ttyS1 >/dev/ttyS1 2>&1
