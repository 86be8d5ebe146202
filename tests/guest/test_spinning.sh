# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that status and the daemon name a server that tries a denied accept(2) again at once, for ever, and none that pauses in between.
# Fails if the rate or the time limit in enforce/records/spinning.c is wrong, or if bpf/window.bpf.h doesn't make an event of each window.

: "${sockaccept:?}" "${traffic:?}" "${work:?}"
pid=

# A server that waits a little before it tries again.
patient='
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while True:
    try:
        listener.accept()
    except PermissionError:
        time.sleep(0.05)
'

spins() {
	"$sockaccept" status >said
	grep -q '^spins' said
}

nobody_spins() {
	! spins
}

spinner_is_named() {
	deny_all
	background daemon "$sockaccept" daemon --log "$work/log"
	daemon=$pid
	background patient python3 -S -c "$patient" 25201
	ctl status
	! grep -q '^spins' said || because "somebody spins before anybody does: $(cat said)"
	background spinner "$traffic" spinfor 60 25202
	spinner=$pid
	until_true 40 spins || because "nobody spins: $(cat said)"
	grep -q "^spins  *$traffic (pid $spinner) on 25202/tcp: [0-9]* denials a second for [0-9]* s, .*; stop or restart it, or allow it there" said ||
		because "what is said: $(grep ^spins said)"
	expect "those who spin" 1 "$(grep -c '^spins' said)"
	"$sockaccept" status --json >said
	judge '
spinning = json.load(open("said"))["spinning"]
assert len(spinning) == 1, spinning
spinner = spinning[0]
assert spinner["binary"] == sys.argv[1] and spinner["pid"] == int(sys.argv[2]) and spinner["port"] == 25202, spinner
assert spinner["uid"] == 0 and spinner["protocol"] == "tcp" and spinner["denials_a_second"] > 1000, spinner
' "$traffic" "$spinner"
	until_true 20 grep -q "$traffic (pid $spinner) on 25202/tcp: .* denials a second" daemon.errors || because "the daemon: $(cat daemon.errors)"
	# Once it is allowed, it doesn't spin.
	ctl allow "$traffic" 25202
	until_true 20 nobody_spins || because "it still spins: $(cat said)"
	expect "lines of the daemon" 1 "$(grep -c 'denials a second' daemon.errors)"
	finish "$daemon"
}

test_case spinner_is_named
