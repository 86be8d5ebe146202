# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Denying harms nobody but who is denied: what waits on a denied listener is taken out and reset, and its new connections are refused.

: "${sockaccept:?}" "${work:?}" "${base:?}" "${probe:?}"
pid=

python=$(readlink -f "$(command -v python3)")

# A listener that accepts nothing until SIGUSR1 comes: then it waits for connections, and says what accept() returns, once a connection.
sleeper='
import select, signal, socket, sys
kind, port = sys.argv[1], int(sys.argv[2])
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
if "blocking" not in sys.argv:
    listener.setblocking(False)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
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

# A client that says nothing, and prints what becomes of it: served, reset, refused, closed, or timeout.
client='
import socket, sys
kind, port, patience = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
if kind == "vsock":
    s, to = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM), (1, port)
else:
    family = socket.AF_INET6 if kind == "inet6" else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM, {"mptcp": 262, "sctp": 132}.get(kind, 0))
    to = ("::1" if kind == "inet6" else "127.0.0.1", port)
s.settimeout(patience)
try:
    s.connect(to)
    print("connected", flush=True)
    print("served" if s.recv(10) else "closed")
except ConnectionResetError:
    print("reset")
except ConnectionRefusedError:
    print("refused")
except TimeoutError:
    print("timeout")
except OSError as error:
    print("error", error.errno)
'

# serve NAME KIND PORT [WORD]: in the background
serve() {
	name=$1
	shift
	background "$name" python3 -S -c "$sleeper" "$@"
	until_true 30 grep -q ready "$work/$name" || because "$*: $(cat "$work/$name.errors")"
}

# dial NAME KIND PORT [PATIENCE]: in the background
dial() {
	background "$1" python3 -S -c "$client" "$2" "$3" "${4:-60}"
}

# becomes NAME OUTCOME
becomes() {
	until_true 30 grep -qx "$2" "$work/$1" || because "client $1: expected $2, saw: $(tr '\n' ' ' <"$work/$1"; cat "$work/$1.errors")"
}

connected() {
	becomes "$1" connected
}

# outcome KIND PORT [PATIENCE]: of a client that comes now
outcome() {
	python3 -S -c "$client" "$1" "$2" "${3:-2}" | tail -n 1
}

# settings: the harness turns all of this off, if a policy doesn't say otherwise
denying() {
	cat >"$work/policy.ini" <<-END
		[sockaccept]
		judge-listen = no
		[it]
		binary = $python
		deny = 28000-28999
	END
	chmod 600 "$work/policy.ini"
}

allowing() {
	unloaded
	load <<-END
		[sockaccept]
		gate = yes
		drain = yes
	END
}

deny_resets_what_waits() {
	allowing
	serve server inet 28001
	server=$pid
	dial first inet 28001
	dial second inet 28001
	connected first
	connected second
	ctl deny "$python" 28001
	becomes first reset
	becomes second reset
	expect "drained" 2 "$(state drained)"
	"$sockaccept" audit --json | grep '"operation":"drained"' >event || because "no event of it"
	cat event
	expect "its verdict" deny "$(value verdict <event)"
	expect "its binary" "$python" "$(value binary <event)"
	"$sockaccept" listeners --json >said
	cat said
	"$sockaccept" listeners
	expect "another client" timeout "$(outcome inet 28001)"
	expect "gated" 1 "$([ "$(state gated)" -ge 1 ] && echo 1)"
	"$sockaccept" audit
	"$sockaccept" status
	ctl remove "$python" 28001
	kill -USR1 "$server"
	expect "when it is allowed again" served "$(outcome inet 28001)"
}

test_case deny_resets_what_waits
