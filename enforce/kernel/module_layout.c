/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finds offsets of fields in the BTF of modules. CO-RE can't when the programs are loaded, as a module can be loaded later than they are.
 */
#include "enforce/kernel/module_layout.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The types of a module, and those of the kernel, on which they build. Zero-initialised: closed. */
struct types {
	struct btf *kernel;
	struct btf *module; /* NULL: the module is built in, its types are the kernel's */
};

static void close_types(struct types *types)
{
	btf__free(types->module);
	btf__free(types->kernel);
}

/*
 * Opens the types of `module` in place of those of another. Reads the kernel's types, which takes tens of milliseconds, only when the
 * first module is found. Returns false if the module isn't loaded.
 */
static bool open_types(struct types *types, const char *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/module/%s", module);
	if (access(path, F_OK))
		return false;
	if (!types->kernel)
		types->kernel = btf__load_vmlinux_btf();
	btf__free(types->module);
	types->module = types->kernel ? btf__load_module_btf(module, types->kernel) : NULL;
	return types->kernel;
}

/* Adds to *offset that of `member` in the struct *id, in bytes, and sets *id to the member's type. Returns 0 or -ENOENT. */
static int step_into(const struct btf *btf, int *id, const char *member, size_t length, __u32 *offset)
{
	int resolved = *id < 0 ? *id : btf__resolve_type(btf, (__u32)*id);
	const struct btf_type *t = resolved < 0 ? NULL : btf__type_by_id(btf, (__u32)resolved);
	const struct btf_member *members = t && btf_is_composite(t) ? btf_members(t) : NULL;

	for (__u32 i = 0; members && i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, members[i].name_off);

		if (!name || strlen(name) != length || memcmp(name, member, length) != 0 || btf_member_bit_offset(t, i) % 8)
			continue;
		*offset += btf_member_bit_offset(t, i) / 8;
		*id = (int)members[i].type;
		return 0;
	}
	return -ENOENT;
}

/* Sets *offset to that of the member `path`, such as `root_key.objectid`, of the struct `name`, in bytes. Returns 0 or -ENOENT. */
static int offset_of(const struct types *types, const char *name, const char *path, __u32 *offset)
{
	const struct btf *btf = types->module ? types->module : types->kernel;
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	int error = 0;

	*offset = 0;
	while (!error && *path) {
		size_t length = strcspn(path, ".");

		error = step_into(btf, &id, path, length, offset);
		path += length + (path[length] == '.');
	}
	return error;
}

static int find_btrfs(const struct types *types, struct btrfs_layout *layout)
{
	return offset_of(types, "btrfs_inode", "vfs_inode", &layout->inode)   ?:
		       offset_of(types, "btrfs_inode", "root", &layout->root) ?:
		       offset_of(types, "btrfs_root", "root_key.objectid", &layout->objectid);
}

static int find_sctp(const struct types *types, struct sctp_layout *layout)
{
	return offset_of(types, "sctp_sock", "ep", &layout->endpoint)                           ?:
		       offset_of(types, "sctp_endpoint", "asocs", &layout->queue)               ?:
		       offset_of(types, "sctp_association", "asocs", &layout->link)             ?:
		       offset_of(types, "sctp_association", "ep", &layout->owner)               ?:
		       offset_of(types, "sctp_association", "peer.port", &layout->peer_port)    ?:
		       offset_of(types, "sctp_association", "peer.primary_addr", &layout->peer) ?:
		       offset_of(types, "sctp_association", "base.sk", &layout->socket);
}

static int find_vsock(const struct types *types, struct vsock_layout *layout)
{
	return offset_of(types, "vsock_sock", "accept_queue", &layout->queue);
}

/* Tells `control` the layout that `find` finds in the types of `module`, unless it is known. */
#define TELL(control, member, types, module, find)                                                     \
	do {                                                                                           \
		__typeof__((control)->member) layout_ = { 0 };                                         \
                                                                                                       \
		if (!(control)->member.known && open_types(types, module) && !find(types, &layout_)) { \
			(control)->member = layout_;                                                   \
			__atomic_store_n(&(control)->member.known, 1, __ATOMIC_RELEASE);               \
		}                                                                                      \
	} while (0)

bool tell_btrfs_layout(const struct kernel *kernel)
{
	struct types types = { 0 };

	if (!kernel->writable || kernel->control->btrfs.known)
		return false;
	TELL(kernel->control, btrfs, &types, "btrfs", find_btrfs);
	close_types(&types);
	return kernel->control->btrfs.known;
}

void tell_queue_layouts(const struct kernel *kernel)
{
	struct types types = { 0 };

	if (!kernel->writable)
		return;
	TELL(kernel->control, sctp, &types, "sctp", find_sctp);
	TELL(kernel->control, vsock, &types, "vsock", find_vsock);
	close_types(&types);
}
