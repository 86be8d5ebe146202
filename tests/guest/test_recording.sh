# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What becomes of a call: connections that come late, calls that fail, and repeats that are folded.

: "${sockaccept:?}" "${traffic:?}" "${probe:?}"

# denials_are NUMBER: the events stand for so many denials
denials_are() {
	"$sockaccept" audit --json >events
	sed -n 's/.*"count":\([0-9]*\)}$/\1/p' events | awk -v "wanted=$1" '{ sum += $1 } END { exit sum + 0 != wanted }'
}

spinner_makes_few_events() {
	unloaded
	deny_all
	"$traffic" spin 50000 22700 >outcome
	expect "the spinner" "accepted 0 denied 50000 other 0" "$(cat outcome)"
	expect "denied connections" 50000 "$(state deny)"
	until_true 5 denials_are 50000 || because "the events don't stand for 50000 denials: $(cat events)"
	seconds=$(sed 's/.*T..:..:\(..\).*/\1/' events | sort -u | wc -l)
	[ "$(wc -l <events)" -le $((3 * seconds)) ] || because "$(wc -l <events) events within $seconds s"
	expect "what the first event stands for" 1 "$(head -n 1 events | value count)"
	ctl allow "$traffic" 22700
	"$traffic" burst 22700 3 >outcome
	expect "when allowed" "22700 accepted 3 denied 0 other 0" "$(cat outcome)"
}

# The other's denials come at 0.1 s while the spinner spins, each on a port of its own.
spinner_hides_nobody() {
	unloaded
	deny_all
	background spinner "$traffic" spin 60000 22710
	for port in 22711 22712 22713 22714 22715 22716 22717 22718 22719 22720; do
		is_denied $port
	done
	wait "$pid" || because "the spinner failed"
	until_true 5 denials_are 60010 || because "the events don't stand for 60010 denials: $(cat events)"
	for port in 22711 22712 22713 22714 22715 22716 22717 22718 22719 22720; do
		expect "events of $port" 1 "$(grep -c "\"local\":{\"address\":\"127.0.0.1\",\"port\":$port}" events)"
	done
}

# 70 ports of one user: the repeats on more than 64 of them are not kept apart, and still counted.
user_has_so_many_folds() {
	unloaded
	deny_all
	# shellcheck disable=SC2046 # they are ports
	as_nobody "$traffic" spin 14000 $(seq 23001 23140) >outcome
	expect "the spinner" "accepted 0 denied 14000 other 0" "$(cat outcome)"
	until_true 5 denials_are 14000 || because "the events don't stand for 14000 denials"
	grep -q '"reason":null,"rule":null,"binary":null,.*"uid":65534,.*"local":{"address":null,"port":null}' events ||
		because "no event of several ports"
	judge '
for line in open("events"):
    json.loads(line)
'
}

# blocked_call_is_recorded VERDICT PORT
blocked_call_is_recorded() {
	unloaded
	load <<-END
		[sockaccept]
		default = $1
	END
	[ "$1" = allow ] || ctl mode permissive
	judge '
import socket, threading, time
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(5)
taken = []
thread = threading.Thread(target=lambda: taken.append(listener.accept()))
thread.start()
time.sleep(0.3)
client = socket.create_connection(listener.getsockname())
thread.join()
open("peer", "w").write("%d\n" % client.getsockname()[1])
' "$2"
	"$sockaccept" audit --all --json >events
	expect "events" 1 "$(wc -l <events)"
	expect "its verdict" "$1" "$(value verdict <events)"
	expect "its peer" "$(cat peer)" "$(sed 's/.*"peer":{"address":"127.0.0.1","port":\([0-9]*\)}.*/\1/' events)"
	expect "connections" 1 "$(state "$1")"
	expect "attempts" 0 "$(sed 's/.*"'"$1"'":{"connections":1,"attempts":\([0-9]*\)}.*/\1/' "$work/status")"
}

waiting_call_is_recorded_when_it_ends() {
	blocked_call_is_recorded allow 22730
	blocked_call_is_recorded deny 22731
}

# The kernel has taken the connection from the queue when it finds that it can't say who it is from.
failed_call_is_an_attempt() {
	unloaded
	load </dev/null
	judge '
import ctypes, errno, socket
libc = ctypes.CDLL(None, use_errno=True)
listener = socket.socket()
listener.bind(("127.0.0.1", 22740))
listener.listen(5)
client = socket.create_connection(("127.0.0.1", 22740))
length = ctypes.c_int(16)
if libc.accept(listener.fileno(), ctypes.c_void_p(1), ctypes.byref(length)) != -1 or ctypes.get_errno() != errno.EFAULT:
    sys.exit("no EFAULT")
listener.setblocking(False)
try:
    listener.accept()
    sys.exit("the connection is still there")
except BlockingIOError:
    pass
second = socket.create_connection(("127.0.0.1", 22740))
listener.accept()
'
	expect "connections" 1 "$(state allow)"
	expect "attempts" 2 "$(sed 's/.*"allow":{"connections":1,"attempts":\([0-9]*\)}.*/\1/' "$work/status")"
	expect "accept_failed" 1 "$(state accept_failed)"
	expect "events" 1 "$("$sockaccept" audit --all --json | wc -l)"
}

buffers_have_the_size_that_is_set() {
	unloaded
	load <<-END
		[sockaccept]
		default = deny
		events  = 64
	END
	# shellcheck disable=SC2046 # they are ports
	"$traffic" spin 100 $(seq 22751 22850) >outcome
	expect "the denials" "accepted 0 denied 100 other 0" "$(cat outcome)"
	"$sockaccept" audit --json >events
	expect "what was missed" '{"schema":1,"missed":36}' "$(head -n 1 events)"
	expect "events" 64 "$(grep -c '"seq"' events)"
	deny_all
	grep -q 'warning: the buffers still hold 64 events each' "$base/output" || because "a change of the size isn't warned of"
}

event_names_the_unit() {
	unloaded
	deny_all
	unit=/sys/fs/cgroup/system.slice/system-a.slice/some@1.service
	mkdir -p $unit/below
	# shellcheck disable=SC2016 # it is the inner shell's
	sh -c 'echo $$ >'"$unit"'/below/cgroup.procs && exec "$@"' sh "$probe" accept inet accept 22860
	rmdir $unit/below $unit "${unit%/*}"
	expect "the unit" some@1.service "$(last_event | sed 's/.*"unit":"\([^"]*\)".*/\1/')"
	mkdir /sys/fs/cgroup/no-unit
	# shellcheck disable=SC2016 # it is the inner shell's
	sh -c 'echo $$ >/sys/fs/cgroup/no-unit/cgroup.procs && exec "$@"' sh "$probe" accept inet accept 22861
	rmdir /sys/fs/cgroup/no-unit
	expect "outside of units" null "$(last_event | value unit)"
}

test_case spinner_makes_few_events
test_case spinner_hides_nobody
test_case user_has_so_many_folds
test_case waiting_call_is_recorded_when_it_ends
test_case failed_call_is_an_attempt
test_case buffers_have_the_size_that_is_set
test_case event_names_the_unit
