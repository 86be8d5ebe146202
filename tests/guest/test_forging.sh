# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# What an ordinary user can do to pass for another binary, in a user namespace where that user is root.

: "${sockaccept:?}" "${carry:?}" "${outsider:?}" "${work:?}" "${pins:?}"
real=$work/here/allowed
theirs=$work/theirs # the user's own directory
impostor=$theirs/nginx

# as_own_root COMMAND...: as an ordinary user in a user and mount namespace of its own
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

# expect_other_binary PATH...: of the event in the file `event`. The path from the machine's root may not be known.
expect_other_binary() {
	seen=$(value binary <event)
	case " null $* " in
	*" $seen "*) ;;
	*) because "the event's binary: expected null or $*, saw $(cat event)" ;;
	esac
}

# disguised WANTED SETUP PORT [RUN]: of an impostor that is called /usr/sbin/nginx after SETUP, and then executes the
# allowed program
disguised() {
	seen=$(as_own_root busybox sh -c "$2 && exec ${4-} /usr/sbin/nginx listen $3 take $real take" | tr '\n' ' ') || true
	expect "the impostor, and the allowed program after it" "$1" "${seen% }"
}

# disguise_fails SETUP PORT PATH [RUN]: it works, and is worth nothing. PATH: the impostor's, seen from the machine's root
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

test_case user_is_ordinary
test_case chroot_is_seen_through
test_case bind_mount_is_seen_through
test_case directory_mount_is_seen_through
test_case tmpfs_is_seen_through
test_case overlay_is_seen_through
test_case fuse_is_seen_through
