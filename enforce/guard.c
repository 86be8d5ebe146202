/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/guard.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "enforce/holders.h"
#include "guard.skel.h"
#include "policy/cleanup.h"
#include "policy/text.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* What the guard has pinned, beside the rest. */
#define REFUSALS_PIN SOCKACCEPT_PIN_DIR "/refusals"
/* The last of them: while it is there, the policy is locked, and none of them can be removed. */
#define GUARD_PIN SOCKACCEPT_PIN_DIR "/link_guard_unlink"

bool guard_is_there(void)
{
	return !access(GUARD_PIN, F_OK);
}

bool guard_lets_read(enum kernel_object map)
{
	switch (map) {
	case MAP_POLICY:
	case MAP_STATE:
	case MAP_ENTRIES:
	case MAP_BINARY_PATHS:
	case MAP_FILE_TAGS:
	case MAP_SEEN_PATHS:
	case MAP_RULE_COUNTERS:
	case MAP_PORTS:
	case MAP_OTHER_PORTS:
	case MAP_UNITS:
	case MAP_EVENTS:
		return true;
	default:
		return false;
	}
}

bool guard_lets_map(enum kernel_object map)
{
	return map == MAP_STATE || map == MAP_PORTS || map == MAP_EVENTS;
}

uint64_t guard_refusals(void)
{
	LIBBPF_OPTS(bpf_obj_get_opts, reading, .file_flags = BPF_F_RDONLY);
	_cleanup_close_ int fd = bpf_obj_get_opts(REFUSALS_PIN, &reading);
	struct refusals refusals = { 0 };
	__u32 zero = 0;

	return fd < 0 || bpf_map_lookup_elem(fd, &zero, &refusals) ? 0 : refusals.count;
}

/* ---------------------------------------------------------------------------------------------
 * What is ours
 */

static bool is_mappable(const struct kernel *kernel, uint32_t id)
{
	for (int object = 0; object < PROGRAM_IDENTIFY; object++)
		if (guard_lets_map(object) && map_id(kernel->fd[object]) == id)
			return true;
	return false;
}

static void add_program(const struct kernel *kernel, struct object_ids *ids, int fd)
{
	struct program_ids program = { 0 };

	program_ids(fd, &program);
	object_ids_add(ids->programs, &ids->program_count, program.id);
	/* Those that aren't pinned are only found so. */
	for (size_t i = 0; i < program.map_count; i++)
		if (!is_mappable(kernel, program.maps[i]))
			object_ids_add(ids->maps, &ids->map_count, program.maps[i]);
}

static void add_link(struct object_ids *ids, enum kernel_object object)
{
	struct link_ids link = { 0 };

	kernel_link_ids(object, &link);
	object_ids_add(ids->links, &ids->link_count, link.id);
	object_ids_add(ids->programs, &ids->program_count, link.program);
}

static void find_ours(const struct kernel *kernel, struct object_ids *ids)
{
	for (int object = 0; object < PROGRAM_IDENTIFY; object++) {
		/* What is frozen and nothing depends on, anybody may hold. */
		if (guard_lets_map(object))
			continue;
		object_ids_add(ids->maps, &ids->map_count, map_id(kernel->fd[object]));
		if (guard_lets_read(object))
			object_ids_add(ids->readable, &ids->readable_count, map_id(kernel->fd[object]));
	}
	for (__u32 slot = 0; slot < POLICY_SLOTS; slot++) {
		__u32 id = 0;

		if (bpf_map_lookup_elem(kernel->fd[MAP_POLICY], &slot, &id))
			continue;
		object_ids_add(ids->maps, &ids->map_count, id);
		object_ids_add(ids->readable, &ids->readable_count, id);
	}
	for (int object = PROGRAM_IDENTIFY; object < FIRST_LINK; object++)
		add_program(kernel, ids, kernel->fd[object]);
	for (int object = FIRST_LINK; object < KERNEL_OBJECTS; object++)
		add_link(ids, object);
}

/* ---------------------------------------------------------------------------------------------
 * Loading
 */

static int guard_one(const struct guard_bpf *guard, enum guarded_kind kind, uint32_t id, uint32_t level)
{
	const struct guarded_key key = { .kind = kind, .id = id };

	return bpf_map_update_elem(bpf_map__fd(guard->maps.guarded), &key, &level, BPF_ANY) ? -errno : 0;
}

/* Tells the guard what it guards, itself included; and that can't be changed any more. */
static int fill_guarded(const struct guard_bpf *guard, struct object_ids *ids)
{
	struct program_ids own = { 0 };
	int error = program_ids(bpf_program__fd(guard->progs.guard_sysctl), &own) ? 0 : -errno;

	object_ids_add(ids->programs, &ids->program_count, own.id);
	if (!error)
		error = guard_one(guard, GUARDED_PROGRAM, own.id, GUARDED_WHOLLY);
	for (size_t i = 0; i < ids->map_count && !error; i++)
		error = guard_one(guard, GUARDED_MAP, ids->maps[i], GUARDED_WHOLLY);
	for (size_t i = 0; i < ids->readable_count && !error; i++)
		error = guard_one(guard, GUARDED_MAP, ids->readable[i], GUARDED_FROM_WRITING);
	if (!error)
		error = guard_one(guard, GUARDED_MAP, map_id(bpf_map__fd(guard->maps.guarded)), GUARDED_WHOLLY);
	if (!error)
		error = guard_one(guard, GUARDED_MAP, map_id(bpf_map__fd(guard->maps.refusals)), GUARDED_FROM_WRITING);
	if (!error && bpf_map_freeze(bpf_map__fd(guard->maps.guarded)))
		error = -errno;
	return error;
}

static int place_guard(struct guard_bpf *guard)
{
	char path[PIN_PATH_MAX];
	struct stat directory, policies;

	if (stat(SOCKACCEPT_PIN_DIR, &directory) || stat(kernel_policies_path(path, sizeof(path)), &policies))
		return -errno;
	/* As the kernel has it in s_dev: 20 bits for the minor number. */
	guard->rodata->pin_device = major(directory.st_dev) << 20 | minor(directory.st_dev);
	guard->rodata->pin_directory = directory.st_ino;
	guard->rodata->policies_directory = policies.st_ino;
	return 0;
}

/* Opened, and loaded; NULL: what is wrong was said. */
static struct guard_bpf *load_guard(void)
{
	struct guard_bpf *guard;
	int error;

	libbpf_set_print(NULL);
	guard = guard_bpf__open();
	error = guard ? place_guard(guard) : -errno;
	if (!error)
		error = guard_bpf__load(guard);
	if (!error)
		return guard;
	fail(STATUS_UNSUPPORTED, "the kernel doesn't take the guard: %s; nothing was locked", strerror(-error));
	guard_bpf__destroy(guard);
	return NULL;
}

/* ---------------------------------------------------------------------------------------------
 * Setting it
 */

/* Its links, in the order in which they are pinned: guard_unlink makes it complete. Until then what was pinned can go again. */
#define GUARD_LINKS 5
static const char *const guard_pins[GUARD_LINKS] = {
	SOCKACCEPT_PIN_DIR "/link_guard_program", SOCKACCEPT_PIN_DIR "/link_guard_umount", SOCKACCEPT_PIN_DIR "/link_guard_rename",
	SOCKACCEPT_PIN_DIR "/link_guard_map", GUARD_PIN,
};

static void close_links(const int links[GUARD_LINKS])
{
	for (int i = 0; i < GUARD_LINKS; i++)
		if (links[i] >= 0)
			close(links[i]);
}

static int attach_links(const struct guard_bpf *guard, int links[GUARD_LINKS])
{
	const struct bpf_program *programs[GUARD_LINKS] = {
		guard->progs.guard_program, guard->progs.guard_umount, guard->progs.guard_rename, guard->progs.guard_map,
		guard->progs.guard_unlink,
	};

	for (int i = 0; i < GUARD_LINKS; i++) {
		links[i] = bpf_raw_tracepoint_open(NULL, bpf_program__fd(programs[i]));
		if (links[i] < 0)
			return -errno;
	}
	return 0;
}

/*
 * With BPF_F_ALLOW_MULTI it stands beside those of others, and only who has its descriptor can detach it. No link would do, which
 * can be detached by its id.
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

/* Those of each `lock` that didn't come to its end. To ask the cgroup which they are would take CAP_NET_ADMIN. */
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

static bool is_frozen(int fd)
{
	_cleanup_free_ char *path = text_format("/proc/self/fdinfo/%d", fd);
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	unsigned frozen = 0;
	char line[128];

	while (stream && !frozen && fgets(line, sizeof(line), stream))
		if (sscanf(line, "frozen: %u", &frozen) != 1)
			frozen = 0;
	return frozen;
}

bool guard_has_frozen(void)
{
	LIBBPF_OPTS(bpf_obj_get_opts, reading, .file_flags = BPF_F_RDONLY);
	char path[PIN_PATH_MAX];
	/* the first that is frozen */
	_cleanup_close_ int fd = bpf_obj_get_opts(kernel_pin_path(MAP_POLICY, path, sizeof(path)), &reading);

	return fd >= 0 && is_frozen(fd) && !guard_is_there();
}

bool guard_keeps_all(void)
{
	return guard_is_there() || guard_has_frozen();
}

/*
 * Returns 0; -EBUSY: somebody has one mapped for writing; or another -errno. A map with a timer in it can't be frozen; nobody
 * gets a descriptor of those.
 */
static int freeze_maps(const struct kernel *kernel)
{
	for (int object = 0; object < PROGRAM_IDENTIFY; object++) {
		if (object == MAP_FOLDS || object == MAP_SWEEPER)
			continue;
		if (!bpf_map_freeze(kernel->fd[object]))
			continue;
		if (errno != EBUSY)
			return -errno;
		/* Said also of one that is frozen already. */
		if (!is_frozen(kernel->fd[object]))
			return -EBUSY;
	}
	return 0;
}

static int pin_guard(const struct guard_bpf *guard, const int links[GUARD_LINKS])
{
	if (bpf_obj_pin(bpf_map__fd(guard->maps.refusals), REFUSALS_PIN))
		return -errno;
	for (int i = 0; i < GUARD_LINKS; i++)
		if (bpf_obj_pin(links[i], guard_pins[i]))
			return -errno;
	return 0;
}

bool guard_has_remains(void)
{
	return !access(REFUSALS_PIN, F_OK) && !guard_is_there();
}

void guard_remove_remains(void)
{
	if (!guard_has_remains())
		return;
	for (int i = GUARD_LINKS - 1; i >= 0; i--)
		unlink(guard_pins[i]);
	unlink(REFUSALS_PIN);
}

#define FROZEN_REMEDY "run it again; what was frozen until then can't be changed any more, but by: sockaccept-ctl upgrade"

static enum status freeze_and_pin(const struct kernel *kernel, const struct guard_bpf *guard, const int links[GUARD_LINKS])
{
	int error = attach_sysctl(guard);

	if (error)
		return fail(STATUS_FAILED, "can't guard kernel.ftrace_enabled, which takes cgroup2 at " CGROUP_ROOT ": %s; nothing was locked",
			    strerror(-error));
	error = freeze_maps(kernel);
	if (error == -EBUSY)
		return fail(STATUS_FAILED, "somebody has memory of sockaccept's mapped for writing, so it isn't locked; end whoever does, and "
			    FROZEN_REMEDY);
	if (!error)
		error = pin_guard(guard, links);
	return error ? fail(STATUS_FAILED, "can't lock all of it: %s; " FROZEN_REMEDY, strerror(-error)) : STATUS_DONE;
}

/* From here on nobody else gets a descriptor; so who has none then, has none later. */
static enum status attach_and_lock(const struct kernel *kernel, const struct guard_bpf *guard, struct object_ids *ids)
{
	int links[GUARD_LINKS] = { -1, -1, -1, -1, -1 };
	int error = fill_guarded(guard, ids);
	enum status status;

	if (!error)
		error = attach_links(guard, links);
	if (error)
		status = fail(STATUS_FAILED, "can't attach the guard: %s; nothing was locked", strerror(-error));
	else
		status = holders_check(ids);
	if (status == STATUS_DONE)
		status = freeze_and_pin(kernel, guard, links);
	close_links(links);
	if (status != STATUS_DONE)
		guard_remove_remains();
	return status;
}

enum status guard_set(const struct kernel *kernel)
{
	struct object_ids ids = { 0 };
	struct guard_bpf *guard;
	enum status status;

	detach_sysctl();
	find_ours(kernel, &ids);
	guard = load_guard();
	if (!guard)
		return STATUS_UNSUPPORTED;
	status = attach_and_lock(kernel, guard, &ids);
	guard_bpf__destroy(guard);
	if (status != STATUS_DONE)
		detach_sysctl();
	return status;
}
