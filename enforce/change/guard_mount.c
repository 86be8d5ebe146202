/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/guard_mount.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bpf/shared/sockaccept.h"
#include "enforce/base/same_file.h"
#include "enforce/kernel/load_warnings.h"
#include "guard.skel.h"
#include "policy/cleanup.h"

/* As process 1 sees them: a service can have mounts of its own of the same file system. */
#define MACHINES_PINS "/proc/1/root" SOCKACCEPT_PIN_DIR

void guard_mount_autoload(const struct guard_bpf *guard, bool iterator)
{
	struct bpf_program *program = NULL;

	while ((program = bpf_object__next_program(guard->obj, program)))
		bpf_program__set_autoload(program, (program == guard->progs.list_mounts) == iterator);
}

/* Asks the iterator about `fd`. Returns 0 or -errno. */
static int ask_mount(const struct guard_bpf *guard, int fd, struct mount_identity *identity)
{
	union bpf_iter_link_info info = { .task = { .tid = (__u32)gettid() } };
	LIBBPF_OPTS(bpf_link_create_opts, options, .iter_info = &info, .iter_info_len = sizeof(info));
	_cleanup_close_ int link = bpf_link_create(bpf_program__fd(guard->progs.list_mounts), 0, BPF_TRACE_ITER, &options);
	_cleanup_close_ int iterator = link < 0 ? -1 : bpf_iter_create(link);

	if (iterator < 0)
		return -errno;
	while (read(iterator, identity, sizeof(*identity)) == sizeof(*identity))
		if (identity->fd == (__u32)fd)
			return 0;
	return -ENODATA;
}

static int identify_mount(int fd, struct mount_identity *identity)
{
	struct guard_bpf *guard;
	int error;

	load_warnings_keep();
	guard = guard_bpf__open();
	error = guard ? 0 : -errno;
	if (!error) {
		guard_mount_autoload(guard, true);
		error = guard_bpf__load(guard);
	}
	if (!error)
		error = ask_mount(guard, fd, identity);
	guard_bpf__destroy(guard);
	return error;
}

static bool is_pin_directory(int fd)
{
	struct stat there, ours;

	return !fstat(fd, &there) && !stat(SOCKACCEPT_PIN_DIR, &ours) && is_same_file(&there, &ours);
}

enum status guard_mount_find(uint64_t *mount)
{
	struct mount_identity identity = { 0 };
	_cleanup_close_ int fd = open(MACHINES_PINS, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return fail(STATUS_FAILED, "%s: %s; nothing was locked", MACHINES_PINS, strerror(errno));
	error = identify_mount(fd, &identity);
	if (error) {
		_cleanup_free_ char *why = load_warnings_text(error);

		return fail(STATUS_UNSUPPORTED, "can't find out where %s is mounted: %s; nothing was locked", SOCKACCEPT_PIN_DIR, why);
	}
	if (!is_pin_directory(fd) || !(identity.flags & MOUNT_IS_MACHINES))
		return fail(STATUS_FAILED,
			    "%s is not in the machine's mount namespace, so it would end with another one; nothing was locked; "
			    "run it there: nsenter --target 1 --mount sockaccept-ctl lock",
			    SOCKACCEPT_PIN_DIR);
	if (!(identity.flags & MOUNT_HAS_ROOT))
		return fail(STATUS_FAILED, "more than %d mounts are above %s; nothing was locked; mount a bpffs on a directory of the root",
			    PIN_MOUNTS_MAX, SOCKACCEPT_PIN_DIR);
	*mount = identity.address;
	return STATUS_DONE;
}
