# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows what `audit` can select, how it goes on from a checkpoint, and that its table fits the terminal.
# Fails if enforce/records/filter.c selects wrongly (also among folded repeats), if checkpoint.c or reader.c loses an event or doesn't say
# that it missed some, if times depend on a clock that was set (enforce/base/when.c), or if enforce/records/event_columns.c makes a row
# wider than the terminal.

: "${sockaccept:?}" "${probe:?}" "${traffic:?}" "${work:?}"
pid=

# ports_of OPTION...: prints the ports of the events that `audit` shows with these options, in its order
ports_of() {
	"$sockaccept" audit --json "$@" | sed -n 's/.*"local":{[^}]*"port":\([0-9]*\)}.*/\1/p' | tr '\n' ' ' | sed 's/ $//'
}

# shows WANTED OPTION...: expects exactly the events on these ports
shows() {
	wanted=$1
	shift
	expect "audit $*" "$wanted" "$(ports_of "$@")"
}

# record_events: makes events that differ in one thing each
record_events() {
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 22605
	END
	cp "$probe" other
	ln -s "$probe" link
	is_denied 22601
	expect_outcomes EPERM inet6 accept 22602
	expect "nobody's" EPERM "$(as_nobody "$probe" accept inet accept 22603)"
	expect "the other's" EPERM "$(./other accept inet accept 22604)"
	accepts 22605
	unit=/sys/fs/cgroup/system.slice/some.service
	mkdir -p $unit
	# shellcheck disable=SC2016 # it is the inner shell's
	sh -c 'echo $$ >'$unit'/cgroup.procs && exec "$@"' sh "$probe" accept inet accept 22606
	rmdir $unit ${unit%/*}
	expect_outcomes EPERM mptcp accept 22607
	expect_outcomes EPERM sctp accept 22608
}

filters() {
	unloaded
	record_events
	shows "22601 22602 22603 22604 22606 22607 22608"
	shows "22601 22602 22603 22604 22605 22606 22607 22608" --all
	shows 22605 --verdict allow
	shows "22601 22602 22603 22604 22606 22607 22608" --verdict deny --all
	shows 22604 --binary "$work/other"
	shows 22604 --binary other
	shows "22601 22602 22603 22606 22607 22608" --binary "$work/link"
	shows "" --binary "$work/nothing"
	shows "22602 22606 22607" --port 22602,22606-22607
	shows "22601 22602 22603 22604 22606 22607" --port any/tcp
	shows 22608 --port 22600-22699/sctp
	shows 22603 --user nobody
	shows "22601 22603" --user 0,65534 --port 22601,22603
	shows 22606 --unit some.service
	shows 22606 --unit some
	shows "" --unit som
	shows 22602 --peer ::1
	shows "22601 22603 22604 22606 22607 22608" --peer 127.0.0.0/8
	shows "22601 22603 22604 22606 22607 22608" --peer ::ffff:127.0.0.0/104
	shows "" --peer 10.0.0.0/8
	shows "22607 22608" --limit 2
	shows "22606 22607" --limit 2 --port any/tcp
	shows 22603 --user nobody --peer 127.0.0.1 --binary "$probe" --port 22603 --verdict deny --limit 1
}

# A fold is selected only by what all its repeats have in common.
filters_of_folds() {
	deny_all
	"$traffic" spin 1000 22611 22612 >outcome
	until_true 5 test "$("$sockaccept" audit --json --port 22611,22612 | wc -l)" -ge 4 || sleep 1
	"$sockaccept" audit --json --port 22611,22612 >events
	expect "denials on 22611" 500 "$("$sockaccept" audit --json --port 22611 | sed 's/.*"count":\([0-9]*\)}/\1/' | awk '{ n += $1 } END { print n }')"
	expect "of its user" "$(wc -l <events)" "$("$sockaccept" audit --json --user root --port 22611,22612 | wc -l)"
}

# refuses MESSAGE OPTION...: expects status 2 and this message
refuses() {
	message=$1
	shift
	expect_status 2 "$sockaccept" audit "$@"
	expect_said "$message"
}

what_is_asked_must_make_sense() {
	deny_all
	refuses "--since '10 minutes': write how long ago" --since "10 minutes"
	refuses "--since '25:00': there is no such date or time" --since 25:00
	refuses "--until '2026-02-30': there is no such date or time" --until 2026-02-30
	refuses "--until 2h is before --since 1h; exchange them" --since 1h --until 2h
	refuses "unknown verdict 'denied'; it is \`allow\` or \`deny\`" --verdict denied
	refuses "port '99999'" --port 99999
	refuses "unknown user 'nobody-at-all'" --user nobody-at-all
	refuses "--peer '300.1.1.1': write an address" --peer 300.1.1.1
	refuses "--peer '10.0.0.0/33': the length of a prefix" --peer 10.0.0.0/33
	refuses "--peer '10.0.0.1/8': the address has bits set behind the prefix" --peer 10.0.0.1/8
	refuses "--binary 'bin/x' is neither" --binary bin/x
	refuses "--limit '0': write a number" --limit 0
	refuses "given twice: --limit" --limit 1 --limit 2
	refuses "a value is missing after --since" --since
	refuses "an empty value of --binary" --binary ""
	refuses "this verb doesn't take --ports" --ports
}

# set_clock SECONDS: sets the clock forward, or back if negative
set_clock() {
	date -u -s "@$(($(date +%s) + $1))" >/dev/null
}

order_and_since_outlive_the_clock() {
	unloaded
	deny_all
	is_denied 22621
	set_clock 86400
	is_denied 22622
	set_clock -172800
	is_denied 22623
	shows "22621 22622 22623"
	shows "22621 22622 22623" --since 10m
	shows "22621 22622 22623" --since "$(date -d '10 minutes ago' +%Y-%m-%dT%H:%M)"
	shows "22621 22622 22623" --since "$(date -u -d '10 minutes ago' +%Y-%m-%dT%H:%M:%SZ)"
	shows "22621 22622 22623" --utc --since "$(date -u -d '10 minutes ago' '+%Y-%m-%d %H:%M')"
	shows "" --until 10m
	sleep 2
	shows "" --since 1s
	is_denied 22624
	shows 22624 --since 1s
	shows "22621 22622 22623" --until 1s
	set_clock 86400
	shows "22621 22622 22623 22624" --since 10m
}

# goes_on WANTED OPTION...: expects the events on these ports after the checkpoint
goes_on() {
	wanted=$1
	shift
	shows "$wanted" --checkpoint mark "$@"
}

checkpoint_goes_on() {
	unloaded
	deny_all
	is_denied 22631 22632
	goes_on "22631 22632"
	goes_on ""
	is_denied 22633 22634 22635
	shows "22631 22632 22633 22634 22635"
	goes_on 22633 --limit 1
	goes_on "" --port 1 --limit 1
	is_denied 22636 22637
	goes_on "22636" --port 22636
	goes_on ""
	expect "its mode" 600 "$(stat -c %a mark)"

	cp mark before
	expect_status 2 "$sockaccept" audit --all --checkpoint mark
	expect_said "another choice of --all and --verdict"
	echo something >nothing
	expect_status 1 "$sockaccept" audit --checkpoint nothing
	expect_said "is no checkpoint"
	expect "what it was" something "$(cat nothing)"
	expect_status 1 "$sockaccept" audit --checkpoint nowhere/mark
	expect_said "can't write the checkpoint nowhere/mark: No such file or directory"
	cmp -s mark before || because "a run that failed has changed the checkpoint"

	unloaded
	deny_all
	is_denied 22638
	expect_status 0 "$sockaccept" audit --checkpoint mark
	expect_said "is neither in the kernel nor in a log any more; beginning with the oldest event"
	expect_said 22638
	goes_on ""
}

checkpoint_says_what_was_missed() {
	unloaded
	load <<-END
		[sockaccept]
		default = deny
		events = 64
	END
	is_denied 22641 22642
	goes_on "22641 22642"
	# shellcheck disable=SC2046 # they are ports
	"$traffic" spin 100 $(seq 22701 22800) >outcome
	"$sockaccept" audit --json --checkpoint mark >events
	expect "what was missed" '{"schema":1,"missed":36}' "$(head -n 1 events)"
	expect "events" 64 "$(grep -c '"seq"' events)"
	goes_on ""
	expect "what is missed then" 0 "$("$sockaccept" audit --json --checkpoint mark | wc -l)"
	sleep 1.2 # the folds' time
	expect "what is missed without a checkpoint" '{"schema":1,"missed":38}' "$("$sockaccept" audit --json | head -n 1)"
	expect "what is missed since all that is left" '' "$("$sockaccept" audit --json --since 0s | head -n 1)"
}

follower_keeps_its_checkpoint() {
	deny_all
	is_denied 22651
	background follower "$sockaccept" audit --json --follow --checkpoint mark
	until_true 10 grep -q 22651 follower || because "the follower has no event"
	is_denied 22652
	until_true 10 grep -q 22652 follower || because "the follower has no new event"
	finish "$pid"
	is_denied 22653
	goes_on 22653
}

follower_ends_in_time() {
	deny_all
	began=$(date +%s)
	expect_status 0 "$sockaccept" audit --follow --until "$(date -u -d '+2 seconds' +%Y-%m-%dT%H:%M:%SZ)"
	[ $(($(date +%s) - began)) -le 60 ] || because "it went on"
}

hits_have_a_time() {
	load <<-END
		[probe]
		binary = $probe
		allow = 22661, 22662
	END
	accepts 22661
	"$sockaccept" list --hits --json >rules
	judge '
import time
rules = {r["ports"]: r for r in json.load(open("rules"))["rules"]}
if rules["22662"]["last_hit"] is not None or rules["22662"]["hits"]:
    sys.exit("a rule that never decided: %r" % rules)
then = time.mktime(time.strptime(rules["22661"]["last_hit"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
if rules["22661"]["hits"] != 1 or abs(time.time() - then) > 60:
    sys.exit("a rule that just decided: %r" % rules)
'
	"$sockaccept" list --hits >text
	grep -q "LAST HIT" text || because "the table has no such column"
	! "$sockaccept" list --json | grep -q last_hit || because "list --json has what changes while the policy doesn't"
	expect_status 2 "$sockaccept" list --hits --ports
}

# Shows tables on terminals of several widths.
table_fits_the_terminal() {
	unloaded
	record_events
	long=$work/$(printf '%0100d' 0)
	cp "$probe" "$long"
	"$long" accept inet accept 22609
	as_nobody "$traffic" spin 30 22610 >outcome
	judge '
import fcntl, os, pty, re, struct, termios, unicodedata
def shown(columns, *arguments, colour=True):
    child, terminal = pty.fork()
    if not child:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        if not colour:
            os.environ["NO_COLOR"] = ""
        os.execv(sys.argv[1], ["sockaccept-ctl", "audit", "--all", *arguments])
    text = b""
    while True:
        try:
            got = os.read(terminal, 65536)
        except OSError:
            break
        if not got:
            break
        text += got
    os.waitpid(child, 0)
    return text.decode("utf-8").replace("\r\n", "\n")
for said in 0, 80, 100, 132, 200:
    text = shown(said)
    columns = said or 80 # a terminal that does not know
    plain = re.sub("\x1b\\[[0-9]*m", "", text)
    if text == plain or "\x1b[31mdeny" not in text or "\x1b[32mallow" not in text:
        sys.exit("no colours for the verdicts")
    lines = plain.splitlines()
    if len(lines) < 11 or any(len(line) > columns for line in lines):
        sys.exit("%d columns: %s" % (columns, [line for line in lines if len(line) > columns] or lines))
    for heading in "BINARY", "PORT", "PEER":
        place = lines[0].index(heading)
        for line in lines:
            if line[place - 1] != " " or line[place] == " ":
                sys.exit("%d columns: not under %s: %s" % (columns, heading, line))
    for heading, least in ("COUNT", 80), ("USER", 132), ("UNIT", 132), ("RULE", 200):
        if (heading in lines[0]) != (columns >= least):
            sys.exit("%s at %d columns: %s" % (heading, columns, lines[0]))
    if columns >= 132 and not any("some.service" in line for line in lines):
        sys.exit("no unit")
    if not re.search(r"\.\.\.0+ ", plain):
        sys.exit("a long path is not cut at its beginning: " + plain)
if "\x1b" in shown(80, colour=False):
    sys.exit("colours in spite of NO_COLOR")
if "TIME (UTC)" not in shown(80, "--utc", colour=False):
    sys.exit("--utc is not said")
' "$sockaccept"
	"$sockaccept" audit >text
	# A count that is longer than its column.
	"$sockaccept" audit --json --limit 1 | sed 's/"count":[0-9]*/"count":123456789/' >counted.log
	unloaded
	cat "$work/counted.log" "$work/counted.log" >many.log
	judge '
import os, pty, sys
lines = []
def keep(fd):
    data = os.read(fd, 65536)
    lines.append(data)
    return data
os.environ["NO_COLOR"] = ""
pty.spawn([sys.argv[1], "audit", "--log", "many.log"], keep)
lines = [line for line in b"".join(lines).decode().splitlines() if not line.startswith("sockaccept-ctl:")]
place = lines[0].index("PORT")
if len(lines) != 3 or any("123456789" not in line or line[place - 1] != " " or line[place] == " " for line in lines[1:]):
    sys.exit("the ports are not under PORT: %s" % lines)
' "$sockaccept"
	! grep -q "$(printf '\033')" text || because "colours in a file"
	grep -q "$long" text || because "a path is cut in a file"
}

test_case filters
test_case filters_of_folds
test_case what_is_asked_must_make_sense
test_case order_and_since_outlive_the_clock
test_case checkpoint_goes_on
test_case checkpoint_says_what_was_missed
test_case follower_keeps_its_checkpoint
test_case follower_ends_in_time
test_case hits_have_a_time
test_case table_fits_the_terminal
