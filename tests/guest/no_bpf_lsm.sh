#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Shows that on a kernel without BPF LSM, load, status and doctor say what is missing and how to get it, and leave nothing behind.
# Fails if enforce/kernel/prerequisites.c misreads the list of security modules, or if enforce/change/publish.c, where that list can't be
# read, doesn't try a real accept(2).
# Run it with: tests/guest/run --append lsm=apparmor tests/guest/no_bpf_lsm.sh
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
	grep -q '^problem  *BPF LSM is not among .*; boot it with lsm=' said || because "status doesn't say what is missing: $(cat said)"
	expect_status 3 "$sockaccept" status --json
	judge 's = json.load(open("said")); assert s["loaded"] is False and "lsm=" in s["problems"][0], s'
	expect_status 1 "$sockaccept" doctor
	grep -q '^lsm=  *FAILED: .*lsm=' said || because "no remedy by doctor"
	grep -q '^load  *not tried' said || because "doctor said something else than not tried of loading"
	accepts 21990
}

# Then only what happens tells.
without_securityfs_either() {
	umount /sys/kernel/security
	trap 'mount -t securityfs securityfs /sys/kernel/security' EXIT
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
	END
	expect_status 5 "$sockaccept" load policy.ini
	expect_said 'BPF LSM seems not to be among'
	expect_said 'mount -t securityfs'
	[ ! -e "$pins" ] || because "a load that can't work left $(find "$pins" | tr '\n' ' ')"
	expect_status 3 "$sockaccept" status
	accepts 21990
}

echo "Linux $(uname -r)"
prepare || exit 1
test_case without_bpf_lsm
test_case without_securityfs_either
summarise
