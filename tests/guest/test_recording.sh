# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that each connection and denial is recorded once, and that folding repeats and sharing the buffers hide nobody.
# Fails if bpf/fold.bpf.h, window.bpf.h or share.bpf.h counts wrongly or gives a user too much, if difference.bpf.h keeps a fact that
# repeats don't share, if settle.bpf.h loses a call whose end wasn't seen, if ends.bpf.h or unit.bpf.h reads the wrong peer or unit, or if
# event.bpf.h makes a torn event.

: "${sockaccept:?}" "${traffic:?}" "${crowd:?}" "${probe:?}" "${pins:?}" "${work:?}" "${base:?}"
pid=

# counts_of FILE: prints how many denials or connections the events in it stand for
counts_of() {
	sed -n 's/.*"count":\([0-9]*\)}$/\1/p' "$1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# denials_are NUMBER [PORT,...]: true if the events stand for that many denials
denials_are() {
	"$sockaccept" audit --json ${2:+--port "$2"} >events
	[ "$(counts_of events)" -eq "$1" ]
}

# attempts VERDICT: prints that number of the last `status --json`
attempts() {
	sed 's/.*"'"$1"'":{"connections":[0-9]*,"attempts":\([0-9]*\)}.*/\1/' "$work/status"
}

spinner_makes_few_events() {
	unloaded
	deny_all
	ctl status
	expect_said 'denied          0 connections, 0 attempts'
	"$traffic" spin 50000 22700 >outcome
	expect "the spinner" "accepted 0 denied 50000 other 0" "$(cat outcome)"
	expect "denied connections" 50000 "$(state deny)"
	until_true 5 denials_are 50000 || because "the events don't stand for 50000 denials: $(cat events)"
	seconds=$(sed 's/.*T..:..:\(..\).*/\1/' events | sort -u | wc -l)
	[ "$(wc -l <events)" -le $((3 * seconds)) ] || because "$(wc -l <events) events within $seconds s"
	expect "what the first event stands for" 1 "$(head -n 1 events | value count)"
	# One connection waited all the time.
	ctl status
	expect_said "denied          50000 calls with a connection waiting, 0 attempts; of them all, $((50000 - $(wc -l <events))) were repeats"
	"$sockaccept" status --json >said
	expect "repeats" $((50000 - $(wc -l <events))) "$(value repeats <said)"
	ctl allow "$traffic" 22700
	"$traffic" burst 22700 3 >outcome
	expect "when allowed" "22700 accepted 3 denied 0 other 0" "$(cat outcome)"
}

# Another binary is denied ten times, once a second.
spinner_hides_nobody() {
	deny_all
	before=$(state deny)
	cp "$probe" other
	background spinner "$traffic" spinfor 10 22710
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		expect "another's accept" EPERM "$(./other accept inet accept 22711)"
		sleep 1
	done
	wait "$pid" || because "the spinner failed"
	total=$(sed -n 's/^accepted 0 denied \([0-9]*\) other 0$/\1/p' spinner)
	expect "denied connections" $((before + total + 10)) "$(state deny)"
	until_true 5 denials_are $((total + 10)) 22710,22711 || because "the events don't stand for $((total + 10)) denials: $(cat events)"
	grep "\"binary\":\"$work/other\"" events >others
	expect "denials of the other in the log" 10 "$(counts_of others)"
	expect "events of the other" 10 "$(wc -l <others)"
	lines=$(grep -c '"port":22710}' events)
	echo "the spinner: $total denials, $lines events"
	[ "$lines" -lt 30 ] || because "the spinner made $lines events"
}

# Each denial is of another process. The key of a fold contains no process.
forking_hides_nobody() {
	deny_all
	is_denied 22790
	as_nobody "$traffic" fork "${FORKS:-1000}" 22791 >outcome
	expect "the processes" "accepted 0 denied ${FORKS:-1000} other 0" "$(cat outcome)"
	until_true 5 denials_are $((${FORKS:-1000} + 1)) 22790,22791 || because "the events don't stand for all denials: $(tail -n 3 events)"
	expect "the other's denial" 1 "$(grep -c '"port":22790}' events)"
	grep '"port":22791}' events | grep -v '"count":1}' >folded
	! grep -v '"pid":null,"tid":null,"uid":65534' folded || because "a fold of many processes names one of them"
	[ "$(wc -l <events)" -lt $((${FORKS:-1000} / 4)) ] || because "$(wc -l <events) events for ${FORKS:-1000} denials"
}

# A user who has been given many ids has no more room than others: one denial of each of 200 ids makes 64 events, and two more each second.
namespace_has_its_owners_folds() {
	unloaded
	deny_all
	judge '
import os, socket
listener = socket.socket()
listener.bind(("127.0.0.1", 22795))
listener.listen(5)
client = socket.create_connection(("127.0.0.1", 22795))
made, mapped = os.pipe(), os.pipe()
child = os.fork()
if not child:
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    if libc.unshare(0x10000000):
        os._exit(9)
    os.write(made[1], b"x")
    os.read(mapped[0], 1)
    os.setgid(0); os.setuid(0)
    for uid in range(1, 201):
        one = os.fork()
        if not one:
            os.setuid(uid)
            try:
                listener.accept()
            except PermissionError:
                os._exit(0)
            os._exit(1)
        if os.waitpid(one, 0)[1]:
            os._exit(8)
    os._exit(0)
os.read(made[0], 1)
for name in "uid_map", "gid_map":
    with open("/proc/%d/%s" % (child, name), "w") as map:
        map.write("0 100000 65536")
os.write(mapped[1], b"x")
status = os.waitpid(child, 0)[1]
if status:
    sys.exit("the child in the namespace failed: %d" % (status >> 8))
'
	until_true 5 denials_are 200 || because "the events don't stand for 200 denials: $(tail -n 3 events)"
	[ "$(wc -l <events)" -lt 120 ] || because "$(wc -l <events) events of 200 users"
	expect "events with a user" 64 "$(grep '"count":1}' events | head -n 64 | grep -c '"uid":100[0-9]*,')"
	grep -v '"count":1}' events | grep -q '"uid":null,.*"port":22795}' || because "no fold of many users: $(tail -n 1 events)"
}

# One user is denied on 140 ports. Repeats on more than 64 of them share one fold, and are still counted.
user_has_so_many_folds() {
	unloaded
	deny_all
	# shellcheck disable=SC2046 # they are ports
	as_nobody "$traffic" spin 14000 $(seq 23001 23140) >outcome
	expect "the spinner" "accepted 0 denied 14000 other 0" "$(cat outcome)"
	until_true 5 denials_are 14000 || because "the events don't stand for 14000 denials"
	grep -q "\"reason\":\"default\",\"rule\":null,\"binary\":\"$traffic\",.*\"uid\":65534,.*\"local\":{\"address\":\"127.0.0.1\",\"port\":null}" events ||
		because "no event of several ports: $(grep '"port":null' events | head -n 2)"
	judge '
for line in open("events"):
    json.loads(line)
'
}

# as_user UID COMMAND...
as_user() {
	uid=$1
	shift
	setpriv --reuid "$uid" --regid "$uid" --clear-groups "$@"
}

# refused UID ROUNDS PORT...: runs a Python program that is denied once on each port in each round; prints how often it was
refused() {
	who=$1
	shift
	as_user "$who" python3 -S -c '
import _socket, sys, time
def listen(port):
    s = _socket.socket()
    s.setsockopt(1, 2, 1)
    s.bind(("127.0.0.1", port))
    s.listen(5)
    c = _socket.socket()
    c.connect(("127.0.0.1", port))
    return s, c
all = [listen(int(port)) for port in sys.argv[2:]]
denied = 0
for i in range(int(sys.argv[1])):
    for s, c in all:
        try:
            s._accept()
        except PermissionError:
            denied += 1
    time.sleep(0.15)
print("denied", denied)
' "$@"
}

# Windows double while repeats go on: 1, 2, 4 s. The last one is closed when somebody reads.
windows_double() {
	deny_all
	"$traffic" spinfor 9 24200 >outcome
	total=$(sed -n 's/^accepted 0 denied \([0-9]*\) other 0$/\1/p' outcome)
	"$sockaccept" audit --json --port 24200 >events
	expect "denials in the events" "$total" "$(counts_of events)"
	judge '
from datetime import datetime
times = []
for line in open("events"):
    event = json.loads(line)
    times.append(datetime.fromisoformat(event["time"][:26]).timestamp() + 0.0)
    if len(times) > 1 and (event["pid"] is None or event["peer"] is None or event["sockfd"] is None or event["binary"] is None):
        sys.exit("what all repeats have in common is null: " + line)
after = [round(t - times[0], 2) for t in times]
# a window begins a moment before its first event has its time
if len(after) != 5 or not (0.9 <= after[1] < 1.9 and 2.9 <= after[2] < 3.9 and 6.9 <= after[3] < 7.9):
    sys.exit("the events came after %s s" % after)
'
	# After the end of a series, the next denial is an event at once.
	sleep 9
	"$sockaccept" audit --json --port 24200 >events
	is_denied 24200
	expect "the events, with one more" $(($(wc -l <events) + 1)) "$("$sockaccept" audit --json --port 24200 | wc -l)"
}

# A reader that follows sees a window as soon as it is over, though nobody else is denied.
follower_closes_windows() {
	deny_all
	background follower "$sockaccept" audit --follow --json --port 24210
	"$traffic" spin 100 24210 >outcome
	until_true 3 grep -q '"count":99}' follower || because "the repeats don't come: $(cat follower follower.errors)"
	judge '
from datetime import datetime
a, b = [datetime.fromisoformat(json.loads(line)["time"][:26]) for line in open("follower")][:2]
if not 0.9 <= (b - a).total_seconds() <= 1.6:
    sys.exit("the window was closed after %s" % (b - a))
'
}

# Each user has a share of the buffer. What exceeds it is counted together, so the denial of another user is still there.
nobody_pushes_out_anothers_denials() {
	unloaded
	load <<-END
		[sockaccept]
		default = deny
		events  = 256
	END
	expect "the other's denial" "denied 1" "$(refused 1000 1 24300)"
	# shellcheck disable=SC2046 # they are ports
	expect "the flood" "denied 1920" "$(refused 1001 30 $(seq 24301 24364))"
	sleep 1.1
	"$sockaccept" audit --json >events
	expect "denials in the events" 1921 "$(counts_of events)"
	grep -q '"uid":1000,.*"port":24300}' events || because "the other's denial was pushed out"
	flood=$(grep -c '"uid":1001,' events)
	[ "$flood" -le 40 ] || because "the flood made $flood events, of a share of 32"
	! grep -q '"missed"' events || because "events were overwritten"
	# Another user's denials still have their own events.
	expect "the other's denials" "denied 3" "$(refused 1000 1 24301 24302 24303)"
	"$sockaccept" audit --json >events
	expect "the other's events" 4 "$(grep -c '"uid":1000,.*"port":243[0-9]*}.*"count":1}' events)"
}

# Two ids that are equal modulo 65,536 are two users.
ids_share_nothing() {
	unloaded
	deny_all
	# shellcheck disable=SC2046 # they are ports
	expect "the flood" "denied 140" "$(refused 65569 2 $(seq 24401 24470))"
	expect "the other" "denied 3" "$(refused 33 1 24471 24472 24473)"
	"$sockaccept" audit --json >events
	for port in 24471 24472 24473; do
		grep '"uid":33,' events | grep "\"port\":$port}" | grep -q '"binary":"/' || because "no event of port $port: $(grep '"uid":33,' events)"
	done
}

# One thread changes its name, its group and its listener between repeats. What differs is null, and nothing else.
fold_says_only_what_is_so() {
	deny_all
	python3 -S -c '
import _socket, os
def denied(i, comm, address, backlog, filler):
    open("/proc/self/comm", "w").write(comm)
    os.setegid(i)
    s = _socket.socket()
    s.setsockopt(1, 2, 1)
    s.bind((address, 24500))
    s.listen(backlog)
    c = _socket.socket()
    c.connect((address, 24500))
    try:
        s._accept()
        print("accepted")
    except PermissionError:
        print("EPERM")
    os.setegid(0)
denied(10, "first", "127.0.0.1", 5, 0)
for i in range(20):
    denied(11 + i, "name%d" % i, "127.0.0.%d" % (i + 2), 5 + i, i)
' >outcomes
	expect "denied" 21 "$(grep -c EPERM outcomes)"
	sleep 1.1
	last_event >event
	judge '
event = json.load(open("event"))
if event["count"] != 20:
    sys.exit("count: %d" % event["count"])
for key in "comm", "gid", "backlog_max", "peer":
    if event[key] is not None:
        sys.exit("%s differs, and is %r" % (key, event[key]))
if event["local"] != {"address": None, "port": 24500}:
    sys.exit("local: %r" % event["local"])
for key in "pid", "tid", "uid", "binary", "netns", "sockfd", "family", "protocol", "backlog", "cgroup_id", "reason", "generation":
    if event[key] is None:
        sys.exit("%s is the same, and null" % key)
'
}

# Folds of several workers keep their common unit: a search for it finds all their denials.
workers_keep_their_unit() {
	deny_all
	unit=/sys/fs/cgroup/system.slice/web.service
	mkdir -p $unit
	# shellcheck disable=SC2016 # it is the inner shell's
	sh -c 'echo $$ >'"$unit"'/cgroup.procs && exec "$@"' sh "$traffic" fork 50 24510 >outcome
	rmdir $unit ${unit%/*}
	expect "the workers" "accepted 0 denied 50 other 0" "$(cat outcome)"
	sleep 1.1
	"$sockaccept" audit --unit web --json >events
	expect "denials of the unit" 50 "$(counts_of events)"
	grep '"pid":null' events | grep -q '"unit":"web.service"' || because "no fold of several workers with their unit: $(cat events)"
	expect "its cgroup" 1 "$(sed 's/.*"cgroup_id":\([a-z0-9]*\).*/\1/' events | sort -u | wc -l)"
}

# waiting_peer PORT: on listeners of SCTP and VSOCK, is denied, then allowed; prints the peer of the first connection on each
waiting_peer() {
	python3 -S - "$1" >outcome <<-'END' || because "no accept: $(tail -n 1 "$base/output")"
		import _socket, socket, subprocess, sys
		port = int(sys.argv[1])
		def listen(family, protocol, address):
		    listener = socket.socket(family, socket.SOCK_STREAM, protocol)
		    listener.bind(address)
		    listener.listen(5)
		    return listener
		def connect(family, protocol, local, address):
		    client = socket.socket(family, socket.SOCK_STREAM, protocol)
		    if local:
		        client.bind(local)
		    client.connect(address)
		    return client
		def peer(name):
		    return name if isinstance(name[0], int) else (name[0], name[1])
		SCTP = 132
		cases = [(socket.AF_INET, SCTP, ("127.0.0.1", port), socket.AF_INET, ("127.0.0.7", 0), ("127.0.0.1", port)),
		         (socket.AF_INET6, SCTP, ("::1", port + 1), socket.AF_INET6, None, ("::1", port + 1)),
		         (socket.AF_INET6, SCTP, ("::", port + 2), socket.AF_INET, ("127.0.0.7", 0), ("127.0.0.1", port + 2)),
		         (socket.AF_VSOCK, 0, (1, port + 3), socket.AF_VSOCK, None, (1, port + 3))]
		for family, protocol, here, client_family, local, there in cases:
		    listener = listen(family, protocol, here)
		    waiting = [connect(client_family, protocol, local, there) for _ in range(2)]
		    try:
		        listener.accept()
		        sys.exit("was not denied")
		    except PermissionError:
		        pass
		    subprocess.run(["sockaccept-ctl", "allow", sys.executable, "any"], check=True, stdout=subprocess.DEVNULL)
		    accepted = [peer(listener.accept()[1]) for _ in waiting]
		    subprocess.run(["sockaccept-ctl", "remove", sys.executable, "any"], check=True, stdout=subprocess.DEVNULL)
		    print("%s %s" % accepted[0])
	END
}

# The peer that waits is found through types of modules. The one that was denied is the first that is accepted afterwards.
denial_has_the_peer_that_waits() {
	deny_all
	PATH=$(dirname "$sockaccept"):$PATH waiting_peer 22780
	expect "listeners" 4 "$(wc -l <outcome)"
	"$sockaccept" audit --json --port 22780-22783 >events
	expect "denials" 4 "$(wc -l <events)"
	sed 's/.*"peer":{"address":"\{0,1\}\([^",]*\)"\{0,1\},"port":\([0-9]*\)}.*/\1 \2/' events >peers
	cmp -s outcome peers || because "expected the peers $(tr '\n' ' ' <outcome), saw $(tr '\n' ' ' <peers)"
	"$sockaccept" audit --all --verdict allow --json --port 22780-22783 >events
	expect "accepted" 8 "$(wc -l <events)"
}

# The next command tells the kernel side about a module that was loaded after the policy.
late_module_is_learned() {
	unloaded
	modprobe -r vsock_loopback vmw_vsock_virtio_transport_common vsock_diag vsock
	! grep "^vsock " /proc/modules || because "the VSOCK module can't be unloaded: $(grep vsock /proc/modules)"
	deny_all
	modprobe vsock_loopback
	expect_outcomes EPERM vsock accept 22790
	expect "the peer before" null "$(last_event | value peer)"
	ctl refresh
	expect_outcomes EPERM vsock accept 22791
	"$sockaccept" audit --json --port 22791 | grep -q '"peer":{"address":"1","port":[1-9]' ||
		because "afterwards: $("$sockaccept" audit --json --port 22791)"
}

# blocked_call_is_recorded VERDICT PORT: a call that waits before its connection comes has one event, with this verdict and its peer
blocked_call_is_recorded() {
	load <<-END
		[sockaccept]
		default = $1
	END
	[ "$1" = allow ] || ctl mode permissive
	connections=$(state "$1")
	attempts=$(attempts "$1")
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
	"$sockaccept" audit --all --json --port "$2" >events
	expect "events" 1 "$(wc -l <events)"
	expect "its verdict" "$1" "$(value verdict <events)"
	expect "its peer" "$(cat peer)" "$(sed 's/.*"peer":{"address":"127.0.0.1","port":\([0-9]*\)}.*/\1/' events)"
	expect "connections" $((connections + 1)) "$(state "$1")"
	expect "attempts" "$attempts" "$(attempts "$1")"
}

waiting_call_is_recorded_when_it_ends() {
	blocked_call_is_recorded allow 22730
	blocked_call_is_recorded deny 22731
}

# In permissive mode, a denial has the address and port of its listener, whether a connection comes or not, and nothing from the thread's
# call before.
permissive_denials_name_their_listener() {
	deny_all
	ctl mode permissive
	judge '
import socket
def listen(family, address, port):
    listener = socket.socket(family)
    listener.bind((address, port))
    listener.listen(5)
    return listener
def attempt(listener):
    listener.setblocking(False)
    try:
        listener.accept()
        sys.exit("there is a connection")
    except BlockingIOError:
        listener.setblocking(True)
peers = []
for family, address, port in (socket.AF_INET, "127.0.0.5", 22732), (socket.AF_INET6, "::1", 22734):
    first, second = listen(family, address, port), listen(family, address, port + 1)
    attempt(first)
    client = socket.create_connection((address, port))
    first.accept()
    attempt(second)
    peers.append(client.getsockname()[1])
json.dump(peers, open("peers", "w"))
'
	for port in 22732 22733 22734 22735; do
		"$sockaccept" audit --json --port $port
	done >events
	"$sockaccept" audit --port 22733 >text
	judge '
peers = json.load(open("peers"))
wanted = []
for address, port, peer in ("127.0.0.5", 22732, peers[0]), ("::1", 22734, peers[1]):
    for operation, plus, end in ("attempt", 0, None), ("accept", 0, {"address": address, "port": peer}), ("attempt", 1, None):
        wanted.append((operation, {"address": address, "port": port + plus}, end))
wanted[1][2]["address"] = "127.0.0.1" # create_connection() has that of the route
seen = []
for line in open("events"):
    event = json.loads(line)
    local = event["local"]
    seen.append((event["operation"], {"address": local["address"], "port": local["port"]}, event["peer"]))
    if event["verdict"] != "deny" or event["enforced"] or local.get("listener_port", local["port"]) != local["port"]:
        sys.exit("odd: " + line)
if seen != wanted:
    sys.exit("expected %s, saw %s" % (wanted, seen))
'
	grep -q '22733' text || because "the text has no port: $(cat text)"
	ctl mode enforce
	is_denied 22736
}

# The kernel takes the connection from the queue, and only then finds that it can't write the peer's address.
failed_call_is_an_attempt() {
	load </dev/null
	before=$(state allow accept_failed)
	attempts=$(attempts allow)
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
	expect "connections and accept_failed, with one more of each" "$((${before% *} + 1)) $((${before#* } + 1))" "$(state allow accept_failed)"
	expect "attempts" $((attempts + 2)) "$(attempts allow)"
	expect "events" 1 "$("$sockaccept" audit --all --json --port 22740 | wc -l)"
}

# made: prints how many events the kernel side has made, without being a reader
made() {
	bpftool map lookup pinned "$pins/state" key 0 0 0 0 | sed -n 's/.*"next_seq": \([0-9]*\).*/\1/p'
}

# recorded EVENTS PORT: expects that the next readers see that many events of this port
recorded() {
	for _ in 1 2; do
		"$sockaccept" audit --all --json --port "$2" >events
		expect "events of port $2" "$1" "$(wc -l <events)"
		expect "what they stand for" "$1" "$(counts_of events)"
	done
}

# Calls take a connection, and nobody sees their end: here because its trace program is detached. What the thread's next call doesn't
# record, the next reader does, for a thread that goes on and for one that is gone.
unseen_end_is_recorded_by_the_next_reader() {
	load </dev/null
	before=$(made)
	connections=$(state allow)
	accepts 22737
	expect "events" $((before + 1)) "$(made)"
	rm "$pins/link_accept_end"
	until_true 10 unseen || because "the end is seen all the time"
	there=$(made)
	background server "$traffic" serve 22738
	wait_listening 22738
	$traffic connect 22738 1 >client
	expect "the client" "served 1 unserved 0 failed 0" "$(cat client)"
	expect "events, while nobody reads" "$there" "$(made)"
	recorded 1 22738
	$traffic connect 22738 2 >client
	expect "events, with that which the thread's next call has made" $((there + 2)) "$(made)"
	recorded 3 22738
	finish "$pid"
	accepts 22739
	expect "events, with one that is gone, while nobody reads" $((there + 3)) "$(made)"
	recorded 1 22739
	expect "connections" $(($(made) - before)) $(($(state allow) - connections))
	unloaded
}

# unseen: true if one more accept makes no event until a reader comes
unseen() {
	alone=$(made)
	accepts 22737
	with=$(made)
	"$sockaccept" audit --json >unread
	[ "$with" -eq "$alone" ]
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

# Whoever makes a cgroup chooses its name: up to 255 bytes, with anything that a terminal could obey. The kernel refuses newlines.
unit_names_obey_nothing() {
	deny_all
	odd=$(printf 'a"b\\\033[31m\302\2331m\342\200\256\377')
	odd=$odd$(printf '%0*d' $((247 - $(printf %s "$odd" | LC_ALL=C wc -c))) 0).service
	unit=/sys/fs/cgroup/system.slice/$odd
	mkdir -p "$unit"
	# shellcheck disable=SC2016 # it is the inner shell's
	sh -c 'echo $$ >"$0"/cgroup.procs && exec "$@"' "$unit" "$probe" accept inet accept 22862
	rmdir "$unit" "${unit%/*}"
	"$sockaccept" audit --json --port 22862 >events
	"$sockaccept" audit --port 22862 >text
	judge '
wanted = sys.argv[1].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
unit = json.loads(open("events", encoding="utf-8").read())["unit"]
if unit != wanted:
    sys.exit("unit: expected %s, saw %s" % (ascii(wanted), ascii(unit)))
for name in "events", "text":
    for character in open(name, encoding="utf-8", newline="").read():
        if character != "\n" and (ord(character) < 32 or 127 <= ord(character) < 160 or character == "\u202e"):
            sys.exit("%s has %s as it is" % (name, ascii(character)))
' "$odd"
}

# The path of a binary that no rule names is kept with its inode. A rename of the file is noticed.
path_follows_rename() {
	deny_all
	cp "$probe" before
	./before accept inet accept 22870
	expect "its path" "$work/before" "$(last_event | value binary)"
	mv before after
	./after accept inet accept 22871
	expect "its path after mv" "$work/after" "$("$sockaccept" audit --json --port 22871 | value binary)"
}

# A server inside the kernel takes the connection. Nothing is decided or recorded.
kernel_accept_is_not_seen() {
	deny_all
	modprobe nvmet-tcp
	[ -d /sys/kernel/config/nvmet ] || mount -t configfs configfs /sys/kernel/config
	nvmet=/sys/kernel/config/nvmet
	mkdir $nvmet/subsystems/none $nvmet/ports/1
	echo tcp >$nvmet/ports/1/addr_trtype
	echo ipv4 >$nvmet/ports/1/addr_adrfam
	echo 127.0.0.1 >$nvmet/ports/1/addr_traddr
	echo 22880 >$nvmet/ports/1/addr_trsvcid
	ln -s $nvmet/subsystems/none $nvmet/ports/1/subsystems/none
	wait_listening 22880
	before=$(state allow deny)
	attempts="$(attempts allow) $(attempts deny)"
	events=$("$sockaccept" audit --all --json | wc -l)
	judge '
import socket, time
client = socket.create_connection(("127.0.0.1", 22880))
for _ in range(100):
    queue = [line.split()[4] for line in open("/proc/net/tcp") if line.split()[1] == "0100007F:5960"]
    taken = [line for line in open("/proc/net/tcp") if line.split()[1] == "0100007F:5960" and line.split()[3] == "01"]
    if taken and queue:
        sys.exit(0)
    time.sleep(0.05)
sys.exit("the kernel did not take the connection")
'
	rm $nvmet/ports/1/subsystems/none
	rmdir $nvmet/ports/1 $nvmet/subsystems/none
	expect "connections, before and after" "$before" "$(state allow deny)"
	expect "attempts" "$attempts" "$(attempts allow) $(attempts deny)"
	expect "events" "$events" "$("$sockaccept" audit --all --json | wc -l)"
}

# hook_calls: prints how often the kernel called the hook, as a kprobe counts it, with those that the kprobe missed
hook_calls() {
	awk '$1 == "hook" { print $2 + $3 }' /sys/kernel/tracing/kprobe_profile
}

# run_crowd ACCEPTS: makes that many connections to many servers
run_crowd() {
	"$crowd" "$1" 23000 >counts || because "the crowd failed: $(cat counts)"
}

# crowd_served ACCEPTS: true if all servers and clients of the crowd agree; prints how many connections there were
crowd_served() {
	awk -v "each=$(($1 / 8))" '$4 != each || $6 != each { bad = 1 } { sum += $4 } END { print sum; exit bad || NR != 8 }' counts
}

# Each connection of many servers is counted once and has one event, and each call of the hook is counted.
every_accept_is_recorded() {
	unloaded
	load </dev/null
	accepts=${ACCEPTS:-16000}
	background follower "$sockaccept" audit --all --follow --json
	follower=$pid
	echo 'p:hook security_socket_accept' >/sys/kernel/tracing/kprobe_events
	echo 1 >/sys/kernel/tracing/events/kprobes/hook/enable
	before=$(hook_calls)
	run_crowd "$accepts"
	calls=$(($(hook_calls) - before))
	echo 0 >/sys/kernel/tracing/events/kprobes/hook/enable
	echo >/sys/kernel/tracing/kprobe_events
	cat counts
	expect "what servers and clients count" "$accepts" "$(crowd_served "$accepts")"
	expect "connections" "$accepts" "$(state allow)"
	unmediated=$(state unmediated)
	echo "$(state allow) connections and $(attempts allow) attempts, $unmediated unmediated, of $calls calls"
	expect "connections, attempts and unmediated calls" "$calls" $(($(state allow) + $(attempts allow) + unmediated))
	"$sockaccept" list --ports --json | tr '{' '\n' >ports
	for port in 23000 23002 23004 23005 23007; do
		expect "connections on $port" $((accepts / 8)) "$(grep "\"port\":$port,\"verdict\":\"allow\"" ports | value connections)"
	done
	until_true 30 grep -q "\"seq\":$((accepts - 1))," follower || because "the follower has no event $((accepts - 1)): $(tail -n 1 follower)"
	finish "$follower"
	expect "events that the follower got" "$accepts" "$(grep -c '"seq"' follower)"
	expect "events that it missed" 0 "$(grep -c missed follower || true)"
	judge '
peers = set()
for line in open("follower"):
    event = json.loads(line)
    peers.add((event["local"]["port"], event["peer"]["address"], event["peer"]["port"], event["seq"]))
    if event["count"] != 1 or event["comm"] != "crowd" or event["unit"] is not None:
        sys.exit("odd: " + line)
if len(peers) != int(sys.argv[1]):
    sys.exit("%d different events" % len(peers))
' "$accepts"
}

# consistent FILE: expects that no event is a mixture of two: each server of the crowd has its own port, way to accept and process
consistent() {
	judge '
processes, last = {}, -1
for line in open(sys.argv[1]):
    event = json.loads(line)
    if "missed" in event:
        continue
    port, protocol = event["local"]["port"], event["protocol"]
    if event["seq"] <= last or (protocol == "mptcp") != (port >= 23006) or (event["sockfd"] == -1) != (port in (23004, 23005)):
        sys.exit("torn: " + line)
    if processes.setdefault(port, event["pid"]) != event["pid"] or event["peer"]["address"] != "127.0.0.1":
        sys.exit("torn: " + line)
    last = event["seq"]
' "$1"
}

# got_and_missed FILE: prints the sum of events got and missed
got_and_missed() {
	sed -n 's/^{"schema":1,"missed":\([0-9]*\)}$/\1/p; s/^{"schema":1,"seq".*/1/p' "$1" | awk '{ sum += $1 } END { print sum + 0 }'
}

# Three readers of the smallest buffer, which is overwritten all the time, and one more that is stopped meanwhile.
readers_know_what_they_missed() {
	unloaded
	load <<-END
		[sockaccept]
		events = 64
	END
	accepts=${CROWD:-8000}
	readers=
	for reader in 1 2 3 stopped; do
		background reader$reader "$sockaccept" audit --all --follow --json
		readers="$readers $pid"
	done
	accepts 22999
	until_true 10 grep -q '"port":22999}' readerstopped || because "the reader doesn't read"
	kill -STOP "$pid"
	run_crowd "$accepts"
	expect "what servers and clients count" "$accepts" "$(crowd_served "$accepts")"
	kill -CONT "$pid"
	for reader in 1 2 3 stopped; do
		until_true 30 grep -q "\"seq\":$accepts," reader$reader || because "reader $reader has no event $accepts"
	done
	for pid in $readers; do
		finish "$pid"
	done
	for reader in 1 2 3 stopped; do
		expect "what reader $reader got and missed" $((accepts + 1)) "$(got_and_missed reader$reader)"
		sed -i '/"port":22999}/d' reader$reader
		consistent reader$reader
	done
	expect "what the stopped reader got" 64 "$(grep -c '"seq"' readerstopped)"
}

# The client has reset the connection before it is accepted.
reset_connection_has_its_port() {
	load </dev/null
	python3 -S -c '
import socket, struct, time
listener = socket.create_server(("127.0.0.1", 22990))
client = socket.create_connection(("127.0.0.1", 22990))
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
time.sleep(0.5)
listener.accept()
'
	"$sockaccept" audit --all --json --port 22990 | tail -n 1 >event
	grep -q '"local":{"address":"127.0.0.1","port":22990}' event || because "the event: $(cat event)"
}

# The buffer holds 1,024 events, and there are many more connections.
stopped_reader_counts_exactly() {
	unloaded
	load <<-END
		[sockaccept]
		events = 1024
	END
	background reader "$sockaccept" audit --all --follow --json
	accepts 22999
	until_true 10 grep -q '"port":22999}' reader || because "the reader doesn't read"
	kill -STOP "$pid"
	bursts=$((${ACCEPTS:-10000} / 2500))
	for _ in $(seq $bursts); do
		"$traffic" burst 22998 2500 >outcome
		expect "the connections" "22998 accepted 2500 denied 0 other 0" "$(cat outcome)"
	done
	kill -CONT "$pid"
	until_true 30 grep -q "\"seq\":$((bursts * 2500))," reader || because "the reader doesn't get to the end"
	finish "$pid"
	expect "events got" 1025 "$(grep -c '"seq"' reader)"
	expect "what it says it missed" "{\"schema\":1,\"missed\":$((bursts * 2500 - 1024))}" "$(grep missed reader)"
}

test_case spinner_makes_few_events
if [ "${BRIEF-}" != 2 ]; then
	test_case spinner_hides_nobody
	test_case forking_hides_nobody
	test_case namespace_has_its_owners_folds
	test_case user_has_so_many_folds
fi
test_case windows_double
test_case follower_closes_windows
test_case nobody_pushes_out_anothers_denials
test_case ids_share_nothing
test_case fold_says_only_what_is_so
test_case workers_keep_their_unit
test_case unit_names_obey_nothing
test_case waiting_call_is_recorded_when_it_ends
test_case permissive_denials_name_their_listener
test_case denial_has_the_peer_that_waits
test_case failed_call_is_an_attempt
test_case event_names_the_unit
test_case path_follows_rename
test_case kernel_accept_is_not_seen
test_case late_module_is_learned
test_case reset_connection_has_its_port
test_case unseen_end_is_recorded_by_the_next_reader
test_case every_accept_is_recorded
test_case buffers_have_the_size_that_is_set
if [ "${BRIEF-}" != 2 ]; then
	test_case readers_know_what_they_missed
	test_case stopped_reader_counts_exactly
fi
