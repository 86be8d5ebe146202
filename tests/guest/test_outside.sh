# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows what is out of scope: connections that come about, or change hands, without an accept(2) of the binary that uses them.
# Fails if a program in bpf/ begins to refuse or count these, or if a kernel begins to call security_socket_accept() for them. Then
# sockaccept(7) has to change too.

: "${sockaccept:?}" "${traffic:?}" "${work:?}"
pid=

# outside SCRIPT [PORT]: runs python3, which the policy denies. It prints "connected" or "received" if data comes through all the same
outside() {
	seen=$(timeout 20 python3 -S -c "import os, socket, sys
$1" "${2-}" 2>&1) || true
}

# denied_python PORT OUTCOME: expects this of an accept() of python3
denied_python() {
	outside 'l = socket.create_server(("127.0.0.1", int(sys.argv[1])))
c = socket.create_connection(l.getsockname())
try: l.accept(); print("accepted")
except PermissionError: print("EPERM")' "$1"
	expect "an accept() of python3" "$2" "$seen"
}

# Two ends connect to each other at the same time. On one machine a socket can do that with itself.
simultaneous_open_is_not_seen() {
	denied_python 22400 accepted
	deny_all
	denied_python 22400 EPERM
	before=$(state allow deny)
	outside 's = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.connect(s.getsockname())
s.sendall(b"x")
print("connected" if s.recv(1) == b"x" else "not")' 22401
	expect "a simultaneous open" connected "$seen"
	expect "decisions" "$before" "$(state allow deny)"
	ctl allow "$(readlink -f /usr/bin/python3)" 22400
	denied_python 22400 accepted
}

datagrams_are_not_seen() {
	deny_all
	denied_python 22410 EPERM
	outside 's = socket.socket(type=socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", s.getsockname())
print("received" if s.recv(1) == b"x" else "not")' 22411
	expect "a datagram" received "$seen"
}

# A socket with many associations delivers messages, never connections.
one_to_many_sctp_is_not_seen() {
	deny_all
	denied_python 22420 EPERM
	outside 'try: s = socket.socket(socket.AF_INET, socket.SOCK_SEQPACKET, 132)
except OSError as e: sys.exit(print("no SCTP:", e))
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
c = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 132)
c.connect(s.getsockname())
c.sendall(b"x")
print("received" if s.recv(1) == b"x" else "not")' 22421
	case $seen in
	'no SCTP'*) skip "this kernel has $seen" ;;
	esac
	expect "a message over SCTP" received "$seen"
}

# An allowed program passes what it accepted to one that may not.
accepted_connection_can_be_passed_on() {
	denied=$(readlink -f /usr/bin/python3)
	cp "$denied" allowed
	deny_all
	denied_python 22430 EPERM
	ctl allow "$work/allowed" 22430
	denied_python 22430 EPERM
	# The copy accepts, and starts /usr/bin/python3, which has the connection in the end.
	seen=$(timeout 20 "$work/allowed" -S -c "import os, socket, sys
l = socket.create_server(('127.0.0.1', 22430))
c = socket.create_connection(l.getsockname())
s = l.accept()[0]
c.sendall(b'x')
os.set_inheritable(s.fileno(), True)
os.execv('$denied', ['$denied', '-S', '-c', 'import os, sys; print(os.readlink(\"/proc/self/exe\"), os.read(int(sys.argv[1]), 1).decode())', str(s.fileno())])" 2>&1) || true
	expect "who reads from the accepted connection" "$denied x" "$seen"
}

# trace PID USER: prints what ptrace(2) returns to a process of this user
trace() {
	setpriv --reuid="$2" --regid="$2" --clear-groups python3 -S -c 'import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
pid = int(sys.argv[1])
attached = libc.ptrace(16, pid, 0, 0) # PTRACE_ATTACH
if attached == 0: os.waitpid(pid, 0x40000000)
print("traced" if attached == 0 else os.strerror(ctypes.get_errno()))' "$1" 2>&1 || true
}

# Whoever traces a process can make it do anything. Its own user can trace it, another can't.
own_user_can_trace() {
	cp "$traffic" allowed
	deny_all
	denied_python 22440 EPERM
	ctl allow "$work/allowed" 22440
	background server setpriv --reuid=65534 --regid=65534 --clear-groups ./allowed serve 22440
	wait_listening 22440
	expect "a process of another user that traces it" "Operation not permitted" "$(trace "$pid" 65533)"
	expect "a process of its user that traces it" traced "$(trace "$pid" 65534)"
	"$traffic" connect 22440 1 >client || true
	expect "a client of it" "served 1 unserved 0 failed 0" "$(cat client)"
}

test_case simultaneous_open_is_not_seen
test_case datagrams_are_not_seen
test_case one_to_many_sctp_is_not_seen
test_case accepted_connection_can_be_passed_on
test_case own_user_can_trace
