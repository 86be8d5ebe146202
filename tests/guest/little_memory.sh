#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Shows that on a machine with too little memory for the buffers, load and doctor say so and leave nothing behind.
# Fails if enforce/kernel/load.c gives another reason or a wrong size, or if a load that failed leaves pins.
# Run it with: tests/guest/run --memory 1024 tests/guest/little_memory.sh
root=$(cd "$(dirname "$0")/../.." && pwd)

# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"

more_events_than_memory() {
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		events = 1048576
	END
	expect_status 1 "$sockaccept" load policy.ini
	expect_said 'not enough memory'
	expect_said '1024 MiB of them for events'
	expect_said 'lower than 1048576'
	[ ! -e "$pins" ] || because "a load that failed left $(find "$pins" | tr '\n' ' ')"
	accepts 21991
	mkdir /etc/sockaccept
	cp -p policy.ini /etc/sockaccept/
	expect_status 1 "$sockaccept" doctor
	grep -q '^load  *FAILED: not enough memory' said || because "doctor didn't find it"
	sed -i 's/^events.*/events = 65536/' policy.ini
	ctl load policy.ini
	is_denied 21991
}

echo "Linux $(uname -r)"
prepare || exit 1
test_case more_events_than_memory
summarise
