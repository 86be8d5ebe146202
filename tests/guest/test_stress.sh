# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that no event is torn, out of order or lost without being counted when many servers are denied at once and three readers follow.
# Fails if bpf/event.bpf.h gives two runs the same slot or publishes an unfinished event, if bpf/window.bpf.h counts a repeat twice or
# never, or if enforce/records/reader.c doesn't count what was overwritten.

: "${sockaccept:?}" "${traffic:?}"
spinners=8
each=3000

# sizes: prints how much the readers have printed
sizes() {
	wc -c reader1 reader2 reader3 | tail -n 1
}

wait_quiet() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		size=$(sizes)
		sleep 2
		[ "$size" != "$(sizes)" ] || return 0
	done
	because "the readers still print, 40 s after the last denial"
}

# judge_reader FILE: checks the order, and prints "got N missed N"
judge_reader() {
	sed -n 's/^{"schema":1,"seq":\([0-9]*\),"time".*"count":\([0-9]*\)}$/\1 \2/p
		s/^{"schema":1,"missed":\([0-9]*\)}$/missed \1/p' "$1" >"$1.numbers"
	[ "$(wc -l <"$1")" -eq "$(wc -l <"$1.numbers")" ] ||
		because "$1 has lines that are no events: $(grep -v '^{"schema":1,"\(seq\|missed\)".*}$' "$1" | head -n 1)"
	awk 'BEGIN { last = -1 }
		$1 == "missed" { missed += $2; next }
		$1 <= last { print "seq " $1 " came after " last; exit }
		{ last = $1; got += $2 }
		END { printf "got %d missed %d\n", got, missed }' "$1.numbers"
}

events_under_pressure() {
	unloaded
	deny_all
	for reader in 1 2 3; do
		background reader$reader "$sockaccept" audit --follow --json
	done
	pids=
	for spinner in $(seq $spinners); do
		first=$((22000 + spinner * 10))
		# shellcheck disable=SC2046 # they are ports
		background spinner"$spinner" "$traffic" spin $each $(seq $first $((first + 9)))
		pids="$pids $pid"
	done
	for pid in $pids; do
		wait "$pid" || because "a spinner failed: $(cat spinner*)"
	done
	expect "each spinner's denials" "accepted 0 denied $each other 0" "$(cat spinner? | sort -u)"
	total=$((spinners * each))
	expect "denied connections" $total "$(state deny)"
	wait_quiet
	for reader in 1 2 3; do
		sums=$(judge_reader reader$reader)
		echo "reader $reader: $sums"
		# Each missed event stands for one denial or, when repeats are folded, for more.
		case $sums in
		got*) ;;
		*) because "reader $reader: $sums" ;;
		esac
		missed=${sums##* }
		got=${sums#got }
		got=${got%% *}
		if [ "$missed" -eq 0 ] || ! grep -q '"count":[0-9][0-9]' reader$reader; then
			expect "reader $reader: denials got and missed" $total $((got + missed))
		fi
	done
	# A thousand whole lines, not only their ends.
	tail -n 1000 reader1 >lines
	judge '
for line in open("lines"):
    json.loads(line)
'
}

test_case events_under_pressure
