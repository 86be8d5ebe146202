# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Changes that deny who listens now, and above all the sshd that the administrator came by.

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

# start_sshd: with a key for root
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

# over_ssh COMMAND: as the administrator who came that way. All are sessions of one connection, as making one takes seconds.
over_ssh() {
	timeout 60 ssh -p 23022 -i key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
		-o ControlMaster=auto -o ControlPath="$work/control" -o ControlPersist=60 root@127.0.0.1 "$@"
}

# comes_in [SECONDS]: sshd accepts another connection within so many, and says so
comes_in() {
	# shellcheck disable=SC2016 # bash expands it
	timeout "${1:-20}" bash -c 'read -r -n 4 said </dev/tcp/127.0.0.1/23022; [ "$said" = SSH- ]'
}

# In one session, as each takes seconds: says what came of each command.
write_attempts() {
	write_policy locked.ini <<-END
		[sockaccept]
		default = deny
	END
	write_policy open.ini <<-END
		[sockaccept]
		default = deny
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
test_case nobody_locks_himself_out
