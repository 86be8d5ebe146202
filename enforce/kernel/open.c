/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opens what is pinned, and tells "not loaded" from what only looks like it.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/kernel/hidden.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/locked.h"
#include "enforce/kernel/prerequisites.h"
#include "policy/cleanup.h"

static void unmap_control(struct kernel *kernel)
{
	if (kernel->control)
		munmap(kernel->control, sizeof(*kernel->control));
	kernel->control = NULL;
}

void kernel_unmap(struct kernel *kernel)
{
	unmap_control(kernel);
	if (kernel->state)
		munmap(kernel->state, sizeof(*kernel->state));
	kernel->state = NULL;
}

void kernel_keep_readable(struct kernel *kernel)
{
	for (int i = 0; i < KERNEL_OBJECTS; i++) {
		if (kernel->fd[i] < 0 || i == PROGRAM_CLOSE_WINDOWS || i == PROGRAM_DRAIN || (i < FIRST_PROGRAM && locked_lets_open(i)))
			continue;
		close(kernel->fd[i]);
		kernel->fd[i] = -1;
	}
	unmap_control(kernel);
}

void kernel_close(struct kernel *kernel)
{
	for (int i = 0; i < KERNEL_OBJECTS; i++) {
		if (kernel->fd[i] >= 0)
			close(kernel->fd[i]);
		kernel->fd[i] = -1;
	}
	kernel_unmap(kernel);
}

/* Refuses a pin directory that isn't root's: if the bpffs is writable for all, somebody else can have made it first. */
static enum status check_pin_directory(void)
{
	struct stat st;

	if (lstat(pins_directory(), &st))
		return errno == ENOENT || errno == EACCES ? STATUS_DONE :
							    fail(STATUS_FAILED, "%s: %s", SOCKACCEPT_PIN_DIR, strerror(errno));
	if (!S_ISDIR(st.st_mode) || st.st_uid != 0 || st.st_mode & 077)
		return fail(STATUS_FAILED, "%s isn't a directory of root's with mode 0700; somebody else made it, remove it",
			    SOCKACCEPT_PIN_DIR);
	return STATUS_DONE;
}

enum status kernel_is_loaded(bool quiet)
{
	char path[PIN_PATH_MAX];
	enum status status = hidden_refuse();
	struct stat st;

	if (status == STATUS_DONE)
		status = prerequisite_bpffs();
	if (status == STATUS_DONE)
		status = check_pin_directory();
	if (status != STATUS_DONE)
		return status;
	if (!stat(pin_path(LINK_SOCKET_ACCEPT, path, sizeof(path)), &st))
		return STATUS_DONE;
	if (errno == EACCES)
		return fail(STATUS_NOT_PERMITTED, "%s: %s; run it as root", path, strerror(errno));
	if (errno != ENOENT)
		return fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
	if (!quiet)
		fail(STATUS_NOT_LOADED, "not loaded; load a policy first: sockaccept-ctl load [FILE]");
	return STATUS_NOT_LOADED;
}

unsigned long long kernel_instance(void)
{
	char path[PIN_PATH_MAX];
	struct stat st;

	return stat(pin_path(LINK_SOCKET_ACCEPT, path, sizeof(path)), &st) ? 0 : st.st_ino;
}

bool kernel_link_ids(enum kernel_object link, struct link_ids *ids)
{
	char path[PIN_PATH_MAX];
	_cleanup_close_ int fd = bpf_obj_get(pin_path(link, path, sizeof(path)));

	return fd >= 0 && link_ids(fd, ids);
}

static bool is_mapped(enum kernel_object object)
{
	return object == MAP_CONTROL || locked_lets_map(object);
}

/* Opens a map that is only to be read for reading alone, so that whoever gets hold of the descriptor can't write either. */
static enum status open_object(struct kernel *kernel, enum kernel_object object, bool write)
{
	LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = !write && object < FIRST_PROGRAM && !is_mapped(object) ? BPF_F_RDONLY : 0);
	char path[PIN_PATH_MAX];

	kernel->fd[object] = bpf_obj_get_opts(pin_path(object, path, sizeof(path)), &options);
	if (kernel->fd[object] >= 0)
		return STATUS_DONE;
	if (errno == EPERM || errno == EACCES)
		return fail(STATUS_NOT_PERMITTED, "%s: %s; run it as root", path, strerror(errno));
	if (errno != ENOENT)
		return fail(STATUS_FAILED, "%s: %s", path, strerror(errno));
	return fail(STATUS_FAILED,
		    "%s is missing, so this is not all of a kernel side that this sockaccept-ctl knows; "
		    "run: sockaccept-ctl unload, then load",
		    path);
}

int kernel_map(struct kernel *kernel, enum kernel_object object, bool write)
{
	size_t size = object == MAP_CONTROL ? sizeof(*kernel->control) : sizeof(*kernel->state);
	void *memory = mmap(NULL, size, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, kernel->fd[object], 0);

	if (memory == MAP_FAILED)
		return -errno;
	if (object == MAP_CONTROL)
		kernel->control = memory;
	else
		kernel->state = memory;
	kernel->writable = write;
	return 0;
}

static enum status map_memory(struct kernel *kernel, enum kernel_object object, bool write)
{
	int error = kernel_map(kernel, object, write);

	return error ? fail(STATUS_FAILED, "can't map the kernel side's memory: %s", strerror(-error)) : STATUS_DONE;
}

/* Refuses the kernel side of another version: its maps differ, but its state begins with the layout too. */
static enum status check_layout(uint64_t layout)
{
	if (layout < SOCKACCEPT_LAYOUT)
		return fail(STATUS_FAILED,
			    "the kernel side was loaded by an older sockaccept-ctl (layout %" PRIu64 ", not %d): its policy "
			    "is in force, but can't be changed by this one; take it over: sockaccept-ctl upgrade",
			    layout, SOCKACCEPT_LAYOUT);
	if (layout > SOCKACCEPT_LAYOUT)
		return fail(STATUS_FAILED,
			    "the kernel side was loaded by a newer sockaccept-ctl (layout %" PRIu64 ", not %d), and is left "
			    "alone by this one; use that",
			    layout, SOCKACCEPT_LAYOUT);
	return STATUS_DONE;
}

enum status kernel_refuse_newer(void)
{
	uint64_t layout = 0;
	enum status status = kernel_layout(&layout);

	return status == STATUS_DONE && layout > SOCKACCEPT_LAYOUT ? check_layout(layout) : status;
}

static enum status open_and_map(struct kernel *kernel, enum kernel_object object, bool write)
{
	enum status status = open_object(kernel, object, write);

	return status == STATUS_DONE ? map_memory(kernel, object, write) : status;
}

enum status kernel_layout(uint64_t *layout)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	enum status status = open_and_map(&kernel, MAP_STATE, false);

	if (status == STATUS_DONE)
		*layout = kernel.state->layout;
	return status;
}

/* Tries to open a guarded map all the same, so that the guard counts the attempt. */
static enum status refuse_locked(void)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	char path[PIN_PATH_MAX];

	kernel.fd[MAP_ENTRIES] = bpf_obj_get(pin_path(MAP_ENTRIES, path, sizeof(path)));
	return fail(STATUS_NOT_PERMITTED, "the policy is locked until the machine stops, by sockaccept-ctl lock: nothing was changed; to "
					  "change it, reboot");
}

enum status kernel_refuse_locked(void)
{
	return locked_is_set() ? refuse_locked() : STATUS_DONE;
}

static enum status refuse_frozen(void)
{
	if (!locked_has_frozen())
		return STATUS_DONE;
	return fail(STATUS_FAILED, "%s", FROZEN_PROBLEM);
}

enum status kernel_open_frozen(struct kernel *kernel)
{
	enum status status = STATUS_DONE;

	for (int object = 0; object < FIRST_LINK && status == STATUS_DONE; object++)
		status = open_object(kernel, object, true);
	return status;
}

static enum status refuse_unchangeable(void)
{
	enum status status = kernel_refuse_locked();

	return status == STATUS_DONE ? refuse_frozen() : status;
}

static enum status open_state(struct kernel *kernel, bool write)
{
	enum status status = open_and_map(kernel, MAP_STATE, write);

	return status == STATUS_DONE ? check_layout(kernel->state->layout) : status;
}

static enum status open_others(struct kernel *kernel, bool write, bool locked)
{
	for (int object = 0; object < FIRST_LINK; object++) {
		enum status status;

		if (object == MAP_STATE || (locked && !locked_lets_open(object)))
			continue;
		status = open_object(kernel, object, write);
		if (status != STATUS_DONE)
			return status;
	}
	return locked ? STATUS_DONE : map_memory(kernel, MAP_CONTROL, write);
}

enum status kernel_open(struct kernel *kernel, bool write, bool quiet)
{
	enum status status = kernel_is_loaded(quiet);
	bool locked = locked_is_set();

	if (status == STATUS_DONE && write)
		status = refuse_unchangeable();
	/* The state comes first: it is all that is known of another version's kernel side. */
	if (status == STATUS_DONE)
		status = open_state(kernel, write);
	return status == STATUS_DONE ? open_others(kernel, write, locked) : status;
}

uint32_t kernel_events(const struct kernel *kernel)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(kernel->fd[MAP_EVENTS], &info, &size))
		return 0;
	return info.max_entries / VERDICTS;
}
