# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that a change names the servers that it denies, and refuses to deny the sshd by which the administrator came in.
# Fails if enforce/change/denied_listeners.c names too many or too few, if way_in.c doesn't find the connection, or if lockout.c forgets a
# way to lock out: the end of a temporary rule, `mode enforce`, a policy on trial.

: "${sockaccept:?}" "${traffic:?}" "${work:?}"
pid=

newly_denied_are_named() {
	deny_all
	ctl allow "$traffic" 23031-23039
	serve server 23031
	ctl deny "$traffic" 23032
	! grep -q 'listens on' said || because "named without need: $(cat said)"
	ctl deny "$traffic" 23031
	expect_said "warning: $traffic listens on 127.0.0.1:23031/tcp (pid $pid, user 0), which the new policy denies"
	ctl deny "$traffic" any
	! grep -q 'listens on' said || because "it was denied already: $(cat said)"
	ctl mode permissive
	ctl mode enforce
	expect_said "listens on 127.0.0.1:23031/tcp"
}

# start_nginx: starts a master as root and two workers as daemon, who share two sockets
start_nginx() {
	cat >nginx.conf <<-END
		daemon off;
		user daemon;
		worker_processes 2;
		events {}
		error_log $work/nginx.errors;
		pid $work/nginx.pid;
		http {
			access_log off;
			server {
				listen 23041;
				listen [::]:23041;
			}
		}
	END
	mkdir -p /var/log/nginx /var/lib/nginx/body
	background nginx nginx -c "$work/nginx.conf"
	wait_listening 23041
	until_true 20 has_workers || because "nginx has no 2 workers"
}

has_workers() {
	[ "$(pgrep -c -u daemon nginx)" -eq 2 ]
}

one_line_for_a_server() {
	load <<-END
		[web]
		binary = /usr/sbin/nginx
		allow = any
	END
	start_nginx
	worker=$(pgrep -u daemon nginx | sort -n | head -n 1)
	places='/usr/sbin/nginx listens on 0.0.0.0:23041/tcp, [::]:23041/tcp'
	# all of them
	ctl deny /usr/sbin/nginx 23041
	expect_said "warning: $places (pids $pid, $worker and 1 more, users 0, 1), which the new policy denies"
	expect "lines" 1 "$(grep -c 'listens on' said)"
	ctl allow /usr/sbin/nginx 23041
	# The workers, who accept, and not the master, who has the sockets too.
	write_policy workers.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[web]
		binary = /usr/sbin/nginx
		user = root
		allow = 23041
	END
	ctl load workers.ini
	expect_said "warning: $places (pid $worker and 1 more, user 1), which the new policy denies; others who have the socket too stay allowed"
	expect "lines" 1 "$(grep -c 'listens on' said)"
	# Those who are denied already aren't named again.
	ctl load workers.ini
	! grep -q 'listens on' said || because "named without need: $(cat said)"
	# by a command
	ctl allow /usr/sbin/nginx 23041 --user daemon
	ctl deny /usr/sbin/nginx 23041 --user daemon
	expect_said "(pid $worker and 1 more, user 1), which the new policy denies; others"
	ctl mode permissive
	ctl mode enforce
	expect_said "(pid $worker and 1 more, user 1), which the new policy denies; others"
	ctl allow /usr/sbin/nginx 23041 --user daemon
	mkdir -p /etc/sockaccept/policy.d
	cp workers.ini /etc/sockaccept/policy.ini
	ctl deny /usr/sbin/nginx 23041 --user daemon --save
	expect_said "(pid $worker and 1 more, user 1), which the new policy denies; others"
	rm -r /etc/sockaccept
	finish "$pid"
}

# The first thread of the process has ended, and another one listens. It can still be looked at.
first_thread_has_ended() {
	load </dev/null
	background python python3 -S -c '
import ctypes, socket, threading, time
s = socket.socket()
s.bind(("127.0.0.1", 23051))
s.listen()
threading.Thread(target=lambda: time.sleep(600)).start()
ctypes.CDLL(None).syscall(60, 0)'
	wait_listening 23051
	until_true 20 sh -c "! readlink /proc/$pid/exe" || because "the first thread goes on"
	deny_all
	expect_said "listens on 127.0.0.1:23051/tcp (pid $pid, user 0), which the new policy denies"
	! grep -q cap_sys_ptrace said || because "root with all capabilities is told to get one: $(cat said)"
	ctl listeners
	grep -q "23051/tcp .*python" said || because "listeners: $(grep 23051 said)"
}

# Listeners come and go while the list is made.
listeners_that_end_are_not_unknown() {
	for name in fleeting transient; do
		background $name python3 -S -c '
import os, socket
while True:
    if not os.fork():
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen()
        os._exit(0)
    os.wait()'
	done
	for _ in $(seq 1 8); do
		deny_all
		! grep -q cap_sys_ptrace said || because "root with all capabilities is told to get one: $(cat said)"
		load </dev/null
	done
}

# start_sshd: starts it, with a key for root
start_sshd() {
	mkdir -p /run/sshd /root/.ssh
	ssh-keygen -q -t ed25519 -N '' -f hostkey
	ssh-keygen -q -t ed25519 -N '' -f key
	cp key.pub /root/.ssh/authorized_keys
	chmod 700 /root/.ssh
	chmod 600 hostkey key /root/.ssh/authorized_keys
	printf 'UsePAM no\nStrictModes no\nPermitRootLogin yes\nHostKey %s\nPidFile none\n' "$work/hostkey" >sshd.conf
	background sshd /usr/sbin/sshd -D -e -p 23022 -f "$work/sshd.conf"
	wait_listening 23022
}

# over_ssh COMMAND: runs it as an administrator who came over SSH. All are sessions of one connection, as making one takes seconds.
over_ssh() {
	timeout 60 ssh -p 23022 -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o ControlMaster=auto -o ControlPath="$work/control" -o ControlPersist=60 root@127.0.0.1 "$@"
}

# comes_in [SECONDS]: true if sshd accepts another connection within that time (default 20)
comes_in() {
	# shellcheck disable=SC2016 # bash expands it
	timeout "${1:-20}" bash -c 'read -r -n 4 said </dev/tcp/127.0.0.1/23022; [ "$said" = SSH- ]'
}

# write_attempts: writes a script that tries all commands in one session, as each session takes seconds, and prints the result of each
write_attempts() {
	write_policy locked.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
	END
	write_policy open.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[ssh]
		binary = /usr/sbin/sshd
		allow = 23022
	END
	cat >attempts <<-END
		try() { what=\$1; shift; "\$@" >attempt 2>&1; echo "\$what: \$? \$(grep -c 'this would lock you out' attempt)"; }
		cd $work
		try 'first load' $sockaccept load locked.ini
		try open $sockaccept load open.ini
		try deny $sockaccept deny /usr/sbin/sshd 23022
		try remove $sockaccept remove /usr/sbin/sshd
		try load $sockaccept load locked.ini
		try bare env -i sh -c 'env -i $sockaccept remove /usr/sbin/sshd; exit \$?'
		try other $sockaccept allow /usr/sbin/sshd 23023
		try temporary $sockaccept allow /usr/sbin/sshd 23022 --for 1h
		try 'when it ends' $sockaccept load locked.ini
		try 'between two' $sockaccept deny /usr/sbin/sshd any --for 2h
		try trial $sockaccept load --force --confirm 600 locked.ini
		try 'during it' $sockaccept load locked.ini
		try unload $sockaccept unload
		try permissive $sockaccept load --force locked.ini
		try permissive $sockaccept mode permissive
		try enforce $sockaccept mode enforce
		try force $sockaccept mode enforce --force
	END
}

nobody_locks_himself_out() {
	unloaded
	start_sshd
	write_attempts
	expect_status 0 over_ssh sh "$work/attempts"
	expect "what came of it" "first load: 1 1 open: 0 0 deny: 1 1 remove: 1 1 load: 1 1 bare: 1 1 other: 0 0 temporary: 0 0 when it ends: 1 1 between two: 1 1 trial: 0 0 during it: 1 1 unload: 0 0 permissive: 0 0 permissive: 0 0 enforce: 1 1 force: 0 0" \
		"$(tr '\n' ' ' <said | sed 's/ $//')"
	! comes_in 4 || because "it was not denied"
	ctl allow /usr/sbin/sshd 23022
	comes_in || because "sshd doesn't take connections any more"
	ctl load open.ini
	expect_status 0 over_ssh "$sockaccept" load "$work/locked.ini" --force --confirm 10
	! comes_in 4 || because "it was not denied"
	until_true 20 comes_in || because "it wasn't undone"
	expect "on trial" over "$(state trial)"
}

test_case newly_denied_are_named
test_case one_line_for_a_server
test_case first_thread_has_ended
test_case listeners_that_end_are_not_unknown
test_case nobody_locks_himself_out
