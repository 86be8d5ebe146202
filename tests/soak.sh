#!/bin/sh
# A million accepts, and then what is left to chance (races, pressure on the event buffers, random input) over and over.
# usage: tests/soak.sh SERIES...   ROUNDS: how often, 10 unless set; ACCEPTS: how many, a million unless set
set -eu

rounds=${ROUNDS:-10}
failed=0
for series in "$@"; do
	echo "${ACCEPTS:-1000000} accepts, Linux $series"
	tests/guest/run --kernel "$series" --timeout 7200 --env ACCEPTS="${ACCEPTS:-1000000}" --env SHOW=1 tests/guest/suite.sh \
		every_accept_is_recorded stopped_reader_counts_exactly || failed=1
	tests/guest/run --kernel "$series" --timeout 3600 tests/guest/lock_killed.sh || failed=1
done
tests/fuzz/fuzz.sh $((rounds * 60)) || failed=1
for round in $(seq "$rounds"); do
	for series in "$@"; do
		echo "round $round of $rounds, Linux $series"
		tests/guest/run --kernel "$series" --timeout 3600 --env UPGRADES=1000 tests/guest/suite.sh \
			each_decision_is_of_one_policy hundred_commands_at_once count_10000_denied_10000_allowed \
			events_under_pressure reloads_under_full_load killed_reload_is_whole killed_first_load_is_whole killed_unload_is_whole \
			killed_save_is_whole killed_trial_is_whole killed_upgrade_is_whole failing_calls_change_nothing failing_loads_change_nothing \
			failing_confirms_change_nothing failing_upgrades_change_nothing upgraded_ext4 upgraded_tmpfs upgraded_overlay upgraded_btrfs || failed=1
	done
done
exit $failed
