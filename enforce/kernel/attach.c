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

#include "enforce/kernel/kernel.h"
#include "enforce/kernel/load_error.h"
#include "enforce/kernel/prerequisites.h"
#include "policy/cleanup.h"
#include "policy/text.h"
#include "sockaccept.skel.h"

/* Why libbpf says that a load failed, for the message about it. */
static struct load_error load_error;

/* The verifier's log is in one of the warnings, and can have megabytes. */
static int keep_message(enum libbpf_print_level level, const char *format, va_list arguments)
{
	_cleanup_free_ char *warning = NULL;

	if (level != LIBBPF_WARN)
		return 0;
	if (vasprintf(&warning, format, arguments) < 0)
		abort();
	load_error_add(&load_error, warning);
	return 0;
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

/* Copies of the descriptors, which outlive the skeleton. A link's is that of its program until attach(). */
static int take_descriptors(struct kernel *kernel, const struct sockaccept_bpf *bpf)
{
	const int theirs[KERNEL_OBJECTS] = {
#define MAP(object, name, when_locked) [object] = bpf_map__fd(bpf->maps.name),
		PINNED_MAPS(MAP)
#undef MAP
#define PROGRAM(object, name, when_locked) [object] = bpf_program__fd(bpf->progs.name),
		PINNED_PROGRAMS(PROGRAM)
		PINNED_LINKS(PROGRAM)
#undef PROGRAM
	};

	for (int object = 0; object < KERNEL_OBJECTS; object++)
		if ((kernel->fd[object] = keep_fd(theirs[object])) < 0)
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

static uint64_t round_up(uint64_t number, uint64_t step)
{
	return (number + step - 1) / step * step;
}

/* About how much of the kernel's memory a map takes when it is made, before anything is put into it. */
static uint64_t map_bytes(const struct bpf_map *map)
{
	uint64_t entries = bpf_map__max_entries(map), value = round_up(bpf_map__value_size(map), 8), buckets = 1;

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_ARRAY:
		return round_up(entries * value, 4096);
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		while (buckets < entries)
			buckets *= 2;
		if (bpf_map__map_flags(map) & BPF_F_NO_PREALLOC)
			entries = 0;
		return 16 * buckets + entries * (64 + round_up(bpf_map__key_size(map), 8) + value);
	default:
		return 0;
	}
}

static uint64_t all_maps_bytes(const struct sockaccept_bpf *bpf)
{
	const struct bpf_map *map;
	uint64_t sum = 0;

	bpf_object__for_each_map(map, bpf->obj)
		sum += map_bytes(map);
	return sum;
}

static unsigned in_mib(uint64_t bytes)
{
	return (unsigned)(round_up(bytes, 1U << 20) >> 20);
}

static enum status lacks_memory(const struct sockaccept_bpf *bpf)
{
	return fail(STATUS_FAILED, "not enough memory for the kernel side: its maps want %u MiB of the kernel's, %u MiB of them for events; "
		    "set `events` lower than %u in the policy, or give the machine, or the control group that this runs in, more memory",
		    in_mib(all_maps_bytes(bpf)), in_mib(map_bytes(bpf->maps.events)), bpf_map__max_entries(bpf->maps.events) / VERDICTS);
}

/* What a reason that is not known here can still mean. */
static enum status refused_program(int error)
{
	const char *meaning = load_error_meaning(&load_error);
	_cleanup_free_ char *said = text_format("the kernel doesn't take the program%s%s (%s): %s", *load_error.program ? " " : "",
						load_error.program, strerror(-error), load_error.reason);
	char release[65];

	if (prerequisite_is_old(release, sizeof(release)))
		return fail(STATUS_UNSUPPORTED, "%s; Linux 6.1 or newer is needed, and this is %s", said, release);
	if (meaning)
		return fail(STATUS_UNSUPPORTED, "%s; %s", said, meaning);
	return fail(STATUS_UNSUPPORTED, "%s; what to do about it is not known for Linux %s: one of Debian's kernels from 6.1 on takes it", said,
		    release);
}

/* True if it was an inode storage that couldn't be made: where BPF LSM isn't in force, an inode has no room for it. */
static bool lacks_inode_storage(const struct sockaccept_bpf *bpf)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, bpf->obj) {
		_cleanup_free_ char *failed = text_format("map '%s': failed to create", bpf_map__name(map));

		if (bpf_map__type(map) == BPF_MAP_TYPE_INODE_STORAGE && strstr(load_error.reason, failed))
			return true;
	}
	return false;
}

static enum status load_failed(const struct sockaccept_bpf *bpf, int error)
{
	/* E2BIG is what a map gets that is too big, and a program that is too long. */
	if (error == -ENOMEM || (error == -E2BIG && strstr(load_error.reason, "failed to create")))
		return lacks_memory(bpf);
	if (error == -EPERM)
		return fail(STATUS_UNSUPPORTED, "the kernel refuses to load LSM programs (%s): %s; it is locked down, or a "
			    "sandbox forbids them", strerror(-error), load_error.reason);
	if (lacks_inode_storage(bpf))
		return prerequisite_lsm_is_missing("the kernel keeps nothing with an inode");
	return refused_program(error);
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

/* Opens and loads the programs. *bpf is to be destroyed, whatever comes of it. */
static enum status load_programs(uint32_t events, struct sockaccept_bpf **bpf)
{
	int error;

	libbpf_set_print(keep_message);
	load_error = (struct load_error){ 0 };
	*bpf = sockaccept_bpf__open();
	if (!*bpf)
		return fail(STATUS_FAILED, "can't read the built-in BPF object: %s", strerror(errno));
	error = set_events(*bpf, events);
	if (!error)
		error = sockaccept_bpf__load(*bpf);
	return error ? load_failed(*bpf, error) : STATUS_DONE;
}

enum status kernel_prepare(struct kernel *kernel, uint32_t events)
{
	struct sockaccept_bpf *bpf = NULL;
	enum status status = prerequisites_of_kernel();
	int error;

	if (status == STATUS_DONE)
		status = make_pin_directories();
	if (status != STATUS_DONE)
		return status;
	status = load_programs(events, &bpf);
	if (status == STATUS_DONE) {
		error = take_descriptors(kernel, bpf);
		if (!error)
			error = start_state(kernel);
		if (!error)
			error = make_last_fold(kernel, bpf_map__value_size(bpf->maps.folds));
		if (!error)
			error = attach(kernel, LINK_SUPERBLOCK_FREE);
		if (error == -ENOMEM)
			status = lacks_memory(bpf);
		else if (error)
			status = fail(STATUS_FAILED, "can't prepare the kernel side: %s", strerror(-error));
	}
	sockaccept_bpf__destroy(bpf);
	if (status != STATUS_DONE)
		remove_pins();
	return status;
}

enum status kernel_try(uint32_t events, unsigned *mib)
{
	struct sockaccept_bpf *bpf = NULL;
	enum status status = load_programs(events, &bpf);

	if (status == STATUS_DONE)
		*mib = in_mib(all_maps_bytes(bpf));
	sockaccept_bpf__destroy(bpf);
	return status;
}

static int pin(const struct kernel *kernel, enum kernel_object object)
{
	char path[PIN_PATH_MAX];

	return bpf_obj_pin(kernel->fd[object], pin_path(object, path, sizeof(path))) ? -errno : 0;
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
