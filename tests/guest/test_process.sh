# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows which binary a process is, however it came to run it (descriptor, loader, script, set-user-ID, threads, io_uring), and whoever made
# the listener or the ring.
# Fails if bpf/identity.bpf.h or bpf/process.bpf.h looks at another file than the executable, if bpf/caller.bpf.h takes the user or the
# binary from anything but the task that calls, or if a kernel runs io_uring requests in a task of another process.

: "${sockaccept:?}" "${carry:?}" "${outsider:?}" "${traffic:?}" "${work:?}"
pid=
allowed=$work/here/allowed
other=$work/here/other
# On a file system that honours set-user-ID, and outside /tmp.
outside=/srv/sockaccept-test

# two_binaries: copies one program twice, and loads a policy that allows one copy
two_binaries() {
	mkdir here
	cp "$carry" here/allowed
	cp "$carry" here/other
	load <<-END
		[sockaccept]
		default = deny
		[allowed]
		binary = $allowed
		allow = any
	END
}

# outcomes WANTED COMMAND...: expects these outcomes of all its accepts, on one line
outcomes() {
	outcome=$1
	shift
	seen=$("$@" | tr '\n' ' ') || true
	expect "$*" "$outcome" "${seen% }"
}

# denied_as BINARY: expects this binary in the newest denial
denied_as() {
	last_event >event
	expect "the event's binary" "$1" "$(value binary <event)"
}

# --- files

copy_is_another_binary() {
	two_binaries
	mkdir elsewhere
	cp here/allowed elsewhere/allowed
	outcomes accepted "$allowed" listen 22000 take
	outcomes EPERM "$work/elsewhere/allowed" listen 22001 take
	denied_as "$work/elsewhere/allowed"
	ctl allow "$work/elsewhere/allowed" 22002
	outcomes accepted "$work/elsewhere/allowed" listen 22002 take
}

# No rule can name it. Only a rule for `any` or the default lets it accept.
file_in_memory_is_no_binary() {
	two_binaries
	outcomes EPERM "$allowed" memfd "$allowed" listen 22010 take
	denied_as null
	expect "the event's hint" "/memfd:copy (deleted)" "$(value binary_hint <event)"
	outcomes accepted "$allowed" listen 22011 take
	ctl allow any 22012
	outcomes accepted "$allowed" memfd "$allowed" listen 22012 take
}

execution_by_descriptor_is_the_file() {
	two_binaries
	outcomes "EPERM accepted EPERM" "$other" listen 22020 take fexecve "$allowed" take fexecve "$other" take
	denied_as "$other"
	outcomes "EPERM accepted EPERM" "$other" listen 22021 take procfd "$allowed" take procfd "$other" take
	denied_as "$other"
}

# The kernel runs the loader, which maps the program like a library.
loader_is_the_binary() {
	two_binaries
	loader=$(ldd "$carry" | sed -n 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p')
	outcomes accepted "$allowed" listen 22030 take
	outcomes EPERM "$loader" "$allowed" listen 22031 take
	denied_as "$(realpath "$loader")"
	ctl allow "$loader" 22032
	outcomes accepted "$loader" "$allowed" listen 22032 take
}

# write_script: uses _socket, as Python's socket module takes seconds to import on an emulated CPU
write_script() {
	cat >here/script <<-'END'
		#!/usr/bin/python3 -SE
		import _socket, sys
		listener = _socket.socket()
		listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
		listener.bind(("127.0.0.1", int(sys.argv[1])))
		listener.listen()
		client = _socket.socket()
		client.connect(listener.getsockname())
		client.send(b"x")
		try:
		    connection = _socket.socket(fileno=listener._accept()[0])
		    print("accepted" if connection.recv(1) == b"x" else "nothing came through")
		except PermissionError:
		    print("EPERM")
	END
	chmod 755 here/script
}

script_is_its_interpreter() {
	mkdir here
	write_script
	load <<-END
		[script]
		binary = $work/here/script
		deny = any
	END
	outcomes accepted here/script 22040
	load <<-END
		[sockaccept]
		default = deny
		[script]
		binary = $work/here/script
		allow = any
	END
	outcomes EPERM here/script 22041
	denied_as "$(realpath /usr/bin/python3)"
	expect "hits of the script's rule" 0 "$(hits here/script)"
	ctl allow /usr/bin/python3 22042
	outcomes accepted here/script 22042
}

set_user_id_counts() {
	rm -rf $outside
	mkdir -p $outside
	cp "$carry" $outside/allowed
	cp "$carry" $outside/other
	chmod 4755 $outside/allowed $outside/other
	load <<-END
		[sockaccept]
		default = deny
		[allowed]
		binary = $outside/allowed
		user = root
		allow = any
	END
	outcomes accepted "$outsider" $outside/allowed listen 22050 take
	outcomes EPERM "$outsider" $outside/other listen 22051 take
	denied_as $outside/other
	expect "the event's user" 0 "$(value uid <event)"
	chmod 755 $outside/allowed
	outcomes EPERM "$outsider" $outside/allowed listen 22052 take
	denied_as $outside/allowed
	expect "the event's user" 65534 "$(value uid <event)"
	outcomes accepted $outside/allowed listen 22053 take
	rm -r $outside
}

# The same file under another name: the name by which it was executed decides (test_executed.sh tests more of that).
hard_link_is_another() {
	two_binaries
	ln here/allowed here/link
	outcomes accepted "$allowed" listen 22060 take
	outcomes EPERM here/link listen 22061 take
	denied_as "$work/here/link"
	outcomes accepted "$allowed" listen 22062 take
	outcomes EPERM "$other" listen 22063 take
	denied_as "$other"
}

# --- processes

each_execution_is_judged_anew() {
	two_binaries
	outcomes "EPERM accepted EPERM accepted" "$other" listen 22100 take "$allowed" take "$other" take "$allowed" take
	denied_as "$other"
	outcomes "EPERM accepted EPERM" "$other" listen 22101 take vfork "$allowed" take vfork "$other" take
	denied_as "$other"
}

threads_are_their_process() {
	two_binaries
	outcomes "accepted accepted accepted" "$allowed" listen 22110 threads 3
	outcomes "EPERM EPERM EPERM" "$other" listen 22111 threads 3
	denied_as "$other"
	outcomes "accepted EPERM" "$allowed" listen 22112 take thread "$other" take
	denied_as "$other"
	outcomes "EPERM accepted" "$other" listen 22113 take thread "$allowed" thread take
}

# It doesn't matter who made a listener.
listener_changes_hands() {
	two_binaries
	outcomes "accepted EPERM accepted" "$allowed" listen 22120 take fork "$other" take fork "$allowed" take
	denied_as "$other"
	outcomes "accepted EPERM" "$allowed" listen 22121 take pass listener "$other" receive listener take
	denied_as "$other"
	outcomes "EPERM accepted" "$other" listen 22122 take pass listener "$allowed" receive listener take
}

# --- io_uring

# The process that calls io_uring_enter() is judged, even if a worker of the kernel does the accept: workers belong to a process.
ring_is_judged_by_who_submits() {
	two_binaries
	outcomes "accepted accepted EPERM EPERM" "$allowed" listen 22200 ring submit async fork "$other" ring submit async
	denied_as "$other"
	outcomes "EPERM EPERM accepted accepted" "$other" listen 22201 ring submit async fork "$allowed" ring submit async
	outcomes "accepted EPERM" "$allowed" listen 22202 ring submit "$other" ring submit
	denied_as "$other"
	outcomes "EPERM accepted" "$other" listen 22203 ring submit "$allowed" ring submit
}

# The polling thread belongs to the process that made the ring, so that process is judged, whoever submits. The maker also gets what is
# accepted: the descriptor is in its table. The thread ends when its process executes another file, and the ring with it.
polled_ring_is_judged_as_its_maker() {
	two_binaries
	outcomes "accepted accepted elsewhere" "$allowed" listen 22210 sqpoll submit fork "$other" sqpoll submit
	outcomes "EPERM EPERM" "$other" listen 22211 sqpoll submit fork "$allowed" sqpoll submit
	denied_as "$other"
	outcomes "accepted error EOWNERDEAD" "$allowed" listen 22212 sqpoll submit "$other" sqpoll submit
}

ring_cannot_be_sent() {
	two_binaries
	outcomes "accepted not passed: EINVAL" "$allowed" listen 22220 ring submit \
		pass ring "$other" receive ring ring submit
	outcomes "accepted accepted" "$allowed" listen 22221 take pass listener "$allowed" receive listener take
}

# A request can use the credentials of a user that its process is or was, if they were registered at that time.
ring_has_the_users_it_registered() {
	mkdir here
	cp "$carry" here/allowed
	load <<-END
		[sockaccept]
		default = deny
		[allowed]
		binary = $allowed
		user = 4242
		allow = any
	END
	outcomes "EPERM accepted EPERM accepted" "$allowed" listen 22230 ring submit as 4242 submit as 0 submit as 4242 async
	expect "the event's user" 0 "$("$sockaccept" audit --json --port 22230 | head -n 1 | value uid)"
	outcomes "EPERM accepted EPERM" "$allowed" listen 22231 sqpoll submit as 4242 submit as 4243 submit
	expect "the event's user" 4243 "$("$sockaccept" audit --json --port 22231 | tail -n 1 | value uid)"
}

# --- a mount namespace

# with_private_tmp COMMAND...: replaces this shell by the command, as in a service with PrivateTmp=
with_private_tmp() {
	exec busybox unshare -m busybox sh -c 'busybox mount -t tmpfs private /tmp && exec "$@"' sh "$@"
}

# in_service COMMAND...: runs it in the mount namespace of the service that runs
in_service() {
	busybox nsenter -t "$pid" -m "$@"
}

service_has_its_rule() {
	rm -rf $outside
	mkdir -p $outside
	cp "$traffic" $outside/server
	cp "$carry" $outside/other
	load <<-END
		[sockaccept]
		default = deny
		[server]
		binary = $outside/server
		allow = any
	END
	background service with_private_tmp $outside/server serve 22300
	wait_listening 22300
	! in_service busybox test -e "$work" || because "the service sees this machine's /tmp"
	outcomes "served 1 unserved 0 failed 0" "$traffic" connect 22300 1

	outcomes EPERM in_service $outside/other listen 22301 take
	cp "$carry" $outside/new
	mv $outside/new $outside/server
	outcomes "served 1 unserved 0 failed 0" "$traffic" connect 22300 1
	outcomes accepted in_service $outside/server listen 22302 take
	outcomes accepted with_private_tmp $outside/server listen 22303 take
	outcomes EPERM in_service $outside/other listen 22304 take
	ctl deny $outside/server 22305
	outcomes EPERM in_service $outside/server listen 22305 take
	denied_as $outside/server
	finish "$pid"
	rm -r $outside
}

test_case copy_is_another_binary
test_case file_in_memory_is_no_binary
test_case execution_by_descriptor_is_the_file
test_case loader_is_the_binary
test_case script_is_its_interpreter
test_case set_user_id_counts
test_case hard_link_is_another
test_case each_execution_is_judged_anew
test_case threads_are_their_process
test_case listener_changes_hands
test_case ring_is_judged_by_who_submits
test_case polled_ring_is_judged_as_its_maker
test_case ring_cannot_be_sent
test_case ring_has_the_users_it_registered
test_case service_has_its_rule
