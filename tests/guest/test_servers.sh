# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that real servers and clients work as the policy says: nginx is allowed on 80, ncat is denied and later allowed.
# Fails if the hooks in bpf/ return anything but EPERM for a denial, or if a server doesn't go on once it is allowed again.

: "${sockaccept:?}" "${traffic:?}" "${work:?}"
pid=

nginx_policy() {
	load <<-END
		[sockaccept]
		default = deny
		[web]
		binary = /usr/sbin/nginx
		allow = 80
	END
}

# start_nginx: starts it in the foreground, so that the harness can end it
start_nginx() {
	cat >nginx.conf <<-END
		daemon off;
		master_process off;
		events {}
		error_log $work/nginx.errors;
		pid $work/nginx.pid;
		http {
			access_log off;
			server {
				listen 80;
				listen [::]:80;
				listen 81;
				location / { return 200 "served by nginx"; }
			}
		}
	END
	mkdir -p /var/log/nginx /var/lib/nginx/body
	background nginx nginx -c "$work/nginx.conf"
	wait_listening 80
}

fetch() {
	curl -g -s -m 10 "$1" || true
}

nginx_is_served() {
	nginx_policy
	start_nginx
	expect "http://127.0.0.1:80/" "served by nginx" "$(fetch http://127.0.0.1:80/)"
	expect "http://[::1]:80/" "served by nginx" "$(fetch 'http://[::1]:80/')"
	expect "denied connections" 0 "$(state deny)"
	expect "hits of the rule" 2 "$(hits /usr/sbin/nginx)"
	"$traffic" connect 81 1 >clients
	expect "a client of port 81" "served 0 unserved 1 failed 0" "$(cat clients)"
	# nginx tries again and again.
	finish "$pid"
	last_event >event
	expect "the event's binary" /usr/sbin/nginx "$(value binary <event)"
	grep -q 'accept.*failed.*Operation not permitted' nginx.errors || because "nginx's log has no EPERM: $(tail -n 1 nginx.errors)"
}

has_line() {
	grep -q "$1" "$2"
}

# descriptors PATTERN: prints on how many listeners ncat got such a result of accept()
descriptors() {
	# The line that strace is just writing doesn't count.
	sed '$d' calls | sed -n "s/.*accept4*(\([0-9]*\),.*= $1.*/\1/p" | sort -u | wc -l
}

both_denied() {
	[ "$(descriptors '-1 EPERM')" -eq 2 ]
}

ncat_is_denied_then_allowed() {
	nginx_policy
	background ncat strace -f -e trace=accept,accept4 -e signal=none -o "$work/calls" ncat -k -l 8080 -c 'echo served by ncat'
	wait_listening 8080
	for address in 127.0.0.1 '[::1]'; do
		background "answer $address" socat -u -T 60 "TCP:$address:8080" -
	done
	until_true 60 both_denied || because "expected EPERM on ncat's 2 listeners, saw it on $(descriptors '-1 EPERM'): $(tail -n 2 calls | head -n 1)"
	# It also tries when nothing waits, and is denied then too.
	expect "listeners with any other result" 0 "$(descriptors '\([0-9]\|-1 [A-DF-Z]\|-1 E[^P]\)')"
	expect "the event's binary" /usr/bin/ncat "$(last_event | value binary)"
	ctl allow /usr/bin/ncat 8080
	for address in 127.0.0.1 '[::1]'; do
		until_true 60 has_line 'served by ncat' "answer $address" ||
			because "after allow, ncat's client over $address got: $(cat "answer $address")"
	done
	expect "listeners that accepted" 2 "$(descriptors '[0-9]')"
}

test_case nginx_is_served
test_case ncat_is_denied_then_allowed
