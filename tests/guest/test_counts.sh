# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that counters are exact over 20,000 connections, and that a change of rules or mode holds from the next accept(2) on, also for a
# running server.
# Fails if bpf/count.bpf.h counts other than by atomic adds, if is_answered() in bpf/answer.bpf.h reuses an answer of another policy, or if
# bpf/accept.bpf.h refuses in permissive mode.

: "${sockaccept:?}" "${traffic:?}"
pid=

# bursts WANTED FIRST_PORT: makes 10,000 connections through four listeners, one after the other
bursts() {
	for port in $(($2)) $(($2 + 1)) $(($2 + 2)) $(($2 + 3)); do
		"$traffic" burst $port 2500 >outcome || true
		expect "2,500 accepts on port $port" "$port $1" "$(cat outcome)"
	done
}

count_10000_denied_10000_allowed() {
	unloaded
	deny_all
	bursts "accepted 0 denied 2500 other 0" 21300
	ctl allow "$traffic" 21310-21313
	bursts "accepted 2500 denied 0 other 0" 21310
	expect "allowed and denied connections" "10000 10000" "$(state allow deny)"
	expect "hits of the rule" 10000 "$(hits 21310-21313)"
	"$sockaccept" list --ports --json | tr '{' '\n' >ports
	for port in 21300 21303; do
		expect "denied on $port" 2500 "$(grep "\"port\":$port,\"verdict\":\"deny\"" ports | value connections)"
	done
	for port in 21310 21313; do
		expect "allowed on $port" 2500 "$(grep "\"port\":$port,\"verdict\":\"allow\"" ports | value connections)"
	done
}

# clients OUTCOME: expects this of one client
clients() {
	"$traffic" connect 21320 1 >client || true
	expect "a client of the running server" "$1" "$(cat client)"
}

running_server_obeys_new_rule() {
	unloaded
	serve server 21320
	clients "served 1 unserved 0 failed 0"
	deny_all
	clients "served 0 unserved 1 failed 0"
	ctl allow "$traffic" 21320
	clients "served 1 unserved 0 failed 0"
	ctl deny "$traffic" 21320
	clients "served 0 unserved 1 failed 0"
	ctl remove "$traffic" 21320
	clients "served 0 unserved 1 failed 0"
	ctl mode permissive
	clients "served 1 unserved 0 failed 0"
	ctl mode enforce
	clients "served 0 unserved 1 failed 0"
	ctl unload
	clients "served 1 unserved 0 failed 0"
	finish "$pid"
	grep -q 'other 0$' server || because "the server's accept() failed otherwise: $(tail -n 1 server)"
}

permissive_accepts_and_records() {
	deny_all
	ctl mode permissive
	before=$(state deny)
	accepts 21330
	expect "denied connections" $((before + 1)) "$(state deny)"
	last_event >event
	expect "the event's verdict" deny "$(value verdict <event)"
	expect "the event's enforced" false "$(value enforced <event)"
	expect "status says enforcing, mode" "false permissive" "$(state enforcing mode)"
	ctl mode enforce
	is_denied 21330
	expect "the event's enforced" true "$(last_event | value enforced)"
	expect "status says enforcing, mode" "true enforce" "$(state enforcing mode)"
}

test_case running_server_obeys_new_rule
test_case count_10000_denied_10000_allowed
test_case permissive_accepts_and_records
