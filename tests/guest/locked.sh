#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Shows that root can't change a locked policy by ordinary means, can still read and drain it, and that containers notice nothing.
# Fails if bpf/guard.bpf.c or guard_mounts.bpf.h leaves a way open or refuses what isn't ours, if enforce/change/guard.c forgets an object,
# if holders.c misses a process that holds one, or if a kernel no longer calls one of the guard's hooks.
# Each attack is made before the lock too, where it must work or be possible: otherwise its refusal would prove nothing.
# Runs in a guest of its own, because a lock lasts until the machine stops: tests/guest/run tests/guest/locked.sh
root=$(cd "$(dirname "$0")/../.." && pwd)

# shellcheck source=tests/guest/harness.sh
. "$root/tests/guest/harness.sh"

writer=$base/bin/writer.bpf.o
override=$base/bin/override.bpf.o
handles=$base/bin/handles
steal=$base/bin/steal
attach=$base/bin/attach

# What may still be opened, and how. Nothing else that our programs use may be.
readable='map binary_paths read
map drain_calls any
map events any
map other_ports read
map policy_copy read
map ports any
map refusals read
map rule_counters read
map seen_paths read
map state any
map units read
program close_windows any
program drain any
program identify_files any
program list_listeners any
program list_processes any'

# map_id NAME: prints the id of a map. The kernel cuts its name at 15 bytes.
map_id() {
	bpftool map show -j | tr '{' '\n' | grep "\"name\":\"$(echo "$1" | cut -c 1-15)\"" | value id
}

policy() {
	load <<-END
		[sockaccept]
		default = deny
		gate = yes
		drain = yes
		[probe]
		binary = $probe
		allow = 28001
	END
}

holds() {
	accepts 28001
	is_denied 28002
}

# hold PIN NAME [hidden]: starts a process that has the object open until it is ended. On SIGUSR1 it writes to the object and prints the
# result. With `hidden`, the descriptor meanwhile is only in a message that waits in a socket.
hold() {
	cat >hold.py <<-'END'
		import ctypes, errno, os, signal, socket, struct, sys
		libc = ctypes.CDLL(None, use_errno=True)
		def bpf(command, attr):
		    buffer = ctypes.create_string_buffer(attr, len(attr))
		    result = libc.syscall(321, command, buffer, len(attr))
		    return result if result >= 0 else -ctypes.get_errno()
		path = ctypes.create_string_buffer(sys.argv[1].encode())
		fd = bpf(7, struct.pack("QII", ctypes.addressof(path), 0, 0))
		ends = socket.socketpair()
		if "hidden" in sys.argv:
		    socket.send_fds(ends[0], [b"x"], [fd])
		    os.close(fd)
		print("holds" if fd >= 0 else errno.errorcode[-fd], flush=True)
		def write(*_):
		    global fd
		    if "hidden" in sys.argv:
		        fd = socket.recv_fds(ends[1], 1, 1)[1][0]
		    key = ctypes.create_string_buffer(4)
		    value = ctypes.create_string_buffer(65536)
		    result = bpf(2, struct.pack("IIQQQ", fd, 0, ctypes.addressof(key), ctypes.addressof(value), 0))
		    print("written" if result >= 0 else errno.errorcode[-result], flush=True)
		signal.signal(signal.SIGUSR1, write)
		while True:
		    signal.pause()
	END
	background "hold-$2" python3 -S hold.py "$1" "${3-}"
	until_true 30 grep -q . "hold-$2" || because "it doesn't hold: $(cat "hold-$2.errors")"
}

# make_exchange: writes exchange.py; `exchange.py A B` exchanges the two names
make_exchange() {
	cat >$base/exchange.py <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		if libc.renameat2(-100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2) < 0:
		    sys.exit(os.strerror(ctypes.get_errno()))
	END
}

# --- mounts

# lay_out: mounts as on a machine with systemd, where mounts are shared. The bpffs is in a file system whose directories can be removed.
lay_out() {
	mount --make-rshared /
	mkdir -p $base/cgroup $base/there
	mount --bind /sys/fs/cgroup $base/cgroup
	mount -t tmpfs layer /sys/fs
	mkdir /sys/fs/bpf /sys/fs/cgroup
	mount --bind $base/cgroup /sys/fs/cgroup
	umount $base/cgroup
	mount -t bpf -o mode=700 bpf /sys/fs/bpf
}

# again: mounts everything again, after an attack has taken it away
again() {
	for left in $base/there /sys; do
		! mountpoint -q "$left" || umount -l "$left"
	done
	mount -t sysfs sys /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t securityfs securityfs /sys/kernel/security
	lay_out
}

# Each of these attacks takes the pins away, and the policy with them.
unmount_above() {
	umount -l /sys
}

unmount_bpffs() {
	umount -l /sys/fs/bpf
}

# From a peer of the mount: the kernel unmounts both together.
unmount_peer() {
	mount --rbind /sys $base/there
	umount -l $base/there
}

unmount_peer_inside() {
	mount --rbind /sys/fs $base/there
	code=0
	umount $base/there/bpf || code=$?
	mount --make-rprivate $base/there
	umount -l $base/there
	return $code
}

unmount_in_namespace() {
	unshare --mount --propagation unchanged umount -l /sys
}

unmount_bpffs_in_namespace() {
	unshare --mount --propagation unchanged umount -l /sys/fs/bpf
}

move_and_unmount() {
	mount --make-private /sys/fs
	mount --move /sys/fs/bpf $base/there
	umount -l $base/there
}

move_by_descriptor() {
	mount --make-private /sys/fs
	mounts move /sys/fs/bpf $base/there
	umount -l $base/there
}

# Removing a directory also unmounts what is mounted on it in other namespaces.
remove_directory() {
	unshare --mount --propagation private sh -c 'umount -l /sys/fs/bpf && rmdir /sys/fs/bpf'
}

replace_directory() {
	unshare --mount --propagation private sh -c 'umount -l /sys/fs/bpf && mkdir -p /sys/fs/empty && mv -T /sys/fs/empty /sys/fs/bpf'
}

exchange_directory() {
	mkdir -p /sys/fs/empty
	unshare --mount --propagation private sh -c "umount -l /sys/fs/bpf && python3 -S $base/exchange.py /sys/fs/empty /sys/fs/bpf &&
		rmdir /sys/fs/empty"
}

mount_attacks="unmount_above unmount_bpffs unmount_peer unmount_peer_inside unmount_in_namespace unmount_bpffs_in_namespace
	move_and_unmount move_by_descriptor remove_directory replace_directory exchange_directory"

# mounts move FROM TO | beneath NEW AT | group FROM TO: does that by the calls that take descriptors
mounts() {
	python3 -S - "$@" <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		def call(number, *arguments):
		    result = libc.syscall(number, *[ctypes.c_char_p(a.encode()) if isinstance(a, str) else a for a in arguments])
		    if result < 0:
		        sys.exit(os.strerror(ctypes.get_errno()))
		    return result
		OPEN_TREE, MOVE_MOUNT, HERE = 428, 429, -100
		what, source, target = sys.argv[1:]
		if what == "move":
		    call(MOVE_MOUNT, HERE, source, HERE, target, 0)
		elif what == "beneath":
		    call(MOVE_MOUNT, call(OPEN_TREE, HERE, source, 1), "", HERE, target, 0x204)
		elif what == "group":
		    call(MOVE_MOUNT, HERE, source, HERE, target, 0x100)
	END
}

# --- tests

possible_before() {
	expect_status 3 "$sockaccept" lock
	policy
	holds
	expect "locked" false "$(state locked)"
	# By its id, and by a program.
	zeros=$(head -c 144 /dev/zero | od -An -v -tx1 | tr -d '\n')
	# shellcheck disable=SC2086 # they are bytes
	bpftool map update id "$(map_id control)" key 0 0 0 0 value hex $zeros
	bpftool prog load "$writer" /sys/fs/bpf/writer type syscall map name target id "$(map_id control)"
	rm /sys/fs/bpf/writer
	unloaded
	policy
	expect "through a descriptor for reading alone" written "$($handles write "$(map_id control)")"
	unloaded
	policy
	mv $pins/seen_paths $pins/moved
	mv $pins/moved $pins/seen_paths
	sysctl -q kernel.bpf_stats_enabled=0
	# Programs that would overrule a hook that refuses a descriptor.
	attaches modify
	case $(uname -r) in
	6.1.*) attaches first ;;
	esac
	holds
}

# attaches PROGRAM: attaches one of the programs that overrule
attaches() {
	background "attach-$1" $attach $override "$1"
	until_true 30 grep -q attached "attach-$1" || because "$1: $(cat "attach-$1" "attach-$1.errors")"
	finish "$pid"
}

mounts_are_a_way_out_before() {
	for attack in $mount_attacks; do
		policy
		is_denied 28002
		$attack || because "$attack: it wasn't possible"
		accepts 28002
		again
	done
	# Harmless by itself. But it moves the pins to a place where everybody unmounts.
	policy
	pivot_there_and_back
	is_denied 28002
}

# Works in the machine's mount namespace: all processes get the new root, and then the old one again.
pivot_there_and_back() {
	mount --make-rprivate /
	mount -t tmpfs new $base/there
	mkdir $base/there/old
	cp "$(command -v busybox)" $base/there/busybox
	code=0
	(
		cd $base/there
		./busybox pivot_root . old || exit 1
		cd /old
		/busybox pivot_root . ".$base/there"
	) || code=$?
	mount --make-rshared /
	umount -l $base/there
	return $code
}

lock_refuses_holders() {
	policy
	hold $pins/superblocks map
	holder=$pid
	expect "the holder" holds "$(cat hold-map)"
	expect_status 1 "$sockaccept" lock
	expect_said "process $holder ("
	expect_said "holds a map of sockaccept's"
	finish "$holder"
	bpftool prog load "$writer" /sys/fs/bpf/writer type syscall map name target id "$(map_id control)"
	expect_status 1 "$sockaccept" lock
	expect_said "uses a map of sockaccept's"
	rm /sys/fs/bpf/writer
	hold $pins/link_socket_accept link
	expect_status 1 "$sockaccept" lock
	expect_said "holds a link of sockaccept's"
	finish "$pid"
	write_policy shut.ini <<-END
		[sockaccept]
		default = deny
		judge-listen = no
		gate = no
		drain = no
	END
	ctl load shut.ini --confirm 60
	expect_status 1 "$sockaccept" lock
	expect_said "on trial"
	ctl load policy.ini
	expect "locked" false "$(state locked)"
	holds
}

# our_maps: prints kind, name and id of each map that was made since $base/foreign was written
our_maps() {
	read -r last _ <$base/foreign
	bpftool map show -j | tr '{' '\n' | sed -n 's/.*"id":\([0-9]*\),.*"name":"\([^"]*\)".*/map \2 \1/p' | awk -v last="$last" '$3 > last'
}

# refused COMMAND...: expects that it fails
refused() {
	"$@" >said 2>&1 && because "it was possible: $*"
	attempts=$((attempts + 1))
	cat said
}

# is_refused COMMAND...: expects that the guard refuses it
is_refused() {
	refused "$@"
	grep -q "not permitted" said || because "$*: $(cat said)"
}

locked_policy_holds() {
	unloaded
	$handles last >$base/foreign
	policy
	our_maps >$base/ours
	background daemon "$sockaccept" daemon --log $work/audit.log
	until_true 30 test -s audit.log || because "the daemon doesn't write: $(cat daemon.errors)"
	images=$(find $pins/policies -type f | wc -l)
	hold $pins/entries hidden hidden
	hidden=$pid
	# The drain holds nothing that would make `lock` fail.
	background drain "$sockaccept" drain
	sleep 2
	lock_from_elsewhere
	ctl lock
	expect_said "Nothing to do"
	holds
	attempts=0
	for verb in "load policy.ini" unload "allow $probe 28002" "deny any 28001" "remove $probe" "mode permissive" refresh confirm; do
		# shellcheck disable=SC2086 # they are words
		expect_status 4 "$sockaccept" $verb
		expect_said "the policy is locked until the machine stops"
		attempts=$((attempts + 1))
	done
	expect "attempts refused" $attempts "$(state attempts_refused)"
	for link in $(bpftool link show -j | tr '{' '\n' | grep '"type":"tracing"' | value_of_each id); do
		refused bpftool link detach id "$link"
	done
	refused rm -f $pins/link_socket_accept
	refused rm -f $pins/link_connection_request
	refused rm -rf $pins
	refused mv $pins/link_socket_accept $pins/moved
	refused mv $pins /sys/fs/bpf/moved
	mkdir /sys/fs/bpf/other
	is_refused python3 -S $base/exchange.py /sys/fs/bpf/other $pins
	refused rmdir $pins/policies
	refused sysctl kernel.ftrace_enabled=0
	refused sh -c 'echo 0 >/proc/sys/kernel/ftrace_enabled'
	expect "ftrace_enabled" 1 "$(cat /proc/sys/kernel/ftrace_enabled)"
	holds
	[ "$(state attempts_refused)" -ge $((attempts / 2)) ] || because "$attempts attempts, of which $(state attempts_refused) were counted"
	kill -USR1 "$hidden"
	until_true 30 grep -q . hold-hidden
	until_true 30 grep -q EPERM hold-hidden || because "through a descriptor from before: $(cat hold-hidden hold-hidden.errors)"
	# A mount that only hides the pins changes nothing.
	mount -t bpf bpf /sys/fs/bpf
	holds
	expect_status 1 "$sockaccept" status
	expect_said 'its pins are hidden by a mount over /sys/fs/bpf'
	umount /sys/fs/bpf
	expect "images" "$images" "$(find $pins/policies -type f | wc -l)"
	holds
}

# In a mount namespace with another bpffs there is nothing to lock. In one with the same bpffs, such as a service's, `lock` guards the
# machine's mounts.
lock_from_elsewhere() {
	unshare --mount --propagation slave sh -c "mount -t bpf bpf /sys/fs/bpf && exec '$sockaccept' lock" >said 2>&1 &&
		because "it locked somewhere else"
	expect_said "is this mount namespace's own"
	expect "locked" false "$(state locked)"
	expect_status 0 unshare --mount --propagation slave "$sockaccept" lock
	expect_said "Locked"
}

# Tries to open everything that came with the policy and its lock, by its id. Only what has one of the names above can be opened.
nothing_else_can_be_opened() {
	# shellcheck disable=SC2046 # two numbers
	$handles above $(cat $base/foreign) >tried
	grep -v ' none$' tried | sort >opened
	echo "$readable" | cmp -s - opened || because "what can be opened: $(tr '\n' ',' <opened)"
	for kind in map program; do
		[ "$(grep -c "^$kind #[0-9]* none" tried)" -ge 8 ] || because "few were refused: $(tr '\n' ',' <tried)"
	done
	while read -r kind name id; do
		[ "$kind" = map ] || continue
		grep -q "^map $name \|^map #$id none" tried || because "what became of map $id, $name?"
		echo "$readable" | grep -q "^map $name " || {
			expect "$name, for reading alone" "open: Operation not permitted" "$($handles write "$id")"
			refused bpftool map update id "$id" key 0 0 0 0 value 0 0 0 0
			refused bpftool map dump id "$id"
			refused bpftool prog load "$writer" /sys/fs/bpf/writer type syscall map name target id "$id"
		}
	done <$base/ours
	for map in state events ports rule_counters units policy_copy; do
		refused bpftool map update pinned $pins/$map key 0 0 0 0 value 0 0 0 0
		refused bpftool map delete pinned $pins/$map key 0 0 0 0
	done
	for program in socket_accept connection_graft; do
		refused bpftool prog show pinned $pins/$program
	done
	for program in modify first; do
		refused $attach $override $program
	done
	holds
}

no_mount_is_a_way_out() {
	for attack in $mount_attacks pivot_there_and_back; do
		refused "$attack"
		again_there
		expect "locked" true "$(state locked)"
		holds
	done
	refused unshare --mount --propagation private nsenter --target 1 --mount umount -l /sys
	# Harmless.
	mount -o remount,ro /sys/fs/bpf
	mount -o remount,bind,ro /sys/fs/bpf
	holds
	mount -o remount,bind,rw /sys/fs/bpf
	mount -o remount,rw /sys/fs/bpf
	# Tries to make another mount a peer of these, which would be unmounted together.
	mount --bind /sys/fs $base/there
	mkdir -p $base/apart
	mount --bind /sys/fs $base/apart
	mount --make-private $base/apart
	is_refused mounts group $base/there $base/apart
	umount $base/apart
	again_there
	case $(uname -r) in
	6.1.*) ;; # has no such call
	*)
		mount -t tmpfs beneath $base/there
		is_refused mounts beneath $base/there /sys/fs/bpf
		is_refused mounts beneath $base/there /sys
		again_there
		;;
	esac
	mount --make-rprivate /
	refused umount -l /sys
	refused umount /sys/fs/bpf
	refused mount --move /sys $base/there
	mount --make-rshared /
	holds
}

# again_there: removes what a refused attack has left
again_there() {
	mount --make-rprivate $base/there 2>/dev/null || true
	umount -l $base/there 2>/dev/null || true
	mount --make-shared /sys/fs
	rm -rf /sys/fs/empty
}

# Containers and services can do what they could before, and nothing of it is counted as an attempt.
containers_do_not_notice() {
	before=$(state attempts_refused)
	for propagation in private slave; do
		unshare --mount --propagation $propagation sh -ec 'umount -l /sys/fs/bpf; umount -l /sys'
		unshare --mount --propagation $propagation sh -ec 'umount -R /sys/fs; umount -l /'
		unshare --mount --propagation $propagation sh -ec "$(container)"
	done
	# Nothing spreads from mounts that are private there.
	unshare --mount --propagation unchanged sh -ec 'mount --make-rprivate /; umount -l /sys'
	# As systemd makes a service's mount namespace.
	unshare --mount --propagation slave sh -ec '
		mount --make-rshared /
		mount -t tmpfs private /tmp
		umount -l /sys
		mount -t sysfs sys /sys
		umount /sys
		umount /tmp'
	as_nobody unshare --user --map-root-user --mount sh -ec "$(container)"
	# In the machine's own mount namespace, beside the pins.
	mount -t tmpfs other $base/there
	mount --bind /sys/fs/bpf $base/there
	umount $base/there
	mount --rbind /sys $base/there/.
	mount --make-rslave $base/there
	umount -l $base/there
	umount $base/there
	mkdir $base/directory
	mv $base/directory $base/renamed
	rmdir $base/renamed
	expect "attempts refused" "$before" "$(state attempts_refused)"
	holds
}

# container: prints a script that does what a container engine does
container() {
	cat <<-'END'
		root=$(mktemp -d)
		mount -t tmpfs root $root
		cd $root
		mkdir old proc sys bin lib lib64 usr moved
		for name in bin lib lib64 usr; do mount --rbind /$name $name; done
		mount --rbind /sys sys
		mount --rbind /proc proc
		mount --make-rprivate .
		pivot_root . old
		cd /
		umount -l /old
		rmdir /old
		umount -l /sys
		rmdir /sys
		mkdir /sys
		mount -n -t tmpfs sys /sys
		mount -n --move /sys /moved
		umount -n /moved
	END
}

# value_of_each KEY: prints that number of each line
value_of_each() {
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"
}

locked_policy_can_be_read() {
	before=$(state attempts_refused)
	for verb in status list "list --ports" "list --json" audit "audit --all --json" report metrics "identify $probe" diff listeners \
		"save $work/saved.ini"; do
		code=0
		# shellcheck disable=SC2086 # they are words
		"$sockaccept" $verb >said 2>&1 || code=$?
		case $verb:$code in
		*:0 | diff:1 | diff:6) ;;
		*) because "$verb: status $code, $(head -n 2 said)" ;;
		esac
	done
	expect "locked" true "$(state locked)"
	background drain "$sockaccept" drain
	sleep 1
	ctl doctor
	expect_said "no refusal can be tried"
	expect "attempts refused" "$before" "$(state attempts_refused)"
	background daemon "$sockaccept" daemon --log $work/audit.log
	holds
	until_true 30 grep -q 28002 audit.log || because "the daemon writes nothing: $(cat daemon.errors)"
	expect_status 4 "$sockaccept" listeners --policy saved.ini
}

# A server that is denied each accept, and tries again when something waits.
denied_server='
import select, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen()
listener.setblocking(False)
print("ready", flush=True)
while True:
    select.select([listener], [], [])
    try:
        listener.accept()
        print("accepted", flush=True)
    except PermissionError:
        pass
'

# Tries the accept() that a locked policy lets pass for the drain, and other ways to become the drain. Nobody gets a connection: it is only
# lost.
lose='
import ctypes, os, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen()
listener.settimeout(5)
def accept(length):
    address = ctypes.create_string_buffer(64)
    fd = libc.syscall(288, listener.fileno(), address, ctypes.c_void_p(length), 0)
    return fd if fd >= 0 else os.strerror(ctypes.get_errno())
def client():
    s = socket.socket()
    s.settimeout(2)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    return s
first = client()
length = ctypes.create_string_buffer(struct.pack("I", 64))
print("as anybody does:", accept(ctypes.addressof(length)))
print("in the kernel:", accept(-4096))
try:
    print("the client:", first.recv(1))
except OSError as error:
    print("the client:", error.strerror)
path = ctypes.create_string_buffer(b"/sys/fs/bpf/sockaccept/drain")
attr = ctypes.create_string_buffer(struct.pack("QII", ctypes.addressof(path), 0, 0), 16)
program = libc.syscall(321, 7, attr, 16)
draining = ctypes.create_string_buffer(struct.pack("QQQQQIIII", 0, 10**10, 0, 7, 0, 0x80000000, 0, 0, os.getpid()), 336)
attr = ctypes.create_string_buffer(struct.pack("IIIIQQIIIIQQ", program, 0, 0, 0, 0, 0, 0, 0, 336, 0, ctypes.addressof(draining), 0), 80)
print("asked:", libc.syscall(321, 10, attr, 80), "may:", struct.unpack_from("QQQQ", draining)[3])
'

locked_policy_drains() {
	# Each server shuts its gate with its first client, which waits until somebody drains.
	for said in "" hello; do
		port=$((28010 + ${#said}))
		background "server$said" python3 -S -c "$denied_server" $port
		until_true 20 grep -q ready "server$said"
		background "client$said" python3 -S -c '
import socket, sys
s = socket.socket()
s.settimeout(90)
s.connect(("127.0.0.1", int(sys.argv[2])))
s.sendall(sys.argv[1].encode())
print("connected", flush=True)
try:
    print("closed" if not s.recv(1) else "served")
except ConnectionResetError:
    print("reset")' "$said" $port
		until_true 20 grep -q connected "client$said" || because "no connection: $(cat "client$said.errors")"
	done
	background drain "$sockaccept" drain
	until_true 40 grep -qx closed client || because "a silent client: $(cat client client.errors)"
	until_true 40 grep -qx reset clienthello || because "one that had said something: $(cat clienthello clienthello.errors)"
	! grep accepted server serverhello || because "the denied server was served"
	"$sockaccept" audit --json | grep '"operation":"drained"' | tail -n 1 >event
	expect "whom it was taken from" "$(readlink -f "$(command -v python3)")" "$(value binary <event)"
	python3 -S -c "$lose" 28012 >lost
	cat lost
	expect "what anybody gets" "as anybody does: Operation not permitted
in the kernel: Bad address
the client: b''
asked: 0 may: 0" "$(cat lost)"
	# An io_uring that accepts while the registers look like the drain's.
	$steal 28013 >stolen
	expect "what an io_uring gets" "accept: EPERM
io_uring: EPERM" "$(cat stolen)"
	holds
}

echo "Linux $(uname -r)"
prepare || exit 1
make_exchange
lay_out
test_case possible_before
test_case mounts_are_a_way_out_before
test_case lock_refuses_holders
test_case locked_policy_holds
test_case nothing_else_can_be_opened
test_case locked_policy_drains
test_case no_mount_is_a_way_out
test_case containers_do_not_notice
test_case locked_policy_can_be_read
summarise
