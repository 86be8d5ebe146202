# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows which calls are mediated: each family, protocol and way to accept (accept4(2), io_uring, ...) is judged, counted and recorded, and
# AF_UNIX never is.
# Fails if bpf/accept.bpf.h skips a family, if bpf/listener.bpf.h reads a protocol or a port wrongly (VSOCK ports have 32 bits), if
# bpf/queue.bpf.h takes an empty queue for a connection, or if a kernel no longer calls the hook in one of these ways.

: "${sockaccept:?}" "${probe:?}" "${work:?}"

families="inet inet6 dual mptcp mptcp6 fallback sctp sctp6 vsock"

# all_ways FAMILY OUTCOME: tries each way to accept once, each on its own port, and expects this outcome of all
all_ways() {
	port=21000
	for family in $families; do
		[ "$family" != "$1" ] || break
		port=$((port + 10))
	done
	"$probe" matrix "$1" $port >ways || true
	cat ways
	! grep -v " $2\$" ways || because "expected $2, saw: $(grep -v " $2\$" ways | head -n 1)"
	count=$(wc -l <ways)
}

without_policy() {
	unloaded
	all_ways "$1" accepted
}

denied() {
	deny_all
	before=$(state deny)
	all_ways "$1" EPERM
	expect "denied connections" $((before + count)) "$(state deny)"
	"$sockaccept" audit --json >events
	while read -r how port _; do
		expect "events of $1, $how" 1 "$(grep -c "\"port\":$port}" events)"
	done <ways
}

allowed() {
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 21000-21999
	END
	before=$(state allow)
	all_ways "$1" accepted
	expect "allowed connections" $((before + count)) "$(state allow)"
}

# plain_probe FAMILY: without a policy, denied, and allowed, all on one port; checks the counter and the event
plain_probe() {
	unloaded
	baseline_deny_control "$1" accept 21200
}

events_say_protocols() {
	deny_all
	port=21210 # one for each: the denials of one port are folded
	for pair in inet:tcp inet6:tcp mptcp:mptcp mptcp6:mptcp sctp:sctp vsock:vsock; do
		port=$((port + 1))
		expect_outcomes EPERM "${pair%:*}" accept $port
		expect "the protocol of ${pair%:*}" "${pair#*:}" "$(last_event | value protocol)"
	done
}

protocol_item() {
	deny_all
	ctl allow "$probe" "21220/$1"
	for family in $families; do
		case $1:$family in
		tcp:inet* | tcp:dual | tcp:mptcp* | tcp:fallback | sctp:sctp* | vsock:vsock) outcome=accepted ;;
		*) outcome=EPERM ;;
		esac
		expect_outcomes $outcome "$family" accept 21220
	done
}

# 70000 is 4464 + 65536: a port cut to 16 bits would match the rules for it
vsock_port_70000() {
	deny_all
	ctl allow "$probe" 4464 1-65535/vsock
	expect_outcomes EPERM vsock accept 70000
	expect_outcomes accepted vsock accept 4464
	expect "the event's port" 70000 "$(last_event | sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/')"
	ctl allow "$probe" any/vsock
	expect_outcomes accepted vsock accept 70000
	ctl remove "$probe" any/vsock
	ctl allow "$probe" any
	expect_outcomes accepted vsock accept 70000
}

unix_passes() {
	deny_all
	before=$(state unmediated deny)
	all_ways unix accepted
	after=$(state unmediated deny)
	[ "${after% *}" -ge $((${before% *} + count)) ] ||
		because "unmediated: expected at least $((${before% *} + count)), saw ${after% *}"
	expect "denied connections" "${before#* }" "${after#* }"
}

# denied_attempts: prints the number that the last `state` read
denied_attempts() {
	sed 's/.*"deny":{"connections":[0-9]*,"attempts":\([0-9]*\).*/\1/' "$work/status"
}

# A denied accept() that finds nothing waiting counts as an attempt, not as a connection, and has its own events.
attempts_have_events_apart() {
	deny_all
	before=$(state deny)
	attempts=$(denied_attempts)
	python3 -S -c '
import _socket
s = _socket.socket(_socket.AF_INET)
s.bind(("127.0.0.1", 21230))
s.listen()
s.setblocking(False)
for i in range(3):
    try:
        s._accept()
    except PermissionError:
        print("EPERM")
' >outcomes
	expect "polls of an empty queue" 3 "$(grep -c EPERM outcomes)"
	expect "denied connections" "$before" "$(state deny)"
	expect "denied attempts" $((attempts + 3)) "$(denied_attempts)"
	is_denied 21230
	sleep 1.1
	"$sockaccept" audit --json --port 21230 >events
	expect "the attempts' events" "1 2" "$(grep '"operation":"attempt"' events | sed 's/.*"count":\([0-9]*\).*/\1/' | tr '\n' ' ' | sed 's/ $//')"
	grep '"operation":"attempt"' events | grep -q '"peer":null,"backlog":0,' || because "an attempt has a peer: $(cat events)"
	expect "the connection's event" 1 "$(grep -c '"operation":"accept"' events)"
}

# A blocking server that is refused before anybody has come leaves a trace.
refused_server_leaves_a_trace() {
	deny_all
	server=$(realpath "$(command -v busybox)")
	code=0
	timeout 10 "$server" nc -l -p 21240 2>said || code=$?
	case $code in
	0 | 124) because "nc wasn't refused: status $code" ;;
	esac
	last_event >event
	expect "its operation" attempt "$(value operation <event)"
	expect "its binary" "$server" "$(value binary <event)"
	"$sockaccept" report >said
	grep -q "busybox" said || because "report doesn't name it: $(cat said)"
	"$sockaccept" list --ports >said
	grep 21240 said | grep -q busybox || because "list --ports doesn't name it: $(cat said)"
	ctl allow any 21240
	background server timeout 20 "$server" nc -l -p 21240
	wait_listening 21240
	echo served | "$server" nc -w 2 127.0.0.1 21240 >/dev/null || true
	until_true 10 grep -q served server || because "nc doesn't serve where it may: $(cat server server.errors)"
}

for each in $families; do
	test_case "accept_without_policy_$each" without_policy "$each"
done
test_case baseline_deny_control_inet plain_probe inet
for each in $families; do
	test_case "accept_denied_$each" denied "$each"
done
for each in $families; do
	test_case "accept_allowed_$each" allowed "$each"
done
test_case baseline_deny_control_inet6 plain_probe inet6
test_case events_say_protocols
test_case protocol_item_tcp protocol_item tcp
test_case protocol_item_sctp protocol_item sctp
test_case protocol_item_vsock protocol_item vsock
test_case vsock_port_70000
test_case unix_passes
test_case attempts_have_events_apart
test_case refused_server_leaves_a_trace
