/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where btrfs keeps what tells its subvolumes apart.
 *
 * All subvolumes and snapshots of a btrfs share one superblock and repeat inode numbers and generations; what differs
 * is the id of the subvolume's tree, btrfs_inode.root->root_key.objectid. btrfs is mostly a module, which may come after
 * our programs are loaded, so CO-RE can't find these fields for them: they are looked up in the type information of the
 * running kernel when the first rule is made on btrfs.
 */
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "enforce/identify.h"

/* The offset in bytes of `member` of the struct `id`, and its type; -ENOENT. */
static int member_offset(const struct btf *btf, int id, const char *member, __u32 *offset, __u32 *type)
{
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(btf, (__u32)id);
	const struct btf_member *members = t ? btf_members(t) : NULL;

	for (__u32 i = 0; t && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, members[i].name_off);

		if (!name || strcmp(name, member) != 0 || btf_member_bit_offset(t, i) % 8)
			continue;
		*offset = btf_member_bit_offset(t, i) / 8;
		*type = members[i].type;
		return 0;
	}
	return -ENOENT;
}

static int struct_member(const struct btf *btf, const char *name, const char *member, __u32 *offset, __u32 *type)
{
	return member_offset(btf, btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT), member, offset, type);
}

static int find_layout(const struct btf *btf, struct btrfs_layout *layout)
{
	__u32 type = 0, key = 0, objectid = 0;
	int error = struct_member(btf, "btrfs_inode", "vfs_inode", &layout->inode, &type);

	if (!error)
		error = struct_member(btf, "btrfs_inode", "root", &layout->root, &type);
	if (!error)
		error = struct_member(btf, "btrfs_root", "root_key", &key, &type);
	if (!error)
		error = member_offset(btf, btf__resolve_type(btf, type), "objectid", &objectid, &type);
	if (!error)
		layout->objectid = key + objectid;
	return error;
}

int btrfs_read_layout(struct btrfs_layout *layout)
{
	struct btf *kernel = btf__load_vmlinux_btf(), *module = NULL;
	int error = -ENOENT;

	if (kernel)
		module = btf__load_module_btf("btrfs", kernel);
	/* Built in, its types are the kernel's. */
	if (module || kernel)
		error = find_layout(module ? module : kernel, layout);
	btf__free(module);
	btf__free(kernel);
	return error;
}
