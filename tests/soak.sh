#!/bin/sh
# Runs what is left to chance (races, pressure on the event buffers, random input) over and over.
# usage: tests/soak.sh SERIES...   ROUNDS: how often, 10 unless set
set -eu

rounds=${ROUNDS:-10}
failed=0
tests/fuzz/fuzz.sh $((rounds * 60)) || failed=1
for round in $(seq "$rounds"); do
	for series in "$@"; do
		echo "round $round of $rounds, Linux $series"
		tests/guest/run --kernel "$series" --timeout 1800 tests/guest/suite.sh atomic counts stress || failed=1
	done
done
exit $failed
