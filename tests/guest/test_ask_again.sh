# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that threads that wait in accept(2) get EPERM when a change of the policy denies them: each enters the hook once more, and no
# program notices anything else.
# Fails if enforce/change/waiting_threads.c or accept_call.c misses such a thread, if interrupt.c disturbs another one or leaves one stopped
# or traced, if a verb forgets take_effect.c, or if a kernel restarts accept(2) differently after a tracer's interrupt.

: "${root:?}" "${sockaccept:?}" "${blocked:?}" "${killat:?}" "${work:?}" "${base:?}" "${pid=}"

# wait_in_accept NAME PORT COUNT [WORD...]: starts threads that wait; what they print is in $work/NAME, their ids in $work/NAME.tids
wait_in_accept() {
	waiter=$1
	shift
	background "$waiter" "$blocked" "$@"
	until_true 30 grep -q ready "$work/$waiter" || because "blocked $*: $(cat "$work/$waiter.errors")"
	sed -n 's/^waits //p' "$work/$waiter" >"$work/$waiter.tids"
}

# outcomes NAME: prints each outcome of its calls and how often it came
outcomes() {
	sed -n 's/ after .*//p' "$work/$1" | sort | uniq -c | awk '{ print $2, $1 }' | tr '\n' ' ' | sed 's/ $//'
}

# ends_with NAME OUTCOMES
ends_with() {
	until_true 20 outcomes_are "$1" "$2" || because "$1: expected '$2', saw '$(outcomes "$1")'; $(cat "$work/$1.errors")"
}

outcomes_are() {
	[ "$(outcomes "$1")" = "$2" ]
}

# connect PORT: connects and closes at once
connect() {
	python3 -S -c 'import _socket, sys
s = _socket.socket()
s.connect(("127.0.0.1", int(sys.argv[1])))' "$1"
}

# switches NAME: prints how often each thread gave up or lost its processor. Whatever disturbs a thread changes that.
switches() {
	while read -r tid; do
		grep ctxt_switches "/proc/$tid/status"
	done <"$work/$1.tids"
}

# left_alone NAME: expects that nothing disturbed its threads since before_NAME was written
left_alone() {
	switches "$1" >"after_$1"
	cmp -s "before_$1" "after_$1" || because "$1 was disturbed: $(diff "before_$1" "after_$1" | tr '\n' ' ')"
}

# are_free NAME: true if its threads sleep or run untraced, or have ended, as they do after their call
are_free() {
	while read -r tid; do
		seen=$(cat "/proc/$tid/status" 2>/dev/null) || continue
		case $seen in
		*"State:	"[SR]*"TracerPid:	0
"*) ;;
		*) return 1 ;;
		esac
	done <"$work/$1.tids"
}

expect_free() {
	until_true 5 are_free "$1" || because "a thread of $1 was left as: $(while read -r tid; do
		grep -E '^State|^TracerPid' "/proc/$tid/status"
	done <"$work/$1.tids" | sort | uniq -c | tr '\n' ' ')"
}

attempts_denied() {
	"$sockaccept" status --json | sed 's/.*"deny":{"connections":[0-9]*,"attempts":\([0-9]*\).*/\1/'
}

allow_all() {
	load <<-END
		[sockaccept]
		default = allow
	END
}

# quiet_ctl ARG...: must succeed, and warn of no thread that couldn't be asked
quiet_ctl() {
	ctl "$@"
	! grep -q 'one more connection' "$work/said" || because "it says: $(cat "$work/said")"
}

# Without a policy, the thread takes the next connection. Denied, it gets EPERM at once, before any client comes.
deny_ends_a_wait() {
	unloaded
	wait_in_accept without 26000 1
	connect 26000
	ends_with without "accepted 1"
	allow_all
	wait_in_accept allowed 26001 1
	wait_in_accept timed 26002 1 timeout 20
	switches allowed >before_allowed
	switches timed >before_timed
	wait_in_accept denied 26003 1
	quiet_ctl deny "$blocked" 26003
	ends_with denied "EPERM 1"
	left_alone timed
	quiet_ctl remove "$blocked" 26003
	for words in accept4 inet6 mptcp "timeout 300" "accept4 timeout 300" "process" "inet6 timeout 300" "mptcp timeout 300"; do
		# shellcheck disable=SC2086 # several words
		wait_in_accept denied 26003 1 $words
		quiet_ctl deny "$blocked" 26003
		ends_with denied "EPERM 1"
		quiet_ctl remove "$blocked" 26003
	done
	left_alone allowed
	connect 26001
	ends_with allowed "accepted 1"
	# It ends at its own time, whatever went on meanwhile.
	ends_with timed "EAGAIN 1"
	passed_ms=$(sed -n 's/EAGAIN after \([0-9]*\) ms/\1/p' timed)
	[ "$passed_ms" -lt 23000 ] || because "the timeout of 20 s took $passed_ms ms"
}

# other_kind WORD: tries a family, unless this kernel doesn't have it
other_kind() {
	"$base/bin/probe" accept "$1" accept 26010 | grep -q accepted || return 0
	echo "tried: $1"
	wait_in_accept denied 26011 2 "$1" timeout 300
	quiet_ctl deny "$blocked" 26011
	ends_with denied "EPERM 2"
	quiet_ctl remove "$blocked" 26011
}

other_families_are_asked_too() {
	allow_all
	other_kind sctp
	other_kind vsock
	grep -q tried "$base/output" || skip "this kernel has none of them"
}

# Each verb that can deny asks again.
every_change_asks_again() {
	unloaded
	wait_in_accept by_load 26020 1
	write_policy deny.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
	END
	quiet_ctl load deny.ini
	ends_with by_load "EPERM 1"
	allow_all
	wait_in_accept by_next 26021 1 timeout 300
	quiet_ctl load deny.ini
	ends_with by_next "EPERM 1"
	quiet_ctl allow "$blocked" 26022
	wait_in_accept by_remove 26022 1
	quiet_ctl remove "$blocked" 26022
	ends_with by_remove "EPERM 1"
	ctl mode permissive
	wait_in_accept by_mode 26023 2
	quiet_ctl deny "$blocked" 26023
	sleep 1
	expect "in permissive mode" "" "$(outcomes by_mode)"
	quiet_ctl mode enforce
	ends_with by_mode "EPERM 2"
	# A trial, and the end of one, which the next command notices.
	quiet_ctl allow "$blocked" 26024
	wait_in_accept by_trial 26024 1
	quiet_ctl load --confirm 600 deny.ini
	ends_with by_trial "EPERM 1"
	ctl confirm
	write_policy allow.ini <<-END
		[sockaccept]
		default = allow
	END
	ctl load --confirm 4 allow.ini
	wait_in_accept by_end 26025 1
	sleep 4
	expect_status 1 "$sockaccept" confirm
	expect_said "too late"
	ends_with by_end "EPERM 1"
	is_denied 26026
}

# The thread was in accept(2) before the kernel side was exchanged; the one that judged it is gone.
upgrade_asks_again() {
	unloaded
	older=$root/build/older/build/sockaccept-ctl
	wait_in_accept waits 26030 1 timeout 300
	write_policy deny.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
	END
	# An older version may ask nobody; as_older, which is printed, says whether this one did.
	expect_status 0 "$older" load deny.ini
	outcomes waits >as_older
	quiet_ctl upgrade
	ends_with waits "EPERM 1"
	cat as_older
	is_denied 26031
}

# 64 threads wait on one listener, 16 processes on another. Each of them calls once more, and nobody else.
many_threads_are_asked_once() {
	allow_all
	wait_in_accept threads 26040 64
	wait_in_accept processes 26041 16 process timeout 300
	wait_in_accept allowed 26042 16
	switches allowed >before_allowed
	before=$(attempts_denied)
	quiet_ctl deny "$blocked" 26040 26041
	ends_with threads "EPERM 64"
	ends_with processes "EPERM 16"
	expect "denied, each thread once" $((before + 80)) "$(attempts_denied)"
	left_alone allowed
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		connect 26042
	done
	ends_with allowed "accepted 16"
}

# Other threads of the same process do something else. An interrupted epoll_wait() would end with EINTR, whatever its timeout.
others='
import _socket, errno, os, select, sys, threading, time
said = lambda *words: os.write(1, (" ".join(map(str, words)) + "\n").encode())
s = _socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen(5)
def accept():
    try:
        s._accept()
        said("accept ok")
    except OSError as error:
        said("accept", errno.errorcode[error.errno])
def wait(name, call):
    said("other", threading.get_native_id())
    call()
    said(name, "ended")
threading.Thread(target=accept).start()
reader, writer = os.pipe()
epoll = select.epoll()
for name, call in ("sleep", lambda: time.sleep(600)), ("epoll", lambda: epoll.poll(600)), ("read", lambda: os.read(reader, 1)):
    threading.Thread(target=wait, args=(name, call), daemon=True).start()
time.sleep(600)
'

three_others() {
	[ "$(grep -c '^other' mixed)" = 3 ]
}

other_threads_are_left_alone() {
	allow_all
	background mixed python3 -S -c "$others" 26050
	mixed=$pid
	until_true 20 three_others || because "no threads: $(cat mixed mixed.errors)"
	sleep 2
	sed -n 's/^other //p' mixed >mixed.tids
	switches mixed >before_mixed
	quiet_ctl deny "$(realpath "$(command -v python3)")" 26050
	until_true 20 grep -q '^accept' mixed || because "accept() goes on"
	expect "accept()" "accept EPERM" "$(grep '^accept' mixed)"
	left_alone mixed
	! grep -q ended mixed || because "another call ended: $(cat mixed)"
	kill -KILL "$mixed"
}

# Python's own server stands for servers that block in accept(): its next client isn't served.
server='
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    try:
        s.accept()[0].close()
        print("served", flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)
        sys.exit()
'

blocking_server_serves_no_more() {
	python=$(realpath "$(command -v python3)")
	allow_all
	background server python3 -S -c "$server" 26060
	until_true 20 grep -q ready server || because "no server: $(cat server.errors)"
	connect 26060
	until_true 20 grep -q served server || because "not served"
	quiet_ctl deny "$python" 26060
	until_true 20 grep -q '^[A-Z]' server || because "it waits on: $(cat server)"
	expect "what it says" "ready served PermissionError" "$(tr '\n' ' ' <server | sed 's/ $//')"
}

# The two ways in which 32-bit programs accept, made by a test program.
compat_calls_are_asked() {
	allow_all
	for words in int80 socketcall "int80 timeout 300" "socketcall timeout 300"; do
		# shellcheck disable=SC2086 # several words
		background denied "$blocked" 26070 2 $words
		until_true 20 grep -q 'ready\|ENOSYS' denied || because "not ready: $(cat denied.errors)"
		! grep -q ENOSYS denied || skip "this kernel has no 32-bit calls"
		# shellcheck disable=SC2086
		wait_in_accept allowed 26071 1 $words
		switches allowed >before_allowed
		quiet_ctl deny "$blocked" 26070
		ends_with denied "EPERM 2"
		left_alone allowed
		kill -KILL "$pid"
		quiet_ctl remove "$blocked" 26070
	done
}

# io_uring polls the listener, so the kernel calls the hook by itself when a connection comes.
armed_uring_is_asked_by_the_kernel() {
	unloaded
	wait_in_accept without 26080 1 uring
	connect 26080
	ends_with without "accepted 1"
	allow_all
	wait_in_accept ring 26081 1 uring
	quiet_ctl deny "$blocked" 26081
	connect 26081
	ends_with ring "EPERM 1"
}

# Threads in other namespaces are asked too. Rules know their user by the machine's id.
other_namespaces_are_asked() {
	allow_all
	background inside unshare --net --pid --fork --mount-proc --user --map-root-user "$blocked" 26090 2 timeout 300
	until_true 30 grep -q ready inside || because "nothing inside: $(cat inside.errors)"
	quiet_ctl deny "$blocked" 26090
	ends_with inside "EPERM 2"
}

# A process that SIGSTOP has stopped stays stopped. It has left accept() for that, and enters the hook again when it goes on.
stopped_process_stays_stopped() {
	allow_all
	wait_in_accept stopped 26100 3
	kill -STOP "$pid"
	until_true 5 grep -q '^State:.T' "/proc/$pid/status" || because "it doesn't stop"
	quiet_ctl deny "$blocked" 26100
	sleep 0.5
	expect "threads that are stopped" 3 "$(sed 's#.*#/proc/&/status#' stopped.tids | xargs grep -l '^State:.T' | wc -l)"
	expect "while it is stopped" "" "$(outcomes stopped)"
	kill -CONT "$pid"
	ends_with stopped "EPERM 3"
}

# A signal that arrives at the same moment has its usual effect. The process is frozen, so that both surely wait for it.
signal_at_that_moment_is_seen() {
	mkdir -p cgroups
	mount -t cgroup2 none cgroups
	mkdir -p cgroups/ask
	allow_all
	for words in "" "timeout 300" "signal" "signal timeout 300"; do
		# shellcheck disable=SC2086 # several words
		wait_in_accept frozen 26110 1 $words
		echo "$pid" >cgroups/ask/cgroup.procs
		echo 1 >cgroups/ask/cgroup.freeze
		until_true 5 grep -q 'frozen 1' cgroups/ask/cgroup.events || because "it doesn't freeze"
		case $words in
		signal*) kill -USR1 "$(cat frozen.tids)" ;;
		esac
		quiet_ctl deny "$blocked" 26110
		expect "while it is frozen" "" "$(outcomes frozen)"
		echo 0 >cgroups/ask/cgroup.freeze
		case $words in
		signal*) ends_with frozen "EINTR 1" ;;
		*) ends_with frozen "EPERM 1" ;;
		esac
		quiet_ctl remove "$blocked" 26110
	done
	umount cgroups
}

# A process that somebody traces is left alone, and named in a warning.
traced_process_is_named() {
	allow_all
	wait_in_accept traced 26120 1
	traced=$pid
	background tracer strace -f -o /dev/null -p "$traced"
	until_true 20 grep -q '^TracerPid:.[1-9]' "/proc/$traced/status" || because "strace doesn't trace: $(cat tracer.errors)"
	until_true 20 grep -q '^TracerPid:.[1-9]' "/proc/$(cat traced.tids)/status" || because "strace doesn't trace the thread"
	sleep 1
	wait_in_accept not_traced 26121 1
	ctl deny "$blocked" 26120 26121
	expect_said "$blocked (pid $traced) may take one more connection on 0.0.0.0:26120/tcp, which is denied: a thread that waits in accept()"
	expect_said "can't be asked again, as it is being traced, as by a debugger"
	expect "warnings of that" 1 "$(grep -c 'one more connection' said)"
	ends_with not_traced "EPERM 1"
	expect "what is traced" "" "$(outcomes traced)"
	connect 26120
	ends_with traced "accepted 1"
}

# Without the right to trace, the command warns, and does everything else.
missing_privileges_are_told() {
	allow_all
	for port in 26130 26131 26132 26133 26134 26135; do
		background "nobody_$port" as_nobody "$blocked" $port 1
		until_true 20 grep -q ready "nobody_$port" || because "blocked $port isn't ready: $(cat "nobody_$port.errors")"
	done
	write_policy some.ini <<-END
		[sockaccept]
		judge-listen = no
		gate = no
		drain = no
		[some]
		binary = any
		deny = 26130-26139
	END
	expect_status 0 setpriv --bounding-set -sys_ptrace --inh-caps -sys_ptrace "$sockaccept" load some.ini
	expect "named" 4 "$(grep -c 'may take one more connection on .*that takes the capability cap_sys_ptrace' said)"
	expect_said "and 2 more processes may take one more connection"
	is_denied 26136
	# The next change asks those that were left.
	quiet_ctl deny any 26137
	for port in 26130 26131 26132 26133 26134 26135; do
		ends_with "nobody_$port" "EPERM 1"
	done
}

# A thread that can't be interrupted is let go after about a second.
thread_that_does_not_stop_is_let_go() {
	allow_all
	wait_in_accept locked 26150 1 locked
	locked=$pid
	grep State "/proc/$(cat locked.tids)/status" >state
	grep -q '^State:.D' state || because "it isn't uninterruptible: $(cat state)"
	wait_in_accept another 26151 8
	began=$(uptime_ms)
	ctl deny "$blocked" 26150 26151
	took=$(($(uptime_ms) - began))
	expect_said "can't be asked again, as it didn't stop within a second"
	ends_with another "EPERM 8"
	grep -q '^TracerPid:.0$' "/proc/$(cat locked.tids)/status" || because "it is still traced"
	[ $took -lt 6000 ] || because "it took $took ms"
	# As soon as it can be interrupted, it is.
	kill -USR2 "$locked"
	ends_with locked "EPERM 1"
}

# Processes that end meanwhile are no error.
ending_processes_are_no_error() {
	for _ in 1 2 3 4 5; do
		allow_all
		wait_in_accept ending 26160 24 process
		xargs kill -KILL <ending.tids &
		quiet_ctl deny "$blocked" 26160
		! grep -i 'error\|fail' said || because "it says: $(cat said)"
		wait $! || true # some have ended before
	done
}

# kill_each SIGN WANTED [WORD...]: kills the command at every few calls of ptrace(), and expects that no thread is left stopped or traced.
# WANTED: the outcomes of the threads after the next change, which asks those that weren't asked.
kill_each() {
	sign=$1
	wanted=$2
	shift 2
	wait_in_accept threads 26170 12 "$@"
	kill_points 'none' "$sockaccept" deny "$blocked" 26170 >/dev/null
	ends_with threads "EPERM 12"
	ctl remove "$blocked" 26170
	grep ' ptrace' calls >traces || because "the command traces nobody: $(tr '\n' ' ' <calls)"
	[ "$(wc -l <traces)" -ge 36 ] || because "only $(wc -l <traces) calls of ptrace()"
	points=$(awk -v "every=${KILL_EVERY:-11}" 'NR % every == 1 || every == 1 { print $1 }' traces)
	kills=0
	for point in $points; do
		wait_in_accept "threads_$point$sign" 26171 12 "$@"
		call=$("$killat" "$point$sign" "$sockaccept" deny "$blocked" 26171 2>/dev/null) || because "not killed at $point$sign: $call"
		kills=$((kills + 1))
		expect_free "threads_$point$sign"
		quiet_ctl deny "$blocked" 26172
		ends_with "threads_$point$sign" "$wanted"
		ctl remove "$blocked" 26171
		ctl remove "$blocked" 26172
	done
	echo "$kills kills"
	[ $kills -ge 3 ] || because "only $kills kills"
}

# However the command ends, no thread is left stopped or traced, and the next change asks those that weren't asked.
killed_command_leaves_no_thread_stopped() {
	allow_all
	# First only the command is killed, and the process that traces for it comes to its end. Then that one too: the kernel still
	# restarts the calls.
	kill_each "" "EPERM 12" timeout 300
	kill_each + "EPERM 12"
}

test_case deny_ends_a_wait
test_case other_families_are_asked_too
test_case every_change_asks_again
test_case upgrade_asks_again
test_case many_threads_are_asked_once
test_case other_threads_are_left_alone
test_case blocking_server_serves_no_more
test_case compat_calls_are_asked
test_case armed_uring_is_asked_by_the_kernel
test_case other_namespaces_are_asked
test_case stopped_process_stays_stopped
test_case signal_at_that_moment_is_seen
test_case traced_process_is_named
test_case missing_privileges_are_told
test_case thread_that_does_not_stop_is_let_go
test_case ending_processes_are_no_error
if [ -z "${BRIEF-}" ]; then
	test_case killed_command_leaves_no_thread_stopped
fi
