/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decisions follow one reference: an element of the map `policy`, which is read as the id of an image's map. An image is pinned under
 * that id before the reference is set, so that readers can open it; older images are unpinned after. A reader that doesn't find the
 * id it has read looks again, as the image was replaced in between.
 */
#include "enforce/kernel/image_store.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/kernel/locked.h"
#include "enforce/kernel/trial_word.h"
#include "policy/cleanup.h"

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
		/* Ask again each time: another command may have ended a trial. */
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

int image_read_slot(const struct kernel *kernel, __u32 slot, struct policy_page **pages, uint32_t *count)
{
	_cleanup_close_ int fd = open_image(kernel, slot);

	return fd < 0 ? fd : read_pages(fd, pages, count);
}

/* Makes a frozen map of an image. Returns its descriptor, or -errno. */
static int make_image_map(const char *name, const struct policy_page *pages, size_t page_count)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_RDONLY_PROG);
	_cleanup_free_ __u32 *keys = calloc(page_count + 1, sizeof(*keys));
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

int image_id(const struct kernel *kernel, __u32 slot, __u32 *id)
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

/* Unpins every image that is in no slot. If a slot can't be read, all stay, and the next command tries again. */
static void unpin_others(const struct kernel *kernel)
{
	__u32 loaded, before;

	if (!image_id(kernel, SLOT_LOADED, &loaded) && !image_id(kernel, SLOT_BEFORE, &before))
		unpin_all_but(loaded, before);
}

/* Exchanges the reference in the slot, and waits until no decision uses the slot's old image any more. Returns 0 or -errno. */
static int set_slot(const struct kernel *kernel, __u32 slot, int fd)
{
	return bpf_map_update_elem(kernel->fd[MAP_POLICY], &slot, &fd, BPF_ANY) ? -errno : 0;
}

int image_put(const struct kernel *kernel, __u32 slot, const struct image *image)
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

int image_copy_slot(const struct kernel *kernel, __u32 from, __u32 to)
{
	_cleanup_close_ int fd = open_image(kernel, from);
	int error = fd < 0 ? fd : set_slot(kernel, to, fd);

	if (!error)
		unpin_others(kernel);
	return error;
}

int image_copy_in_force(const struct kernel *kernel)
{
	_cleanup_free_ struct policy_page *pages = NULL;
	uint32_t count = 0;
	int error = image_read_slot(kernel, SLOT_IN_FORCE, &pages, &count);

	return error ? error : make_image_map("policy_copy", pages, count);
}
