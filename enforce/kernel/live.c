/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading and replacing the policy in force.
 *
 * The one reference that decisions follow is the element of the map `policy`. An image is pinned under the
 * id of its map before it is put there, so that a reader finds the image of the id that it read there; older
 * ones are unpinned after. An id that isn't found any more was replaced meanwhile: look again.
 */
#include "enforce/kernel/live.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/base/when.h"
#include "enforce/kernel/locked.h"
#include "enforce/change/lockout.h"
#include "enforce/change/take_effect.h"
#include "enforce/change/trial.h"
#include "enforce/kernel/module_layout.h"
#include "enforce/kernel/ports.h"
#include "enforce/kernel/take_over.h"
#include "enforce/kernel/windows.h"
#include "policy/cleanup.h"
#include "policy/image.h"

static void image_path(uint32_t id, char *path, size_t size)
{
	char directory[PIN_PATH_MAX];

	snprintf(path, size, "%s/%u", pins_policies(directory, sizeof(directory)), id);
}

static int map_info(int fd, struct bpf_map_info *info)
{
	__u32 size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &size) ? -errno : 0;
}

#define SLOT_IN_FORCE POLICY_SLOTS

/* Opens the image in a slot, or the one in force. Returns its descriptor, or -errno. */
static int open_image(const struct kernel *kernel, __u32 slot)
{
	LIBBPF_OPTS(bpf_obj_get_opts, reading, .file_flags = BPF_F_RDONLY);
	char path[PIN_PATH_MAX];

	if (locked_is_set()) {
		int copy = bpf_obj_get_opts(LOCKED_POLICY_COPY, &reading);

		return copy < 0 ? -errno : copy;
	}
	for (int tries = 0; tries < 1000; tries++) {
		/* Anew each time: what another command has moved meanwhile is found where it is now. */
		const __u32 place = slot == SLOT_IN_FORCE ? trial_slot(kernel) : slot;
		__u32 id;
		int fd;

		if (bpf_map_lookup_elem(kernel->fd[MAP_POLICY], &place, &id))
			return -errno;
		image_path(id, path, sizeof(path));
		fd = bpf_obj_get_opts(path, &reading);
		if (fd >= 0 || errno != ENOENT)
			return fd >= 0 ? fd : -errno;
	}
	return -EAGAIN;
}

static int read_pages(int fd, struct policy_page **pages, uint32_t *count)
{
	_cleanup_free_ struct policy_page *read = NULL;
	_cleanup_free_ __u32 *keys = NULL;
	struct bpf_map_info info;
	__u32 next, got;
	int error = map_info(fd, &info);

	if (error)
		return error;
	if (info.value_size != sizeof(*read))
		return -EPROTO;
	read = calloc(info.max_entries, sizeof(*read));
	keys = calloc(info.max_entries, sizeof(*keys));
	if (!read || !keys)
		return -ENOMEM;
	got = info.max_entries;
	if (bpf_map_lookup_batch(fd, NULL, &next, keys, read, &got, NULL) && errno != ENOENT)
		return -errno;
	if (got != info.max_entries)
		return -EPROTO;
	*pages = TAKE_PTR(read);
	*count = got;
	return 0;
}

/* Reads the pages of a slot, or of the image in force. */
static int read_slot_pages(const struct kernel *kernel, __u32 slot, struct policy_page **pages, uint32_t *count)
{
	_cleanup_close_ int fd = open_image(kernel, slot);

	return fd < 0 ? fd : read_pages(fd, pages, count);
}

static int read_image(const struct kernel *kernel, __u32 slot, struct policy *policy)
{
	_cleanup_free_ struct policy_page *pages = NULL;
	uint32_t count = 0;
	int error = read_slot_pages(kernel, slot, &pages, &count);

	return error ? error : image_read(pages, count, policy);
}

static enum status read_slot(const struct kernel *kernel, __u32 slot, struct policy *policy)
{
	int error = read_image(kernel, slot, policy);

	policy_drop_ended(policy, (uint64_t)when_now().boot);
	if (error)
		return fail(STATUS_FAILED, "can't read the policy %s: %s", slot == SLOT_BEFORE ? "that was in force" : "in force",
			    strerror(-error));
	return STATUS_DONE;
}

enum status live_read_image(const struct kernel *kernel, struct policy *policy)
{
	return read_slot(kernel, SLOT_IN_FORCE, policy);
}

enum status live_image_in_force(const struct kernel *kernel, struct image *image)
{
	uint32_t count = 0;
	int error = read_slot_pages(kernel, SLOT_IN_FORCE, &image->pages, &count);

	image->count = count;
	if (!error && image_is_valid(image->pages, count))
		return STATUS_DONE;
	image_clear(image);
	return fail(STATUS_FAILED, "can't read the policy in force: %s", strerror(error ? -error : EPROTO));
}

enum status live_read(const struct kernel *kernel, struct policy *policy)
{
	enum status status = live_read_image(kernel, policy);

	if (status != STATUS_DONE)
		return status;
	for (size_t i = 0; i < policy->binary_count; i++)
		if (!policy->binaries[i].waits)
			policy->binaries[i].resolved = identified_path(kernel, policy->binaries[i].number);
	return STATUS_DONE;
}

void live_take_counters(const struct policy *policy, bool *taken)
{
	for (size_t i = 0; i < policy->rule_count; i++)
		if (policy->rules[i].counter < RULE_COUNTERS)
			taken[policy->rules[i].counter] = true;
}

bool *live_counters(const struct policy *policy)
{
	bool *taken = must(calloc(RULE_COUNTERS, sizeof(*taken)));

	live_take_counters(policy, taken);
	return taken;
}

/* Gives free counters, set to zero, to the rules that have none. */
static int give_counters(const struct kernel *kernel, struct policy *policy, bool *taken)
{
	_cleanup_free_ __u32 *fresh = calloc(policy->rule_count + 1, sizeof(*fresh));
	_cleanup_free_ struct rule_counter *zeros = calloc(policy->rule_count + 1, sizeof(*zeros));
	__u32 count = 0, next = 0;

	if (!fresh || !zeros)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rule_count; i++) {
		if (policy->rules[i].counter != COUNTER_NONE)
			continue;
		while (next < RULE_COUNTERS && taken[next])
			next++;
		if (next == RULE_COUNTERS)
			return -ENOSPC;
		taken[next] = true;
		fresh[count++] = policy->rules[i].counter = next;
	}
	if (count && bpf_map_update_batch(kernel->fd[MAP_RULE_COUNTERS], fresh, zeros, &count, NULL))
		return -errno;
	return 0;
}

/* Makes a frozen map of an image. Returns its descriptor, or -errno. */
static int make_image_map(const char *name, const struct policy_page *pages, size_t page_count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_RDONLY_PROG);
	_cleanup_free_ __u32 *keys = calloc(page_count, sizeof(*keys));
	_cleanup_close_ int fd = -1;
	__u32 count = (__u32)page_count;

	if (!keys)
		return -ENOMEM;
	for (__u32 i = 0; i < count; i++)
		keys[i] = i;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(__u32), sizeof(struct policy_page), count, &options);
	if (fd < 0)
		return -errno;
	if (bpf_map_update_batch(fd, keys, pages, &count, NULL))
		return -errno;
	if (bpf_map_freeze(fd))
		return -errno;
	return TAKE_FD(fd);
}

/* The id of the image in a slot, into *id; 0: it is empty. Returns 0 or -errno. */
static int id_in_slot(const struct kernel *kernel, __u32 slot, __u32 *id)
{
	*id = 0;
	return bpf_map_lookup_elem(kernel->fd[MAP_POLICY], &slot, id) && errno != ENOENT ? -errno : 0;
}

static void unpin_all_but(__u32 loaded, __u32 before)
{
	char path[PIN_PATH_MAX];
	_cleanup_closedir_ DIR *directory = opendir(pins_policies(path, sizeof(path)));
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		unsigned long id = strtoul(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && id != loaded && id != before)
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
}

/* Unpins every image that is in no slot. If that can't be told, all stay: the next command tries again. */
static void unpin_others(const struct kernel *kernel)
{
	__u32 loaded, before;

	if (!id_in_slot(kernel, SLOT_LOADED, &loaded) && !id_in_slot(kernel, SLOT_BEFORE, &before))
		unpin_all_but(loaded, before);
}

/* The step: one exchange of a pointer. It returns when no decision uses the old image of the slot any more. */
static int set_slot(const struct kernel *kernel, __u32 slot, int fd)
{
	return bpf_map_update_elem(kernel->fd[MAP_POLICY], &slot, &fd, BPF_ANY) ? -errno : 0;
}

static int put_in_place(const struct kernel *kernel, __u32 slot, const struct image *image)
{
	_cleanup_close_ int fd = make_image_map("policy_image", image->pages, image->count);
	struct bpf_map_info info;
	char path[PIN_PATH_MAX];
	int error;

	if (fd < 0)
		return fd;
	error = map_info(fd, &info);
	if (error)
		return error;
	image_path(info.id, path, sizeof(path));
	if (bpf_obj_pin(fd, path))
		return -errno;
	error = set_slot(kernel, slot, fd);
	if (error)
		unlink(path);
	else
		unpin_others(kernel);
	return error;
}

static int build_and_put(const struct kernel *kernel, __u32 slot, struct policy *policy)
{
	struct image image = { 0 };
	int error;

	policy->generation++;
	error = image_build(policy, &image);
	if (!error)
		error = put_in_place(kernel, slot, &image);
	if (error)
		policy->generation--;
	image_clear(&image);
	return error;
}

static enum status check_temporaries(const struct policy *policy)
{
	size_t count = policy_temporaries(policy);

	if (count <= MAX_TEMPORARIES)
		return STATUS_DONE;
	return fail(STATUS_FAILED, "%zu temporary rules, and %d is the most; use ranges of ports, or rules that last", count, MAX_TEMPORARIES);
}

/* What can't be named now waits, and all others are numbered. */
static enum status number_what_can(const struct kernel *kernel, struct policy *policy)
{
	_cleanup_free_ char **problems = must(calloc(policy->binary_count + 1, sizeof(*problems)));
	enum status status = give_binaries(kernel, policy, problems);

	for (size_t i = 0; i < policy->binary_count; i++) {
		struct binary *binary = &policy->binaries[i];

		if (!problems[i])
			continue;
		if (binary->file)
			warn("%s:%u: %s; the rule waits", binary->file, binary->line, problems[i]);
		else
			warn("%s; the rule waits", problems[i]);
		binary->waits = true;
		free(problems[i]);
	}
	/* Once more for those. */
	return status == STATUS_DONE ? give_binaries(kernel, policy, NULL) : status;
}

enum status live_number(const struct kernel *kernel, struct policy *policy, bool all)
{
	enum status status;

	if (policy->rule_count > MAX_RULES)
		return fail(STATUS_FAILED, "more than %d rules; use ranges of ports, or `any`", MAX_RULES);
	policy_normalise(policy); /* puts the binaries of one directory side by side */
	status = all ? give_binaries(kernel, policy, NULL) : number_what_can(kernel, policy);
	if (status != STATUS_DONE)
		return status;
	policy_unify(policy);
	policy_normalise(policy);
	return check_temporaries(policy);
}

enum status live_publish(struct kernel *kernel, struct policy *policy, bool *taken)
{
	int error = give_counters(kernel, policy, taken);

	if (!error)
		error = ports_reserve(kernel, policy);
	if (!error)
		error = build_and_put(kernel, SLOT_LOADED, policy);
	if (error)
		return fail(STATUS_FAILED, "can't put the policy in force: %s; the old one stays", strerror(-error));
	/* By a `lock` that was killed before it locked anything. */
	kernel->control->locked = 0;
	/* Of its gates, none is shut yet. */
	*(volatile __u64 *)&kernel->state->gates = 0;
	/* Those of the policy before are counted under its generation, of which no denial comes any more that would end them. */
	windows_close(kernel, 0);
	return STATUS_DONE;
}

/* ---------------------------------------------------------------------------------------------
 * Trials
 */

/* Puts the image of one slot into another, too. Returns 0 or -errno. */
static int copy_slot(const struct kernel *kernel, __u32 from, __u32 to)
{
	_cleanup_close_ int fd = open_image(kernel, from);
	int error = fd < 0 ? fd : set_slot(kernel, to, fd);

	if (!error)
		unpin_others(kernel);
	return error;
}

enum status live_settle(const struct kernel *kernel)
{
	uint64_t left;
	int error;

	if (trial_now(kernel, &left) != TRIAL_IS_OVER)
		return STATUS_DONE;
	error = copy_slot(kernel, SLOT_BEFORE, SLOT_LOADED);
	if (error)
		return fail(STATUS_FAILED, "the policy on trial wasn't confirmed, and the one before it can't be put in its place: %s; it is "
			    "in force all the same", strerror(-error));
	trial_end(kernel);
	/* The kernel made that change by itself. */
	take_effect_and_warn(kernel, true);
	return STATUS_DONE;
}

enum status live_refuse_trial(const struct kernel *kernel)
{
	uint64_t left;

	if (trial_now(kernel, &left) != TRIAL_IS_PENDING)
		return STATUS_DONE;
	return fail(STATUS_FAILED, "the policy is on trial for another %" PRIu64 " s, and was left alone; confirm it first: sockaccept-ctl "
		    "confirm; or load another", seconds_up(left));
}

enum status live_prepare_trial(const struct kernel *kernel, struct policy *before)
{
	/* First the same once more, which waits for decisions that still look there because of an earlier trial. */
	__u32 there;
	int error = id_in_slot(kernel, SLOT_BEFORE, &there);

	if (!error && there)
		error = copy_slot(kernel, SLOT_BEFORE, SLOT_BEFORE);
	if (!error)
		error = build_and_put(kernel, SLOT_BEFORE, before);
	if (error)
		return fail(STATUS_FAILED, "can't keep the policy in force, to go back to: %s; it stays", strerror(-error));
	return STATUS_DONE;
}

int live_copy_image(const struct kernel *kernel)
{
	_cleanup_free_ struct policy_page *pages = NULL;
	uint32_t count = 0;
	int error = read_slot_pages(kernel, SLOT_IN_FORCE, &pages, &count);

	return error ? error : make_image_map("policy_copy", pages, count);
}

enum status live_read_before(const struct kernel *kernel, struct policy *policy)
{
	return read_slot(kernel, SLOT_BEFORE, policy);
}

enum status live_image(const struct policy *policy, struct image *image)
{
	int error = image_build(policy, image);

	return error ? fail(STATUS_FAILED, "can't judge the policy in force: %s", strerror(-error)) : STATUS_DONE;
}

/* From the live policy to the changed one, numbered and judged. */
static enum status make_change(struct kernel *kernel, const struct live_edit *edit, struct policy *policy, bool *changed)
{
	struct image before = { 0 };
	enum status status = live_image(policy, &before);

	if (status == STATUS_DONE)
		status = edit->change(kernel, policy, edit->data, changed);
	if (status == STATUS_DONE && *changed)
		status = live_number(kernel, policy, true);
	if (status == STATUS_DONE && *changed)
		status = lockout_check(kernel, &before, policy, edit->force);
	if (status == STATUS_DONE && edit->look)
		edit->look(policy, edit->data);
	image_clear(&before);
	return status;
}

static enum status change_and_publish(struct kernel *kernel, const struct live_edit *edit, struct policy *policy, bool *changed)
{
	_cleanup_free_ bool *taken = NULL;
	enum status status = live_read(kernel, policy);

	taken = live_counters(policy);
	if (status == STATUS_DONE)
		status = make_change(kernel, edit, policy, changed);
	if (status == STATUS_DONE && edit->commit)
		status = edit->commit(edit->data);
	if (status != STATUS_DONE || !*changed)
		return status;
	status = live_publish(kernel, policy, taken);
	if (status == STATUS_DONE)
		take_effect_and_warn(kernel, true);
	else if (edit->undo)
		edit->undo(edit->data);
	return status;
}

enum status live_change(const struct live_edit *edit, uint64_t *generation, bool *changed)
{
	_cleanup_kernel_ struct kernel kernel = KERNEL_INIT;
	_cleanup_close_ int lock = -1;
	struct policy policy;
	enum status status = take_over_lock(&lock);

	if (status == STATUS_DONE)
		status = kernel_open(&kernel, true, false);
	if (status == STATUS_DONE)
		status = live_refuse_trial(&kernel);
	if (status == STATUS_DONE)
		status = live_settle(&kernel);
	if (status != STATUS_DONE)
		return status;
	tell_queue_layouts(&kernel);
	policy_init(&policy);
	status = change_and_publish(&kernel, edit, &policy, changed);
	if (status == STATUS_DONE)
		*generation = policy.generation;
	policy_clear(&policy);
	return status;
}
