# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh disable=SC2034
# What the tests in test_*.sh are made of. usage: . harness.sh (with $root set to the checkout)
#
# A test is a function, run by test_case in a subshell with `set -e` and its own output, from which any expect_*
# that isn't met leaves with a reason. Whatever it started is ended after it. What is loaded stays for the next test
# of the same file, as loading anew takes a second; a test that needs it otherwise says `unloaded` first.

: "${root:?}"
sockaccept=$root/build/sockaccept-ctl
helpers=$root/build/tests/guest
base=/tmp/sockaccept-test
work=$base/work # the working directory, empty at the start of each test
pins=/sys/fs/bpf/sockaccept

# Copies on tmpfs: programs start several times as fast from there as from the outer machine's files.
probe=$base/bin/probe
traffic=$base/bin/traffic
crowd=$base/bin/crowd
killat=$base/bin/killat
upgrade=$base/bin/upgrade
carry=$base/bin/carry
forge=$base/bin/forge
outsider=$base/bin/outsider
moved=$base/bin/moved
early=$base/bin/early
blocked=$base/bin/blocked
preload=$base/bin/preload.so

passed=0
failed=0
skipped=0

# prepare: once for each guest
prepare() {
	mkdir -p $base/bin
	chmod 755 $base $base/bin
	cp "$helpers"/* $base/bin/
	# one program without libraries starts ten times as fast as the ordinary ones on an emulated CPU
	mkdir -p $base/tools
	for tool in awk cat chmod chown cp cut grep head ln ls mkdir mkfifo mv rm rmdir sed sleep sort tail touch tr uniq wc find seq cmp; do
		ln -sf "$(command -v busybox)" $base/tools/$tool
	done
	PATH=$base/tools:$PATH
	# not all kernels have all of them, which is the probe's to say
	modprobe sctp 2>/dev/null || true
	modprobe vsock_loopback 2>/dev/null || true
	sysctl -q net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=16384 net.core.netdev_max_backlog=16384
}

# --- results

# because REASON...: ends the test
because() {
	echo "$*" >$base/why
	exit 1
}

# skip REASON...: ends the test; only for what this kernel truly lacks
skip() {
	echo "$*" >$base/why
	exit 77
}

now() {
	cut -d ' ' -f 1 /proc/uptime
}

# uptime_ms: by the clock that nobody sets
uptime_ms() {
	tr -d . </proc/uptime | awk '{ print $1 * 10 }'
}

# test_case NAME [FUNCTION [ARG...]]: the function has the test's name if none is given. Passed over silently if the
# suite was asked for others.
test_case() {
	case " ${wanted-} " in
	'  ' | *" $1 "*) ;;
	*) return 0 ;;
	esac
	begun="${begun-} $1"
	test=$1
	[ $# -eq 1 ] || shift
	began=$(now)
	rm -rf $work $base/why $base/pids
	mkdir $work
	(
		set -e
		cd $work
		"$@"
	) >$base/output 2>&1 </dev/null
	verdict=$?
	end_background
	unmount_left
	report "$test" $verdict
	[ $verdict -eq 0 ] || unloaded
	[ -z "${SHOW-}" ] || sed 's/^/    /' $base/output
	echo "# $test: $(echo "$began $(now)" | awk '{ printf "%.1f s", $2 - $1 }')"
}

# report NAME STATUS
report() {
	case $2 in
	0)
		passed=$((passed + 1))
		echo "ok $1"
		;;
	77)
		skipped=$((skipped + 1))
		echo "skip $1: $(cat $base/why)"
		;;
	*)
		failed=$((failed + 1))
		if [ -s $base/why ]; then
			echo "not ok $1: $(cat $base/why)"
		else
			echo "not ok $1: a command of the test failed, see what it said last"
		fi
		tail -n 15 $base/output | cut -c 1-400 | sed 's/^/    /'
		;;
	esac
}

# report_missing: those that were asked for by a name that no test has, as failed
report_missing() {
	for test in ${wanted-}; do
		case " ${begun-} " in
		*" $test "*) ;;
		*)
			failed=$((failed + 1))
			echo "not ok $test: there is no test with this name"
			;;
		esac
	done
}

# unloaded: makes it so
unloaded() {
	[ ! -e $pins ] || "$sockaccept" unload >/dev/null 2>&1 || rm -rf $pins
}

# summarise: the suite's last line. Returns 1 if anything failed.
summarise() {
	skips=
	[ $skipped -eq 0 ] || skips=", $skipped skipped"
	echo "$passed passed, $failed failed$skips"
	[ $failed -eq 0 ]
}

# --- processes

# background NAME COMMAND...: its output goes to $work/NAME, its id to $pid. Ended after the test at the latest.
background() {
	name=$1
	shift
	"$@" >"$work/$name" 2>"$work/$name.errors" &
	pid=$!
	echo $pid >>$base/pids
}

# finish PID: lets a background process end in its own way, and waits
finish() {
	kill -TERM "$1" 2>/dev/null || true
	wait "$1" || true
}

# Kills what is left over, also a server's workers, which have a session or group of their own.
end_background() {
	[ -e $base/pids ] || return 0
	while read -r left; do
		pkill -KILL -P "$left" 2>/dev/null
		kill -KILL "$left" 2>/dev/null
	done <$base/pids
	# the subshell that was their parent is gone: there is nothing to wait for
	rm -f $base/pids
}

# Unmounts what a test that failed has left.
unmount_left() {
	cut -d ' ' -f 2 /proc/mounts | grep "^$work/" | sort -r | while read -r left; do
		umount -l "$left"
	done
}

# until_true SECONDS COMMAND...: repeats the command until it succeeds. Fails when the time is up.
until_true() {
	tries=$(($1 * 20))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

# listens PORT: over IPv4 or IPv6
listens() {
	grep -qi ":$(printf '%04x' "$1") [0-9A-F:]* 0A " /proc/net/tcp /proc/net/tcp6
}

# wait_listening PORT
wait_listening() {
	until_true 60 listens "$1" || because "nothing listened on port $1 within 60 s"
}

# serve NAME PORT...: a server in the background
serve() {
	name=$1
	shift
	background "$name" $traffic serve "$@"
	until_true 20 grep -q ready "$work/$name" || because "traffic serve $* didn't get ready: $(cat "$work/$name.errors")"
}

# --- expectations

# expect WHAT WANTED SEEN
expect() {
	[ "$2" = "$3" ] || because "$1: expected '$2', saw '$3'"
}

# expect_status STATUS COMMAND...: what it prints goes to $work/said
expect_status() {
	status=$1
	shift
	seen=0
	"$@" >$work/said 2>&1 || seen=$?
	cat $work/said
	[ "$seen" -eq "$status" ] ||
		because "$(echo "$*" | sed "s#$root/build/##"): expected status $status, saw $seen: $(head -n 3 $work/said | tr '\n' ' ')"
}

# expect_said TEXT: in what the last command printed
expect_said() {
	grep -qF -- "$1" $work/said || because "expected a message with '$1', saw: $(head -n 3 $work/said | tr '\n' ' ')"
}

# ctl ARG...: must succeed
ctl() {
	expect_status 0 "$sockaccept" "$@"
}

# write_policy FILE: from standard input, as `load` wants it
write_policy() {
	cat >"$1"
	chmod 600 "$1"
}

# load: the policy on standard input. Unless it says otherwise, accept(2) alone is judged: a server that has been denied its listen(2)
# shows nothing of what happens to it there.
load() {
	cat >$work/policy
	for key in judge-listen gate drain; do
		grep -q "^$key" $work/policy || printf '\n[sockaccept]\n%s = no\n' "$key" >>$work/policy
	done
	write_policy $work/policy.ini <$work/policy
	ctl load $work/policy.ini
}

deny_all() {
	load <<-END
		[sockaccept]
		default = deny
	END
}

# expect_outcomes WANTED FAMILY HOW PORT...: of the probe, all on one line
expect_outcomes() {
	outcome=$1
	shift
	seen=$($probe accept "$@" | tr '\n' ' ') || true
	expect "probe accept $*" "$outcome" "${seen% }"
}

# accepts PORT..., is_denied PORT...: the plainest probe
accepts() {
	expect_outcomes "$(echo "$*" | sed 's/[0-9][0-9]*/accepted/g')" inet accept "$@"
}

is_denied() {
	expect_outcomes "$(echo "$*" | sed 's/[0-9][0-9]*/EPERM/g')" inet accept "$@"
}

# put FILE: a copy of the probe
put() {
	mkdir -p "$(dirname "$1")"
	cp "$probe" "$1"
}

cold= # or yes: what the kernel has in memory of files and names is dropped before each `one`

# one COPY OUTCOME PORT: of a copy of the probe
one() {
	[ -z "$cold" ] || echo 3 >/proc/sys/vm/drop_caches
	seen=$("$1" accept inet accept "$3") || true
	expect "$1 accept inet accept $3" "$2" "$seen"
}

# --- commands that are killed

# kill_points BPF COMMAND...: the numbers of the calls to kill it at: those that leave something behind the process,
# among them the commands BPF of bpf(2). Of several of a kind in a row the first and the last will do. With
# ALL_KILLS=1 in the environment, all calls; with KILL_EVERY=3, every third of them and the last.
kill_points() {
	commands=$1
	shift
	"$killat" 0 "$@" >calls 2>loaded || true
	grep -q '^through' calls || because "killat printed: $(tail -n 1 calls)"
	sed '/^through/d' calls | awk -v all="${ALL_KILLS-}" -v bpf=" bpf ($commands)\$" '
		{ number = $1; $1 = "" }
		all { print number; next }
		$0 !~ / (mkdir|unlink|rename|link|openat|write|rmdir|ptrace)/ && $0 !~ bpf { next }
		$0 != kind { if (last) print last; print number; last = 0; kind = $0; next }
		{ last = number }
		END { if (last) print last }' |
		awk -v "every=${KILL_EVERY:-1}" '(NR - 1) % every == 0 { print; last = ""; next } { last = $0 }
			END { if (last) print last }'
}

# least KILLS: how many there must be
least() {
	echo $(($1 / ${KILL_EVERY:-1}))
}

# --- commands whose calls fail

# calls_of COMMAND...: how many calls it makes that could leave something behind it; they are in the file calls
calls_of() {
	"$killat" 0 "$@" >calls 2>/dev/null || true
	grep -vc '^through' calls
}

# errors_of NUMBER: what the call fails with: by turns ENOSPC, EMFILE, ENOMEM and EROFS, or with ALL_KILLS=1 each of them
errors_of() {
	if [ -n "${ALL_KILLS-}" ]; then
		echo 28 24 12 30
	else
		echo 28 24 12 30 | cut -d ' ' -f $(($1 % 4 + 1))
	fi
}

# let_fail CALL ERRNO COMMAND...: leaves its status + 100 in $code, the call in the file called, and what was said in message
let_fail() {
	point=$1:$2
	shift 2
	code=0
	"$killat" "$point" "$@" >called 2>message || code=$?
}

# judge_failure SEEN BEFORE AFTER: the command has failed with a message, and what is seen is as before; or it has succeeded.
# The first is counted in $failed.
judge_failure() {
	case "$code $1" in
	"100 $3") ;;
	"10"[1-6]" $2")
		failed=$((failed + 1))
		grep -q '^sockaccept-ctl: \|\.ini: ' message || because "no message of call $(head -n 1 called), $point: $(cat message)"
		;;
	*) because "call $(head -n 1 called), $point: status $((code - 100)), and seen is '$1', which was '$2'; $(head -n 2 message)" ;;
	esac
}

# --- what sockaccept says

# state KEY...: those of `status --json`, in its order; a verdict's connections as allow and deny
state() {
	"$sockaccept" status --json >$work/status || true
	for key; do
		case $key in
		allow | deny) sed -n "s/.*\"$key\":{\"connections\":\([0-9]*\).*/\1/p" $work/status ;;
		*) sed -n "s/.*\"$key\":\"\{0,1\}\([a-z0-9]*\).*/\1/p" $work/status ;;
		esac
	done | tr '\n' ' ' | sed 's/ $//'
}

# last_event: the newest denial under the newest policy, as JSON. The folded repeats of earlier ones may come after it.
last_event() {
	"$sockaccept" audit --json | awk -F '"generation":' '
		$2 + 0 >= newest { newest = $2 + 0; event = $0 }
		END { if (event != "") print event }'
}

# value KEY: a plain value in the JSON on standard input, of its first object that has the key
value() {
	sed -n "s/.*\"$1\":\(\"[^\"]*\"\|[a-z0-9-]*\).*/\1/p" | head -n 1 | tr -d '"'
}

# hits TEXT: of the rules that `list --json` has with this text in them
hits() {
	"$sockaccept" list --json | tr '{' '\n' | grep -F -- "$1" | value hits
}

# judge SCRIPT ARG...: a Python script that ends with a message if it isn't content
judge() {
	script=$1
	shift
	PYTHONDONTWRITEBYTECODE=1 python3 -S -c "import json, sys
$script" "$@" || because "$(tail -n 1 $base/output)"
}

# baseline_deny_control FAMILY HOW PORT: accepted without a policy; denied with exactly EPERM, one more denied
# connection and an event under `default = deny`; accepted again when allowed
baseline_deny_control() {
	expect_outcomes accepted "$@"
	deny_all
	before=$(state deny)
	expect_outcomes EPERM "$@"
	expect "denied connections, with one more" $((before + 1)) "$(state deny)"
	last_event >$work/event
	expect "the event's verdict" deny "$(value verdict <$work/event)"
	expect "the event's port" "$3" "$(sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/' $work/event)"
	expect "the event's binary" $probe "$(value binary <$work/event)"
	ctl allow $probe "$3"
	expect_outcomes accepted "$@"
}
