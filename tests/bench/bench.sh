#!/bin/sh
# Benchmarks. usage: tests/bench/bench.sh SERIES...
set -eu

for series in "$@"; do
	tests/guest/run --kernel "$series" --icount --timeout 600 tests/bench/guest.sh
done
