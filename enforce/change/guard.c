/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "enforce/change/guard_mount.h"
#include "enforce/change/holders.h"
#include "enforce/kernel/load_warnings.h"
#include "enforce/kernel/locked.h"
#include "guard.skel.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* ---------------------------------------------------------------------------------------------
 * What is ours
 */

/* Returns true if `id` is a map that readers open, and that may be mapped (`mapped`) or may not. */
static bool is_opened(const struct kernel *kernel, uint32_t id, bool mapped)
{
	for (int object = 0; object < FIRST_PROGRAM; object++)
		if (locked_lets_open(object) && locked_lets_map(object) == mapped && map_id(kernel->fd[object]) == id)
			return true;
	return false;
}

/* Anybody may hold a map that readers map: no decision depends on it. */
static void add_map(const struct kernel *kernel, struct object_ids *ids, uint32_t id)
{
	if (is_opened(kernel, id, true))
		return;
	object_ids_add(ids->maps, &ids->map_count, id);
	if (is_opened(kernel, id, false))
		object_ids_add(ids->readable, &ids->readable_count, id);
}

static void add_program(const struct kernel *kernel, struct object_ids *ids, int fd)
{
	struct program_ids program = { 0 };

	program_ids(fd, &program);
	object_ids_add(ids->programs, &ids->program_count, program.id);
	object_ids_add(ids->hooks, &ids->hook_count, program.hook);
	/* Maps that aren't pinned are found only so. */
	for (size_t i = 0; i < program.map_count; i++)
		add_map(kernel, ids, program.maps[i]);
}

static void add_link(const struct kernel *kernel, struct object_ids *ids, enum kernel_object object)
{
	struct link_ids link = { 0 };
	_cleanup_close_ int program = -1;

	kernel_link_ids(object, &link);
	object_ids_add(ids->links, &ids->link_count, link.id);
	program = bpf_prog_get_fd_by_id(link.program);
	add_program(kernel, ids, program);
}

/* Finds all that is pinned, and all that our programs use. */
static void find_ours(const struct kernel *kernel, struct object_ids *ids)
{
	for (int object = 0; object < FIRST_PROGRAM; object++)
		add_map(kernel, ids, map_id(kernel->fd[object]));
	for (__u32 slot = 0; slot < POLICY_SLOTS; slot++) {
		__u32 id = 0;

		if (!bpf_map_lookup_elem(kernel->fd[MAP_POLICY], &slot, &id))
			object_ids_add(ids->maps, &ids->map_count, id);
	}
	for (int object = FIRST_PROGRAM; object < FIRST_LINK; object++) {
		struct program_ids program = { 0 };

		add_program(kernel, ids, kernel->fd[object]);
		if (locked_lets_open(object) && program_ids(kernel->fd[object], &program))
			object_ids_add(ids->open_programs, &ids->open_program_count, program.id);
	}
	for (int object = FIRST_LINK; object < KERNEL_OBJECTS; object++)
		add_link(kernel, ids, object);
}

/* ---------------------------------------------------------------------------------------------
 * Loading
 */

static int guard_one(const struct guard_bpf *guard, enum guarded_kind kind, uint32_t id, uint32_t level)
{
	const struct guarded_key key = { .kind = kind, .id = id };

	return bpf_map_update_elem(bpf_map__fd(guard->maps.guarded), &key, &level, BPF_ANY) ? -errno : 0;
}

/* Adds the guard's own programs and maps. */
static int add_own(const struct guard_bpf *guard, struct object_ids *ids)
{
	struct bpf_program *program = NULL;

	while ((program = bpf_object__next_program(guard->obj, program))) {
		struct program_ids own = { 0 };

		if (!bpf_program__autoload(program))
			continue;
		if (!program_ids(bpf_program__fd(program), &own))
			return -errno;
		object_ids_add(ids->programs, &ids->program_count, own.id);
		object_ids_add(ids->hooks, &ids->hook_count, own.hook);
		for (size_t i = 0; i < own.map_count; i++)
			object_ids_add(ids->maps, &ids->map_count, own.maps[i]);
	}
	object_ids_add(ids->readable, &ids->readable_count, map_id(bpf_map__fd(guard->maps.refusals)));
	return 0;
}

/* Tells the guard what it guards, itself and `copy` included, and freezes that list. */
static int fill_guarded(const struct guard_bpf *guard, int copy, struct object_ids *ids)
{
	int error = add_own(guard, ids);

	for (size_t i = 0; i < ids->program_count && !error; i++)
		if (!object_ids_has(ids->open_programs, ids->open_program_count, ids->programs[i]))
			error = guard_one(guard, GUARDED_PROGRAM, ids->programs[i], GUARDED_WHOLLY);
	for (size_t i = 0; i < ids->hook_count && !error; i++)
		error = guard_one(guard, GUARDED_HOOK, ids->hooks[i], GUARDED_WHOLLY);
	for (size_t i = 0; i < ids->map_count && !error; i++)
		error = guard_one(guard, GUARDED_MAP, ids->maps[i], GUARDED_WHOLLY);
	for (size_t i = 0; i < ids->readable_count && !error; i++)
		error = guard_one(guard, GUARDED_MAP, ids->readable[i], GUARDED_FROM_WRITING);
	if (!error)
		error = guard_one(guard, GUARDED_MAP, map_id(copy), GUARDED_FROM_WRITING);
	if (!error && bpf_map_freeze(bpf_map__fd(guard->maps.guarded)))
		error = -errno;
	return error;
}

static int place_guard(struct guard_bpf *guard, uint64_t mount)
{
	char path[PIN_PATH_MAX];
	struct stat directory, policies;

	if (stat(SOCKACCEPT_PIN_DIR, &directory) || stat(pins_policies(path, sizeof(path)), &policies))
		return -errno;
	/* In the form of the kernel's s_dev: 20 bits for the minor number. */
	guard->rodata->pin_device = major(directory.st_dev) << 20 | minor(directory.st_dev);
	guard->rodata->pin_directory = directory.st_ino;
	guard->rodata->policies_directory = policies.st_ino;
	guard->rodata->pin_mount = mount;
	return 0;
}

/* Opens and loads the guard. Returns NULL after printing what is wrong. */
static struct guard_bpf *load_guard(uint64_t mount)
{
	_cleanup_free_ char *why = NULL;
	struct guard_bpf *guard;
	int error;

	load_warnings_keep();
	guard = guard_bpf__open();
	error = guard ? place_guard(guard, mount) : -errno;
	if (!error) {
		guard_mount_autoload(guard, false);
		error = guard_bpf__load(guard);
	}
	if (!error)
		return guard;
	why = load_warnings_text(error);
	fail(STATUS_UNSUPPORTED, "the kernel doesn't take the guard: %s; nothing was locked", why);
	guard_bpf__destroy(guard);
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Setting it
 */

static void close_links(const int links[GUARD_LINKS])
{
	for (size_t i = 0; i < GUARD_LINKS; i++)
		if (links[i] >= 0)
			close(links[i]);
}

static int attach_links(const struct guard_bpf *guard, int links[GUARD_LINKS])
{
	const struct bpf_program *programs[GUARD_LINKS] = {
#define PROGRAM(program) guard->progs.program,
		GUARD_PROGRAMS(PROGRAM)
#undef PROGRAM
	};

	for (size_t i = 0; i < GUARD_LINKS; i++) {
		links[i] = bpf_raw_tracepoint_open(NULL, bpf_program__fd(programs[i]));
		if (links[i] < 0)
			return -errno;
	}
	return 0;
}

/*
 * With BPF_F_ALLOW_MULTI the program stands beside others, and it takes its descriptor to detach it. A link wouldn't do: it can be detached
 * by its id.
 */
static int attach_sysctl(const struct guard_bpf *guard)
{
	_cleanup_close_ int cgroup = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0)
		return -errno;
	return bpf_prog_attach(bpf_program__fd(guard->progs.guard_sysctl), cgroup, BPF_CGROUP_SYSCTL, BPF_F_ALLOW_MULTI) ? -errno : 0;
}

static bool is_guard_sysctl(int fd)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_PROG_TYPE_CGROUP_SYSCTL && !strcmp(info.name, "guard_sysctl");
}

/* Detaches what earlier `lock`s left that were cut short. To ask the cgroup for them would take CAP_NET_ADMIN. */
static void detach_sysctl(void)
{
	_cleanup_close_ int cgroup = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__u32 id = 0;

	while (cgroup >= 0 && !bpf_prog_get_next_id(id, &id)) {
		_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0 && is_guard_sysctl(fd))
			bpf_prog_detach2(fd, cgroup, BPF_CGROUP_SYSCTL);
	}
}

/*
 * Returns 0 or -errno; -EBUSY: somebody has a map mapped for writing. A map with a timer can't be frozen, and the guard lets nobody have a
 * descriptor of one.
 */
static int freeze_maps(const struct kernel *kernel)
{
	for (int object = 0; object < FIRST_PROGRAM; object++) {
		/* The drain writes there how far it has read; no decision reads it. */
		if (object == MAP_DRAIN_CALLS || !bpf_map_freeze(kernel->fd[object]))
			continue;
		if (errno != EBUSY)
			return -errno;
		/* A map that is frozen already gives EBUSY too. */
		if (!locked_map_is_frozen(kernel->fd[object]))
			return -EBUSY;
	}
	return 0;
}

static int pin_guard(const struct guard_bpf *guard, int copy, const int links[GUARD_LINKS])
{
	if (bpf_obj_pin(bpf_map__fd(guard->maps.refusals), LOCKED_REFUSALS) || bpf_obj_pin(copy, LOCKED_POLICY_COPY))
		return -errno;
	for (size_t i = 0; i < GUARD_LINKS; i++)
		if (bpf_obj_pin(links[i], locked_guard_pins[i]))
			return -errno;
	return 0;
}

#define FROZEN_REMEDY "run it again; what was frozen until then can't be changed any more, but by: sockaccept-ctl upgrade"

static enum status freeze_and_pin(const struct kernel *kernel, const struct guard_bpf *guard, int copy, const int links[GUARD_LINKS])
{
	int error = attach_sysctl(guard);

	if (error)
		return fail(STATUS_FAILED,
			    "can't guard kernel.ftrace_enabled, which takes cgroup2 at " CGROUP_ROOT ": %s; nothing was locked",
			    strerror(-error));
	error = freeze_maps(kernel);
	if (error == -EBUSY)
		return fail(
			STATUS_FAILED,
			"somebody has memory of sockaccept's mapped for writing, so it isn't locked; end whoever does, and " FROZEN_REMEDY);
	if (!error)
		error = pin_guard(guard, copy, links);
	return error ? fail(STATUS_FAILED, "can't lock all of it: %s; " FROZEN_REMEDY, strerror(-error)) : STATUS_DONE;
}

static enum status attach_check_and_pin(const struct kernel *kernel, const struct guard_bpf *guard, int copy, struct object_ids *ids,
					int links[GUARD_LINKS])
{
	int error = fill_guarded(guard, copy, ids);

	if (!error)
		error = attach_links(guard, links);
	if (error)
		return fail(STATUS_FAILED, "can't attach the guard: %s; nothing was locked", strerror(-error));
	/* From here on nobody else gets a descriptor: who has none now, gets none later. */
	TRY(holders_check(ids));
	return freeze_and_pin(kernel, guard, copy, links);
}

static enum status attach_and_lock(const struct kernel *kernel, const struct guard_bpf *guard, int copy, struct object_ids *ids)
{
	int links[GUARD_LINKS] = { [0 ... GUARD_LINKS - 1] = -1 };
	enum status status = attach_check_and_pin(kernel, guard, copy, ids, links);

	close_links(links);
	if (status != STATUS_DONE)
		locked_remove_remains();
	return status;
}

enum status guard_set(const struct kernel *kernel, int copy)
{
	struct object_ids ids = { 0 };
	struct guard_bpf *guard;
	uint64_t mount = 0;
	enum status status;

	detach_sysctl();
	find_ours(kernel, &ids);
	TRY(guard_mount_find(&mount));
	guard = load_guard(mount);
	if (!guard)
		return STATUS_UNSUPPORTED;
	status = attach_and_lock(kernel, guard, copy, &ids);
	guard_bpf__destroy(guard);
	if (status != STATUS_DONE)
		detach_sysctl();
	return status;
}
