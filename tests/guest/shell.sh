#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# In a guest: a shell on the terminal that `tests/guest/run --terminal` brings along, with the programs built and a policy loaded.
# usage: make guest            (KERNEL chooses the kernel; it ends with the shell)
set -eu
PATH=$PWD/build:$PWD/build/tests/guest:$PATH
export PATH

mkdir -p /etc/sockaccept
printf '[all]\ndefault = allow\n' >/etc/sockaccept/policy.ini
sockaccept-ctl load
stty rows "${LINES:-24}" columns "${COLUMNS:-80}" </dev/ttyS1
cat >/dev/ttyS1 <<-END

	Linux $(uname -r), a throwaway machine with this machine's files; what you change is gone at the end.
	sockaccept-ctl is in PATH, and a policy that allows all is loaded; so are the helpers of tests/guest, such as probe.
	bpftool prog tracelog, dmesg and /sys/kernel/debug work. End with exit.

END
exec setsid --ctty --wait /bin/bash -i </dev/ttyS1 >/dev/ttyS1 2>&1
