#!/bin/sh
# In a guest with one CPU that counts instructions: what an accept(), an exec and a fork gain by the policies that matter.
set -eu

ctl=build/sockaccept-ctl
bench=$PWD/build/tests/bench/accept
count=1000
policy=/tmp/policy.ini

row() { # LABEL BASE VALUE
	printf '  %-58s %6d  %+6d\n' "$1" "$3" "$(($3 - $2))"
}

# Prints the median after loading $policy, to stay away from numbers by chance: of one run, as each is exact.
measure() { # PORT accepted|denied
	chmod 600 $policy
	$ctl load $policy >/dev/null 2>&1
	"$bench" "$1" $count "$2"
}

# 10,000 rules: half of them for other binaries, half for other ports of this one.
many() {
	echo '[sockaccept]'
	echo 'default = deny'
	printf '[bench]\nbinary = %s\nallow = 8080\n' "$bench"
	awk 'BEGIN { for (i = 10001; i <= 15000; i++) print "allow = " i }'
	awk 'BEGIN { for (i = 1; i < 5000; i++) printf "[other]\nbinary = /usr/bin/other-%d\nallow = 80\n", i }'
}

base=$("$bench" 8080 $count accepted)
fruitless=$("$bench" 8080 $count nothing)
printf 'Linux %s: median guest instructions of one accept(), and what it gains\n' "$(uname -r)"
row 'nothing loaded' "$base" "$base"

printf '[sockaccept]\ndefault = deny\n[bench]\nbinary = %s\nallow = 8080\n' "$bench" >$policy
row 'allowed by 1 rule' "$base" "$(measure 8080 accepted)"
printf '[sockaccept]\ndefault = deny\n[bench]\nbinary = %s\nallow = 8080, 8081\n' "$bench" >$policy
row 'the same on two ports by turns' "$base" "$(measure 8080 alternating)"
many >$policy
row 'allowed by 1 rule among 10,000' "$base" "$(measure 8080 accepted)"
printf '[bench]\nbinary = %s\nallow = 8080\nuser = root\n' "$bench" >$policy
row 'allowed by a rule with a user' "$base" "$(measure 8080 accepted)"
printf '[sockaccept]\ndefault = deny\n[all]\nbinary = any\nallow = 8080\n' >$policy
row 'allowed by a rule for any, binary not named' "$base" "$(measure 8080 accepted)"
: >$policy
row 'allowed by default, binary not named' "$base" "$(measure 8080 accepted)"
printf '[sockaccept]\njudge-listen = no\n[bench]\nbinary = %s\ndeny = 8080\n' "$bench" >$policy
row 'denied by a rule, spinning, against one that finds nothing' "$fruitless" "$(measure 8080 denied)"
$ctl unload >/dev/null

# The gate: each request for a connection passes it. One that is shut, of another listener, makes the others be looked at.
connect_base=$("$bench" 8080 $count connected)
printf 'Linux %s: of one connect() over loopback\n' "$(uname -r)"
row 'nothing loaded' "$connect_base" "$connect_base"
gate_policy() { # YES|NO
	printf '[sockaccept]\njudge-listen = no\ngate = %s\n[bench]\nbinary = %s\ndeny = 8090\n' "$1" "$bench" >$policy
}
gate_policy no
row 'gate = no' "$connect_base" "$(measure 8080 connected)"
gate_policy yes
row 'gate = yes, none is shut' "$connect_base" "$(measure 8080 connected)"
"$bench" 8090 60 denied >/dev/null
row 'gate = yes, that of another listener is shut' "$connect_base" "$("$bench" 8080 $count connected)"
$ctl unload >/dev/null

# What a process is, is settled when it executes. On tmpfs, as the guest's own root is slow.
cp "$PWD/build/tests/bench/process" /tmp/process
ln /tmp/process /tmp/other-name
# The least of five medians, as what the allocators have at hand differs from run to run; and with the memory of each process laid out in
# the same way.
least() { # COMMAND...
	for _ in 1 2 3 4 5; do
		setarch -R "$@"
	done | sort -n | head -n 1
}
exec_base=$(least /tmp/process exec 300 /tmp/process)
fork_base=$(least /tmp/process fork 300)
printf 'Linux %s: of one exec, and of one fork with the exit of its child\n' "$(uname -r)"
row 'exec, nothing loaded' "$exec_base" "$exec_base"
row 'fork, nothing loaded' "$fork_base" "$fork_base"
: >$policy
measure_process() { # LABEL PROGRAM
	chmod 600 $policy
	$ctl load $policy >/dev/null 2>&1
	row "exec, $1" "$exec_base" "$(least /tmp/process exec 300 "$2")"
	row "fork, $1" "$fork_base" "$(least "$2" fork 300)"
}
measure_process 'no rule' /tmp/process
printf '[bench]\nbinary = /tmp/process\ndeny = 8080\n' >$policy
measure_process 'a rule names it' /tmp/process
measure_process 'another name of the same file' /tmp/other-name
$ctl unload >/dev/null
