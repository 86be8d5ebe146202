# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that `listeners` finds every listener (each family, other network namespaces, containers), and that its verdict is right.
# Fails if bpf/listing.bpf.h or enforce/kernel/listeners.c misses one, if listener_process.c takes a container's file for the machine's, or
# if policy/decide.c decides otherwise than the hook.

: "${sockaccept:?}" "${traffic:?}" "${work:?}" "${pins:?}"
pid=

# start_listeners: starts one listener of each kind, which never accepts; their ports are in this order
start_listeners() {
	cat >listen.py <<-END
		import socket, time
		def listen(family, protocol, address):
		    s = socket.socket(family, socket.SOCK_STREAM, protocol)
		    s.bind(address)
		    s.listen(7)
		    return s
		kept = [listen(socket.AF_INET, 0, ("127.0.0.1", 23001)), listen(socket.AF_INET6, 0, ("::", 23002)),
		        listen(socket.AF_INET, 262, ("0.0.0.0", 23003)), listen(socket.AF_VSOCK, 0, (4294967295, 23004)),
		        socket.socket(socket.AF_INET, socket.SOCK_STREAM)]
		try:
		    kept.append(listen(socket.AF_INET, 132, ("127.0.0.1", 23005)))
		except OSError:
		    pass
		unix = socket.socket(socket.AF_UNIX)
		unix.bind("$work/unix")
		unix.listen(1)
		waiting = socket.create_connection(("127.0.0.1", 23001))
		print("ready", flush=True)
		time.sleep(600)
	END
	background listening python3 -S listen.py
	until_true 60 grep -q ready listening || because "nobody listens: $(cat listening.errors)"
}

# told PORT KEY: prints what the last `listeners --json` said of the listener there
told() {
	tr '{' '\n' <said | grep -F "\"port\":$1," | value "$2"
}

listeners_are_told() {
	unloaded
	start_listeners
	ctl listeners --json
	[ ! -e "$pins" ] || because "asking has left $(find "$pins" | head -n 3)"
	expect "protocols" "tcp tcp mptcp vsock" \
		"$(for port in 23001 23002 23003 23004; do told $port protocol; done | tr '\n' ' ' | sed 's/ $//')"
	grep -q '"port":23005' said && expect "protocol of SCTP's" sctp "$(told 23005 protocol)"
	expect "addresses" "127.0.0.1 :: 0.0.0.0 4294967295" \
		"$(for port in 23001 23002 23003 23004; do told $port address; done | tr '\n' ' ' | sed 's/ $//')"
	expect "its queue" "1 7" "$(told 23001 backlog) $(told 23001 backlog_max)"
	expect "its process" "$pid" "$(told 23001 pid)"
	expect "its binary" "$(readlink -f /usr/bin/python3)" "$(told 23001 binary)"
	expect "verdict, with nothing loaded" null "$(told 23001 verdict)"
	expect "listeners of the test" "$(tr '{' '\n' <said | grep -c '"port":2300')" "$(tr '{' '\n' <said | grep -c '"pid":')"
	expect_status 3 "$sockaccept" status
}

listener_in_another_network_is_told() {
	unloaded
	background there unshare --net sh -c "ip link set lo up; exec '$traffic' serve 23010"
	until_true 20 grep -q ready there || because "it doesn't listen: $(cat there.errors)"
	ctl listeners --json
	[ "$(told 23010 netns)" != "$(readlink /proc/self/ns/net | tr -dc 0-9)" ] || because "it is in this network"
	expect "its binary" "$traffic" "$(told 23010 binary)"
}

# What `listeners` says is what happens then, where a rule allows and where none does.
verdicts_are_what_happens() {
	unloaded
	serve first 23021
	serve second 23022
	cat >policy.in <<-END
		[sockaccept]
		default = deny
		gate = no
		drain = no
		[served]
		binary = $traffic
		user = root
		allow = 23021
		[other]
		binary = any
		deny = 23021
	END
	write_policy policy.ini <policy.in
	ctl listeners --policy policy.ini --json
	expect "told before it is loaded" "allow deny" "$(told 23021 verdict) $(told 23022 verdict)"
	expect "the rule" "served: allow 23021 user 0" "$(told 23021 rule)"
	expect_status 3 "$sockaccept" status
	ctl load policy.ini
	ctl listeners --json
	expect "told of the live one" "allow deny" "$(told 23021 verdict) $(told 23022 verdict)"
	expect "a client there" "served 1 unserved 0 failed 0" "$("$traffic" connect 23021 1)"
	expect "a client where it is denied" "served 0 unserved 1 failed 0" "$("$traffic" connect 23022 1)"
	ctl mode permissive
	ctl listeners
	expect_said "denies 1 in word only: its mode is permissive"
}

# A container's program: its path is that of a file of the machine, but leads to another file.
listener_in_a_container_is_told() {
	mkdir app
	cp "$traffic" app/server
	deny_all
	ctl allow "$work/app/server" 23030-23039
	unit=/sys/fs/cgroup/box.scope
	mkdir -p $unit
	background machine ./app/server serve 23030
	until_true 20 grep -q ready machine || because "it doesn't listen: $(cat machine.errors)"
	background box unshare --mount sh -c "mount -t tmpfs none app && cp '$traffic' app/server && echo \$\$ >$unit/cgroup.procs &&
		exec '$work/app/server' serve 23031"
	until_true 20 grep -q ready box || because "it doesn't listen: $(cat box.errors)"
	# The machine's own file, mounted elsewhere.
	background guest unshare --mount sh -c "mkdir there && mount --bind app there && exec '$work/there/server' serve 23032"
	until_true 20 grep -q ready guest || because "it doesn't listen: $(cat guest.errors)"
	expect_status 0 "$sockaccept" listeners --json
	expect "the machine's" "$work/app/server allow" "$(told 23030 binary) $(told 23030 verdict)"
	grep -q "\"port\":23030,[^}]*\"binary\":\"[^}]*\"binary_hint\"" said && because "a hint for the machine's own"
	expect "the container's" "null $work/app/server deny" "$(told 23031 binary) $(told 23031 binary_hint) $(told 23031 verdict)"
	expect "whose it is" "box.scope /box.scope" "$(told 23031 unit) $(told 23031 cgroup)"
	expect "the machine's, by another path" "$work/app/server allow" "$(told 23032 binary) $(told 23032 verdict)"
	expect_status 0 "$sockaccept" listeners
	grep -q ":23031/tcp .* /box.scope *($work/app/server)\$" said || because "in text: $(grep :23031 said)"
	grep -q ":23030/tcp .* $work/app/server\$" said || because "in text: $(grep :23030 said)"
	"$traffic" connect 23031 1 >outcome || true
	last_event >event
	expect "the event's binary" "null $work/app/server" "$(value binary <event) $(value binary_hint <event)"
}

test_case listeners_are_told
test_case listener_in_another_network_is_told
test_case verdicts_are_what_happens
test_case listener_in_a_container_is_told
