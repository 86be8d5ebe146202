# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that load, check, allow and deny warn of rules that hold less than they seem to, and that what a warning says happens in the kernel.
# Fails if policy/advice.c or policy/program.c misses such a rule, warns once its advice was followed, or advises what has no effect. The
# unit test test_advice.c has every case of the warnings; this file has their effects.

: "${sockaccept:?}" "${probe:?}" "${preload:?}" "${work:?}"

# warned COUNT TEXT: expects that many warnings with this text, each at a line of the policy, in what was just printed
warned() {
	expect "warnings with '$2'" "$1" "$(grep -F -- "$2" said | grep -c 'policy.ini:[0-9]*: warning: ' || true)"
}

# checked COUNT TEXT: expects them of `check`
checked() {
	ctl check policy.ini
	warned "$1" "$2"
}

# advised TEXT: expects one such warning of load and of check, as text and as JSON, and none with --no-warnings
advised() {
	ctl load policy.ini
	warned 1 "$1"
	checked 1 "$1"
	ctl check --json policy.ini
	grep -F '{"file":"policy.ini","line":' said | grep -qF -- "$1" || because "check --json: no warning '$1' in $(cat said)"
	ctl load --no-warnings policy.ini
	expect "lines of load --no-warnings" 1 "$(wc -l <said)"
	ctl check policy.ini --no-warnings
	expect "lines of check --no-warnings" 1 "$(wc -l <said)"
	ctl check --no-warnings --json policy.ini
	expect "check --no-warnings --json" '{"schema":1,"valid":true,"errors":[],"warnings":[]}' "$(cat said)"
}

# not_advised TEXT: expects no such warning of check or load
not_advised() {
	checked 0 "$1"
	ctl load policy.ini
	warned 0 "$1"
}

# --no-warnings leaves out warnings, not errors.
errors_stay() {
	unloaded
	printf '[x]\nbinary = /usr/bin/env\nallow = 80000\n' | write_policy policy.ini
	for verb in load check; do
		expect_status 6 "$sockaccept" $verb --no-warnings policy.ini
		expect_said 'policy.ini:3: port'
	done
}

anyone_can_run_it() {
	cp /usr/bin/env server
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
		[web]
		binary = $work/server
		allow = 80, 443
	END
	advised "$work/server: anyone can run it"
	chmod o-x server
	not_advised server:
	chmod o+x server
	checked 1 'add user = ... to [web]'
	echo 'user = root' >>policy.ini
	not_advised server:
}

a_copy_escapes() {
	cp /usr/bin/env server
	printf '[no]\nbinary = %s\ndeny = 23, 2323\n' "$work/server" | write_policy policy.ini
	advised "$work/server: a copy of it under another name escapes the deny of 23 in [no]"
	printf '[any]\nbinary = any\ndeny = 23\n' >>policy.ini
	checked 1 'escapes the deny of 2323 in [no]'
	printf '[more]\nbinary = any\ndeny = 2000-3000\n' >>policy.ini
	not_advised server:
	printf '[sockaccept]\ndefault = deny\n[no]\nbinary = %s\ndeny = 23\n' "$work/server" | write_policy policy.ini
	not_advised server:
}

others_can_replace_it() {
	mkdir -p opt/bin
	cp /usr/bin/env opt/bin/server
	printf '[sockaccept]\ndefault = deny\n[app]\nbinary = %s\nuser = root\nallow = 80\n' "$work/opt/bin/server" | write_policy policy.ini
	checked 0 server:
	chown nobody opt
	advised "$work/opt belongs to user nobody, who can put another program in its place; chown root $work/opt"
	chown root opt
	chown 4242 opt/bin/server
	checked 1 "$work/opt/bin/server belongs to user 4242"
	chown root opt/bin/server
	chgrp 4242 opt/bin
	chmod g+w opt/bin
	checked 1 "$work/opt/bin can be written by group 4242"
	chmod 777 opt/bin
	checked 1 "$work/opt/bin can be written by anyone, who can put another program in its place; chmod go-w"
	chmod +t opt/bin
	checked 0 server:
	rm opt/bin/server
	checked 1 "anyone can create it in $work/opt/bin"
	chmod 755 opt/bin
	not_advised 'can create'
}

unprivileged_check() {
	mkdir open closed
	cp /usr/bin/env open/server
	cp /usr/bin/env closed/server
	chmod 700 closed
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
		[web]
		binary = $work/open/server
		binary = $work/closed/server
		allow = 80
	END
	chmod 644 policy.ini
	expect_status 0 as_nobody "$sockaccept" check policy.ini
	expect "lines" 3 "$(wc -l <said)"
	expect_said 'open/server: anyone can run it'
	expect_said 'closed/server: cannot be looked up'
}

# A rule for a script matches nobody. A rule for a link matches everybody who runs the file behind it. All verbs that make rules warn of
# both.
path_stands_for_something_else() {
	cp "$probe" shared
	mkdir venv
	ln -s ../shared venv/python
	printf '#!/usr/bin/env python3\n' >script
	echo data >data
	chmod 755 script
	chmod 644 data
	write_policy policy.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[app]
		binary = $work/script
		binary = $work/data
		binary = $work/venv/python
		user = root
		allow = 22020
	END
	is_script="$work/script: a script, so the rule never matches; name its interpreter, /usr/bin/python3 (what env finds"
	is_data="$work/data: not executable (mode 0644), so the rule never matches"
	is_link="$work/venv/python: a link, so the rule stands for $work/shared, and everyone who runs that program gets it"
	for text in "$is_script" "$is_data" "$is_link"; do
		checked 1 "$text"
	done
	ctl load policy.ini
	for text in "$is_script" "$is_data" "$is_link"; do
		warned 1 "$text"
	done
	expect "by another name of the program" accepted "$(./shared accept inet accept 22020)"
	expect "on another port" EPERM "$(./shared accept inet accept 22021)"
	for verb in allow deny; do
		ctl $verb "$work/script" 22021
		expect_said "warning: $is_script"
		ctl $verb "$work/data" 22021
		expect_said "warning: $is_data"
		ctl $verb "$work/venv/python" 22021
		expect_said "warning: $is_link"
		expect "lines" 2 "$(wc -l <said)"
	done
	# the program by its own name, also through a directory that is a link
	ln -s . here
	for path in shared here/shared; do
		ctl allow "$work/$path" 22022
		! grep -q warning said || because "$path: $(cat said)"
	done
}

# preloaded PORT: an ordinary user makes the server accept, by LD_PRELOAD
preloaded() {
	as_nobody env ACCEPT_ON="$1" LD_PRELOAD="$preload" ./server
}

a_library_uses_the_rule() {
	unloaded
	cp /usr/bin/env server
	expect "with nothing loaded" accepted "$(preloaded 22000)"
	deny_all
	expect "under default = deny" EPERM "$(preloaded 22000)"
	expect "denied connections" 1 "$(state deny)"
	load <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
		[web]
		binary = $work/server
		allow = 22000
	END
	warned 1 'with LD_PRELOAD too'
	expect "with a rule for everyone" accepted "$(preloaded 22000)"
	echo 'user = root' >>policy.ini
	ctl load policy.ini
	warned 0 LD_PRELOAD
	expect "with a rule for root" EPERM "$(preloaded 22000)"
	expect "denied connections, with one more" 2 "$(state deny)"
	expect "the event's user" 65534 "$(last_event | value uid)"
	expect "root" accepted "$(ACCEPT_ON=22000 LD_PRELOAD=$preload ./server)"
}

a_copy_accepts() {
	unloaded
	cp "$probe" server
	cp "$probe" copy
	expect "with nothing loaded" accepted "$(./server accept inet accept 22010)"
	load <<-END
		[no]
		binary = $work/server
		deny = 22010
	END
	warned 1 'a copy of it'
	expect "the denied binary" EPERM "$(./server accept inet accept 22010)"
	expect "a copy" accepted "$(./copy accept inet accept 22010)"
	printf '[nobody]\nbinary = any\ndeny = 22010\n' >>policy.ini
	ctl load policy.ini
	warned 0 'a copy of it'
	expect "a copy, denied to any" EPERM "$(./copy accept inet accept 22010)"
	expect "a copy, on another port" accepted "$(./copy accept inet accept 22011)"
}

test_case errors_stay
test_case anyone_can_run_it
test_case a_copy_escapes
test_case others_can_replace_it
test_case unprivileged_check
test_case path_stands_for_something_else
test_case a_library_uses_the_rule
test_case a_copy_accepts
