# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows which rules let a binary listen: those for any user, temporary ones before lasting ones, and `listen`, which no `deny` beats.
# Fails if bpf/shared/decision.h ranks these otherwise for listen(2), or asks who the user is. The unit test test_decision.c tries random
# policies; this file shows that the kernel does the same.

: "${sockaccept:?}" "${work:?}"

# may_listen WANTED COMMAND...: expects this of listen(2) on 27801 to 27803: for each, `ok` or the number of the error
may_listen() {
	wanted=$1
	shift
	expect "listen(2) on three ports, $*" "$wanted" "$("$@" /tmp/three.py 27801 27802 27803)"
}

rules_that_let_listen() {
	python=$(readlink -f /usr/bin/python3)
	cat >/tmp/three.py <<-END
		import socket, sys
		said = []
		for port in sys.argv[1:]:
		    listener = socket.socket()
		    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		    listener.bind(("127.0.0.1", int(port)))
		    try:
		        listener.listen()
		        said.append("ok")
		    except OSError as error:
		        said.append(str(error.errno))
		print(*said)
	END
	chmod 644 /tmp/three.py
	may_listen "ok ok ok" "$python"
	load <<-END
		[sockaccept]
		default = deny
		judge-listen = yes

		[one]
		binary = $python
		user = root
		allow = 27802
		listen = 27803
	END
	may_listen "1 ok ok" "$python"
	# The user doesn't matter.
	may_listen "1 ok ok" setpriv --reuid nobody --clear-groups "$python"
	# A temporary rule beats lasting ones, but not `listen`. Of two temporary ones, the narrower decides.
	ctl deny "$python" any --for 10m
	may_listen "1 1 ok" "$python"
	ctl allow "$python" any --for 10m
	may_listen "ok ok ok" "$python"
	ctl deny "$python" 27801-27803 --for 10m
	may_listen "1 1 ok" "$python"
	ctl remove "$python"
	ctl deny "$python" any
	may_listen "1 ok ok" "$python"
	ctl mode permissive
	may_listen "ok ok ok" "$python"
}

test_case rules_that_let_listen
rm -f /tmp/three.py
