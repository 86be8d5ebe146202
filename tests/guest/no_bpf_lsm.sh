#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# On a kernel without BPF LSM: tests/guest/run --append lsm=apparmor tests/guest/no_bpf_lsm.sh
root=$(cd "$(dirname "$0")/../.." && pwd)

# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"

without_bpf_lsm() {
	! grep -qw bpf /sys/kernel/security/lsm || because "this kernel has BPF LSM; boot it with lsm=apparmor"
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
	END
	expect_status 5 "$sockaccept" load policy.ini
	expect_said 'lsm='
	expect_said bpf
	[ ! -e "$pins" ] || because "a load that can't work left $(find "$pins" | tr '\n' ' ')"
	expect_status 3 "$sockaccept" status
	accepts 21990
}

echo "Linux $(uname -r)"
prepare || exit 1
test_case without_bpf_lsm
summarise
