#!/bin/sh
# Benchmarks. usage: tests/bench/bench.sh SERIES...
set -eu

# The lasting log, on this machine: its BPF program is of a type that loads where LSM programs are refused.
echo "The daemon's code, writing a line for each event:"
directory=$(mktemp -d build/tests/bench/log.XXXXXX)
trap 'rm -rf "$directory"' EXIT
printf '  '
build/tests/bench/log_rate "$directory" || echo "(not measured: it needs root, and a kernel that lets it load a program)"
rm -rf "${directory:?}"/*

lines=${LOG_LINES:-10000000}
ask() { # OPTION...
	printf '  %-58s ' "$*"
	build/tests/bench/log_week "$directory" "$lines" build/sockaccept-ctl "$@" --log "$directory/audit.log"
}
echo "A log of a week, $lines lines:"
ask audit --all --since 1h --binary /usr/sbin/server-7
ask audit --all --limit 20
ask audit --since 1w
ask report
rm -rf "${directory:?}"/*

for series in "$@"; do
	tests/guest/run --kernel "$series" --icount --timeout 600 tests/bench/guest.sh
	tests/guest/run --kernel "$series" --timeout 600 tests/bench/load.sh
	tests/guest/run --kernel "$series" --icount --timeout 7200 --env HARMLESS_SECONDS=3 tests/bench/harmless.sh
done
