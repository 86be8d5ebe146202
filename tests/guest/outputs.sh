#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Prints what scripts rely on: the JSON of each verb, the INI that is written, the metrics and the exit statuses, of a fixed scenario.
# usage: outputs.sh SOCKACCEPT-CTL PROBE        in a guest, where nothing is loaded
#
# tests/guest/test_outputs.sh compares it with tests/guest/outputs.expected, which the version before has printed. Where the contract
# changes, change that file in the same commit, by: tests/guest/run tests/guest/outputs.sh build/sockaccept-ctl build/tests/guest/probe
#
# Values that differ from run to run (times, process ids, addresses of files) are replaced by their type.
set -u
ctl=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$2" "$work/probe"
probe=$work/probe
mkdir -p /etc/sockaccept/policy.d
chmod 755 "$work"

# shows NAME ARG...: what the program prints, and its status
shows() {
	name=$1
	shift
	code=0
	"$ctl" "$@" >"$work/out" 2>/dev/null || code=$?
	echo "== $name: status $code"
	python3 -S "$work/normal.py" "$work" <"$work/out"
}

cat >"$work/normal.py" <<'END'
import json, re, sys

# of these, the type alone
VOLATILE = re.compile(r"time|since|until|seconds|_ns$|_s$|pid$|^tid$|inode|device|instance|boot|kernel$|version|seq|cpu|memory|^id$|cgroup|unit|uptime"
                      r"|detail|events_file|oldest|hit|first|last$|left|runs|run_|cost")

def normal(value, key=""):
    if isinstance(value, dict):
        return {k: normal(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [normal(v, key) for v in value]
    if key == "port" and not isinstance(value, bool) and isinstance(value, int) and value >= 32768:
        return "<ephemeral>"
    if VOLATILE.search(key) and not isinstance(value, bool):
        return "<" + type(value).__name__ + ">"
    return value

for line in sys.stdin:
    line = line.rstrip("\n").replace(sys.argv[1], "/work")
    if line.startswith(("{", "[")):
        try:
            print(json.dumps(normal(json.loads(line))))
            continue
        except ValueError:
            pass
    # of a metric, the name and the labels
    print(re.sub(r"^(sockaccept_[a-z_]+(\{.*\})?) [0-9.e+-]+$", r"\1 <number>", line))
END

policy=/etc/sockaccept/policy.d/web.ini
cat >$policy <<END
; kept
[sockaccept]
mode = enforce
default = allow
judge-listen = no
gate = no
drain = no

[web]
binary = $probe
allow = 20000-20009
deny = 20010, 20020/tcp
user = root

[not]
binary = any
deny = 20030
END

shows "nothing loaded: status" status --json
shows "nothing loaded: list" list --json
shows "check" check --json
shows "check a file that is wrong" check --json /dev/null/x
printf '[web]\nbinary = relative\nalow = 80\n' >"$work/wrong.ini"
shows "check an invalid file" check --json "$work/wrong.ini"
shows "load an invalid file" load "$work/wrong.ini"
"$ctl" load >/dev/null 2>&1
shows "list" list --json
shows "a second list, with hits" list --json --hits
"$probe" accept inet accept 20000 20010 20020 20030 >/dev/null
"$probe" accept inet6 accept 20001 20010 >/dev/null
shows "deny" deny "$probe" 20040
shows "deny once more" deny "$probe" 20040
shows "allow with a user" allow "$probe" 20041-20042 --user daemon
shows "remove" remove "$probe" 20040
shows "remove what isn't there" remove "$probe" 20040
shows "list after changes" list --json
shows "list, ports" list --json --ports
shows "diff" diff --json
shows "audit" audit --json --all
shows "audit of one port" audit --json --port 20010
shows "report" report --json --since 1h
shows "identify a program" identify --json "$probe"
python3 -S -c 'import _socket, time
s = _socket.socket()
s.bind(("127.0.0.1", 20030))
s.listen()
print(flush=True)
time.sleep(60)' >"$work/listens" &
listens=$!
for _ in $(seq 100); do
	[ ! -s "$work/listens" ] || break
	sleep 0.1
done
shows "listeners" listeners --json
shows "listeners under the files" listeners --json --policy /etc/sockaccept
kill $listens
shows "metrics" metrics
shows "mode" mode permissive
shows "status" status --json
shows "save" save
echo "== what was saved"
for file in /etc/sockaccept/policy.d/*.ini; do
	echo "-- $file"
	sed "s|$work|/work|g" "$file"
done
shows "doctor" doctor --json
shows "an unknown verb" alow
shows "an unknown option" list --jsn
shows "too many arguments" list surplus
shows "an invalid port" allow "$probe" 99999
shows "confirm nothing" confirm
shows "unload" unload
shows "unload once more" unload
