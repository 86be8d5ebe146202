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
}

# answers PORT: whether somebody accepts a connection there and says something
answers() {
	printf 'GET / HTTP/1.0\r\n\r\n' | timeout 5 nc -N 127.0.0.1 "$1" | grep -q .
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
