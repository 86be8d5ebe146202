# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What scripts rely on stays as it was: JSON, INI, metrics and exit statuses, against what the version before has printed.

: "${root:?}" "${sockaccept:?}" "${probe:?}"

outputs_are_as_before() {
	unloaded
	rm -rf /etc/sockaccept
	"$root/tests/guest/outputs.sh" "$sockaccept" "$probe" >outputs
	rm -rf /etc/sockaccept
	diff "$root/tests/guest/outputs.expected" outputs >differences || because "not as before: $(head -n 20 differences)"
}

test_case outputs_are_as_before
