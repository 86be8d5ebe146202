# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What the jobs share that run in a Debian with systemd. Each test is a function, and prints one line.

failures=0

because() {
	echo "$*" >/tmp/why
	exit 1
}

expect() { # WHAT WANTED SEEN
	[ "$2" = "$3" ] || because "$1: expected '$2', saw '$3'"
}

test_case() { # FUNCTION
	rm -f /tmp/why
	status=0
	began=$(cut -d ' ' -f 1 /proc/uptime)
	# in the background, as a function on the left of || doesn't stop at its first error
	(
		set -e
		"$1"
	) >/tmp/said 2>&1 &
	wait $! || status=$?
	if [ $status -eq 0 ]; then
		echo "ok $1"
	else
		echo "not ok $1: $(cat /tmp/why 2>/dev/null || echo 'a command failed')"
		tail -n 15 /tmp/said | sed 's/^/    /'
		failures=$((failures + 1))
	fi
	echo "# $1: $(echo "$began $(cut -d ' ' -f 1 /proc/uptime)" | awk '{ printf "%.1f s", $2 - $1 }')"
}

# answers PORT: whether somebody accepts a connection there and says something
answers() {
	printf 'GET / HTTP/1.0\r\n\r\n' | timeout 5 nc -N 127.0.0.1 "$1" | grep -q .
}

# serves PROGRAM PORT: a copy of /test/traffic, to which one client comes. What it counts is in /tmp/server: the client can lose its
# answer, as the server doesn't read what it says.
serves() {
	"$1" serve "$2" >/tmp/server &
	server=$!
	until_listening "$2"
	answers "$2" || true
	kill -TERM $server
	wait $server || true
}

server_answers() { # PROGRAM PORT
	serves "$@"
	expect "$1" "$2 accepted 1 denied 0 other 0" "$(grep accepted /tmp/server)"
}

# A binary that may accept there under no condition can't listen, either.
server_is_denied() { # PROGRAM PORT
	if ! timeout 20 "$1" serve "$2" >/tmp/server 2>&1 </dev/null && grep -q 'listen: Operation not permitted' /tmp/server; then
		return
	fi
	serves "$@"
	grep -q "^$2 accepted 0 denied [1-9][0-9]* other 0$" /tmp/server || because "$1: $(cat /tmp/server)"
}

until_listening() { # PORT
	for _ in $(seq 50); do
		! grep -qi ":$(printf '%04x' "$1") [0-9A-F:]* 0A " /proc/net/tcp || return 0
		sleep 0.1
	done
	because "nothing listens on $1"
}

# waits PATH...: exactly these, as status says
waits() {
	sockaccept-ctl status --json >/tmp/status || true
	sed 's/.*"waiting":\[\([^]]*\)\].*/\1/' /tmp/status | tr '{' '\n' | sed -n 's/.*"binary":"\([^"]*\)".*/\1/p' | sort >/tmp/waiting
	for path; do echo "$path"; done | sort >/tmp/expected
	cmp -s /tmp/expected /tmp/waiting || because "waiting: expected $(tr '\n' ' ' </tmp/expected), saw $(tr '\n' ' ' </tmp/waiting)"
}

property() { # UNIT PROPERTY
	systemctl show -p "$2" --value "$1"
}

has_status() { # STATUS COMMAND...
	wanted=$1
	shift
	seen=0
	"$@" >/tmp/printed 2>&1 || seen=$?
	cat /tmp/printed
	[ "$seen" -eq "$wanted" ] || because "$*: expected status $wanted, saw $seen: $(head -n 2 /tmp/printed)"
}

# doctor_blames PART TEXT: and shows it in the report
doctor_blames() {
	has_status 1 sockaccept-ctl doctor
	grep "^$1 .*FAILED" /tmp/printed | grep -qF "$2" || because "doctor says of $1: $(cat /tmp/printed)"
	show_doctor "$1"
}

# show_doctor TITLE: what it said last, for those who read the test's log
show_doctor() {
	{
		echo "doctor: $1"
		cat /tmp/printed
	} >>/test/report
}
