# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that the lasting log has each event once, or says how many it lacks, through kills, full disks, rotation and set clocks; and what
# reads it (audit, report, metrics, rsyslog, journald).
# Fails if enforce/records/log_write.c appends a part of a line or a line twice, if log_rotate.c, log_watch.c or log_target.c loses the
# file, if history.c reads an event twice, or if enforce/verbs/daemon.c keeps a lock or a privilege.

: "${sockaccept:?}" "${traffic:?}" "${probe:?}" "${work:?}" "${base:?}"
pid=

log=$work/log/audit.log

# start_daemon [OPTION...]: starts it in the background, writing $log
start_daemon() {
	background daemon "$sockaccept" daemon --log "$log" "$@"
	daemon=$pid
	until_true 20 test -s "$log" || because "no log within 20 s: $(cat daemon.errors)"
}

# start_load PORT...: makes connections as fast as it can, until end_load
start_load() {
	serve server "$@"
	server=$pid
	background clients "$traffic" supply "$@"
	clients=$pid
}

end_load() {
	finish "$clients"
	finish "$server"
}

# events_made: prints how many events the kernel has made
events_made() {
	"$sockaccept" metrics | awk '/^sockaccept_events_total/ { sum += $2 } END { print sum + 0 }'
}

# events_in_log: prints how many events the log has, or says that it missed
events_in_log() {
	cat "$log" "$log".[0-9]* 2>/dev/null |
		awk '/^[{]"schema":1,"missed":/ { sub(/.*"missed":/, ""); sum += $1 }
			/^[{]"schema":1,"seq":/ { sum++ } END { print sum + 0 }'
}

log_has_all() {
	[ "$(events_in_log)" -ge "$(events_made)" ]
}

# judge_log FILE...: reads the files, oldest first. Expects that each line is whole, and each event there once or counted as missed. Writes
# both numbers to the file in-log
judge_log() {
	judge '
seen, missed, gaps, expected, now = 0, 0, 0, {}, None
for name in sys.argv[1:]:
    text = open(name, "rb").read()
    if text and not text.endswith(b"\n"):
        sys.exit("%s ends within a line" % name)
    first = True
    for line in text.split(b"\n")[:-1]:
        value = json.loads(line)
        if first and "source" not in value:
            sys.exit("%s begins with no source: %s" % (name, line[:200]))
        first = False
        missed += value.get("missed", 0)
        if "source" in value:
            now = (value["source"]["boot_id"], value["source"]["instance"])
            expected.setdefault(now, 0)
            if value["source"]["seq"] < expected[now]:
                sys.exit("a source goes back from %d: %s" % (expected[now], line))
            if not "missed" in value and value["source"]["seq"] != expected[now]:
                sys.exit("a source passes over some from %d on: %s" % (expected[now], line))
            continue
        if value["seq"] < expected[now]:
            sys.exit("event %d comes behind %d" % (value["seq"], expected[now] - 1))
        gaps += value["seq"] - expected[now]
        expected[now] = value["seq"] + 1
        seen += 1
if gaps > missed:
    sys.exit("%d events are missing, %d are said to be" % (gaps, missed))
print(seen, missed, file=open("in-log", "w"))
' "$@"
}

# Each event is in the log once, in order, or is counted as missed.
killed_daemon_loses_nothing() {
	unloaded
	load <<-END
		[sockaccept]
		default = allow
	END
	start_load 22800 22801
	start_daemon
	for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 \
		26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50; do
		sleep "0.$(((round * 37) % 29 + 10))"
		kill -KILL "$daemon"
		wait "$daemon" || true
		"$sockaccept" daemon --log "$log" 2>>daemon.errors &
		daemon=$!
	done
	end_load
	echo "$daemon" >>"$base/pids"
	until_true 30 log_has_all || because "$(events_made) were made, $(events_in_log) are in the log: $(cat daemon.errors)"
	finish "$daemon"
	judge_log "$log"
	expect "written and missed" "$(events_made)" "$(awk '{ print $1 + $2 }' in-log)"
	[ "$(cut -d ' ' -f 1 in-log)" -gt 1000 ] || because "only $(cut -d ' ' -f 1 in-log) events"
	expect "messages" "" "$(cat daemon.errors)"
}

# The daemon is stopped for longer than the buffers last: the log says exactly how many events it lacks.
slow_daemon_says_what_it_missed() {
	unloaded
	load <<-END
		[sockaccept]
		events = 1024
	END
	start_daemon
	"$traffic" burst 22810 100 >outcome
	until_true 10 log_has_all || because "the first ones don't come"
	kill -STOP "$daemon"
	for _ in 1 2 3 4; do
		"$traffic" burst 22811 1000 >outcome
	done
	kill -CONT "$daemon"
	until_true 20 log_has_all || because "$(events_made) were made, $(events_in_log) are in the log"
	finish "$daemon"
	judge_log "$log"
	expect "written and missed" "1124 2976" "$(cat in-log)"
	"$sockaccept" metrics --log "$log" | grep -qxF 'sockaccept_log_missed_total{verdict="allow"} 2976' ||
		because "metrics: $("$sockaccept" metrics --log "$log" | grep _log_)"
	"$sockaccept" audit --all --log "$log" --json | grep missed >line
	expect "what audit says" '{"schema":1,"missed":2976}' "$(cat line)"
}

full_disk_is_waited_for() {
	unloaded
	load <<-END
		[sockaccept]
		default = allow
	END
	mkdir "$work/log"
	mount -t tmpfs -o size=4m tmpfs "$work/log"
	start_daemon
	"$traffic" burst 22820 100 >outcome
	until_true 10 log_has_all || because "the first ones don't come"
	dd if=/dev/zero of="$work/log/filler" bs=4096 2>/dev/null || true
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$traffic" burst 22820 500 >outcome
		sleep 0.9
		kill -0 "$daemon" || because "the daemon ended: $(cat daemon.errors)"
	done
	[ "$(events_in_log)" -lt 5000 ] || because "the disk wasn't full"
	grep '^{"schema":1,"' "$log" | tail -n 1 | grep -q '}$' || because "half a line stands in the log"
	rm "$work/log/filler"
	until_true 10 log_has_all || because "$(events_made) were made, $(events_in_log) are in the log"
	finish "$daemon"
	judge_log "$log"
	expect "written and missed" "5100 0" "$(cat in-log)"
	expect "messages" 2 "$(wc -l <daemon.errors)"
	grep -q "can't write .*No space left on device; trying on" daemon.errors || because "said: $(cat daemon.errors)"
	grep -q 'can be written again, after [0-9]* s' daemon.errors || because "said: $(cat daemon.errors)"
}

# The file is removed to make room, and the daemon is told: what it holds goes into the new file.
full_disk_and_a_new_file() {
	unloaded
	load <<-END
		[sockaccept]
		default = allow
	END
	mkdir "$work/log"
	mount -t tmpfs -o size=256k tmpfs "$work/log"
	start_daemon
	"$traffic" burst 22825 1000 >outcome
	until_true 10 grep -q "can't write" daemon.errors || because "the disk isn't full"
	mv "$log" "$log.old" && cp "$log.old" "$work/audit.log.old" && rm "$log.old"
	kill -HUP "$daemon"
	until_true 10 test -s "$log" || because "no new file"
	finish "$daemon"
	judge_log "$work/audit.log.old" "$log"
	expect "missed" 0 "$(cut -d ' ' -f 2 in-log)"
	[ "$(wc -l <"$work/audit.log.old")" -gt 300 ] || because "the old file has $(wc -l <"$work/audit.log.old") lines"
}

rotates_by_size() {
	unloaded
	deny_all
	ctl allow "$traffic" any
	start_daemon --rotate-size 128K --rotate-keep 3
	for _ in 1 2 3 4; do
		"$traffic" burst 22830 500 >outcome
	done
	until_true 20 test -e "$log.3" || because "only $(ls "$work/log")"
	sleep 0.5
	finish "$daemon"
	[ ! -e "$log.4" ] || because "a fourth old file is kept"
	expect "the rights of the log" "640 640" "$(stat -c %a "$log" "$log.1" | tr '\n' ' ' | sed 's/ $//')"
	[ "$(stat -c %s "$log.1")" -ge 131072 ] || because "an old file has $(stat -c %s "$log.1") bytes"
	[ "$(stat -c %s "$log.1")" -le 700000 ] || because "an old file has $(stat -c %s "$log.1") bytes"
	"$sockaccept" audit --all --json --log "$log" >events
	last=$(tail -n 1 events | value seq)
	first=$(head -n 1 events | value seq)
	expect "events of all files" $((last - first + 1)) "$(wc -l <events)"
	expect "the last event" 1999 "$last"
}

logrotate_loses_no_line() {
	unloaded
	load <<-END
		[sockaccept]
		default = allow
	END
	start_load 22840
	start_daemon
	write_policy logrotate.conf <<-END
		$log {
			rotate 20
			create
			postrotate
				kill -HUP $daemon
			endscript
		}
	END
	chown root:root . logrotate.conf
	chmod 755 "$work" "$work/log"
	for _ in 1 2 3 4 5; do
		sleep 1
		logrotate -f -s logrotate.state logrotate.conf || because "logrotate failed"
	done
	end_load
	sleep 0.3
	until_true 20 log_has_all || because "$(events_made) were made, $(events_in_log) are in the log"
	finish "$daemon"
	expect "files" 6 "$(find "$work/log" -name 'audit.log*' | wc -l)"
	judge_log "$log.5" "$log.4" "$log.3" "$log.2" "$log.1" "$log"
	expect "written and missed" "$(events_made) 0" "$(cat in-log)"
	"$sockaccept" audit --all --json --log "$log" >events
	expect "events that audit shows" "$(events_made)" "$(wc -l <events)"
}

# Whatever somebody does to the file without a SIGHUP, later events are in the log, once.
daemon_notices_a_removed_log() {
	deny_all
	start_daemon
	is_denied 22850
	until_true 10 grep -q '"port":22850' "$log" || because "not in the log"
	rm "$log"
	is_denied 22851
	until_true 15 test -e "$log" || because "no new log: $(cat daemon.errors)"
	until_true 5 grep -q '"port":22851' "$log" || because "what went into the removed file isn't in the new one"
	is_denied 22852
	until_true 5 grep -q '"port":22852' "$log" || because "nothing more is in the log"
	expect "events of each" "1 1" "$(grep -c '"port":22851' "$log") $(grep -c '"port":22852' "$log")"
	grep -q "$log was removed or replaced; going on in the file that has this name now" daemon.errors || because "it said: $(cat daemon.errors)"

	# Somebody renames the file and sends no signal: nothing has to be written again.
	mv "$log" "$log.1"
	is_denied 22853
	until_true 15 test -e "$log" || because "no new log: $(cat daemon.errors)"
	rm -r "$work/log"
	is_denied 22854
	until_true 15 test -e "$log" || because "no new log in a new directory: $(cat daemon.errors)"
	until_true 5 grep -q '"port":22854' "$log" || because "nothing more is in the log"
	expect "events of each" 1 "$(grep -c '"port":22854' "$log")"
	expect "messages" 3 "$(wc -l <daemon.errors)"
	finish "$daemon"
	"$sockaccept" audit --json --log "$log" >events
	expect "events that audit shows" 1 "$(grep -c '"port":22854' events)"
}

# An ordinary user sees what is in the log that he may read, and no events of the kernel.
copy_of_a_log_takes_no_privilege() {
	unloaded
	deny_all
	start_daemon
	is_denied 22880 22881
	until_true 10 log_has_all || because "not in the log"
	finish "$daemon"
	is_denied 22882
	chmod 755 .
	mkdir mine hidden
	for directory in mine hidden; do
		cp "$log" $directory/audit.log
		chown 65534 $directory/audit.log
		chmod 600 $directory/audit.log
	done
	grep -c '"seq":.*"verdict":"deny"' mine/audit.log >wanted
	as_nobody "$sockaccept" audit --log mine/audit.log --json >events 2>errors || because "status $?: $(cat errors)"
	expect "what was said" '' "$(cat errors)"
	expect "events" "$(cat wanted)" "$(grep -c '"seq"' events)"
	expect "events that are only in the kernel" 0 "$(grep -c '"port":22882' events)"
	expect_status 0 as_nobody "$sockaccept" audit --log mine/audit.log --limit 1
	expect_status 0 as_nobody "$sockaccept" report --log mine/audit.log --json
	judge 'r = json.load(open("said")); assert r["denied"] == 2, r'

	# Older files that he may not read; later, a directory that he may not list.
	cp mine/audit.log mine/audit.log.1
	chmod 600 mine/audit.log.1
	expect_status 0 as_nobody "$sockaccept" audit --log mine/audit.log --json
	expect_said '1 older file of mine/audit.log may not be read by you'
	expect "lines" $(($(cat wanted) + 1)) "$(wc -l <said)"
	# Compressed files: whole, damaged, and not with gzip.
	gzip mine/audit.log.1
	chmod 644 mine/audit.log.1.gz
	as_nobody "$sockaccept" audit --log mine/audit.log --json >events 2>errors || because "status $?: $(cat errors)"
	expect "what was said" '' "$(cat errors)"
	expect "events, with those of the compressed file" $((2 * $(cat wanted))) "$(grep -c '"seq"' events)"
	as_nobody "$sockaccept" report --log mine/audit.log --json >sums || because "status $?"
	judge 'r = json.load(open("sums")); assert r["denied"] == 4, r'
	head -c -5 mine/audit.log.1.gz >mine/audit.log.2.gz
	touch mine/audit.log.3.xz
	expect_status 0 as_nobody "$sockaccept" audit --log mine/audit.log --json
	expect_said 'mine/audit.log.2.gz is damaged'
	expect_said '1 older file of mine/audit.log is compressed, not with gzip, and left out'
	chmod 711 hidden
	as_nobody "$sockaccept" audit --log hidden/audit.log --json >events || because "it isn't read where the directory can't be listed"
	expect "events" "$(cat wanted)" "$(grep -c '"seq"' events)"

	expect_status 1 as_nobody "$sockaccept" audit --log hidden/other.log
	expect_said 'No such file'
	cp "$log" hidden/root.log
	chmod 600 hidden/root.log
	expect_status 1 as_nobody "$sockaccept" audit --log hidden/root.log
	expect_said 'Permission denied'
	expect_status 4 as_nobody "$sockaccept" audit --log mine/audit.log --follow
	expect_status 4 as_nobody "$sockaccept" metrics --log mine/audit.log
	# Root also sees the events that are only in the kernel.
	"$sockaccept" audit --log mine/audit.log --json >events
	expect "events of log and kernel" 1 "$(grep -c '"port":22882' events)"
}

# Old events come from the log, newer ones from the kernel: each once, also after the kernel side was loaded anew.
audit_reads_log_and_kernel() {
	unloaded
	deny_all
	start_daemon
	is_denied 22850 22851
	until_true 10 log_has_all || because "not in the log"
	finish "$daemon"
	is_denied 22852
	audited() {
		"$sockaccept" audit --log "$log" --json "$@" | sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/' | tr '\n' ' ' |
			sed 's/ $//'
	}
	expect "log and kernel" "22850 22851 22852" "$(audited)"
	expect "with a checkpoint" "22850 22851" "$(audited --checkpoint place --limit 2)"
	unloaded
	deny_all
	is_denied 22853
	expect "the last ones" "22850 22851 22853" "$(audited --limit 9)"
	expect "the last two" "22851 22853" "$(audited --limit 2)"
	expect "behind the checkpoint" 22853 "$(audited --checkpoint place)"
	start_daemon
	until_true 10 grep -q 22853 "$log" || because "the new one isn't in the log"
	is_denied 22854
	expect "three kernel sides" "22850 22851 22853 22854" "$(audited)"
	expect "behind the checkpoint" 22854 "$(audited --checkpoint place)"
	expect "of a port" 22851 "$(audited --port 22851)"
	expect "of a binary" "22850 22851 22853 22854" "$(audited --binary "$probe")"
	expect "of another" "" "$(audited --binary /usr/bin/ncat)"
	expect "the last one of a port" 22850 "$(audited --port 22850 --limit 3)"
	finish "$daemon"
	unloaded
	expect_status 3 "$sockaccept" audit --log "$log" --json
	expect "when unloaded" 4 "$(grep -c '"seq"' said)"
	expect_said "not loaded: the log ends here"
	expect_status 1 "$sockaccept" audit --log "$work/none" --json
	expect_said "can't read the log $work/none: No such file or directory"
}

# Times of this boot are right, whatever the clock was set to when they were written.
clock_is_set_between() {
	unloaded
	deny_all
	start_daemon
	is_denied 22860
	until_true 10 log_has_all || because "not in the log"
	sleep 2
	date -s '+1 day' >/dev/null
	is_denied 22861
	until_true 10 log_has_all || because "not in the log"
	sleep 2
	date -s '-2 days' >/dev/null
	is_denied 22862
	until_true 10 log_has_all || because "not in the log"
	finish "$daemon"
	"$sockaccept" audit --log "$log" --json --since 1h >hour
	"$sockaccept" audit --log "$log" --json --since 3s >seconds
	"$sockaccept" audit --log "$log" --json --since 3h --until 1h >none
	date -s '+1 day' >/dev/null
	expect "within the hour" 3 "$(wc -l <hour)"
	expect "of the last seconds" 22862 "$(sed 's/.*"local":{[^}]*"port":\([0-9]*\).*/\1/' seconds | tail -n 1)"
	[ "$(wc -l <seconds)" -lt 3 ] || because "the last three seconds have $(wc -l <seconds)"
	expect "before" 0 "$(wc -l <none)"
}

daemon_waits_for_a_policy() {
	unloaded
	background daemon "$sockaccept" daemon --log "$log"
	daemon=$pid
	until_true 10 test -e "$log" || because "no log: $(cat daemon.errors)"
	sleep 0.5
	kill -0 "$daemon" || because "it ended: $(cat daemon.errors)"
	deny_all
	is_denied 22870
	until_true 10 grep -q '"port":22870' "$log" || because "not in the log: $(cat daemon.errors)"
	is_denied 22871
	unloaded
	deny_all
	is_denied 22872
	until_true 10 grep -q '"port":22872' "$log" || because "the second load isn't in the log: $(cat daemon.errors)"
	expect "of the first load" 2 "$(grep -c -e '"port":22870' -e '"port":22871' "$log")"
	expect "kernel sides" 2 "$(sed -n 's/.*"instance":\([0-9]*\).*/\1/p' "$log" | sort -u | wc -l)"
	expect_status 1 "$sockaccept" daemon --log "$log"
	expect_said "another daemon writes $log already"
	finish "$daemon"
	expect "messages" "" "$(cat daemon.errors)"
}

daemon_refuses_bad_options() {
	unloaded
	expect_status 2 "$sockaccept" daemon --log "$log" --rotate-size 5
	expect_said "--rotate-size '5': write a size of at least 64K"
	expect_status 2 "$sockaccept" daemon --log "$log" --rotate-size 10X
	expect_status 2 "$sockaccept" daemon --log "$log" --rotate-keep many
	expect_said "--rotate-keep 'many': write how many old files to keep"
	expect_status 1 "$sockaccept" daemon --log "$work/no/such/audit.log"
	expect_said "can't make $work/no/such: No such file or directory; make it"
	mkdir "$work/log"
	mkfifo "$log"
	expect_status 1 "$sockaccept" daemon --log "$log"
	expect_said "isn't a plain file; remove it"
	as_nobody "$sockaccept" daemon --log "$work/log/x" >said 2>&1 && because "nobody can run it"
	grep -q 'needs the capability cap_bpf' said || because "said: $(cat said)"
}

# The daemon has few privileges, uses little memory, and tells a service manager what it wants to hear.
daemon_is_a_good_service() {
	unloaded
	load <<-END
		[sockaccept]
		default = allow
	END
	for _ in 1 2 3 4 5 6 7 8; do
		"$traffic" burst 22880 3000 >outcome
	done
	cat >manager.py <<-'END'
		import os, socket, subprocess, sys, time
		manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		manager.bind(sys.argv[1])
		manager.settimeout(20)
		address = sys.argv[1] if sys.argv[1][0] == "/" else "@" + sys.argv[1][1:]
		daemon = subprocess.Popen(sys.argv[2:], env=dict(os.environ, NOTIFY_SOCKET=address, WATCHDOG_USEC="1000000"))
		said = []
		end = time.time() + 4
		while time.time() < end:
		    said.append(manager.recv(1000).decode())
		status = {line.split(":")[0]: line.split(":")[1].strip() for line in open("/proc/%d/status" % daemon.pid)}
		daemon.terminate()
		if daemon.wait():
		    sys.exit("ended with %d" % daemon.returncode)
		manager.settimeout(1)
		said.append(manager.recv(1000).decode())
		if not said[0].startswith("READY=1\n"):
		    sys.exit("said first: %r" % said[0])
		if said[-1] != "STOPPING=1":
		    sys.exit("said last: %r" % said[-1])
		if said.count("WATCHDOG=1") not in range(4, 10):
		    sys.exit("in 4 s: %r" % said)
		if "STATUS=writing the log" not in said:
		    sys.exit("said: %r" % said)
		if int(status["CapEff"], 16) != 1 << 39 or int(status["CapPrm"], 16) != 1 << 39 or status["NoNewPrivs"] != "1":
		    sys.exit("capabilities: %s" % status["CapPrm"])
		if int(status["VmHWM"].split()[0]) >= 16384:
		    sys.exit("memory: %s" % status["VmHWM"])
	END
	for socket in "$work/notify" "$(printf '\001')"; do
		rm -f "$log"
		[ "$socket" = "$work/notify" ] || sed -i 's/manager.bind(sys.argv\[1\])/manager.bind("\\0sockaccept")/; s/^address = .*/address = "@sockaccept"/' manager.py
		python3 -S manager.py "$socket" "$sockaccept" daemon --log "$log" || because "$(tail -n 1 "$base/output")"
		judge_log "$log"
		expect "written and missed" "16384 7616" "$(cat in-log)"
	done
}

rsyslog_takes_its_lines() {
	unloaded
	deny_all
	start_daemon
	is_denied 22890 22891
	until_true 10 log_has_all || because "not in the log"
	cat >rsyslog.conf <<-END
		module(load="imfile")
		module(load="mmjsonparse")
		template(name="taken" type="string" string="%\$!verdict% %\$!binary% %\$!local!port%\n")
		input(type="imfile" File="$log" Tag="sockaccept:" ruleset="taken")
		ruleset(name="taken") {
			action(type="mmjsonparse" cookie="")
			if \$!seq != "" then action(type="omfile" file="$work/taken" template="taken")
		}
	END
	mkdir -p /var/spool/rsyslog
	background rsyslog rsyslogd -n -f rsyslog.conf -i "$work/rsyslog.pid"
	is_denied 22892
	until_true 30 grep -q 22892 taken || because "rsyslog has $(cat taken): $(cat rsyslog.errors)"
	printf 'deny %s 22890\ndeny %s 22891\ndeny %s 22892\n' "$probe" "$probe" "$probe" >wanted
	cmp -s wanted taken || because "rsyslog has $(cat taken)"
}

is_in_journal() {
	journalctl -t sockaccept -o cat --no-pager >journal 2>/dev/null
	cmp -s journal "$log"
}

journald_takes_its_lines() {
	unloaded
	deny_all
	start_daemon
	is_denied 22893 22894
	until_true 10 log_has_all || because "not in the log"
	finish "$daemon"
	journald=/lib/systemd/systemd-journald
	[ -x $journald ] || journald=/usr/lib/systemd/systemd-journald
	mkdir -p /run/systemd/journal /run/log/journal
	[ -s /etc/machine-id ] || tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
	background journald $journald
	until_true 20 test -S /run/systemd/journal/stdout || because "journald doesn't start: $(cat journald.errors)"
	systemd-cat -t sockaccept cat "$log"
	until_true 20 is_in_journal || because "journald has $(cat journal)"
	finish "$pid"
}

metrics_are_right() {
	unloaded
	expect_status 3 "$sockaccept" metrics
	expect_said "sockaccept_loaded 0"
	sysctl -q kernel.bpf_stats_enabled=1
	load <<-END
		[sockaccept]
		default = deny
		[odd "name"\\]
		binary = $probe
		allow = 22900
	END
	start_daemon --metrics-file "$work/sockaccept.prom"
	accepts 22900
	is_denied 22901 22902
	"$sockaccept" metrics >counted
	for line in 'loaded 1' 'enforcing 1' 'called 1' 'default_deny 1' 'policy_generation 1' 'policy_rules 1' \
		'connections_total{verdict="allow"} 1' 'connections_total{verdict="deny"} 2' \
		'rule_hits_total{section="odd \"name\"\\\\",binary="'"$probe"'",user="any",verdict="allow",ports="22900"} 1' \
		'events_total{verdict="deny"} 2' 'events_lost_total{verdict="deny"} 0' 'events_room 16384'; do
		grep -qxF "sockaccept_$line" counted || because "without sockaccept_$line: $(grep "^sockaccept_${line%%[ {]*}" counted)"
	done
	runs=$(sed -n 's/^sockaccept_program_runs_total{program="socket_accept"} //p' counted)
	[ "${runs:-0}" -ge 3 ] || because "runs of the program: '$runs'"
	expect "its last line" "# EOF" "$(tail -n 1 counted)"
	promtool check metrics <counted || because "promtool: $(promtool check metrics <counted 2>&1 | head -n 2)"
	until_true 10 log_has_all || because "not in the log"
	"$sockaccept" metrics --log "$log" >counted
	grep -qxF 'sockaccept_log_missed_total{verdict="deny"} 0' counted || because "of the log: $(grep _log_ counted)"
	grep -qxF 'sockaccept_log_behind{verdict="deny"} 0' counted || because "of the log: $(grep _log_ counted)"
	promtool check metrics <counted || because "promtool says otherwise with the log"
	until_true 30 grep -qxF 'sockaccept_connections_total{verdict="deny"} 2' sockaccept.prom ||
		because "the file: $(cat sockaccept.prom)"
	promtool check metrics <sockaccept.prom || because "promtool says otherwise of the file"
	expect "its rights" 644 "$(stat -c %a sockaccept.prom)"
	sysctl -q kernel.bpf_stats_enabled=0
	ctl mode permissive
	"$sockaccept" metrics | grep -qx 'sockaccept_enforcing 0' || because "it says that it enforces"
}

report_adds_up() {
	unloaded
	load <<-END
		[sockaccept]
		default = deny
		[web]
		binary = $traffic
		allow = 22910
		deny = 22911
	END
	start_daemon
	"$traffic" burst 22910 20 >outcome
	"$traffic" spin 500 22911 >outcome
	is_denied 22912
	sleep 1.5
	until_true 10 log_has_all || because "not in the log"
	finish "$daemon"
	"$traffic" burst 22910 3 >outcome
	ctl report --log "$log" --json
	judge '
report = json.load(open(sys.argv[1]))
def must(what, wanted, saw):
    if wanted != saw:
        sys.exit("%s: expected %r, saw %r" % (what, wanted, saw))
traffic, probe = sys.argv[2:]
must("sums", (501, 23, 0), (report["denied"], report["accepted"], report["missed"]))
deny, allow = report["deny"], report["allow"]
must("binaries", [{"binary": traffic, "count": 500}, {"binary": probe, "count": 1}], deny["binaries"])
must("ports", [{"port": "22911/tcp", "count": 500}, {"port": "22912/tcp", "count": 1}], deny["ports"])
must("peers", [{"peer": "127.0.0.1", "count": 501}], deny["peers"])
must("rules", [{"rule": "web: deny 22911", "count": 500}, {"rule": "default", "count": 1}], deny["rules"])
must("accepting", [{"binary": traffic, "count": 23}], allow["binaries"])
must("accepting rules", [{"rule": "web: allow 22910", "count": 23}], allow["rules"])
must("new", [(probe, 22912, 1, 0), (traffic, 22911, 500, 0), (traffic, 22910, 0, 23)],
     [(new["binary"], new["port"], new["deny"], new["allow"]) for new in report["new"]])
' said "$traffic" "$probe"
	ctl report --log "$log" --json --binary "$probe"
	expect "of one binary" 1 "$(value denied <said)"
	sleep 2
	is_denied 22912 22913
	"$sockaccept" report --log "$log" --since 2s >said
	expect "what is new" 22913 "$(awk '/^FIRST/ { new = 1; next } new { print $3 }' said)"
	expect_status 2 "$sockaccept" report --top 0
	expect_said "--top '0': write a number of lines"
	TERM=xterm LC_ALL=C.UTF-8 script -qc "stty cols 80; $sockaccept report --log $log" /dev/null >screen
	judge '
import re
lines = re.sub("\x1b\\[[0-9;]*m", "", open("screen").read()).replace("\r", "").split("\n")
if max(map(len, lines)) > 80:
    sys.exit("a line of %d columns" % max(map(len, lines)))
if not any("\u2588" * 24 in line and sys.argv[1][-20:] in line for line in lines):
    sys.exit("no bar")
' "$traffic"
}

# The daemon has a child look from time to time where the paths of rules lead. This unloads at such a time that the daemon must end the next
# such child while it is at work, and holds that child up.
unload_meanwhile='
import os, signal, subprocess, sys, time
daemon, sockaccept = int(sys.argv[1]), sys.argv[2]
def children():
    with open("/proc/%d/task/%d/children" % (daemon, daemon)) as file:
        return [int(child) for child in file.read().split()]
def wait(wanted):
    while bool(children()) != wanted:
        time.sleep(0.002)
wait(True)
wait(False)
before = time.monotonic()
wait(True)
pause = time.monotonic() - before
wait(False)
looked = time.monotonic()
# it makes an end of what was unloaded 3 s after it has seen that
time.sleep(max(pause - 3, 0))
subprocess.run([sockaccept, "unload"], check=True)
while time.monotonic() < looked + pause + 3:
    for child in children():
        os.kill(child, signal.SIGSTOP)
        print("held up after %.1f s" % (time.monotonic() - looked), flush=True)
        time.sleep(0.5)
    time.sleep(0.01)
'

# No command changes anything while the daemon's child looks, as the child holds the lock. A child that is ended must not keep it.
daemon_keeps_no_lock() {
	load </dev/null
	background daemon "$sockaccept" daemon --log "$work/audit.log"
	# All on one CPU. An emulator runs CPUs by turns, so on another one the child would be gone before it is seen.
	taskset -pc 0 "$pid"
	for _ in 1 2; do
		timeout 180 taskset -c 0 python3 -S -c "$unload_meanwhile" "$pid" "$sockaccept" >held || because "nothing was tried: $(cat held)"
		cat held
		expect_status 0 timeout 30 "$sockaccept" load "$work/policy.ini"
	done
}

test_case killed_daemon_loses_nothing
test_case slow_daemon_says_what_it_missed
test_case copy_of_a_log_takes_no_privilege
test_case daemon_notices_a_removed_log
test_case full_disk_is_waited_for
test_case full_disk_and_a_new_file
test_case rotates_by_size
test_case logrotate_loses_no_line
test_case audit_reads_log_and_kernel
test_case clock_is_set_between
test_case daemon_waits_for_a_policy
test_case daemon_refuses_bad_options
test_case daemon_is_a_good_service
test_case rsyslog_takes_its_lines
test_case journald_takes_its_lines
test_case metrics_are_right
test_case report_adds_up
test_case daemon_keeps_no_lock
