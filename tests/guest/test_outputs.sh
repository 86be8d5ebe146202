# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that what scripts rely on stays as it was: JSON, INI, metrics and exit statuses are compared with what the version before printed
# (outputs.expected, made by outputs.sh).
# Fails if any verb in enforce/verbs/ prints something else, even a space, or ends with another status.

: "${root:?}" "${sockaccept:?}" "${probe:?}"

outputs_are_as_before() {
	unloaded
	rm -rf /etc/sockaccept
	"$root/tests/guest/outputs.sh" "$sockaccept" "$probe" >outputs
	rm -rf /etc/sockaccept
	diff "$root/tests/guest/outputs.expected" outputs >differences || because "not as before: $(head -n 20 differences)"
}

test_case outputs_are_as_before
