# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that real servers that are denied while they run harm nobody: they use little processor time, log little, and no client waits for
# ever.
# Fails if the gate (bpf/gate.bpf.h, bpf/request.bpf.h) or the drain (enforce/change/drain.c) doesn't keep the queue of a denied listener
# empty, or if drain.c drains a listener that postfix's master keeps for smtpd.
# HARMLESS_SECONDS: how long clients come to each server (default 20). tests/bench/harmless.sh has the same servers and clients.

: "${sockaccept:?}" "${work:?}"
pid=

harmless_servers=${HARMLESS_SERVERS:-"nginx redis sshd http.server asyncio node haproxy prometheus"}
harmless_seconds=${HARMLESS_SECONDS:-20}
harmless_share=300 # hundredths of a percent of a processor that a denied server may use

# --- servers: the binary of each, what a client sends to get an answer, and how it is started, in the foreground

binary_of() {
	case $1 in
	redis) found=redis-server ;;
	http.server | asyncio) found=python3 ;;
	*) found=$1 ;;
	esac
	readlink -f "$(command -v "$found")"
}

request_of() {
	case $1 in
	redis) printf '%s' 'PING\r\n' ;;
	sshd | asyncio) ;; # it speaks first
	*) printf '%s' 'GET / HTTP/1.0\r\n\r\n' ;;
	esac
}

asyncio_server='
import asyncio, sys
async def serve(reader, writer):
    writer.write(b"served")
    writer.close()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
'

node_server='
require("http").createServer((request, response) => response.end("served")).listen(Number(process.argv[1]), "127.0.0.1")
'

# configure NAME PORT: writes its files
configure() {
	case $1 in
	nginx)
		mkdir -p /var/log/nginx /var/lib/nginx/body
		cat >"$work/nginx.conf" <<-END
			user root;
			daemon off;
			worker_processes 1;
			events {}
			pid $work/nginx.pid;
			http {
				access_log off;
				server {
					listen 127.0.0.1:$2;
					location / { return 200 "served"; }
				}
			}
		END
		;;
	sshd)
		mkdir -p /run/sshd
		ssh-keygen -q -t ed25519 -N '' -f "$work/key"
		chmod 600 "$work/key"
		;;
	haproxy)
		cat >"$work/haproxy.cfg" <<-END
			defaults
				mode http
				timeout client 60s
				timeout connect 60s
				timeout server 60s
			frontend web
				bind 127.0.0.1:$2
				http-request return status 200 content-type text/plain string served
		END
		;;
	prometheus) echo >"$work/prometheus.yml" ;;
	esac
}

# start NAME PORT: starts it in the background, with its output in files of its name; sets $pid
start() {
	configure "$1" "$2"
	case $1 in
	nginx) background nginx nginx -e stderr -c "$work/nginx.conf" ;;
	redis) background redis redis-server --port "$2" --save '' --daemonize no ;;
	sshd) background sshd "$(command -v sshd)" -D -e -p "$2" -o ListenAddress=127.0.0.1 -h "$work/key" ;;
	http.server) background http.server python3 -u -m http.server --bind 127.0.0.1 "$2" ;;
	asyncio) background asyncio python3 -c "$asyncio_server" "$2" ;;
	node) background node node -e "$node_server" "$2" ;;
	haproxy) background haproxy haproxy -db -f "$work/haproxy.cfg" ;;
	prometheus)
		background prometheus prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/data" \
			--web.listen-address="127.0.0.1:$2"
		;;
	esac
}

# --- clients

# Ten times a second, one client comes that waits for an answer, and one that goes away at once. Prints what happened to those that wait;
# how many ms after the last of them the queue is empty; how much of a processor the server used, in hundredths of a percent; and how many
# ms it all took.
visitors='
import errno, glob, selectors, socket, sys, time

PATIENCE = 2
server, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
said = sys.argv[4].encode().decode("unicode_escape").encode()
counts = dict.fromkeys(("served", "reset", "refused", "timeout", "closed", "other"), 0)
selector = selectors.DefaultSelector()
waiting = {}

def connect():
    s = socket.socket()
    s.setblocking(False)
    error = s.connect_ex(("127.0.0.1", port))
    return s, 0 if error == errno.EINPROGRESS else error

def end(s, outcome):
    counts[outcome] += 1
    if waiting.pop(s, None):
        selector.unregister(s)
    s.close()

def outcome(error):
    return {errno.ECONNRESET: "reset", errno.EPIPE: "reset", errno.ECONNREFUSED: "refused"}.get(error, "other")

def come():
    s, error = connect()
    if error:
        end(s, outcome(error))
    else:
        selector.register(s, selectors.EVENT_WRITE)
        waiting[s] = time.monotonic() + PATIENCE
    connect()[0].close()

def go_on(s, events):
    try:
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            end(s, outcome(error))
        elif events & selectors.EVENT_WRITE:
            selector.modify(s, selectors.EVENT_READ)
            s.send(said)
        else:
            end(s, "served" if s.recv(100) else "closed")
    except OSError as error:
        end(s, outcome(error.errno))

def waits():
    for line in open("/proc/net/tcp"):
        words = line.split()
        if words[3] == "0A" and words[1].endswith(":%04X" % port):
            return int(words[4].split(":")[1], 16)
    return 0

# By the server and its children, in seconds.
def used():
    ticks = 0
    for name in glob.glob("/proc/[0-9]*/stat"):
        try:
            words = open(name).read().rpartition(")")[2].split()
        except OSError:
            continue
        if name.split("/")[2] == server or words[1] == server:
            ticks += sum(int(word) for word in words[11:15])
    return ticks / 100

def look_after(until):
    for key, events in selector.select(max(0, until - time.monotonic())):
        go_on(key.fileobj, events)
    for s in [s for s in waiting if waiting[s] <= time.monotonic()]:
        end(s, "timeout")

began, before = time.monotonic(), used()
following = time.monotonic()
for _ in range(round(seconds * 10)):
    come()
    following += 0.1
    while time.monotonic() < following:
        look_after(following)
while waiting:
    look_after(min(waiting.values()))
gone = time.monotonic()
while waits() and time.monotonic() < gone + 1:
    time.sleep(0.01)
empty = time.monotonic() - gone
took = time.monotonic() - began
share = max(0, used() - before) / took # one that has ended uses nothing
print(*("%s %d" % item for item in counts.items()), "empty %d share %d took %d" % (empty * 1000, share * 10000, took * 1000))
'

# visit NAME PORT SECONDS: sends these clients to the server, which is $pid
visit() {
	python3 -S -c "$visitors" "$pid" "$2" "$3" "$(request_of "$1")"
}

# is_served NAME PORT: true if a client is served within two seconds, which is how long it waits
is_served() {
	visit "$1" "$2" 0.1 >one
	grep -q '^served 1 ' one
}

# count WORD: prints a number of what the clients saw
count() {
	sed -n "s/.*$1 \([0-9]*\).*/\1/p" visited
}

# --- what it costs

lines_of() {
	cat "$work/$1" "$work/$1.errors" | wc -l
}

# endure NAME PORT SECONDS: sends clients to the server $pid. Sets $logged to how many lines it logged; the rest is in the file visited
endure() {
	logged=$(lines_of "$1")
	visit "$1" "$2" "$3" >visited
	logged=$(($(lines_of "$1") - logged))
}

# percent: prints how much of a processor the server used
percent() {
	count share | awk '{ printf "%.1f", $1 / 100 }'
}

# --- tests

# harmless_policy GATE DRAIN: yes or no. The harness turns both off, if a policy doesn't say otherwise.
harmless_policy() {
	load <<-END
		[sockaccept]
		gate = $1
		drain = $2
	END
}

# running NAME PORT: starts the drain and the server, and waits until a client is served
running() {
	background drain "$sockaccept" drain
	start "$1" "$2"
	wait_listening "$2"
	until_true 1 is_served "$1" "$2" || because "without a denial, its client: $(cat one), its log: $(tail -n 3 "$work/$1.errors")"
}

# queue_of PORT: prints how many connections wait at all its listeners
queue_of() {
	"$sockaccept" listeners --json | tr '{' '\n' | sed -n 's/.*"port":'"$1"',.*"backlog":\([0-9]*\).*/\1/p' | awk '{ sum += $1 } END { print sum + 0 }'
}

# at_most WHAT LIMIT SEEN
at_most() {
	[ "$3" -le "$2" ] || because "$1: expected $2 at most, saw $3"
}

denied_is_harmless() {
	who=$1 port=$2 binary=$(binary_of "$1")
	harmless_policy yes yes
	running "$who" "$port"
	trap 'finish "$pid"' EXIT # a master that is killed after its workers starts others
	ctl deny "$binary" "$port"
	endure "$who" "$port" "$harmless_seconds"
	echo "$who: $(cat visited), $logged lines"
	tail -n 3 "$work/$who" "$work/$who.errors"
	"$sockaccept" status | grep -E '^(denied|gated|drained)'
	expect "served, closed or anything else" "0 0 0" "$(count served) $(count closed) $(count other)"
	expect "the others" $((harmless_seconds * 10)) $(($(count reset) + $(count refused) + $(count timeout)))
	at_most "hundredths of a percent of a processor" "$harmless_share" "$(count share)"
	at_most "lines in its log" 99 "$logged"
	at_most "ms until nothing waits" 200 "$(count empty)"
	is_lifted "$who" "$port"
}

# is_lifted NAME PORT: removes the denial, and expects that clients are served again. Go's net/http ends at the first denial, if it sees
# one.
is_lifted() {
	if ! kill -0 "$pid" && [ "$1" = prometheus ]; then
		return
	fi
	expect "what waits" 0 "$(queue_of "$2")"
	ctl remove "$(binary_of "$1")" "$2"
	is_served "$1" "$2" || because "allowed again, its next client: $(cat one)"
}

# --- postfix: its master listens, and starts an smtpd that accepts when somebody comes

postfix_bin=/usr/lib/postfix/sbin

# configure_postfix: does what its package would have done
configure_postfix() {
	grep -q '^postfix:' /etc/passwd || echo 'postfix:x:992:992::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
	grep -q '^postfix:' /etc/group || printf 'postfix:x:992:\npostdrop:x:993:\n' >>/etc/group
	mkdir -p "$work/etc" "$work/data" "$work/queue"
	for directory in active bounce corrupt defer deferred flush hold incoming private saved trace public maildrop; do
		mkdir -m 0700 "$work/queue/$directory"
	done
	chgrp 993 "$work/queue/public" "$work/queue/maildrop"
	chmod 0710 "$work/queue/public"
	chmod 0730 "$work/queue/maildrop"
	chown 992 "$work/data" "$work"/queue/*
	mkdir "$work/queue/pid"
	# smtpd ends after one idle second.
	cat >"$work/etc/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $work/queue
		data_directory = $work/data
		daemon_directory = $postfix_bin
		maillog_file = $work/mail.log
		maillog_file_prefixes = $work
		myhostname = guest.example
		mydestination = guest.example
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		smtpd_peername_lookup = no
		local_transport = discard
		local_recipient_maps =
		alias_maps =
		max_idle = 1s
	END
	cat >"$work/etc/master.cf" <<-END
		25 inet n - n - - smtpd
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		proxymap unix - - n - - proxymap
		anvil unix - - n - 1 anvil
		discard unix - - n - - discard
		error unix - - n - - error
		postlog unix-dgram n - n - 1 postlogd
	END
}

mail='
import smtplib
s = smtplib.SMTP("127.0.0.1", 25, "client.example", 600)
s.sendmail("a@client.example", ["b@guest.example"], "Subject: one\r\n\r\nHere it is.\r\n")
s.quit()
'

mail_is_taken() {
	python3 -S -c "$mail" >taken 2>&1 ||
		because "$1: $(tail -n 1 taken); denied, gated, drained: $(state deny gated drained); $(tail -n 2 "$work/mail.log")"
}

# nobody_accepts: true if only the master holds the listener
nobody_accepts() {
	! pgrep -x smtpd >smtpds
}

postfix_takes_mail() {
	configure_postfix
	write_policy "$work/policy.ini" <<-END
		[sockaccept]
		default = deny
		[smtpd]
		binary = $postfix_bin/smtpd
		allow = 25
		[master]
		binary = $postfix_bin/master
		listen = 25
	END
	ctl load "$work/policy.ini"
	background drain "$sockaccept" drain
	background master "$postfix_bin/master" -c "$work/etc" -d
	wait_listening 25
	before=$(state deny gated drained)
	mail_is_taken "the first mail"
	until_true 30 nobody_accepts || because "smtpd doesn't end"
	ctl load "$work/policy.ini"
	mail_is_taken "after a load, with none but the master there"
	until_true 30 nobody_accepts || because "smtpd doesn't end"
	# Time enough for a drain that would do the wrong thing.
	sleep 1
	mail_is_taken "later"
	expect "denied, gated and drained" "$before" "$(state deny gated drained)"
}

for harmless in $harmless_servers; do
	harmless_port=$((${harmless_port:-24100} + 1))
	test_case "denied_${harmless}_is_harmless" denied_is_harmless "$harmless" $harmless_port
done
test_case postfix_takes_mail
