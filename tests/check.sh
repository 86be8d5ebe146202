#!/bin/sh
# Everything that CI runs, after `make test-programs`. Each part prints lines `ok NAME` or `not ok NAME: why`;
# the last line counts them.
# usage: check.sh [JOB]      one job alone, as this script calls itself
set -u

kernels=${KERNELS:-6.1 6.12 7}
first=${kernels%% *}
last=${kernels##* }
fuzz_seconds=${FUZZ_SECONDS:-20}
logs=build/check

# Runs one part and shows its tests. A part that fails without saying which test did is a failure itself.
part() { # NAME COMMAND...
	name=$1
	shift
	code=0
	began=$(date +%s)
	"$@" >"$logs/$name.log" 2>&1 || code=$?
	echo "$(($(date +%s) - began)) s: $name" >>"$logs/times"
	show "$name" "$code"
}

show() { # NAME CODE
	grep -E '^(ok|not ok|skip) ' "$logs/$1.log" | sed -E "s|^(ok\|not ok\|skip) ([0-9]+ - )?|\1 $1: |" >"$logs/$1.tests"
	if [ "$2" -ne 0 ] && ! grep -q '^not ok' "$logs/$1.tests"; then
		echo "not ok $1: ended with status $2, see $logs/$1.log" >>"$logs/$1.tests"
	elif [ ! -s "$logs/$1.tests" ]; then
		echo "not ok $1: ran no test, see $logs/$1.log" >>"$logs/$1.tests"
	fi
	cat "$logs/$1.tests"
	if grep -q '^not ok' "$logs/$1.tests"; then
		tail -n 40 "$logs/$1.log" | sed 's/^/    /'
	fi
}

# Prints the ten tests that took longest, "SECONDS s: PART: TEST". A part that doesn't say how long its tests take counts as one.
slowest() {
	while read -r seconds _ name; do
		if ! grep -q '^# [a-z0-9_]*: [0-9.]* s$' "$logs/$name.log"; then
			echo "$seconds s: $name"
		fi
	done <"$logs/times" >"$logs/tests.times"
	for log in "$logs"/*.log; do
		sed -n "s|^# \([a-z0-9_]*\): \([0-9.]*\) s\$|\2 s: $(basename "$log" .log): \1|p" "$log"
	done >>"$logs/tests.times"
	sort -rn "$logs/tests.times" | head -n 10
}

export CMOCKA_MESSAGE_OUTPUT=TAP

unit_tests() {
	for source in tests/unit/test_*.c; do
		test=$(basename "$source" .c)
		part "unit-$test" "build/tests/unit/$test"
		part "sanitized-$test" "build/sanitized/$test"
	done
	part manual tests/unit/test_manual.sh
	part completion tests/unit/test_completion.sh
}

valgrind_tests() {
	for test in test_port test_ini test_policy test_escape test_edit; do
		part "valgrind-$test" valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
			"build/tests/unit/$test"
	done
}

# The Debian package, as Debian's own checker sees it.
lintian_test() {
	rm -rf build/deb
	if make -s deb >build/deb.log 2>&1 && lintian --allow-root --fail-on error,warning,info build/deb/*.deb >>build/deb.log 2>&1; then
		echo "ok lintian"
	else
		echo "not ok lintian: $(tail -n 1 build/deb.log)"
		return 1
	fi
}

guest() { # SERIES [OPTION...]
	series=$1
	shift
	part "linux-$series" tests/guest/run --kernel "$series" --timeout 3600 "$@" tests/guest/suite.sh
}

# Long ones, which the oldest kernel shows in a guest of their own.
apart="test_drain.sh test_log.sh test_audit.sh test_executed.sh test_moved.sh test_ask_again.sh test_listen.sh test_spinning.sh test_save.sh"

# The oldest and the newest kernel show most; those between, what could be another there.
guest_as_needed() { # SERIES
	case $1 in
	"$first") guest "$1" --by-turns --env "WITHOUT=$apart test_harmless.sh" --env ACCEPTS=10000 --env CROWD=3000 --env FORKS=2000 \
		--env KILL_EVERY=11 --env RELOADS=50 --env UPGRADES=15 ;;
	"$last") guest "$1" --by-turns --env BRIEF=1 --env ACCEPTS=5000 --env CROWD=3000 --env RELOADS=50 --env UPGRADES=8 \
		--env KILL_EVERY=31 ;;
	*) guest "$1" --by-turns --env BRIEF=2 --env ACCEPTS=5000 --env CROWD=3000 --env UPGRADES=8 --env KILL_EVERY=31 ;;
	esac
}

# What depends on being held up anywhere: on a kernel that does that, with CPUs that run at the same time. Now and then such a
# guest dies of the emulator's own int3 (tests/guest/emulator.sh: accelerate), which says nothing of what is tested: once more then.
preempted() { # SERIES
	for attempt in first second; do
		code=0
		tests/guest/run --kernel "$1" --append preempt=full --timeout 900 --log "$logs/preempted.kernel" \
			--env RELOADS=50 --env ACCEPTS=8000 --env CROWD=3000 \
			tests/guest/suite.sh kernel_preempts_itself spinner_makes_few_events every_accept_is_recorded events_under_pressure \
			hundred_commands_at_once each_decision_is_of_one_policy reloads_under_full_load >"$logs/preempted.$attempt" 2>&1 || code=$?
		if [ "$code" -ne 125 ] || ! grep -q int3 "$logs/preempted.kernel"; then
			break
		fi
	done
	cat "$logs/preempted.$attempt"
	return "$code"
}

# What a real-time kernel could do otherwise: take the programs at all, refuse, know a binary, count, and fold without help.
realtime() { # SERIES
	part "linux-$1-rt" tests/guest/run --kernel "$1-rt" --by-turns --timeout 900 --env ACCEPTS=4000 tests/guest/suite.sh \
		kernel_is_realtime baseline_deny_control_inet baseline_deny_control_inet6 rule_outlives_upgrade deny_rule_outlives_upgrade \
		running_server_obeys_new_rule spinner_makes_few_events failed_call_is_an_attempt every_accept_is_recorded deny_resets_what_waits spinner_sleeps doctor_finds_all_well
}

run_job() { # JOB
	case $1 in
	guest-*) guest_as_needed "${1#guest-}" ;;
	realtime-*) realtime "${1#realtime-}" ;;
	log) part "linux-$first-log" tests/guest/run --kernel "$first" --by-turns --timeout 3600 --env "ONLY=$apart" --env KILL_EVERY=11 \
		tests/guest/suite.sh ;;
	locked)
		part "locked-$first" tests/guest/run --kernel "$first" --by-turns --timeout 900 tests/guest/locked.sh
		part "locked-$last" tests/guest/run --kernel "$last" --by-turns --timeout 900 tests/guest/locked.sh
		part "locked-$first-killed" tests/guest/run --kernel "$first" --by-turns --timeout 900 --env KILL_EVERY=11 tests/guest/lock_killed.sh
		;;
	# On a clock that counts instructions, so that what a server uses doesn't depend on what else this machine does.
	harmless)
		for series in $first $last; do
			part "harmless-$series" tests/guest/run --kernel "$series" --icount --timeout 1800 --env HARMLESS_SECONDS=5 \
				--env ONLY=test_harmless.sh tests/guest/suite.sh
		done
		;;
	little-memory) part little-memory tests/guest/run --kernel "$first" --by-turns --memory 1024 tests/guest/little_memory.sh ;;
	no-bpf-lsm) part no-bpf-lsm tests/guest/run --append lsm=apparmor tests/guest/no_bpf_lsm.sh ;;
	preempt) part "linux-$last-preempt-full" preempted "$last" ;;
	package)
		part package lintian_test
		part systemd tests/guest/systemd.sh build/deb/sockaccept_*.deb build/older.deb build/tests/guest/traffic
		;;
	unit)
		unit_tests
		valgrind_tests
		;;
	lint) part lint tests/lint.sh ;;
	toolchains) part toolchains tests/toolchains.sh ;;
	fuzz) part fuzz tests/fuzz/fuzz.sh "$fuzz_seconds" ;;
	*) return 2 ;;
	esac
}

if [ $# -eq 1 ]; then
	run_job "$1" && touch "$logs/$1.done"
	exit
fi

# The long ones first. Two at a time, as a guest keeps little more than one processor busy.
jobs=
for series in $kernels; do
	[ "$series" = "$first" ] || [ "$series" = "$last" ] || jobs="$jobs guest-$series"
	case $series in
	6.1 | 7) jobs="$jobs realtime-$series" ;; # tests/guest/kernel.sh has a real-time kernel of them
	esac
done
jobs="preempt locked$jobs"
[ "$first" = "$last" ] || jobs="guest-$last $jobs"
jobs="guest-$first package log $jobs harmless lint unit toolchains fuzz little-memory no-bpf-lsm"
rm -rf $logs
mkdir -p $logs
# shellcheck disable=SC2086 # they are words
printf '%s\n' $jobs | xargs -P 2 -I JOB "$0" JOB
for job in $jobs; do
	[ -e "$logs/$job.done" ] || echo "not ok $job: it didn't come to its end" | tee "$logs/$job.tests"
done

cat $logs/*.tests >$logs/all
passed=$(grep -c '^ok' $logs/all)
failed=$(grep -c '^not ok' $logs/all)
skipped=$(grep -c '^skip' $logs/all)
echo "the slowest tests:"
slowest | sed 's/^/    /'
# Once more, as few read all of that.
grep -E '^(not ok|skip)' $logs/all
if [ "$skipped" -ne 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
