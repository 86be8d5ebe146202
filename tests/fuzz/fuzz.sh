#!/bin/sh
# Fuzzes the policy reader. usage: tests/fuzz/fuzz.sh SECONDS
#
# New inputs go to build/fuzz; one that crashes it is named at the end.
set -eu

seconds=${1:-60}
work=build/fuzz
mkdir -p $work/corpus
if build/fuzz_policy -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 \
	-dict=tests/fuzz/ini.dict -artifact_prefix=$work/ $work/corpus tests/fuzz/corpus >$work/log 2>&1; then
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' $work/log)
	[ "${runs:-0}" -gt 1000 ] || {
		echo "not ok policy reader: only ${runs:-0} runs, see $work/log"
		exit 1
	}
	echo "ok policy reader, $runs inputs in $seconds s"
else
	tail -n 30 $work/log
	echo "not ok policy reader: see $work/log"
	exit 1
fi
