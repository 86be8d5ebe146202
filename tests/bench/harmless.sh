#!/bin/sh
# In a guest whose clock counts instructions: what real servers that are denied cost, with and without what keeps them from costing anything.
# HARMLESS_SECONDS: how long clients come to each, 10 unless set.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
wanted=none # of the tests
: "${HARMLESS_SECONDS:=10}"
# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"
prepare || exit 1
# shellcheck source=tests/guest/test_harmless.sh
. "$root/tests/guest/test_harmless.sh"

# ready NAME PORT: it serves, if need be after another start
ready() {
	kill -0 "$pid" 2>/dev/null || start "$1" "$2"
	wait_listening "$2"
	until_true 3 is_served "$1" "$2" || because "$1 serves nobody: $(cat one)"
}

# measure NAME PORT GATE DRAIN PROCESS: one row
measure() {
	who=$1 port=$2 process=
	harmless_policy "$3" "$4" >said
	ready "$who" "$port"
	server=$pid
	if [ "$5" = yes ]; then
		background drain "$sockaccept" drain
		process=$pid
		sleep 1
	fi
	pid=$server
	"$sockaccept" deny "$(binary_of "$who")" "$port" >said 2>&1
	endure "$who" "$port" "$HARMLESS_SECONDS"
	"$sockaccept" remove "$(binary_of "$who")" "$port" >said 2>&1
	printf '  %-12s %-5s %-5s %-8s %7s %10d   %6d %6d %8d %8d %7d\n' "$who" "$3" "$4" "$5" "$(percent)" "$((logged * 1000 / $(count took)))" \
		"$(count served)" "$(count reset)" "$(count refused)" "$(count timeout)" "$(count closed)"
	[ -z "$process" ] || finish "$process"
}

# rows NAME PORT: without all, with each, with both; without and with the process that drains
rows() {
	pid=0
	start "$1" "$2"
	measure "$1" "$2" no no no
	for settings in 'yes no' 'no yes' 'yes yes'; do
		for process in no yes; do
			# shellcheck disable=SC2086 # it is two words
			measure "$1" "$2" $settings $process
		done
	done
}

printf 'Linux %s: denied servers, while ten clients a second wait 2 s for an answer, and ten go away at once, for %s s\n' "$(uname -r)" "$HARMLESS_SECONDS"
printf '  %-12s %-5s %-5s %-8s %7s %10s   %6s %6s %8s %8s %7s\n' server gate drain process 'CPU, %' 'lines/s' served reset refused timeouts closed
port=24200
for name in $harmless_servers; do
	rm -rf "$work"
	mkdir -p "$work"
	port=$((port + 1))
	(cd "$work" && rows "$name" $port) || cat "$base/why"
	end_background
done
