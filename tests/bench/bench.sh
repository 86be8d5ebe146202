#!/bin/sh
# Benchmarks. usage: tests/bench/bench.sh SERIES...
set -eu

for series in "$@"; do
	tests/guest/run --kernel "$series" --icount --timeout 600 tests/bench/guest.sh
	tests/guest/run --kernel "$series" --timeout 600 tests/bench/load.sh
done
