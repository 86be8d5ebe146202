# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that listen(2) is judged: a server that may accept there under no condition fails at its start, and says so.
# Fails if bpf/listen.bpf.h or the tables that it reads (policy/image_listen.c) refuse a server that a rule lets accept as some user, let a
# denied one listen, or refuse anything in permissive mode or with judge-listen = no.

: "${sockaccept:?}" "${probe:?}" "${traffic:?}" "${work:?}" "${base:?}"
pid=

refused="not tried: listen: Operation not permitted"

# judging: loads the policy on standard input, under which listen(2) is judged too
judging() {
	write_policy "$work/policy.ini"
	ctl load "$work/policy.ini"
}

# listens_denied FAMILY: tries listen(2) without a policy, denied, and allowed again
listens_denied() {
	expect_outcomes accepted "$1" accept 25101
	judging <<-END
		[sockaccept]
		default = deny
		[other]
		binary = $probe
		allow = 25102
	END
	before=$(state listens_denied)
	denied=$(state deny)
	expect_outcomes "$refused" "$1" accept 25101
	expect "denied calls of listen()" $((before + 1)) "$(state listens_denied)"
	expect "denied connections" "$denied" "$(state deny)"
	last_event >event
	expect "the event's operation" listen "$(value operation <event)"
	expect "its reason" default "$(value reason <event)"
	expect "its binary" "$probe" "$(value binary <event)"
	expect "its port" 25101 "$(sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/' event)"
	expect "its peer" null "$(value peer <event)"
	value sockfd <event | grep -qx '[0-9][0-9]*' || because "its descriptor: $(value sockfd <event)"
	expect_outcomes accepted "$1" accept 25102
	ctl allow "$probe" 25101
	expect_outcomes accepted "$1" accept 25101
}

# A client sees that nothing listens.
clients_are_refused_at_once() {
	judging <<-END
		[one]
		binary = /usr/bin/ncat
		deny = 25111
	END
	code=0
	ncat -l 25111 >said 2>&1 || code=$?
	expect "ncat's status" 2 $code
	grep -q 'Operation not permitted' said || because "ncat doesn't complain: $(cat said)"
	! listens 25111 || because "it listens all the same"
	code=0
	curl -s -m 20 http://127.0.0.1:25111/ || code=$?
	expect "the client's status: it couldn't connect" 7 $code
	last_event >event
	expect "the rule" "one: deny 25111" "$(value rule <event)"
	expect "hits of the rule" 1 "$(hits 25111)"
	accepts 25111
}

# Rules with a user: a server can listen as root and accept as another user, so that is never refused.
conditions_never_refuse() {
	judging <<-END
		[sockaccept]
		default = deny
		[web]
		binary = $probe
		user = nobody
		allow = 25121, 25123
		[web-not]
		binary = $probe
		deny = 25121
		[nobody-not]
		binary = $probe
		user = nobody
		deny = 25122
	END
	before=$(state listens_denied)
	# Root may listen there, but not accept.
	is_denied 25121
	expect "denied calls of listen()" "$before" "$(state listens_denied)"
	expect "nobody on 25121" accepted "$(as_nobody "$probe" accept inet accept 25121)"
	# There nobody may accept.
	expect_outcomes "$refused" inet accept 25122
	expect_outcomes "$refused" inet accept 25124
	expect "denied calls of listen()" $((before + 2)) "$(state listens_denied)"
	# A temporary rule lets root accept, and another one denies everybody.
	ctl allow "$probe" 25124 --for 1h
	accepts 25124
	ctl deny "$probe" 25123 --for 1h
	expect_outcomes "$refused" inet accept 25123
	ctl allow "$probe" 25123 --user nobody --for 1h
	is_denied 25123
}

# A super-server listens for others.
listening_for_others() {
	cp "$probe" "$work/master"
	judging <<-END
		[sockaccept]
		default = deny
		[master]
		binary = $work/master
		listen = 25131
	END
	before=$(state listens_denied)
	expect "the master" EPERM "$("$work/master" accept inet accept 25131 || true)"
	expect "denied calls of listen()" "$before" "$(state listens_denied)"
	expect "its operation" accept "$(last_event | value operation)"
	expect "another port" "$refused" "$("$work/master" accept inet accept 25132 2>&1 || true)"
	expect_outcomes "$refused" inet accept 25131
}

permissive_only_records_listening() {
	unloaded
	judging <<-END
		[sockaccept]
		mode = permissive
		default = deny
	END
	before=$(state listens_denied)
	accepts 25141
	expect "denied calls of listen()" $((before + 1)) "$(state listens_denied)"
	"$sockaccept" audit --json | grep '"operation":"listen"' >event || because "no event of it"
	expect "enforced" false "$(value enforced <event)"
	ctl mode enforce
	expect_outcomes "$refused" inet accept 25141
}

judging_is_a_setting() {
	load <<-END
		[sockaccept]
		default = deny
		judge-listen = no
	END
	before=$(state listens_denied)
	is_denied 25151
	expect "denied calls of listen()" "$before" "$(state listens_denied)"
	expect "the setting" false "$("$sockaccept" status --json | value judge_listen)"
	judging <<-END
		[sockaccept]
		default = deny
		judge-listen = yes
	END
	expect_outcomes "$refused" inet accept 25151
}

# Prints each step of one socket on its own line.
steps='
import errno, socket, sys
def said(call, *arguments):
    try:
        call(*arguments)
        return "ok"
    except OSError as error:
        return errno.errorcode[error.errno]
def step(*words):
    print(*words, flush=True)
def next_step():
    sys.stdin.readline()
old = socket.socket()
old.bind(("127.0.0.1", 25161))
step("listens", said(old.listen, 5))
next_step()
# denied by now
client = socket.create_connection(("127.0.0.1", 25161), 20)
step("accepts", said(old.accept))
step("listens again", said(old.listen, 6))
without = socket.socket()
step("without a port", said(without.listen, 5))
client = socket.create_connection(without.getsockname(), 20)
step("accepts", said(without.accept))
'

has_steps() {
	[ "$(wc -l <steps)" -ge "$1" ]
}

what_listens_is_not_asked_until_it_listens_again() {
	unloaded
	mkfifo pipe
	# shellcheck disable=SC2094 # it is a FIFO
	python3 -S -c "$steps" <pipe >steps 2>errors &
	echo $! >>"$base/pids"
	exec 8>pipe
	until_true 60 grep -q listens steps || because "python doesn't listen: $(cat errors)"
	judging <<-END
		[sockaccept]
		default = deny
		gate = no
		drain = no
	END
	expect_said 'listens on 127.0.0.1:25161/tcp'
	expect_said 'which the new policy denies, as it will the next listen(2)'
	"$sockaccept" listeners --json | tr '{' '\n' | grep '"port":25161' >listener || because "it isn't listed"
	expect "what is said of its next listen()" deny "$(value next_listen <listener)"
	"$sockaccept" listeners | tail -n 1 | grep -q 'the next listen(2) of 1 will fail' || because "the remark is another: $("$sockaccept" listeners | tail -n 1)"
	echo >&8
	exec 8>&-
	until_true 60 has_steps 5 || because "python ended early: $(cat steps errors)"
	expect "each step" "listens ok,accepts EPERM,listens again EPERM,without a port ok,accepts EPERM," "$(tr '\n' ',' <steps)"
}

# ticks PID: prints the processor time that it has used; 0 if it has ended
ticks() {
	{ cat "/proc/$1/stat" 2>/dev/null || echo 0; } | awk '{ print $14 + $15 }'
}

# server NAME PORT WORDS COMMAND...: expects that a denied server prints WORDS a few times at most, listens on nothing, and uses no
# processor
server() {
	name=$1 port=$2 words=$3
	shift 3
	background "$name" "$@"
	until_true 60 grep -q "$words" "$name" "$name.errors" 2>/dev/null ||
		because "$name, denied its listen(), doesn't say '$words': $(tail -n 3 "$name" "$name.errors")"
	! listens "$port" || because "$name listens on $port all the same"
	# If it hasn't ended, it uses no processor.
	if kill -0 "$pid" 2>/dev/null; then
		before=$(ticks "$pid")
		sleep 2
		after=$(ticks "$pid")
		[ $((after - before)) -lt 20 ] || because "$name uses a processor: $((after - before)) ticks in 2 s"
	fi
	kill "$pid" 2>/dev/null || true
	[ "$(cat "$name" "$name.errors" 2>/dev/null | grep -c "$words")" -le 12 ] || because "$name fills its log"
}

servers_fail_at_their_start() {
	judging <<-END
		[sockaccept]
		default = deny
	END
	mkdir -p /run/sshd /var/log/nginx /var/lib/nginx/body
	printf 'daemon off;\nmaster_process off;\nevents {}\npid %s/nginx.pid;\nhttp { access_log off; server { listen 25171; } }\n' "$work" >nginx.conf
	server nginx 25171 'listen.*Operation not permitted' nginx -e stderr -c "$work/nginx.conf"
	server redis 25172 'Operation not permitted' redis-server --port 25172 --save '' --daemonize no
	ssh-keygen -q -t ed25519 -N '' -f key
	chmod 600 key
	server sshd 25173 'Operation not permitted' "$(command -v sshd)" -D -e -p 25173 -h "$work/key"
	server http.server 25174 'Operation not permitted' python3 -m http.server 25174
	server asyncio 25175 'Operation not permitted' python3 -c "
import asyncio
async def main():
    server = await asyncio.start_server(lambda r, w: None, '127.0.0.1', 25175)
    await server.serve_forever()
asyncio.run(main())"
	server ncat 25176 'Operation not permitted' ncat -k -l 25176
	server node 25177 'operation not permitted' node -e 'require("http").createServer().listen(25177)'
	printf 'defaults\n mode http\n timeout client 9s\nfrontend web\n bind 127.0.0.1:25178\n http-request return status 200\n' >haproxy.cfg
	server haproxy 25178 'failed to start their listeners' haproxy -db -f haproxy.cfg
	echo >prometheus.yml
	server prometheus 25179 'operation not permitted' prometheus --config.file=prometheus.yml --storage.tsdb.path=data --web.listen-address=127.0.0.1:25179
	ctl mode permissive
	background control nginx -e stderr -c "$work/nginx.conf"
	wait_listening 25171
}

for family in inet inet6 mptcp sctp vsock; do
	test_case "listens_denied_$family" listens_denied $family
done
test_case clients_are_refused_at_once
test_case conditions_never_refuse
test_case listening_for_others
test_case permissive_only_records_listening
test_case judging_is_a_setting
test_case what_listens_is_not_asked_until_it_listens_again
test_case servers_fail_at_their_start
