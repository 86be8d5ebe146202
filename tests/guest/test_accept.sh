# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only
# What is mediated: families, protocols and ways to accept; and what never is.

families="inet inet6 dual mptcp mptcp6 fallback sctp sctp6 vsock"

# first_port FAMILY: each way to accept has a port of its own, from this one on
first_port() {
	for family in $families; do
		[ "$family" != "$1" ] || break
		echo
	done | awk 'END { print 21000 + 10 * NR }'
}

# all_ways FAMILY OUTCOME WHEN: tries each way to accept once, and expects one outcome of all
all_ways() {
	"$probe" matrix "$1" "$(first_port "$1")" >"$1" || true
	cat "$1"
	! grep -v " $2\$" "$1" || because "$3: expected $2, saw $(grep -v " $2\$" "$1" | head -n 1)"
	ways=$(wc -l <"$1")
}

without_policy() {
	unloaded
	all_ways "$1" accepted "without a policy"
}

accept_without_policy() {
	for each in $families; do
		without_policy "$each"
	done
}
events_say_protocols() {
	deny_all
	for pair in inet:tcp inet6:tcp mptcp:mptcp mptcp6:mptcp sctp:sctp vsock:vsock; do
		expect_outcomes EPERM "${pair%:*}" accept 21100
		expect "the protocol of ${pair%:*}" "${pair#*:}" "$(last_event | value protocol)"
	done
}

protocol_items() {
	deny_all
	for protocol in tcp sctp vsock; do
		ctl allow $probe 21110/$protocol
		for family in inet inet6 dual mptcp mptcp6 sctp sctp6 vsock; do
			case $protocol:$family in
			tcp:inet* | tcp:dual | tcp:mptcp* | sctp:sctp* | vsock:vsock) outcome=accepted ;;
			*) outcome=EPERM ;;
			esac
			expect_outcomes $outcome $family accept 21110
		done
		ctl remove $probe 21110/$protocol
	done
}

# 70000 is 4464 + 65536: a port that was cut to 16 bits would match the rules for it
vsock_port_70000() {
	deny_all
	ctl allow $probe 4464
	ctl allow $probe 1-65535/vsock
	expect_outcomes EPERM vsock accept 70000
	expect_outcomes accepted vsock accept 4464
	expect "the event's port" 70000 "$(last_event | sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/')"
	ctl allow $probe any/vsock
	expect_outcomes accepted vsock accept 70000
	ctl remove $probe any/vsock
	ctl allow $probe any
	expect_outcomes accepted vsock accept 70000
}

unix_passes() {
	deny_all
	before=$(state unmediated)
	$probe matrix unix 1 >outcomes || true
	cat outcomes
	! grep -v ' accepted$' outcomes || because "AF_UNIX under default = deny: $(grep -v ' accepted$' outcomes | head -n 1)"
	ways=$(wc -l <outcomes)
	[ "$(state unmediated)" -ge $((before + ways)) ] ||
		because "unmediated: expected at least $((before + ways)), saw $(state unmediated)"
	expect "denied connections" 0 "$(state deny)"
}

# an accept() that finds nothing, or a socket that doesn't listen, is no connection
attempts_have_no_event() {
	deny_all
	python3 -S -c '
import socket
s = socket.socket()
s.bind(("127.0.0.1", 21120))
s.listen()
s.setblocking(False)
for i in range(3):
    try:
        s.accept()
    except PermissionError:
        print("EPERM")
' >outcomes
	expect "polls of an empty queue" 3 "$(grep -c EPERM outcomes)"
	expect "denied connections" 0 "$(state deny)"
	expect "denied attempts" 3 "$(sed 's/.*"deny":{"connections":[0-9]*,"attempts":\([0-9]*\).*/\1/' status)"
	expect "events" 0 "$("$sockaccept" audit --json | wc -l)"
}

test_case accept_inet accept_inet
test_case accept_inet6 accept_inet6
test_case accept_dual_stack accept_dual
test_case accept_mptcp accept_mptcp
test_case accept_mptcp6 accept_mptcp6
test_case accept_mptcp_fallback accept_fallback
test_case accept_sctp accept_sctp
test_case accept_sctp6 accept_sctp6
test_case accept_vsock accept_vsock
test_case events_say_protocols events_say_protocols
test_case protocol_items protocol_items
test_case vsock_port_70000 vsock_port_70000
test_case unix_passes unix_passes
test_case attempts_have_no_event attempts_have_no_event
