# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a listener can't be moved to another port under a thread that waits in accept(2), and how listeners without a port are judged.
# Fails if bpf/listened.bpf.h forgets where a socket listened first, if bpf/listen.bpf.h lets a bind(2) or listen(2) elsewhere through, if
# is_idle() in bpf/listener.bpf.h is wrong, or if a kernel itself treats a second bind(2) or listen(2) of a socket differently.

: "${sockaccept:?}" "${moved:?}" "${early:?}" "${probe:?}" "${work:?}" "${base:?}"

# moves FAMILY FROM HOW TO WANTED: moves a listener between ports in this way, and expects this
moves() {
	for _ in 1 2 3 4 5 6; do
		seen=$(as_nobody "$moved" "$1" "$2" "$3" "$4") || true
		# The thread was so fast that it saw the listener stopped: try again.
		[ "$seen" = "listens, EINVAL" ] || break
	done
	expect "moved $1 $2 $3 $4" "$5" "$seen"
}

deny_some() {
	load <<-END
		[some]
		binary = any
		deny = 24110-24119
	END
}

# moved_listener FAMILY
moved_listener() {
	unloaded
	moves "$1" 24100 shutdown 24110 "EINVAL, EINVAL"
	deny_some
	moves "$1" 0 shutdown 24110 "EPERM, EINVAL"
	expect "moves that were refused" 1 "$(state moves_refused)"
	# A listener that isn't moved goes on.
	moves "$1" 24101 stay 24101 "listens, accepted on 24101"
	is_denied 24110
	accepts 24101
}

# The attack: from a port that the kernel chose to one that is denied, by both ways to undo a listen(2). It works without a policy.
denied_port_cannot_be_moved_to() {
	unloaded
	moves inet 0 shutdown 24111 "listens, accepted on 24111"
	moves inet 0 connect 24111 "listens, accepted on 24111"
	moves mptcp 0 shutdown 24111 "listens, accepted on 24111"
	deny_some
	moves inet 0 shutdown 24111 "EPERM, EINVAL"
	moves inet 0 connect 24111 "EPERM, EINVAL"
	moves inet6 0 shutdown 24111 "EPERM, EINVAL"
	moves mptcp 0 shutdown 24111 "EPERM, EINVAL"
	"$sockaccept" audit --json >events
	grep '"operation":"listen"' events >refused || because "no event of it: $(cat events)"
	expect "its port" 24111 "$(head -n 1 refused | sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/')"
	expect "its reason" moved "$(head -n 1 refused | value reason)"
	expect "its peer" null "$(head -n 1 refused | value peer)"
	"$sockaccept" audit --all --verdict allow --json >allowed
	! grep '"port":2411[0-9]' allowed || because "an allowed connection on a denied port"
	ctl mode permissive
	moves inet 0 shutdown 24112 "listens, accepted on 24112"
	"$sockaccept" audit --all --json >events
	grep '"verdict":"allow"' events | grep -q '"port":24112}' || because "the connection isn't recorded with its own port: $(tail -n 2 events)"
	ctl mode enforce
	is_denied 24113
	accepts 24101
}

# Sockets that have listened listen again, each way on its own line with what each call returned. Argument: a port that no policy denies.
anew='
import _socket, array, errno, os, struct, sys
free = int(sys.argv[1])
def said(call, *arguments):
    try:
        call(*arguments)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
def socket(family=2, protocol=0):
    return _socket.socket(family, 1, protocol)
def stopped(s, port=0):
    s.bind(("127.0.0.1", port))
    s.listen(5)
    port = s.getsockname()[1]
    s.shutdown(2)
    return port
def accept(s):
    host, port = s.getsockname()[:2]
    client = socket(s.family, s.proto)
    client.connect((host, port))
    os.close(s._accept()[0])
def fits(s, length):
    code = array.array("B", struct.pack("HBBI", 0, 0, 0, 0) * length + struct.pack("HBBI", 6, 0, 0, 0x40000))
    try:
        s.setsockopt(1, 26, struct.pack("HxxxxxxQ", length + 1, code.buffer_info()[0]))
        return True
    except OSError:
        return False
def fill(s):
    "With the longest filter that there is room for. One that is replaced would take its own meanwhile."
    low, high = 1, 4095
    while low < high:
        middle = (low + high + 1) // 2
        if fits(s, middle):
            s.setsockopt(1, 27, 0)
            low = middle
        else:
            high = middle - 1
    if low == 4095 or not fits(s, low):
        sys.exit("the room could not be used up")

for protocol, name in (0, "tcp"), (132, "sctp"):
    s = socket(2, protocol)
    s.bind(("127.0.0.1", free + 6))
    fill(s)
    full = said(s.listen, 5)
    s.setsockopt(1, 27, 0)
    print(name, "no room", full, "with room", said(s.listen, 5), said(accept, s))
    s.close()

for protocol, name, first in (0, "tcp", free), (262, "mptcp", free + 3):
    s = socket(2, protocol)
    stopped(s)
    print(name, "elsewhere", said(s.bind, ("127.0.0.1", first)))
    s = socket(2, protocol)
    stopped(s)
    print(name, "anywhere", said(s.bind, ("127.0.0.1", 0)))
    s = socket(2, protocol)
    stopped(s)
    print(name, "without bind", said(s.listen, 5))
    s = socket(2, protocol)
    stopped(s, first + 1)
    print(name, "still bound", said(s.bind, ("127.0.0.1", first + 2)), said(s.listen, 6), said(accept, s))
    s.close()
    s = socket(2, protocol)
    port = stopped(s)
    print(name, "the same", said(s.bind, ("127.0.0.1", port)), said(s.listen, 5), said(accept, s))

s = socket(2, 132)
s.bind(("127.0.0.1", free))
s.listen(5)
stop = said(s.listen, 0)
print("sctp stop", stop, "elsewhere", said(s.bind, ("127.0.0.1", free + 1)), "again", said(s.listen, 5), said(accept, s))

s = socket(40)
s.bind((1, free))
s.listen(5)
print("vsock stop", said(s.shutdown, 2), said(s.connect, (1, free + 1)), "elsewhere", said(s.bind, (1, free + 1)), "again", said(s.listen, 6), said(accept, s))
'

# listening_anew FILE PORT: runs that as an ordinary user, and expects what is in the file. Some kernels want CAP_NET_ADMIN for a filter of
# a TCP socket.
listening_anew() {
	as_nobody --inh-caps +net_admin --ambient-caps +net_admin python3 -S -c "$anew" "$2" >seen || because "it failed: $(tail -n 1 "$base/output")"
	cmp -s "$1" seen || because "listening anew isn't $1: $(diff "$1" seen)"
}

# accepting_early OUTCOME PORT: a thread calls accept() before the socket has a port; expects this. Tries again if, on a busy machine, the
# calls didn't wait for each other in time; and, where the attack is to be shown, if the thread got the lock of the socket too early.
accepting_early() {
	for _ in 1 2 3 4 5 6; do
		seen=$("$early" "$2") || true
		case $1:$seen in
		*:'not tried'* | 'listens, accepted on'*:'listens, EINVAL') ;;
		*) break ;;
		esac
	done
	expect "a thread in accept() before its socket has a port" "$1" "$seen"
}

# Compares what the kernel itself allows with what is refused. The kernel refuses all moves of SCTP and VSOCK: an SCTP socket keeps its port
# when it stops listening (listen(2) without a backlog), and a VSOCK socket can't stop.
listener_stays_with_its_port() {
	unloaded
	room=$(sysctl -n net.core.optmem_max)
	sysctl -q net.core.optmem_max=20480
	cat >plain <<-END
		tcp no room ok with room ok ok
		sctp no room ok with room ok ok
		tcp elsewhere ok
		tcp anywhere ok
		tcp without bind ok
		tcp still bound EINVAL ok ok
		tcp the same ok ok ok
		mptcp elsewhere ok
		mptcp anywhere ok
		mptcp without bind ok
		mptcp still bound EINVAL ok ok
		mptcp the same ok ok ok
		sctp stop ok elsewhere EINVAL again ok ok
		vsock stop ENOTCONN EINVAL elsewhere EINVAL again ok ok
	END
	cat >refused <<-END
		tcp no room ENOMEM with room ok ok
		sctp no room ENOMEM with room ok ok
		tcp elsewhere EPERM
		tcp anywhere EPERM
		tcp without bind EPERM
		tcp still bound EPERM ok ok
		tcp the same ok ok ok
		mptcp elsewhere EPERM
		mptcp anywhere EPERM
		mptcp without bind EPERM
		mptcp still bound EPERM ok ok
		mptcp the same ok ok ok
		sctp stop ok elsewhere EPERM again ok ok
		vsock stop ENOTCONN EINVAL elsewhere EINVAL again ok ok
	END
	listening_anew plain 24140
	accepting_early "listens, accepted on 24116" 24116
	deny_some
	ctl mode permissive
	listening_anew plain 24150
	expect "what would be refused" 2 "$(state moves_refused)"
	accepting_early "listens, accepted on 24117" 24117
	ctl mode enforce
	listening_anew refused 24160
	expect "what was refused" 13 "$(state moves_refused)"
	"$sockaccept" audit --json --port 24160 >events
	grep '"reason":"moved"' events | grep -q '"operation":"listen"' || because "no event of a bind() to another port: $(cat events)"
	accepting_early "listens, EINVAL" 24118
	is_denied 24119
	accepts 24101
	sysctl -q net.core.optmem_max="$room"
}

# A socket that listened before the policy came.
listener_from_before_cannot_be_moved() {
	unloaded
	mkfifo pipe
	python3 -S -c '
import _socket, sys
s = _socket.socket()
s.listen(5)
print("ready", flush=True)
sys.stdin.readline()
s.shutdown(2)
try:
    s.bind(("127.0.0.1", 24113))
    s.listen(5)
    print("listens", flush=True)
except OSError as error:
    print(error.errno, flush=True)
' <pipe >said-by-it 2>&1 &
	echo $! >>"$base/pids"
	exec 7>pipe
	until_true 20 grep -q ready said-by-it || because "no listener: $(cat said-by-it)"
	deny_some
	echo >&7
	until_true 20 grep -q '^[0-9l]' said-by-it || because "nothing came of it"
	exec 7>&-
	expect "listen() elsewhere" 1 "$(tail -n 1 said-by-it)"
}

# accept() on a socket that doesn't listen returns what it returns without a policy.
what_does_not_listen_is_as_ever() {
	unloaded
	ask='
import _socket, errno
for family, kind, protocol in (2, 1, 0), (10, 1, 0), (2, 2, 0), (2, 1, 262), (2, 1, 132), (2, 5, 132), (40, 1, 0), (1, 1, 0):
    try:
        s = _socket.socket(family, kind, protocol)
        s._accept()
    except OSError as error:
        print(family, kind, protocol, errno.errorcode[error.errno])
'
	python3 -S -c "$ask" >before
	deny_some
	python3 -S -c "$ask" >after
	cmp -s before after || because "expected $(tr '\n' ' ' <before), saw $(tr '\n' ' ' <after)"
	deny_all
	python3 -S -c "$ask" >denied
	expect "denied" "EPERM EPERM EPERM EPERM EPERM EPERM EPERM EINVAL" "$(sed 's/.* //' denied | tr '\n' ' ' | sed 's/ $//')"
}

# DCCP has ports, but isn't SOCK_STREAM.
dccp_is_judged() {
	modprobe dccp_ipv4 2>/dev/null || skip "this kernel has no DCCP"
	unloaded
	ask='
import socket, sys
def make():
    s = socket.socket(socket.AF_INET, 6, 33)
    s.setsockopt(269, 2, b"\0\0\0\1")
    return s
port = int(sys.argv[1])
s = make(); s.bind(("127.0.0.1", port)); s.listen(5)
c = make(); c.connect(("127.0.0.1", port))
s.settimeout(10)
try:
    s.accept()
    print("accepted")
except PermissionError:
    print("EPERM")
'
	expect "without a policy" accepted "$(python3 -c "$ask" 24120)"
	deny_all
	expect "denied" EPERM "$(python3 -c "$ask" 24121)"
	last_event >event
	grep -q '"family":"inet","protocol":"dccp","local":{"address":"127.0.0.1","port":24121}' event || because "its event: $(cat event)"
	ctl allow any 24122
	expect "allowed by its port" accepted "$(python3 -c "$ask" 24122)"
	expect "another port" EPERM "$(python3 -c "$ask" 24123)"
}

# portless FAMILY NAME TYPE MODULE BIND: expects that only rules for the port `any` match. BIND is a line of Python that binds the socket
# `s`.
portless() {
	modprobe "$4" 2>/dev/null || true
	ask="
import ctypes, socket, errno, sys
libc = ctypes.CDLL(None, use_errno=True)
try:
    s = socket.socket($1, $3, 0)
    $5
    s.listen(5)
except OSError as error:
    print('none', error)
    sys.exit()
s.setblocking(False)
if 'wait' in sys.argv:
    print('listens', flush=True)
    sys.stdin.readline()
print('accepted' if libc.accept(s.fileno(), None, None) >= 0 else errno.errorcode[ctypes.get_errno()])
"
	unloaded
	first=$(python3 -c "$ask")
	case $first in
	none*) return 1 ;;
	EAGAIN) ;;
	*) because "$2 without a policy: $first" ;;
	esac
	load <<-END
		[one]
		binary = any
		deny = 1-65535
	END
	expect "$2, where all ports are denied" EAGAIN "$(python3 -c "$ask")"
	deny_all
	expect "$2, by default" EPERM "$(python3 -c "$ask")"
	last_event >event
	expect "the event's family" "$2" "$(value family <event)"
	grep -q '"local":{"address":null,"port":null},"peer":null' event || because "the event of $2 has a port: $(cat event)"
	mkfifo "pipe-$2"
	python3 -c "$ask" wait <"pipe-$2" >"waits-$2" 2>&1 &
	echo $! >>"$base/pids"
	exec 8>"pipe-$2"
	until_true 20 grep -q listens "waits-$2" || because "$2 doesn't listen: $(cat "waits-$2")"
	"$sockaccept" listeners >said
	grep -q "$2" said || because "listeners doesn't show $2: $(cat said)"
	ctl allow "$(realpath "$(command -v python3)")" any
	echo >&8
	exec 8>&-
	until_true 20 grep -q '^E' "waits-$2" || because "nothing came of $2"
	expect "$2, when allowed" EAGAIN "$(tail -n 1 "waits-$2")"
}

families_without_ports_are_judged() {
	tried=
	if portless 30 tipc 1 tipc "s.bind((1, 18888, 1, 5))"; then tried="$tried tipc"; fi
	if portless 31 bluetooth 5 bluetooth "s.bind(b'') if False else None"; then tried="$tried bluetooth"; fi
	if portless 43 smc 1 smc "s.bind(('127.0.0.1', 24130)) if False else None"; then tried="$tried smc"; fi
	echo "tried:$tried"
	case $tried in
	*tipc*) ;;
	*) because "this kernel has none of them: $tried" ;;
	esac
	# AF_UNIX passes.
	deny_all
	expect_outcomes accepted unix accept 24131
}

for family in inet inet6; do
	test_case "moved_listener_$family" moved_listener $family
done
test_case denied_port_cannot_be_moved_to
test_case listener_stays_with_its_port
test_case listener_from_before_cannot_be_moved
test_case what_does_not_listen_is_as_ever
test_case dccp_is_judged
test_case families_without_ports_are_judged
