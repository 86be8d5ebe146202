/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Attaches and pins the BPF programs, and removes them.
 *
 * Attaching is one step: the link of socket_accept is pinned last, and only that pin makes "loaded". If the process is killed
 * before, what is left enforces nothing, and the next `load` removes it.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/load.h"
#include "enforce/kernel/prerequisites.h"
#include "policy/cleanup.h"
#include "sockaccept.skel.h"

/* Removes the directory `path` and the files in it. Succeeds if it isn't there. Returns 0 or -errno. */
static int remove_directory(const char *path)
{
	_cleanup_closedir_ DIR *directory = opendir(path);
	struct dirent *entry;

	if (!directory)
		return errno == ENOENT ? 0 : -errno;
	while ((entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (unlinkat(dirfd(directory), entry->d_name, 0) && errno != ENOENT && errno != EISDIR)
			return -errno;
	}
	return rmdir(path) && errno != ENOENT ? -errno : 0;
}

static int remove_pins(void)
{
	char path[PIN_PATH_MAX];
	int error;

	/* The links go first, and that of socket_accept before the others: without it, what is left enforces nothing. */
	for (int object = LINK_SOCKET_ACCEPT; object >= FIRST_LINK; object--)
		if (unlink(pin_path(object, path, sizeof(path))) && errno != ENOENT && errno != ENOTDIR)
			return -errno;
	error = remove_directory(pins_policies(path, sizeof(path)));
	return error ? error : remove_directory(pins_directory());
}

enum status kernel_detach(void)
{
	int error = remove_pins();

	if (error)
		return fail(STATUS_FAILED, "%s: %s", pins_directory(), strerror(-error));
	return STATUS_DONE;
}

static enum status make_pin_directories(void)
{
	int error = remove_pins();
	char path[PIN_PATH_MAX];

	if (error)
		return fail(STATUS_FAILED, "%s: %s", pins_directory(), strerror(-error));
	if (mkdir(pins_directory(), 0700) || mkdir(pins_policies(path, sizeof(path)), 0700))
		return fail(STATUS_FAILED, "%s: %s", pins_directory(), strerror(errno));
	return STATUS_DONE;
}

static int keep_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Copies the skeleton's descriptors, which end with it. Until attach(), a link has the descriptor of its program. */
static int take_descriptors(struct kernel *kernel, const struct sockaccept_bpf *bpf)
{
	const int theirs[KERNEL_OBJECTS] = {
#define MAP(object, name, when_locked) [object] = bpf_map__fd(bpf->maps.name),
		PINNED_MAPS(MAP)
#undef MAP
#define PROGRAM(object, name, when_locked) [object] = bpf_program__fd(bpf->progs.name),
			PINNED_PROGRAMS(PROGRAM) PINNED_LINKS(PROGRAM)
#undef PROGRAM
	};

	for (int object = 0; object < KERNEL_OBJECTS; object++)
		if ((kernel->fd[object] = keep_fd(theirs[object])) < 0)
			return -errno;
	return 0;
}

/* Attaches the program of a link, and replaces its descriptor with the link's. */
static int attach(struct kernel *kernel, enum kernel_object object)
{
	int link = bpf_raw_tracepoint_open(NULL, kernel->fd[object]);

	if (link < 0)
		return -errno;
	close(kernel->fd[object]);
	kernel->fd[object] = link;
	return 0;
}

static int start_state(struct kernel *kernel)
{
	int error = kernel_map(kernel, MAP_CONTROL, true) ?: kernel_map(kernel, MAP_STATE, true);

	if (error)
		return error;
	kernel->state->layout = SOCKACCEPT_LAYOUT;
	kernel->control->next_binary = BINARY_ANY + 1;
	kernel->control->next_step = 1;
	kernel->control->entries_epoch = kernel->control->next_binary;
	return 0;
}

/* Makes the fold for denials that have none of their own. It must be there from the start: later there may be no room for it. */
static int make_last_fold(const struct kernel *kernel, size_t size)
{
	const struct fold_key key = { .uid = FOLD_OTHERS, .binary = FOLD_OTHERS, .port = FOLD_OTHERS, .what = FOLD_OTHERS };
	_cleanup_free_ void *blank = must(calloc(1, size));

	return bpf_map_update_elem(kernel->fd[MAP_FOLDS], &key, blank, BPF_NOEXIST) ? -errno : 0;
}

/* Makes what was loaded ready to be attached. Returns 0 or -errno. */
static int make_ready(struct kernel *kernel, const struct sockaccept_bpf *bpf)
{
	int error = take_descriptors(kernel, bpf);

	if (!error)
		error = start_state(kernel);
	if (!error)
		error = make_last_fold(kernel, bpf_map__value_size(bpf->maps.folds));
	return error ?: attach(kernel, LINK_SUPERBLOCK_FREE);
}

static enum status load_and_make_ready(struct kernel *kernel, uint32_t events)
{
	struct sockaccept_bpf *bpf = NULL;
	enum status status = load_programs(events, &bpf);
	int error = status == STATUS_DONE ? make_ready(kernel, bpf) : 0;

	if (error == -ENOMEM)
		status = load_lacks_memory(bpf);
	else if (error)
		status = fail(STATUS_FAILED, "can't prepare the kernel side: %s", strerror(-error));
	sockaccept_bpf__destroy(bpf);
	return status;
}

enum status kernel_prepare(struct kernel *kernel, uint32_t events)
{
	enum status status = prerequisites_of_kernel();

	if (status == STATUS_DONE)
		status = make_pin_directories();
	if (status != STATUS_DONE)
		return status;
	status = load_and_make_ready(kernel, events);
	if (status != STATUS_DONE)
		remove_pins();
	return status;
}

static int pin(const struct kernel *kernel, enum kernel_object object)
{
	char path[PIN_PATH_MAX];

	return bpf_obj_pin(kernel->fd[object], pin_path(object, path, sizeof(path))) ? -errno : 0;
}

static int attach_and_pin_all(struct kernel *kernel)
{
	for (int object = 0; object < KERNEL_OBJECTS; object++) {
		/* kernel_prepare() has attached superblock_free. */
		int error = (object > LINK_SUPERBLOCK_FREE ? attach(kernel, object) : 0) ?: pin(kernel, object);

		if (error)
			return error;
	}
	return 0;
}

enum status kernel_attach(struct kernel *kernel)
{
	int error = attach_and_pin_all(kernel);

	if (!error)
		return STATUS_DONE;
	remove_pins();
	return fail(STATUS_FAILED, "can't attach the program: %s", strerror(-error));
}
