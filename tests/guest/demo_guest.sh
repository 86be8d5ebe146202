#!/bin/sh
# The transcript of `make demo`, made in a guest with real servers and clients.
set -u

PATH=$PWD/build:$PATH
cd /tmp || exit 1

say() {
	printf '\n# %s\n' "$*"
}

# Shows a command as it would be typed, then runs it.
run() {
	printf '$ %s\n' "$*"
	"$@" 2>&1
}

# Waits until somebody listens on a port: servers take their time on an emulated processor.
wait_for_port() {
	for _ in $(seq 300); do
		ss -Hltn "sport = :$1" | grep -q . && return
		sleep 0.1
	done
	echo "nobody listens on port $1" >&2
	exit 1
}

start_servers() {
	mkdir -p /var/log/nginx /var/lib/nginx
	cat >nginx.conf <<-END
		user www-data;
		error_log /tmp/nginx.log;
		pid /tmp/nginx.pid;
		events {}
		http {
			access_log off;
			server {
				listen 80;
				listen [::]:80;
				listen 8081;
				return 200 "hello from nginx\n";
			}
		}
	END
	nginx -c /tmp/nginx.conf
	redis-server --port 6379 --save '' --daemonize yes --logfile /tmp/redis.log >/dev/null
	sleep 1000 | ncat -lk 8080 >/tmp/ncat.log 2>&1 &
	wait_for_port 80
	wait_for_port 6379
	wait_for_port 8080
}

http() {
	printf '$ curl http://localhost:%s/\n' "$1"
	curl -sS -m 2 "http://127.0.0.1:$1/" 2>&1
}

# cpu_ms NAME: what the processes of that name have used so far
cpu_ms() {
	for pid in $(pgrep -x "$1"); do
		awk '{ print ($14 + $15) * 10 }' "/proc/$pid/stat"
	done | awk '{ sum += $1 } END { print sum + 0 }'
}

# idle NAME: shows what it uses from now on
idle() {
	before=$(cpu_ms "$1")
	sleep 3
	echo "  $1 used $(($(cpu_ms "$1") - before)) ms of a processor in the next 3 s"
}

policy() {
	cat >policy.ini <<-END
		[sockaccept]
		default = deny

		[web]
		binary = /usr/sbin/nginx
		user   = root, www-data
		allow  = 80, 443
		deny   = 8000-8099
	END
	chmod 600 policy.ini
}

echo "Linux $(uname -r), with nginx on 80 and 8081, redis on 6379, ncat on 8080."
start_servers

say 'Nothing is loaded: everybody is served.'
http 80
http 8081
run redis-cli -p 6379 ping

say 'nginx is busy for a while (stopped), so a client of 8081 waits in its queue.'
printf '$ curl http://localhost:8081/ &\n'
pkill -STOP -x nginx
curl -sS -m 60 http://127.0.0.1:8081/ >waiting 2>&1 &
sleep 1

say 'A policy: nothing may accept, but nginx on its web ports.'
policy
run cat policy.ini
run sockaccept-ctl check policy.ini
run sockaccept-ctl load policy.ini
pkill -CONT -x nginx

say 'nginx on 80 is served as before. Port 8081 is not, though nginx listens there: who waited is reset, and who comes now is refused'
echo '# before the connection is made. So nginx has nothing to spin on, as most servers do on what they may not accept.'
wait $!
cat waiting
http 80
http 8081
idle nginx
run sockaccept-ctl listeners

say 'Redis was running before the policy came. It is denied, too.'
printf '$ redis-cli -p 6379 ping\n'
timeout 2 redis-cli -p 6379 ping 2>&1 || echo '(no answer in 2 s)'

say 'A server that starts only now fails at listen(2), with a message of its own, and its clients are refused at once.'
run ncat -l 8090
http 8090

say 'Allow Redis: one line, in force at its next accept. It was not restarted.'
run sockaccept-ctl allow /usr/bin/redis-server 6379
run redis-cli -p 6379 ping

say 'What is in force, and how often each rule decided.'
run sockaccept-ctl list
printf '\n'
run sockaccept-ctl status

say 'ncat was denied by default as well. The denial log: repeats are counted in windows of 1, 2, 4 ... 64 s, a line each.'
echo hello | timeout 6 ncat 127.0.0.1 8080
pkill -x ncat
sleep 1
run sockaccept-ctl audit --limit 12
printf '\n$ sockaccept-ctl audit --json | tail -n 1\n'
sockaccept-ctl audit --json | tail -n 1

say 'The same, summed up. (With sockaccept-ctl daemon, from a lasting log.)'
run sockaccept-ctl report --since 10m --top 3

say 'No daemon ran. Enforcement is pinned in the kernel until:'
run sockaccept-ctl unload
