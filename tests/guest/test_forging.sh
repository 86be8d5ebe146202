# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Shows that an ordinary user, as root of a user namespace of its own, can't pass for an allowed binary: not by chroot, mounts, FUSE or
# prctl(2).
# Fails if bpf/identity.bpf.h judges by a path instead of the directory entry, if bpf/prctl.bpf.h lets a PR_SET_MM through or refuses
# another call, or if a kernel makes its own checks of PR_SET_MM before the hook.
# Each attack is first shown to work: without sockaccept, or where the default allows.

: "${sockaccept:?}" "${carry:?}" "${forge:?}" "${outsider:?}" "${work:?}" "${pins:?}" "${base:?}"
real=$work/here/allowed
theirs=$work/theirs # the user's own directory
impostor=$theirs/nginx
harmless=$base/harmless

# as_own_root COMMAND...: runs it as an ordinary user who is root of a user and mount namespace
as_own_root() {
	"$outsider" -n "$@"
}

prepare_user() {
	mkdir here theirs
	cp "$carry" "$real"
	cp "$carry" "$impostor"
	chown -R 65534:65534 theirs
	switch=/proc/sys/kernel/unprivileged_userns_clone # Debian's own
	[ ! -e $switch ] || echo 1 >$switch
}

# nginx_is_allowed DEFAULT
nginx_is_allowed() {
	load <<-END
		[sockaccept]
		default = $1
		[web]
		binary = /usr/sbin/nginx
		allow = any
		[real]
		binary = $real
		allow = any
	END
}

# expect_other_binary PATH...: expects one of these, or null, as the binary in the file `event`: the path from the machine's root may not be
# known
expect_other_binary() {
	seen=$(value binary <event)
	case " null $* " in
	*" $seen "*) ;;
	*) because "the event's binary: expected null or $*, saw $(cat event)" ;;
	esac
}

# disguised WANTED SETUP PORT [RUN]: after SETUP, /usr/sbin/nginx is an impostor there. It accepts, then executes the allowed program, which
# accepts; expects both outcomes
disguised() {
	seen=$(as_own_root busybox sh -c "$2 && exec ${4-} /usr/sbin/nginx listen $3 take $real take" | tr '\n' ' ') || true
	expect "the impostor, and the allowed program after it" "$1" "${seen% }"
}

# disguise_fails SETUP PORT PATH [RUN]: expects that the disguise is set up, and wins nothing. PATH: the impostor's, seen from the machine's
# root
disguise_fails() {
	prepare_user
	nginx_is_allowed allow
	disguised "accepted accepted" "$1" "$2" "${4-}"
	nginx_is_allowed deny
	disguised "EPERM accepted" "$1" "$2" "${4-}"
	last_event >event
	expect_other_binary "$3"
	expect "hits of the rule for nginx" 0 "$(hits '"binary":"/usr/sbin/nginx"')"
}

# --- file systems

user_is_ordinary() {
	prepare_user
	nginx_is_allowed deny
	expect "the user" "65534 65534" "$("$outsider" id -u) $("$outsider" id -G)"
	expect "its capabilities" 0000000000000000 "$("$outsider" sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)"
	expect "its ids in the namespace" "0 65534 1" "$(as_own_root cat /proc/self/uid_map | tr -s ' ' | cut -c 2-)"
	for verb in unload 'mode permissive' 'allow any any' audit; do
		# shellcheck disable=SC2086 # words
		expect_status 4 as_own_root "$sockaccept" $verb
	done
	expect_status 1 as_own_root rmdir "$pins"
}

chroot_is_seen_through() {
	jail=$theirs/jail
	disguise_fails "mkdir -p $jail/usr/sbin $jail/usr/lib $jail/usr/lib64 $jail$work && cd $jail &&
		ln -sfn usr/lib lib && ln -sfn usr/lib64 lib64 && cp $impostor usr/sbin/nginx &&
		busybox mount --rbind /usr/lib usr/lib && busybox mount --rbind /usr/lib64 usr/lib64 &&
		busybox mount --rbind $work .$work" \
		22400 "$jail/usr/sbin/nginx" "busybox chroot $jail"
}

bind_mount_is_seen_through() {
	disguise_fails "busybox mount --bind $impostor /usr/sbin/nginx" 22410 "$impostor"
}

directory_mount_is_seen_through() {
	disguise_fails "busybox mount --bind $theirs /usr/sbin" 22420 "$impostor"
}

tmpfs_is_seen_through() {
	disguise_fails "busybox mount -t tmpfs tmpfs /usr/sbin && cp $impostor /usr/sbin/nginx" 22430 ''
}

overlay_is_seen_through() {
	disguise_fails "mkdir -p $theirs/upper $theirs/work && cp $impostor $theirs/upper/nginx &&
		busybox mount -t overlay overlay \
		-o userxattr,lowerdir=/usr/sbin,upperdir=$theirs/upper,workdir=$theirs/work /usr/sbin" 22440 ''
}

# FUSE may be mounted in a user namespace; its server runs there too.
fuse_is_seen_through() {
	modprobe fuse
	chmod 666 /dev/fuse
	disguise_fails "bindfs -o nonempty $theirs /usr/sbin && grep -q ' /usr/sbin fuse' /proc/mounts" 22450 ''
}

# --- prctl(PR_SET_MM)

# forged WANTED WAY PORT: expects this of a way to forge, in a user namespace; the way `child` makes its own
forged() {
	namespace=-n
	[ "$2" != child ] || namespace=
	seen=$("$outsider" $namespace "$forge" "$2" /usr/sbin/nginx "$3") || true
	expect "forge $2" "$1" "$seen"
}

hook_is_gone() {
	case $("$outsider" -n "$forge" null /usr/sbin/nginx 22590) in
	EFAULT*) ;;
	*) return 1 ;;
	esac
}

# nothing_loaded: unloads, and waits until the kernel has detached the program, some time after its last link is gone
nothing_loaded() {
	unloaded
	until_true 20 hook_is_gone || because "prctl() is still refused 20 s after unload"
}

# The kernel itself allows all of these. It allows PR_SET_MM_EXE_FILE only to root of the initial namespace.
ways="map absent wide child"

# prctl_event OPERATION ENFORCED: checks the newest such event that isn't a fold of repeats
prctl_event() {
	# Folded repeats of another operation, or of an earlier mode, may come after it.
	"$sockaccept" audit --json | grep -F '"reason":"prctl"' | grep -F "\"operation\":\"$1\"" | grep -F "\"enforced\":$2" |
		grep '"pid":[0-9]' | tail -n 1 >event
	said=$(cat event)
	for member in '"verdict":"deny"' "\"enforced\":$2" "\"operation\":\"$1\"" '"comm":"forge"' \
		'"local":null' '"family":null' '"protocol":null' '"peer":null'; do
		case $said in
		*"$member"*) ;;
		*) because "the event of a prctl: expected $member, saw $said" ;;
		esac
	done
	expect_other_binary "$forge"
}

forging_is_real_without_sockaccept() {
	prepare_user
	nothing_loaded
	for way in $ways; do
		forged "0 /usr/sbin/nginx accepted" "$way" 22500
	done
	forged "EPERM $forge accepted" exe 22500
	expect "forge map, in no namespace" "EPERM $forge accepted" "$("$outsider" "$forge" map /usr/sbin/nginx 22501)"
	expect "forge exe as root" "0 /usr/sbin/nginx accepted" "$("$forge" exe /usr/sbin/nginx 22501)"
	expect "forge map as root" "0 /usr/sbin/nginx accepted" "$("$forge" map /usr/sbin/nginx 22530)"
}

# What the kernel itself answers to each, so that a refusal can be told from it.
arguments_matter_without_sockaccept() {
	prepare_user
	nothing_loaded
	forged "0 $forge accepted" keep 22520
	forged "EFAULT $forge accepted" null 22521
	forged "EINVAL $forge accepted" short 22522
	forged "EINVAL $forge accepted" fifth 22523
	forged "EBADF $forge accepted" closed 22524
	ask_harmless
}

# ask_harmless: writes to $harmless what other options of prctl() return with nothing loaded
ask_harmless() {
	as_own_root "$forge" harmless >"$harmless"
	"$forge" harmless >>"$harmless"
	case $(head -n 1 "$harmless") in
	"name 0 forged, size 0 "*", start EPERM, unknown EINVAL") ;;
	*) because "other options, nothing loaded: saw $(cat "$harmless")" ;;
	esac
}

forging_is_refused() {
	prepare_user
	nginx_is_allowed deny
	count=$(state prctl_refused)
	for way in $ways; do
		forged "EPERM $forge EPERM" "$way" 22510
		prctl_event PR_SET_MM_MAP true
		# Repeats of the prctl() of an earlier round can come after it.
		"$sockaccept" audit --json --port 22510 | tail -n 1 >event
		grep -q '"verdict":"deny"' event || because "no denial on port 22510: $(cat event)"
		expect_other_binary "$forge"
		count=$((count + 1))
		expect "prctl_refused after forge $way" $count "$(state prctl_refused)"
	done
	forged "EPERM $forge EPERM" exe 22511
	prctl_event PR_SET_MM_EXE_FILE true
	expect "prctl_refused after forge exe" $((count + 1)) "$(state prctl_refused)"
	expect "hits of the rule for nginx" 0 "$(hits '"binary":"/usr/sbin/nginx"')"
	ctl allow any 22512
	forged "EPERM $forge accepted" map 22512
}

forging_is_refused_whatever_its_arguments() {
	prepare_user
	nginx_is_allowed deny
	count=$(state prctl_refused)
	for way in keep null short fifth closed; do
		forged "EPERM $forge EPERM" "$way" 22525
		prctl_event PR_SET_MM_MAP true
	done
	forged "EPERM $forge EPERM" execlosed 22526
	prctl_event PR_SET_MM_EXE_FILE true
	expect "prctl_refused" $((count + 6)) "$(state prctl_refused)"
}

# Programs that checkpoint and restore processes need that.
root_may_set_its_file() {
	prepare_user
	nginx_is_allowed deny
	count=$(state prctl_refused)
	expect "forge map as root" "0 /usr/sbin/nginx accepted" "$("$forge" map /usr/sbin/nginx 22531)"
	expect "forge exe as root" "0 /usr/sbin/nginx accepted" "$("$forge" exe /usr/sbin/nginx 22532)"
	expect "forge null as root" "EFAULT $forge EPERM" "$("$forge" null /usr/sbin/nginx 22533)"
	expect "prctl_refused" "$count" "$(state prctl_refused)"
	# But not for others, inside a user namespace.
	expect "forge child as root" "EPERM $forge EPERM" "$("$forge" child /usr/sbin/nginx 22534)"
	expect "prctl_refused" $((count + 1)) "$(state prctl_refused)"
}

other_prctl_goes_on() {
	prepare_user
	if [ ! -e "$harmless" ]; then
		nothing_loaded
		ask_harmless
	fi
	nginx_is_allowed deny
	count=$(state prctl_refused)
	expect "other options" "$(cat "$harmless")" "$(as_own_root "$forge" harmless && "$forge" harmless)"
	expect "prctl_refused" "$count" "$(state prctl_refused)"
	forged "EPERM $forge EPERM" map 22540
}

# From then on everybody takes it for nginx: only the event shows what happened.
permissive_only_records_forging() {
	prepare_user
	nginx_is_allowed deny
	ctl mode permissive
	for way in $ways; do
		forged "0 /usr/sbin/nginx accepted" "$way" 22550
		prctl_event PR_SET_MM_MAP false
	done
	ctl mode enforce
	forged "EPERM $forge EPERM" map 22551
	prctl_event PR_SET_MM_MAP true
}

test_case forging_is_real_without_sockaccept
test_case arguments_matter_without_sockaccept
test_case user_is_ordinary
test_case chroot_is_seen_through
test_case bind_mount_is_seen_through
test_case directory_mount_is_seen_through
test_case tmpfs_is_seen_through
test_case overlay_is_seen_through
test_case fuse_is_seen_through
test_case forging_is_refused
test_case forging_is_refused_whatever_its_arguments
test_case root_may_set_its_file
test_case other_prctl_goes_on
test_case permissive_only_records_forging
