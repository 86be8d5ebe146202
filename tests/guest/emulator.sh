# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# The emulator, as tests/guest/run and tests/guest/boot start it. usage: . emulator.sh
#
# Of the including script: misused, and $name, $work, $kernel_directory, $cpus, $by_turns, $memory, $timeout, $icount, $append, $log and
# $terminal.

: "${name:=guest}" "${by_turns:=}" "${terminal:=}" "${icount:=}" "${append:=}" "${devices:=}" "${timeout:=}" "${memory:=}" "${log:=}" "${work:=}" "${kernel_directory:=}"

# quote WORD...: the words, so that a shell reads them back
quote() {
	for word; do
		printf "'%s' " "$(printf '%s\n' "$word" | sed "s/'/'\\\\''/g")"
	done
	echo
}

# escape PATH: for an option of QEMU's, in which commas separate
escape() {
	printf '%s\n' "$1" | sed 's/,/,,/g'
}

# share TAG PATH OPTION: one 9p share, added to $devices, which is a list of quoted arguments
share() {
	devices="$devices -fsdev $(quote "local,id=$1,path=$(escape "$2"),security_model=none,multidevs=remap$3")"
	devices="$devices -device virtio-9p-pci,fsdev=$1,mount_tag=$1"
}

# channel NUMBER FILE: what the guest writes to its /dev/vport0pNUMBER lands in the file. A file, not
# a pipe: a reader who is slow can't slow the guest down, and what is written before the power goes
# off is never lost.
channel() {
	devices="$devices -chardev $(quote "file,id=channel$1,path=$(escape "$2")")"
	devices="$devices -device virtserialport,chardev=channel$1,nr=$1"
}

# accelerate: sets $accel and $cpus. Of two emulated CPUs that run at the same time, one can go on executing what the other has
# just replaced, until it is replaced again: where the kernel patches itself that often, with many calls of the code
# that is patched, some guests hang in an int3. Those that take turns can't. Of the CPU's features, those are left out by which
# programs copy memory with `rep movsb`: the emulator does that byte by byte, and a kernel loads the programs in half as much time again.
accelerate() {
	case ${ACCEL:-tcg} in
	kvm) accel="-accel kvm -cpu host" ;;
	tcg) accel="-accel tcg${by_turns:+,thread=single} -cpu max,-erms,-fsrm" ;;
	*) misused "ACCEL is kvm or tcg, not '$ACCEL'" ;;
	esac
	if [ -n "$icount" ]; then
		[ "${ACCEL:-tcg}" = tcg ] || misused "--icount can't be had with ACCEL=kvm"
		accel="$accel -icount shift=0,sleep=off"
		cpus=1
	fi
}

# has_booted: whether the guest's first process was started. Such an int3 has been met a second after power on, too.
has_booted() {
	grep -q 'init: started' "$log"
}

# run_guest DEVICE...: the emulator, until it ends: its status is $code. The emulator dies on occasion before the guest's first process has
# started: again then, twice at most. $attend, if it is set, is a function that is called once the emulator runs.
run_guest() {
	for attempt in 1 2 3; do
		start "$@"
		[ -z "${attend-}" ] || $attend
		code=0
		wait "$vm" || code=$?
		vm=
		if has_booted || [ "$code" -eq 124 ]; then
			break
		fi
		echo "$name: the emulator died before the guest's first process started (attempt $attempt)" >&2
	done
}

# start DEVICE...: the emulator in the background as $vm. It must not outlive this script: a trap kills it, and
# where traps don't run (SIGKILL) the parent-death signal does, through timeout, which passes it on. The emulator keeps its translation
# of a library's code by the address that it runs at: with the same addresses in each process (norandmaps), a program starts three
# times as fast.
# shellcheck disable=SC2317 # eval calls it
start() {
	arguments="console=ttyS0 quiet panic=-1 oops=panic softlockup_panic=1 watchdog_thresh=60 mitigations=off random.trust_cpu=on norandmaps $append"
	# The guest's second serial line is the terminal that this runs on, which a job in the background may only read in the same group.
	foreground='' line='' input=/dev/null output=$work/qemu
	if [ -n "$terminal" ]; then
		foreground=--foreground line="-chardev stdio,id=terminal,signal=off -serial chardev:terminal" input=/dev/tty output=/dev/tty
	fi
	# shellcheck disable=SC2086 # $accel, $foreground and $line are lists of words
	setpriv --pdeathsig TERM timeout $foreground --kill-after 5 "$timeout" \
		qemu-system-x86_64 $accel -smp "$cpus" -m "$memory" \
		-nodefaults -no-user-config -display none -no-reboot -serial chardev:log $line \
		-chardev file,id=log,path="$(escape "$log")" \
		-kernel "$kernel_directory/vmlinux" -initrd "$work/initrd.cpio" -append "$arguments" \
		-device virtio-serial-pci "$@" >"$output" 2>>"$work/qemu" <"$input" &
	# shellcheck disable=SC2034 # the including script waits for it
	vm=$!
}
