#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The tests of enforcement, inside a guest (tests/guest/run tests/guest/suite.sh).
# usage: suite.sh [NAME...]      only the tests with these names; one that no test has is a failure
#
# Prints "ok NAME", "not ok NAME: WHY" or "skip NAME: WHY" for each, and a last line with the totals. Exits with 1 if
# anything failed. "# NAME: SECONDS" is what each took. SHOW=1 in the environment adds what it printed.
root=$(cd "$(dirname "$0")/../.." && pwd)
wanted=$*

# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"

echo "Linux $(uname -r)"
prepare || exit 1
# With BRIEF=1 in the environment, without what only user space decides: another kernel has shown it. With BRIEF=2, without
# what the programs themselves decide, too: only what could be another on this kernel.
is_brief() {
	case ${BRIEF-}:$1 in
	:*) return 1 ;;
	*/test_advice.sh | */test_audit.sh | */test_counts.sh | */test_input.sh | */test_json.sh | */test_log.sh) return 0 ;;
	*/test_boot_files.sh | */test_doctor.sh | */test_harmless.sh | */test_lockout.sh | */test_names.sh | */test_outputs.sh | */test_save.sh | */test_process.sh) return 0 ;;
	*/test_hidden.sh | */test_listen_rules.sh | */test_load.sh | */test_outside.sh | */test_spinning.sh | */test_waiting.sh) return 0 ;;
	*/test_temporary.sh | */test_trial.sh | */test_upgrade.sh) return 0 ;;
	1:*/test_stress.sh | 2:*/test_listeners.sh | 2:*/test_recording.sh | 2:*/test_servers.sh) return 0 ;;
	2:*/test_ask_again.sh | 2:*/test_drain.sh | 2:*/test_moved.sh) return 0 ;;
	2:*/test_atomic.sh | 2:*/test_filesystems.sh | 2:*/test_rules.sh | 2:*/test_stress.sh) return 0 ;;
	esac
	return 1
}

# With ONLY in the environment, a list of files' names, these alone; with WITHOUT, all but these: so that two guests can share.
is_elsewhere() {
	case " ${ONLY-} " in
	'  ' | *" ${1##*/} "*) ;;
	*) return 0 ;;
	esac
	case " ${WITHOUT-} " in
	*" ${1##*/} "*) return 0 ;;
	esac
	return 1
}

for file in "$root"/tests/guest/test_*.sh; do
	if [ -z "$wanted" ] && { is_brief "$file" || is_elsewhere "$file"; }; then
		continue
	fi
	# shellcheck source=/dev/null
	. "$file"
	unloaded
done
report_missing
summarise
