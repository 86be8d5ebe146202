/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bringing the kernel side up and down.
 *
 * Coming up is one step: everything is pinned before the link is, and only a pinned link makes "loaded".
 * Killed anywhere before, what is left enforces nothing, and the next `load` removes it.
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

#include "enforce/kernel.h"
#include "enforce/prerequisites.h"
#include "policy/cleanup.h"
#include "sockaccept.skel.h"

/* libbpf's reasons, kept for the message about what failed. */
static char libbpf_said[512];

static int keep_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level == LIBBPF_WARN && !libbpf_said[0]) {
		vsnprintf(libbpf_said, sizeof(libbpf_said), format, arguments);
		libbpf_said[strcspn(libbpf_said, "\n")] = '\0';
	}
	return 0;
}

static enum status check_kernel(void)
{
	char text[512];
	enum status status = prerequisite_btf();

	if (status == STATUS_DONE)
		status = prerequisite_lsm(text, sizeof(text));
	if (status == STATUS_DONE)
		status = prerequisite_lockdown(text, sizeof(text));
	return status;
}

/* Removes the files in the directory `path`, and then it. What isn't there is well. */
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

	/* The links first, that of socket_accept before all: what is left after them enforces nothing. */
	for (int object = LINK_SOCKET_ACCEPT; object >= FIRST_LINK; object--)
		if (unlink(kernel_pin_path(object, path, sizeof(path))) && errno != ENOENT && errno != ENOTDIR)
			return -errno;
	error = remove_directory(kernel_policies_path(path, sizeof(path)));
	return error ? error : remove_directory(kernel_pin_directory());
}

enum status kernel_detach(void)
{
	int error = remove_pins();

	if (error)
		return fail(STATUS_FAILED, "%s: %s", kernel_pin_directory(), strerror(-error));
	return STATUS_DONE;
}

static enum status make_pin_directories(void)
{
	int error = remove_pins();
	char path[PIN_PATH_MAX];

	if (error)
		return fail(STATUS_FAILED, "%s: %s", kernel_pin_directory(), strerror(-error));
	if (mkdir(kernel_pin_directory(), 0700) || mkdir(kernel_policies_path(path, sizeof(path)), 0700))
		return fail(STATUS_FAILED, "%s: %s", kernel_pin_directory(), strerror(errno));
	return STATUS_DONE;
}

static int keep_fd(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* Copies of the descriptors, which outlive the skeleton. */
static int take_descriptors(struct kernel *kernel, const struct sockaccept_bpf *bpf)
{
	const struct bpf_map *maps[] = {
		[MAP_POLICY] = bpf->maps.policy,
		[MAP_CONTROL] = bpf->maps.control,
		[MAP_STATE] = bpf->maps.state,
		[MAP_ENTRIES] = bpf->maps.entries,
		[MAP_SUPERBLOCKS] = bpf->maps.superblocks,
		[MAP_BINARY_PATHS] = bpf->maps.binary_paths,
		[MAP_FILE_TAGS] = bpf->maps.file_tags,
		[MAP_LOOKUPS] = bpf->maps.lookups,
		[MAP_SEEN_PATHS] = bpf->maps.seen_paths,
		[MAP_RULE_COUNTERS] = bpf->maps.rule_counters,
		[MAP_PORTS] = bpf->maps.ports,
		[MAP_OTHER_PORTS] = bpf->maps.other_ports,
		[MAP_UNITS] = bpf->maps.units,
		[MAP_FOLDS] = bpf->maps.folds,
		[MAP_SWEEPER] = bpf->maps.sweeper,
		[MAP_EVENTS] = bpf->maps.events,
	};

	/* A link's is that of its program until attach(). */
	const struct bpf_program *programs[] = {
		[PROGRAM_IDENTIFY] = bpf->progs.identify_files,
		[PROGRAM_LISTENERS] = bpf->progs.list_listeners,
		[PROGRAM_SOCKET_ACCEPT] = bpf->progs.socket_accept,
		[PROGRAM_CONNECTION_GRAFT] = bpf->progs.connection_graft,
		[PROGRAM_ACCEPT_END] = bpf->progs.accept_end,
		[LINK_SUPERBLOCK_FREE] = bpf->progs.superblock_free,
		[LINK_TASK_PRCTL] = bpf->progs.task_prctl,
		[LINK_ACCEPT_END] = bpf->progs.accept_end,
		[LINK_CONNECTION_GRAFT] = bpf->progs.connection_graft,
		[LINK_SOCKET_ACCEPT] = bpf->progs.socket_accept,
	};

	for (int i = 0; i < PROGRAM_IDENTIFY; i++)
		if ((kernel->fd[i] = keep_fd(bpf_map__fd(maps[i]))) < 0)
			return -errno;
	for (int i = PROGRAM_IDENTIFY; i < KERNEL_OBJECTS; i++)
		if ((kernel->fd[i] = keep_fd(bpf_program__fd(programs[i]))) < 0)
			return -errno;
	return 0;
}

/* Attaches the program of a link, and puts the link in its place. */
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
	int error = kernel_map(kernel, MAP_CONTROL, true);

	if (!error)
		error = kernel_map(kernel, MAP_STATE, true);
	if (error)
		return error;
	kernel->state->layout = SOCKACCEPT_LAYOUT;
	kernel->control->next_binary = BINARY_ANY + 1;
	kernel->control->next_step = 1;
	kernel->control->entries_epoch = kernel->control->next_binary;
	return 0;
}

static enum status load_failed(int error)
{
	if (error == -EPERM)
		return fail(STATUS_UNSUPPORTED, "the kernel refuses to load LSM programs (%s): %s; it is locked down, or a "
			    "sandbox forbids them", strerror(-error), libbpf_said);
	return fail(STATUS_UNSUPPORTED, "the kernel doesn't take the program (%s): %s; Linux 6.1 or newer is needed",
		    strerror(-error), libbpf_said);
}

/* The fold for what has none of its own must always be there: it isn't made when the others have taken all room. */
static int make_last_fold(const struct kernel *kernel, size_t size)
{
	const struct fold_key key = { .uid = FOLD_OTHERS, .binary = FOLD_OTHERS, .port = FOLD_OTHERS,
				      .what = FOLD_OTHERS };
	_cleanup_free_ void *blank = must(calloc(1, size));

	return bpf_map_update_elem(kernel->fd[MAP_FOLDS], &key, blank, BPF_NOEXIST) ? -errno : 0;
}

static int set_events(struct sockaccept_bpf *bpf, uint32_t events)
{
	bpf->rodata->slot_mask = events - 1;
	return bpf_map__set_max_entries(bpf->maps.events, VERDICTS * events);
}

enum status kernel_prepare(struct kernel *kernel, uint32_t events)
{
	struct sockaccept_bpf *bpf;
	enum status status = check_kernel();
	int error;

	if (status == STATUS_DONE)
		status = make_pin_directories();
	if (status != STATUS_DONE)
		return status;
	libbpf_set_print(keep_message);
	bpf = sockaccept_bpf__open();
	if (!bpf)
		return fail(STATUS_FAILED, "can't read the built-in BPF object: %s", strerror(errno));
	error = set_events(bpf, events);
	if (!error)
		error = sockaccept_bpf__load(bpf);
	if (error) {
		status = load_failed(error);
	} else {
		error = take_descriptors(kernel, bpf);
		if (!error)
			error = start_state(kernel);
		if (!error)
			error = make_last_fold(kernel, bpf_map__value_size(bpf->maps.folds));
		if (!error)
			error = attach(kernel, LINK_SUPERBLOCK_FREE);
		if (error)
			status = fail(STATUS_FAILED, "can't prepare the kernel side: %s", strerror(-error));
	}
	sockaccept_bpf__destroy(bpf);
	if (status != STATUS_DONE)
		remove_pins();
	return status;
}

static int pin(const struct kernel *kernel, enum kernel_object object)
{
	char path[PIN_PATH_MAX];

	return bpf_obj_pin(kernel->fd[object], kernel_pin_path(object, path, sizeof(path))) ? -errno : 0;
}

static int attach_and_pin_all(struct kernel *kernel)
{
	int error = 0;

	for (int object = 0; object < KERNEL_OBJECTS && !error; object++) {
		if (object > LINK_SUPERBLOCK_FREE)
			error = attach(kernel, object);
		if (!error)
			error = pin(kernel, object);
	}
	return error;
}

enum status kernel_attach(struct kernel *kernel)
{
	int error = attach_and_pin_all(kernel);

	if (!error)
		return STATUS_DONE;
	remove_pins();
	return fail(STATUS_FAILED, "can't attach the program: %s", strerror(-error));
}
