#!/bin/bash
# In a guest: how long it takes to load 10,000 rules, of 5,000 binaries and of 5,000 ports of one. Best of three, as
# the emulated machine waits for the one that it runs on, and never runs faster than it can.
set -eu

ctl=build/sockaccept-ctl
policy=/tmp/policy.ini
mkdir -p /tmp/bin

{
	printf '[sockaccept]\ndefault = deny\n[one]\nbinary = /tmp/bin/0\n'
	for ((i = 1; i <= 5000; i++)); do echo "allow = $((i + 10000))"; done
	for ((i = 1; i <= 5000; i++)); do printf '[many]\nbinary = /tmp/bin/%d\nallow = %d\n' "$i" "$i"; done
} >$policy
chmod 600 $policy

best() { # LABEL BEFORE
	least=
	for _ in 1 2 3; do
		$2
		start=$(date +%s%N)
		$ctl load $policy >/dev/null 2>&1
		took=$((($(date +%s%N) - start) / 1000000))
		if [ -z "$least" ] || [ $took -lt "$least" ]; then
			least=$took
		fi
	done
	printf '  %-58s %6d ms\n' "$1" "$least"
}

unload() {
	$ctl unload >/dev/null 2>&1 || true
}

printf 'Linux %s: loading 10,000 rules\n' "$(uname -r)"
best 'first load: programs, maps, rules' unload
best 'load onto a loaded policy' true
unload
