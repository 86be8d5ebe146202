# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that each decision is made under one whole policy, whatever happens to the commands that change it: they run at once, fail, are
# killed.
# Fails if enforce/change/publish.c or enforce/kernel/image_store.c changes a policy in force in more than one step, if
# enforce/change/change_lock.c lets two commands change it at once, or if bpf/caller.bpf.h reads the reference to the policy twice for one
# call.

: "${sockaccept:?}" "${probe:?}" "${traffic:?}" "${killat:?}" "${pins:?}" "${work:?}"

# write_a_and_b: a.ini allows the probe port 21401 and denies it 21402, b.ini the other way round
write_a_and_b() {
	write_policy a.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[a]
		binary = $probe
		allow = 21401
	END
	write_policy b.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[b]
		binary = $probe
		allow = 21402
	END
}

# in_force: prints which policy is in force: a, b or none; or else what the probe saw
in_force() {
	outcomes=$("$probe" accept inet accept 21401 21402 | tr '\n' ' ')
	case $outcomes in
	'accepted EPERM ') echo a ;;
	'EPERM accepted ') echo b ;;
	'accepted accepted ') echo none ;;
	*) echo "$outcomes" ;;
	esac
}

killed_reload_is_whole() {
	write_a_and_b
	ctl load a.ini
	# The commands of bpf(2) that change an element, pin, and freeze.
	kill_points '2|6|22' "$sockaccept" load b.ini >points
	expect "in force after a load that wasn't killed" b "$(in_force)"
	kills=0
	now=b next=a
	while read -r point; do
		generation=$(state generation)
		call=$("$killat" "$point" "$sockaccept" load "$next.ini" 2>/dev/null) || break
		kills=$((kills + 1))
		seen=$(in_force)
		case $seen:$(state generation) in
		"$now:$generation") ;;
		"$next:$((generation + 1))") next=$now now=$seen ;;
		*) because "killed at call $call, from $now, generation $generation, to $next: in force is $seen, $(cat status)" ;;
		esac
	done <points
	echo "$kills kills"
	[ $kills -ge "$(least 6)" ] || because "only $kills kills: the load made these calls: $(tr '\n' ' ' <calls)"
	ctl load "$next.ini"
	expect "in force after the last load" "$next" "$(in_force)"
	set -- "$pins"/policies/*
	expect "policies that are still pinned" 1 $#
}

# expect_whole CALL: expects a whole policy or none, and a `status` that agrees, after a command was killed at CALL
expect_whole() {
	seen=$(in_force)
	code=0
	"$sockaccept" status --json >said || code=$?
	case $seen:$code:$(value loaded <said) in
	none:3:false | a:0:true) ;;
	*) because "killed at call $1: in force is $seen, and status ($code) says $(cat said)" ;;
	esac
}

killed_first_load_is_whole() {
	write_a_and_b
	unloaded
	# The commands of bpf(2) that pin and attach. What is only in unpinned maps goes with the process.
	kill_points '6|17' "$sockaccept" load a.ini >points
	expect "in force after a load that wasn't killed" a "$(in_force)"
	ctl unload
	kills=0
	: >seen
	while read -r point; do
		call=$("$killat" "$point" "$sockaccept" load a.ini 2>/dev/null) || break
		kills=$((kills + 1))
		expect_whole "$call"
		left=$(find "$pins" | sed 's#policies/[0-9]*$#image#' | sort | tr '\n' ' ')
		# After each kind of remains, another load must work; remains are removed each time.
		if ! grep -qxF "$left" seen; then
			echo "$left" >>seen
			ctl load b.ini
			expect "in force after the next load, killed at call $call" b "$(in_force)"
		fi
		[ "$(state loaded)" = false ] || ctl unload
	done <points
	echo "$kills kills; what was left:"
	cat seen
	[ $kills -ge "$(least 9)" ] || because "only $kills kills: the load made these calls: $(tr '\n' ' ' <calls)"
}

killed_unload_is_whole() {
	write_a_and_b
	ctl load a.ini
	kill_points none "$sockaccept" unload >points
	kills=0
	while read -r point; do
		ctl load a.ini
		call=$("$killat" "$point" "$sockaccept" unload 2>/dev/null) || break
		kills=$((kills + 1))
		expect_whole "$call"
	done <points
	echo "$kills kills"
	[ $kills -ge "$(least 3)" ] || because "only $kills kills"
	# Whatever is left can be removed.
	"$sockaccept" unload || true
	[ ! -e "$pins" ] || because "after a killed unload and a whole one there is still $(find "$pins" | tr '\n' ' ')"
}

enforced_without_any_process() {
	deny_all
	! pgrep sockaccept || because "a process of sockaccept is still running"
	is_denied 21410
}

# write_ten WRITER: allows the even ports, denies the odd ones
write_ten() {
	for i in 0 1 2 3 4 5 6 7 8 9; do
		verb=allow
		[ $((i % 2)) -eq 0 ] || verb=deny
		"$sockaccept" $verb "$probe" "214$1$i" || echo "failed: $verb 214$1$i"
	done
}

hundred_commands_at_once() {
	deny_all
	generation=$(state generation)
	pids=
	for writer in 0 1 2 3 4 5 6 7 8 9; do
		background writer$writer write_ten $writer
		pids="$pids $pid"
	done
	for pid in $pids; do
		wait "$pid" || because "a writer failed: $(cat writer*)"
	done
	! grep failed writer* || because "a command failed: $(grep -h failed writer* | head -n 1)"
	expect "the generation" $((generation + 100)) "$(state generation)"
	"$sockaccept" list --json | tr '{' '\n' >rules
	awk 'BEGIN { for (p = 21400; p < 21500; p++) print p % 2 ? "EPERM" : "accepted" }' >wanted
	for port in $(seq 21400 21499); do
		[ $((port % 2)) -eq 0 ] && verdict=allow || verdict=deny
		grep -q "\"verdict\":\"$verdict\",\"ports\":\"$port\"" rules || because "no rule: $verdict $port"
	done
	# shellcheck disable=SC2046 # they are ports
	"$probe" accept inet accept $(seq 21400 21499) >outcomes || true
	cmp -s wanted outcomes || because "the probe on port $((21400 + $(cmp wanted outcomes | sed 's/.*line //') - 1)): unlike its rule"
}

# flip VERDICT: gives port 21520 this verdict, by a command or by a whole load, and notes the generation
flip() {
	flips=$((flips + 1))
	if [ $((flips % 5)) -eq 0 ]; then
		sed "s/21500/21500\n$1 = 21520/" base.ini | write_policy flip.ini
		ctl load flip.ini
	else
		ctl "$1" "$traffic" 21520
	fi
	echo "$(sed -n 's/.*generation \([0-9]*\).*/\1/p' said) $1" >>generations
}

# check_generations FILE: reads lines "generation verdict port", and prints the first whose verdict isn't that of its generation
check_generations() {
	awk 'NR == FNR { said[$1] = $2; next }
		$3 == 21500 { wanted = "allow" }
		$3 == 21510 { wanted = "deny" }
		$3 == 21520 { wanted = said[$1] }
		wanted != $2 { print "port " $3 ", generation " $1 ": " $2 ", its policy says " wanted; exit }' generations "$1"
}

# decisions: reads events as JSON, and prints "generation verdict port rule", each once
decisions() {
	sed -n 's/.*"generation":\([0-9]*\),"verdict":"\([a-z]*\)".*"rule":\("[^"]*"\|null\).*"local":{"address":"[^"]*","port":\([0-9]*\)}.*/\1 \2 \4 \3/p' |
		sort -u
}

each_decision_is_of_one_policy() {
	unloaded
	write_policy base.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[traffic]
		binary = $traffic
		allow = 21500
	END
	ctl load base.ini
	serve server 21500 21510 21520
	server=$pid
	echo "$(state generation) deny" >generations
	background clients "$traffic" supply 21500 21510 21520
	clients=$pid
	flips=0
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		flip allow
		flip deny
	done
	finish "$clients"
	finish "$server"
	"$sockaccept" audit --all --json >events
	decisions <events >decided
	cat generations decided | tail -n 5
	wrong=$(check_generations decided)
	[ -z "$wrong" ] || because "$wrong"
	# The rule in an event agrees with its verdict.
	! grep 'allow.*: deny\|deny.*: allow' decided || because "an event's rule: $(grep 'allow.*: deny\|deny.*: allow' decided | head -n 1)"
	for verdict in allow deny; do
		generations=$(grep -c " $verdict 21520 " decided)
		[ "$generations" -ge 5 ] || because "port 21520: events of only $generations generations with $verdict, expected 5 or more"
	done
	grep -q '^21500 accepted [1-9][0-9]* denied 0 other 0' server || because "port 21500: expected no denial, saw $(grep ^21500 server)"
	grep -q '^21510 accepted 0 denied [1-9][0-9]* other 0' server || because "port 21510: expected denials only, saw $(grep ^21510 server)"
}

# odd_and_even: writes the policies of the odd and the even generations. Both allow 21600 and deny 21610. Only the odd one allows 21620,
# only the even one 21630.
odd_and_even() {
	write_policy odd.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[odd]
		binary = $traffic
		allow = 21600, 21620
		deny = 21630
	END
	write_policy even.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[even]
		binary = $traffic
		deny = 21620
		allow = 21630
		[even-again]
		binary = $traffic
		allow = 21600
	END
}

# reload COUNT: loads the two by turns and prints what each load says; stops at the first that fails. It has priority over the servers,
# which would leave it no processor time.
reload() {
	# shellcheck disable=SC2016 # that shell's
	nice -n -19 sh -c 'for reload in $(seq "$1"); do
			next=odd.ini
			[ $((reload % 2)) -eq 0 ] || next=even.ini
			"$0" load $next || exit
		done' "$sockaccept" "$1"
}

# of_no_policy: prints the first decision that its generation's policy doesn't make
of_no_policy() {
	awk '{
		side = $1 % 2 ? "odd" : "even"
		allowed = $3 == 21600 || $3 == (side == "odd" ? 21620 : 21630)
		ruled = $3 == 21610 ? $4 == "null" : index($4, "\"" side)
		if ($2 != (allowed ? "allow" : "deny") || !ruled) { print; exit }
	}'
}

reloads_under_full_load() {
	reloads=${RELOADS:-1000}
	unloaded
	odd_and_even
	ctl load odd.ini
	servers=
	for port in 21600 21610 21620 21630; do
		serve server-$port $port
		servers="$servers $pid"
	done
	background clients "$traffic" supply 21600 21610 21620 21630
	clients=$pid
	background events "$sockaccept" audit --all --follow --json
	follower=$pid
	reload "$reloads" >loaded 2>&1 || because "reload $(grep -c generation loaded) failed: $(tail -n 1 loaded)"
	expect "the generation" $((reloads + 1)) "$(state generation)"
	for pid in $clients $servers; do
		finish "$pid"
	done
	sleep 1
	finish "$follower"
	decisions <events >decided
	wrong=$(of_no_policy <decided)
	[ -z "$wrong" ] || because "no policy decides so: generation, verdict, port, rule: $wrong"
	cat server-*
	for port in 21600 21610 21620 21630; do
		echo "port $port: $(grep -c " $port " decided) decisions"
		[ "$(grep -c " $port " decided)" -ge $((reloads / 2)) ] || because "port $port: $(grep -c " $port " decided) of $reloads policies seen"
	done
	grep -q '^21600 accepted [1-9][0-9]* denied 0 other 0$' server-21600 || because "allowed by both: $(cat server-21600)"
	grep -q '^21610 accepted 0 denied [1-9][0-9]* other 0$' server-21610 || because "denied by both: $(cat server-21610)"
	for port in 21620 21630; do
		grep -q "^$port accepted [1-9][0-9]* denied [1-9][0-9]* other 0\$" server-$port || because "allowed by one: $(cat server-$port)"
	done
}

# ten_thousand FILE: 100 binaries with 100 rules each
ten_thousand() {
	mkdir -p many
	awk -v directory="$work/many" 'BEGIN {
		for (b = 0; b < 100; b++) {
			printf "[b%d]\nbinary = %s/b%d\n", b, directory, b
			for (line = 0; line < 10; line++) {
				printf "allow = %d", 1000 + 100 * line
				for (p = 1; p < 10; p++)
					printf ", %d", 1000 + 100 * line + 2 * p
				print ""
			}
		}
	}' | write_policy "$1"
	for b in $(seq 0 99); do
		: >many/b"$b"
	done
}

# tests/bench/load.sh measures how long this takes; here the machine is busy with other things.
load_10000_rules() {
	ten_thousand many.ini
	deny_all
	ctl load many.ini
	expect "rules" 10000 "$(state rules)"
}

first_load_10000_rules() {
	ten_thousand many.ini
	unloaded
	ctl load many.ini
	expect "rules" 10000 "$(state rules)"
}

failed_load_changes_nothing() {
	write_a_and_b
	ctl load a.ini
	accepts 21401
	"$sockaccept" list --json >before
	generation=$(state generation)
	{
		cat b.ini
		echo 'allow = 99999'
	} | write_policy bad.ini
	expect_status 6 "$sockaccept" load bad.ini
	expect_said 'bad.ini:9:'
	expect_status 6 "$sockaccept" load no-such-file.ini
	expect_status 2 "$sockaccept" allow no/such/directory/x 80
	expect_status 1 "$sockaccept" remove "$probe" 5
	expect_status 2 "$sockaccept" allow "$probe" 99999
	"$sockaccept" list --json >after
	cmp -s before after || because "the rules were $(cat before), are $(cat after)"
	expect "the generation" "$generation" "$(state generation)"
	expect "in force" a "$(in_force)"
}

# These take minutes, and are the same on every kernel.
if [ -z "${BRIEF-}" ]; then
	test_case killed_reload_is_whole
	test_case killed_first_load_is_whole
	test_case killed_unload_is_whole
	test_case hundred_commands_at_once
	test_case failed_load_changes_nothing
fi
test_case enforced_without_any_process
test_case each_decision_is_of_one_policy
test_case reloads_under_full_load
test_case load_10000_rules
test_case first_load_10000_rules
