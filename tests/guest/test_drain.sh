# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that denying a listener resets the connections that wait on it, keeps new ones out, and harms no listener that somebody may still
# accept on.
# Fails if enforce/change/drain.c judges the holders of a listener wrongly, if bpf/drain.bpf.h lets a connection through to anybody else, if
# bpf/gate.bpf.h or request.bpf.h refuses too much or too little, or if enforce/verbs/drain.c misses a knock or the end of a temporary rule.

: "${blocked:?}" "${sockaccept:?}" "${work:?}" "${base:?}" "${probe:?}"
pid=

python=$(readlink -f "$(command -v python3)")

# A listener that accepts nothing until SIGUSR1 comes. Then it waits for connections, and prints what accept() returns, once for each. With
# `blocking` as third word, its socket blocks. With `spin`, it begins at once, and tries again at once whatever accept() returns.
sleeper='
import select, signal, socket, sys
kind, port, how = sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else ""
if kind == "vsock":
    listener = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    listener.bind((socket.VMADDR_CID_ANY, port))
else:
    family = socket.AF_INET6 if kind == "inet6" else socket.AF_INET
    protocol = {"mptcp": 262, "sctp": 132}.get(kind, 0)
    listener = socket.socket(family, socket.SOCK_STREAM, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::1" if kind == "inet6" else "127.0.0.1", port))
listener.listen(16)
listener.setblocking(how == "blocking")
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
while how == "spin":
    select.select([listener], [], [])
    try:
        listener.accept()[0].sendall(b"served")
    except OSError:
        pass
signal.sigwait([signal.SIGUSR1])
while True:
    select.select([listener], [], [])
    try:
        connection, _ = listener.accept()
        connection.sendall(b"served")
        connection.close()
        print("served", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
        break
signal.pause()
'

# A client that sends nothing, and prints what happens to it: served, reset, refused, closed, gated (not connected in time), or timeout.
quiet_client='
import socket, sys
kind, port, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
if kind == "vsock":
    s, to = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM), (1, port)
else:
    family = socket.AF_INET6 if kind == "inet6" else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM, {"mptcp": 262, "sctp": 132}.get(kind, 0))
    to = ("::1" if kind == "inet6" else "127.0.0.1", port)
s.settimeout(patience)
reached = False
try:
    s.connect(to)
    reached = True
    print("connected", flush=True)
    print("served" if s.recv(10) else "closed")
except ConnectionResetError:
    print("reset")
except ConnectionRefusedError:
    print("refused")
except TimeoutError:
    print("timeout" if reached else "gated")
except OSError as error:
    print("error", error.errno)
'

# Duplicates descriptor 3 of the process in its first argument, and serves on it when SIGUSR1 comes.
heir='
import ctypes, os, select, signal, socket, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
fd = ctypes.CDLL(None).syscall(438, os.pidfd_open(int(sys.argv[1])), 3, 0)
listener = socket.socket(fileno=fd)
listener.setblocking(False)
print("has it", flush=True)
signal.sigwait([signal.SIGUSR1])
while True:
    select.select([listener], [], [])
    try:
        listener.accept()[0].sendall(b"served")
    except OSError as error:
        print(error, flush=True)
'

# stand_by NAME KIND PORT [WORD]: starts the sleeper in the background
stand_by() {
	name=$1
	shift
	background "$name" python3 -S -c "$sleeper" "$@"
	until_true 30 grep -q ready "$work/$name" || because "$*: $(cat "$work/$name.errors")"
}

# dial NAME KIND PORT [PATIENCE]: starts the quiet client in the background
dial() {
	background "$1" python3 -S -c "$quiet_client" "$2" "$3" "${4:-60}"
}

# becomes NAME OUTCOME
becomes() {
	until_true 30 grep -qx "$2" "$work/$1" || because "client $1: expected $2, saw: $(cat "$work/$1" "$work/$1.errors")"
}

connected() {
	becomes "$1" connected
}

# fate KIND PORT [PATIENCE]: prints what happens to a client that comes now
fate() {
	python3 -S -c "$quiet_client" "$1" "$2" "${3:-2}" | tail -n 1
}

allowing() {
	unloaded
	load <<-END
		[sockaccept]
		gate = yes
		drain = yes
	END
}

# drainer: starts `drain` in the background
drainer() {
	background drainer "$sockaccept" drain
	drainer_pid=$pid
}

# cpu_ms PID: prints how much processor time it has used
cpu_ms() {
	awk '{ print ($14 + $15) * 10 }' "/proc/$1/stat"
}

# queue PORT: prints how many connections wait
queue() {
	"$sockaccept" listeners --json | grep -o '"port":'"$1"',"netns":[0-9]*,"backlog":[0-9]*' | head -n 1 | sed 's/.*://'
}

nothing_waits() {
	[ "$(queue "$1")" = 0 ]
}

# gate PORT: prints the state of the gate, as `listeners` has it
gate() {
	"$sockaccept" listeners --json | tr '{' '\n' | sed -n 's/.*"gate":"*\([a-z]*\).*"port":'"$1"',.*/\1/p' | head -n 1
}

deny_resets_what_waits() {
	allowing
	stand_by server inet 28001
	server=$pid
	dial first inet 28001
	dial second inet 28001
	connected first
	connected second
	expect "before" 2 "$(queue 28001)"
	ctl deny "$python" 28001
	becomes first reset
	becomes second reset
	expect "after" 0 "$(queue 28001)"
	expect "drained" 2 "$(state drained)"
	"$sockaccept" audit --json | grep '"operation":"drained"' >event || because "no event of it"
	expect "its verdict" deny "$(value verdict <event)"
	expect "its binary" "$python" "$(value binary <event)"
	expect "its user" 0 "$(value uid <event)"
	expect "its process" "$server" "$(value pid <event)"
	expect "its comm" python3 "$(value comm <event | cut -c 1-7)"
	expect "its rule" "cli: deny 28001" "$(value rule <event)"
	expect "what isn't known" null "$(value unit <event)"
	grep -q '"peer":{"address":"127.0.0.1"' event || because "its peer: $(cat event)"
	expect "the gate" shut "$(gate 28001)"
	expect "another client" gated "$(fate inet 28001)"
	[ "$(state gated)" -ge 1 ] || because "gated: $(state gated)"
	"$sockaccept" audit --json | grep '"operation":"gated"' | tail -n 1 >event
	expect "its binary" "$python" "$(value binary <event)"
	grep -q '"peer":{"address":"127.0.0.1"' event || because "its peer: $(cat event)"
	"$sockaccept" audit >said
	expect_said "(drained)"
	expect_said "(gated)"
	"$sockaccept" metrics >said
	expect_said "sockaccept_drained_total 2"
	grep -q '^sockaccept_gated_total [1-9]' said || because "no metric of the gate"
	ctl remove "$python" 28001
	expect "the gate" "" "$(gate 28001 | sed s/null//)"
	kill -USR1 "$server"
	expect "when it is allowed again" served "$(fate inet 28001)"
	expect "the gate" open "$(gate 28001)"
}

# drained_and_gated KIND WHAT-A-LATER-CLIENT-SEES
drained_and_gated() {
	"$probe" accept "$1" accept 28010 | grep -q accepted || return 0
	stand_by "server_$1" "$1" 28011
	server=$pid
	dial "client_$1" "$1" 28011
	connected "client_$1"
	ctl deny "$python" 28011
	becomes "client_$1" "reset\|closed\|error 104"
	expect "$1: a later client" "$2" "$(fate "$1" 28011)"
	kill -KILL "$server"
	ctl remove "$python" 28011
	echo "tried: $1"
}

# VSOCK has no hook by which a request could be refused: its connections wait until they are drained.
all_families_are_drained() {
	allowing
	drained_and_gated inet gated
	drained_and_gated inet6 gated
	drained_and_gated mptcp gated
	drained_and_gated sctp gated
	drained_and_gated vsock timeout
	[ "$(grep -c tried "$base/output")" -ge 3 ] || because "only: $(grep tried "$base/output")"
}

# uses_ms PID: prints how much processor time it uses in 2 s
uses_ms() {
	before=$(cpu_ms "$1")
	sleep 2
	echo $(($(cpu_ms "$1") - before))
}

# Without gate and drain, one client makes a denied server spin for ever. With them, no client does.
spinner_sleeps() {
	unloaded
	load <<-END
		[sockaccept]
		gate = no
		drain = no
	END
	stand_by server inet 28020 spin
	server=$pid
	expect "before" served "$(fate inet 28020)"
	ctl deny "$python" 28020
	fate inet 28020 1
	used=$(uses_ms "$server")
	[ "$used" -gt 500 ] || because "without gate and drain it uses $used ms in 2 s: the test shows nothing"
	allowing
	drainer
	ctl deny "$python" 28020
	used=$(uses_ms "$server")
	[ "$used" -lt 300 ] || because "it still uses $used ms in 2 s"
	for _ in 1 2 3 4 5; do
		fate inet 28020 4
	done | sort | uniq -c >outcomes
	! grep -vq 'gated\|reset' outcomes || because "clients: $(tr '\n' ' ' <outcomes)"
	until_true 10 nothing_waits 28020 || because "$(queue 28020) wait"
	used=$(uses_ms "$server")
	[ "$used" -lt 300 ] || because "after the clients it uses $used ms in 2 s"
	ctl remove "$python" 28020
	expect "after" served "$(fate inet 28020)"
	finish "$drainer_pid"
}

# Another process, which may accept, holds the listener too.
shared_listener_is_left_alone() {
	allowing
	cp "$python" "$work/heir_python"
	stand_by server inet 28040
	server=$pid
	take_over_from "$server"
	dial client inet 28040 20
	connected client
	ctl deny "$python" 28040
	expect "the queue" 1 "$(queue 28040)"
	kill -USR1 "$server"
	until_true 10 grep -qx 1 server || because "the denied one wasn't denied: $(cat server)"
	kill -USR1 "$other"
	becomes client served
	expect "the gate" open "$(gate 28040)"
	# By now one accept was denied there, and one was allowed.
	expect "a later client" served "$(fate inet 28040)"
	expect "drained" 0 "$(state drained)"
	expect "gated" 0 "$(state gated)"
}

# take_over_from PID: starts another binary that duplicates the listener of this process; sets $other
take_over_from() {
	background other "$work/heir_python" -S -c "$heir" "$1"
	other=$pid
	until_true 20 grep -q has "$work/other" || because "no heir: $(cat "$work/other.errors")"
}

# With the drain running, a refused client makes it look who holds the listener now. (Without it, the gate opens when the new owner
# accepts.)
gate_opens_to_its_heir() {
	allowing
	cp "$python" "$work/heir_python"
	drainer
	stand_by server inet 28050 spin
	server=$pid
	ctl deny "$python" 28050
	fate inet 28050 1 >/dev/null
	expect "the gate" shut "$(gate 28050)"
	take_over_from "$server"
	kill -KILL "$server"
	kill -USR1 "$other"
	began=$(uptime_ms)
	expect "with the drain" served "$(fate inet 28050 5)"
	took=$(($(uptime_ms) - began))
	echo "after $took ms"
	[ $took -lt 3000 ] || because "it took $took ms"
	expect "the gate" open "$(gate 28050)"
	finish "$drainer_pid"
}

# A `listen` rule: a super-server holds the listener while nobody accepts.
listener_of_others_is_left_alone() {
	unloaded
	load <<-END
		[sockaccept]
		gate = yes
		drain = yes
	END
	stand_by server inet 28060
	server=$pid
	dial client inet 28060
	connected client
	load <<-END
		[sockaccept]
		default = deny
		gate = yes
		drain = yes
		[super]
		binary = $python
		listen = 28060
	END
	expect "the queue" 1 "$(queue 28060)"
	expect "the gate" "" "$(gate 28060 | sed s/null//)"
	# But once somebody was denied there, it is drained.
	kill -USR1 "$server"
	until_true 10 grep -qx 1 server || because "it wasn't denied: $(cat server)"
	expect "the gate" shut "$(gate 28060)"
	drainer
	becomes client reset
	finish "$drainer_pid"
}

each_is_a_setting() {
	unloaded
	load <<-END
		[sockaccept]
		gate = no
		drain = no
	END
	ls /sys/fs/bpf/sockaccept >pins
	! grep -q 'link.*request' pins || because "something is attached: $(grep request pins)"
	stand_by server inet 28070
	server=$pid
	dial client inet 28070 20
	connected client
	ctl deny "$python" 28070
	expect "the queue" 1 "$(queue 28070)"
	kill -USR1 "$server"
	until_true 10 grep -qx 1 server || because "it wasn't denied: $(cat server)"
	expect "a later client" timeout "$(fate inet 28070 1)"
	load <<-END
		[sockaccept]
		gate = yes
		drain = no
		[it]
		binary = $python
		deny = 28070
	END
	[ -e /sys/fs/bpf/sockaccept/link_connection_request ] || because "the gate isn't attached"
	expect "the queue" 2 "$(queue 28070)"
	expect "drained" 0 "$(state drained)"
	load <<-END
		[sockaccept]
		gate = no
		drain = yes
		[it]
		binary = $python
		deny = 28070
	END
	[ ! -e /sys/fs/bpf/sockaccept/link_connection_request ] || because "the gate is attached"
	expect "the queue" 0 "$(queue 28070)"
	becomes client reset
	expect "a later client" timeout "$(fate inet 28070 1)"
	expect "gated" 0 "$(state gated)"
	ctl mode permissive
	expect "a later client" timeout "$(fate inet 28070 1)"
	# The one from before, which has gone, and this one.
	expect "the queue" 2 "$(queue 28070)"
}

# The end of a temporary rule takes effect within a second: a thread that waits is asked again, and a listener that is allowed again is
# open.
ends_are_followed() {
	allowing
	load <<-END
		[sockaccept]
		default = deny
		gate = yes
		drain = yes
		[them]
		binary = $python
		allow = 28080
	END
	drainer
	ctl deny "$python" 28080 --for 6s
	stand_by server inet 28080 spin
	expect "denied" 0 "$(fate inet 28080 1 | grep -c served)"
	sleep 5
	expect "when the denial has ended" served "$(fate inet 28080 3)"
	ctl allow "$blocked" 28081 --for 4s
	background waiter "$blocked" 28081 1
	until_true 20 grep -q ready waiter || because "it isn't ready"
	sleep 1
	expect "before" 0 "$(grep -c EPERM waiter)"
	until_true 6 grep -q EPERM waiter || because "it still waits: $(cat waiter)"
	finish "$drainer_pid"
}

# Wherever a command or the drain is killed, no server is left stopped, no denied connection is served, and the next command goes on.
killed_drain_leaves_nothing() {
	allowing
	stand_by server inet 28090
	server=$pid
	for delay in 0.00 0.02 0.04 0.06 0.08 0.10 0.15 0.20; do
		dial "client_$delay" inet 28090 60
		connected "client_$delay"
		"$sockaccept" deny "$python" 28090 >/dev/null 2>&1 &
		sleep $delay
		kill -KILL $! 2>/dev/null || true
		wait $! || true
		grep -q '^State:.S' "/proc/$server/status" || because "after $delay s the server is: $(grep State "/proc/$server/status")"
		ctl deny "$python" 28091
		ctl deny "$python" 28090
		# The kernel closes a connection that the drain had accepted when it was killed.
		becomes "client_$delay" "reset\|closed"
		ctl remove "$python" 28090 28091
		expect "what waits" 0 "$(queue 28090)"
	done
	drainer
	ctl deny "$python" 28090
	for _ in 1 2 3 4 5; do
		fate inet 28090 3 >>outcomes &
		sleep 0.3
		kill -KILL "$drainer_pid"
		wait "$drainer_pid" || true
		drainer
	done
	! grep -q served outcomes || because "served: $(cat outcomes)"
	until_true 10 nothing_waits 28090 || because "$(queue 28090) wait"
	ctl remove "$python" 28090
	kill -USR1 "$server"
	expect "when it is allowed again" served "$(fate inet 28090 5)"
	finish "$drainer_pid"
}

# Clients of a denied listener can't use up memory: each socket has one gate, and requests leave nothing behind.
flood_leaves_nothing() {
	allowing
	drainer
	stand_by server inet 28100
	server=$pid
	ctl deny "$python" 28100
	expect "the gate" shut "$(gate 28100)"
	fate inet 28100 1
	fate inet 28100 1
	gated=$(state gated)
	[ "$gated" -ge 1 ] || because "gated: $gated"
	memory >before
	python3 -S -c '
import socket, sys
for i in range(int(sys.argv[1])):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", 28100))
    s.close()
' "${REQUESTS:-20000}"
	memory >after
	echo "gated: $(state gated)"
	# All but one a second.
	[ "$(state gated)" -ge $((gated + ${REQUESTS:-20000} * 99 / 100)) ] || because "gated: $(state gated)"
	expect "lost" 0 "$("$sockaccept" status --json | value events_lost)"
	expect "each map's entries" "$(cat before)" "$(cat after)"
	events=$("$sockaccept" audit --json | grep -c '"operation":"gated"')
	[ "$events" -lt 20 ] || because "$events events"
	expect "in events" "$(state gated)" "$("$sockaccept" audit --json | sed -n 's/.*"operation":"gated","count":\([0-9]*\)}/\1/p' | awk '{ sum += $1 } END { print sum }')"
	finish "$drainer_pid"
}

# memory: prints how many entries each map has that can grow
memory() {
	for map in folds shares seen_paths units; do
		echo "$map $(bpftool map dump pinned /sys/fs/bpf/sockaccept/$map | grep -c '"key"')"
	done
}

test_case deny_resets_what_waits
test_case all_families_are_drained
test_case spinner_sleeps
test_case shared_listener_is_left_alone
test_case gate_opens_to_its_heir
test_case listener_of_others_is_left_alone
test_case each_is_a_setting
test_case ends_are_followed
test_case killed_drain_leaves_nothing
test_case flood_leaves_nothing
