# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that JSON is valid, compact and complete as documented, and that names which others chose (comm, paths) can't control a terminal.
# Fails if enforce/base/output.c or escape.c lets a byte through unescaped, if enforce/records/event_print.c drops, adds or reorders a
# member, or if enforce/records/reader.c consumes events, so that a second reader misses them.

: "${sockaccept:?}" "${probe:?}" "${work:?}"
pid=

# judge_lines FILE: checks that lines of `audit --json` are as documented
judge_lines() {
	judge '
import re, time
keys = ("schema seq time generation verdict enforced reason rule binary pid tid uid gid comm cgroup_id unit netns sockfd "
        "family protocol local peer backlog backlog_max operation count").split()
numbers = "seq generation pid tid uid gid cgroup_id netns sockfd backlog backlog_max count".split()
last = -1
for raw in open(sys.argv[1], "rb"):
    line = raw.decode("utf-8")
    def must(holds, what):
        if not holds:
            sys.exit(what + ": " + ascii(line))
    must(line.endswith("\n"), "not a whole line")
    event = json.loads(line)
    had = list(event)
    if "binary_hint" in had:
        must(event["binary"] is None, "a hint beside the binary")
        had.remove("binary_hint")
    must(had == keys, "keys that are too many, missing or in another order: %s" % sorted(set(had) ^ set(keys)))
    must("\\" in line or json.dumps(event, separators=(",", ":"), ensure_ascii=False) + "\n" == line, "not compact")
    for key in numbers:
        must(type(event[key]) is int, key + " is no number")
    must(event["schema"] == 1, "schema is not 1")
    must(event["seq"] > last, "seq does not grow")
    last = event["seq"]
    must(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", event["time"]), "the form of time")
    then = time.mktime(time.strptime(event["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
    must(abs(time.time() - then) < 900, "a time that is not near")
    must(event["verdict"] in ("allow", "deny"), "verdict")
    must(type(event["enforced"]) is bool, "enforced")
    must(event["reason"] == ("default" if event["rule"] is None else "rule"), "reason and rule disagree")
    must(event["operation"] in ("accept", "attempt"), "operation")
    must(event["family"] in ("inet", "inet6", "vsock"), "family")
    must(event["protocol"] in ("tcp", "mptcp", "sctp", "vsock"), "protocol")
    for end in "local", "peer":
        must(event[end] is None and end == "peer" or list(event[end]) == ["address", "port"], end)
    must(event["count"] >= 1, "count")
print("%d lines" % last)
' "$1"
}

audit_is_json() {
	load <<-END
		[sockaccept]
		default = deny
		[probe]
		binary = $probe
		allow = 21800
		deny = 21801
	END
	accepts 21800
	is_denied 21801 21802
	"$probe" matrix inet6 21803
	"$probe" matrix mptcp 21809
	"$probe" matrix sctp 21815
	"$probe" matrix vsock 21821
	"$sockaccept" audit --all --json >events
	expect "events" 27 "$(wc -l <events)"
	judge_lines events
	"$sockaccept" audit --json >denials
	grep '"verdict":"deny"' events | cmp -s - denials || because "without --all it isn't just the denials"
}

event_says_who_and_where() {
	deny_all
	is_denied 21830
	last_event >event
	judge '
event = json.load(open("event"))
def must(key, wanted):
    if event[key] != wanted:
        sys.exit("%s: expected %r, saw %r" % (key, wanted, event[key]))
must("verdict", "deny"); must("enforced", True); must("reason", "default"); must("rule", None)
must("binary", sys.argv[1]); must("uid", 0); must("gid", 0); must("comm", "probe"); must("unit", None)
must("pid", event["tid"]); must("sockfd", 3); must("family", "inet"); must("protocol", "tcp")
must("local", {"address": "127.0.0.1", "port": 21830}); must("backlog", 1); must("backlog_max", 16); must("operation", "accept"); must("count", 1)
must("netns", int(sys.argv[2]))
if event["peer"]["address"] != "127.0.0.1" or not event["peer"]["port"]:
    sys.exit("peer: saw %r" % event["peer"])
' "$probe" "$(stat -L -c %i /proc/self/ns/net)"
	expect_outcomes EPERM inet uring 21831
	expect "the descriptor of an io_uring accept" -1 "$(last_event | value sockfd)"
}

shapes_of_list_status_check() {
	unloaded
	expect_status 3 "$sockaccept" status --json
	expect "status when not loaded" '{"schema":1,"loaded":false}' "$(cat said)"
	load <<-END
		[sockaccept]
		default = deny
		[web]
		binary = /usr/sbin/nginx
		user = root
		allow = 80, 8000-8099/tcp
		[rest]
		binary = any
		deny = any
	END
	"$sockaccept" list --json >rules
	"$sockaccept" list --ports --json >ports
	ctl status --json
	cp said status
	ctl check --json policy.ini
	cp said valid
	printf '[x]\nbinary = relative\nallow = 80\n' >invalid.ini
	expect_status 6 "$sockaccept" check --json invalid.ini
	cp said invalid
	judge '
def read(name):
    text = open(name).read()
    value = json.loads(text)
    if json.dumps(value, separators=(",", ":")) + "\n" != text:
        sys.exit(name + " is not one compact line: " + text)
    return value
def must(holds, what):
    if not holds:
        sys.exit(what)
rules = read("rules")
must(list(rules) == ["schema", "rules"] and rules["schema"] == 1, "list: %r" % rules)
seen = {(r["section"], r["binary"], r["verdict"], r["ports"], r.get("uid"), r["hits"]) for r in rules["rules"]}
must(seen == {("web", "/usr/sbin/nginx", "allow", "80", 0, 0), ("web", "/usr/sbin/nginx", "allow", "8000-8099/tcp", 0, 0),
              ("rest", "any", "deny", "any", None, 0)}, "list: %r" % rules)
must(read("ports") == {"schema": 1, "ports": []}, "list --ports: " + open("ports").read())
status = read("status")
wanted = {"schema": 1, "loaded": True, "enforcing": True, "mode": "enforce", "default": "deny", "generation": 1, "rules": 3,
          "decisions": {v: {"connections": 0, "attempts": 0} for v in ("allow", "deny")}, "unmediated": status["unmediated"]}
must({k: status[k] for k in wanted} == wanted and type(status["unmediated"]) is int, "status: %r" % status)
must(read("valid") == {"schema": 1, "valid": True, "errors": [], "warnings": []}, "check: " + open("valid").read())
invalid = read("invalid")
must(list(invalid) == ["schema", "valid", "errors", "warnings"] and invalid["valid"] is False and len(invalid["errors"]) == 1
     and invalid["errors"][0]["line"] == 2 and invalid["errors"][0]["file"].endswith("invalid.ini"), "check: %r" % invalid)
'
}

names_of_others_obey_nothing() {
	deny_all
	esc=$(printf '\033[31mred\033[0m')
	odd=$(printf 'a\001\177\t\rb')
	broken=$(printf 'x\377\300y')
	bidi=$(printf 'a\342\200\256b')
	c1=$(printf 'a\302\2331mb')
	port=21840 # one for each: repeats are folded
	for name in 'a"b\c' "$esc" "$odd" "$broken" "$bidi" "$c1"; do
		port=$((port + 1))
		"$probe" -c "$name" accept inet accept $port
	done
	"$sockaccept" audit --json --port 21841-21846 >events
	"$sockaccept" audit --port 21841-21846 >text
	expect "events" 6 "$(wc -l <events)"
	judge_lines events
	judge '
comms = [json.loads(line)["comm"] for line in open("events", encoding="utf-8")]
wanted = ["a\"b\\c", "\x1b[31mred\x1b[0m", "a\x01\x7f\t\rb", "x\ufffd\ufffdy", "a\u202eb", "a\x9b1mb"]
if comms != wanted:
    sys.exit("comm: expected %s, saw %s" % (ascii(wanted), ascii(comms)))
for name in "events", "text":
    for character in open(name, encoding="utf-8", newline="").read():
        if character != "\n" and (ord(character) < 32 or 127 <= ord(character) < 160 or character in "\u202e\u2066"):
            sys.exit("%s has %s as it is" % (name, ascii(character)))
'
}

paths_of_others_obey_nothing() {
	unloaded
	deny_all
	odd=$work/$(printf 'pro\033[31m"be\n\342\200\256')
	cp "$probe" "$odd"
	"$odd" accept inet accept 21845
	"$sockaccept" audit --json >events
	"$sockaccept" audit >text
	"$sockaccept" list --ports >ports
	"$sockaccept" list --ports --json >ports.json
	rm "$odd"
	judge_lines events
	judge '
wanted = sys.argv[1]
binary = json.loads(open("events", encoding="utf-8").read())["binary"]
if binary != wanted:
    sys.exit("binary: expected %s, saw %s" % (ascii(wanted), ascii(binary)))
binary = json.load(open("ports.json", encoding="utf-8"))["ports"][0]["binary"]
if binary != wanted:
    sys.exit("binary in list --ports: expected %s, saw %s" % (ascii(wanted), ascii(binary)))
for name in "events", "text", "ports", "ports.json":
    for character in open(name, encoding="utf-8", newline="").read():
        if character != "\n" and ord(character) < 32 or character == "\u202e":
            sys.exit("%s has %s as it is" % (name, ascii(character)))
' "$odd"
}

has_event_for() {
	grep -q "\"port\":$1}" "$2"
}

follow_shows_new_events() {
	deny_all
	is_denied 21850
	background follower "$sockaccept" audit --follow --json
	until_true 10 has_event_for 21850 follower || because "audit --follow: no event from before within 10 s"
	is_denied 21851
	until_true 10 has_event_for 21851 follower || because "audit --follow: no new event within 10 s"
	finish "$pid"
	judge_lines follower
}

reading_consumes_nothing() {
	deny_all
	is_denied 21860 21861 21862
	"$sockaccept" audit --all --json >first
	"$sockaccept" audit --all --json >second
	cmp -s first second || because "two readers of the same events differ"
	[ "$(wc -l <first)" -ge 3 ] || because "expected 3 events or more, saw $(wc -l <first)"
	background one "$sockaccept" audit --json --follow
	background two "$sockaccept" audit --json --follow
	is_denied 21863
	for reader in one two; do
		until_true 10 has_event_for 21863 $reader || because "the new event didn't come to reader $reader"
	done
	cmp -s one two || because "two readers that follow differ"
}

test_case shapes_of_list_status_check
test_case audit_is_json
test_case event_says_who_and_where
test_case names_of_others_obey_nothing
test_case paths_of_others_obey_nothing
test_case follow_shows_new_events
test_case reading_consumes_nothing
