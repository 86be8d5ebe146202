/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Goes through all links that the kernel knows, and through the mounts of this namespace.
 */
#include "enforce/kernel/hidden.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enforce/kernel/attached.h"
#include "enforce/kernel/kernel.h"
#include "enforce/kernel/prerequisites.h"
#include "policy/cleanup.h"
#include "policy/text.h"

/* The kernel detaches a program a moment after its last pin has gone. Only what stays attached for longer is hidden. */
#define POLL_US 10000
#define POLLS 300
#define POLLS_UNDER_A_MOUNT 100

static struct hidden found;
static bool is_found;
static bool is_unsearched; /* is_attached() was not permitted to look by ids */

/* ---------------------------------------------------------------------------------------------
 * The mounts
 */

/* Returns true if `place` is `path`, or a directory above it. */
static bool leads_to(const char *place, const char *path)
{
	size_t length = strlen(place);

	return !strncmp(place, path, length) && (path[length] == '/' || path[length] == '\0');
}

/* Returns where something is mounted over the BPF file system at BPFFS, to be freed, or NULL if nothing is. */
static char *mount_over_pins(void)
{
	_cleanup_fclose_ FILE *stream = fopen("/proc/self/mountinfo", "re");
	_cleanup_free_ char *line = NULL, *over = NULL;
	size_t room = 0;
	bool has_bpffs = false;

	/* Lines are in the order in which things were mounted. */
	while (stream && getline(&line, &room, stream) > 0) {
		char place[256], type[32];
		const char *rest = strstr(line, " - ");

		if (sscanf(line, "%*s %*s %*s %*s %255s", place) != 1 || !rest || sscanf(rest, " - %31s", type) != 1)
			continue;
		if (has_bpffs && leads_to(place, BPFFS)) {
			free(over);
			over = text_format("%s", place);
		}
		has_bpffs = has_bpffs || (!strcmp(place, BPFFS) && !strcmp(type, "bpf"));
	}
	return TAKE_PTR(over);
}

/* ---------------------------------------------------------------------------------------------
 * The objects
 */

/* Opens the program's map with this name and type. Returns its descriptor, or -1 if there is none or it may not be opened. */
static int open_map(const struct program_ids *program, const char *name, enum bpf_map_type type)
{
	for (size_t i = 0; i < program->map_count; i++) {
		_cleanup_close_ int fd = bpf_map_get_fd_by_id(program->maps[i]);
		struct bpf_map_info info = { 0 };
		__u32 size = sizeof(info);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == type && !strcmp(info.name, name))
			return TAKE_FD(fd);
	}
	return -1;
}

/* Returns the slot of the policy in force (bpf/shared/control.h: policies on trial). */
static __u32 slot_in_force(const struct program_ids *program)
{
	_cleanup_close_ int fd = open_map(program, "control", BPF_MAP_TYPE_ARRAY);
	struct control control = { 0 };
	__u32 zero = 0;

	return fd >= 0 && !bpf_map_lookup_elem(fd, &zero, &control) && control.trial == TRIAL_OVER ? SLOT_BEFORE : SLOT_LOADED;
}

/* Reads into `found` what is known of the policy in force. */
static void read_policy(const struct program_ids *program)
{
	_cleanup_close_ int policies = open_map(program, "policy", BPF_MAP_TYPE_ARRAY_OF_MAPS), image = -1;
	__u32 slot = slot_in_force(program), id = 0, zero = 0;
	struct policy_page page = { 0 };

	found.known = false;
	if (policies < 0 || bpf_map_lookup_elem(policies, &slot, &id))
		return;
	image = bpf_map_get_fd_by_id(id);
	if (image < 0 || bpf_map_lookup_elem(image, &zero, &page) || page.header.layout != IMAGE_LAYOUT)
		return;
	found = (struct hidden){
		true, page.header.mode, page.header.verdict, page.header.flags, page.header.rules, page.header.generation
	};
}

/* Returns true if the program is ours. A program that may not be opened is one that `lock` guards. */
static bool is_ours(__u32 id)
{
	_cleanup_close_ int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	struct program_ids program = { 0 };

	if (fd < 0)
		return errno == EPERM;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_PROG_TYPE_LSM || strcmp(info.name, ATTACHED_PROGRAM) != 0 ||
	    !program_ids(fd, &program))
		return false;
	read_policy(&program);
	return true;
}

/* Looks for our program among those that are attached. */
static bool is_attached(void)
{
	__u32 id = 0;

	is_unsearched = false;
	while (!bpf_link_get_next_id(id, &id)) {
		_cleanup_close_ int fd = bpf_link_get_fd_by_id(id);
		struct bpf_link_info info = { 0 };
		__u32 size = sizeof(info);

		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &size) && info.type == BPF_LINK_TYPE_TRACING &&
		    info.tracing.attach_type == BPF_LSM_MAC && is_ours(info.prog_id))
			return true;
	}
	is_unsearched = errno == EPERM;
	return false;
}

static bool is_pinned(void)
{
	char path[PIN_PATH_MAX];
	struct stat st;

	return !stat(pin_path(LINK_SOCKET_ACCEPT, path, sizeof(path)), &st) || (errno != ENOENT && errno != ENOTDIR);
}

/* Returns how often to look: less often if a mount over the pins explains that they can't be seen. */
static int polls_wanted(void)
{
	_cleanup_free_ char *over = mount_over_pins();

	return over ? POLLS_UNDER_A_MOUNT : POLLS;
}

void hidden_look_around(void)
{
	int polls;

	/* In a mount namespace with a bpffs of its own, prerequisite_bpffs() says what is wrong. */
	if (is_pinned() || !prerequisite_bpffs_is_machines() || !is_attached())
		return;
	for (polls = polls_wanted(); polls > 0; polls--) {
		usleep(POLL_US);
		if (is_pinned() || !is_attached())
			return;
	}
	is_found = true;
}

/* ---------------------------------------------------------------------------------------------
 * Messages
 */

const struct hidden *hidden_found(void)
{
	return is_found ? &found : NULL;
}

char *hidden_problem(void)
{
	_cleanup_free_ char *over = mount_over_pins();

	if (over)
		return text_format("a policy is in force, but its pins are hidden by a mount over %s, so nothing of it can be shown "
				   "or changed; take that mount away: umount %s",
				   over, over);
	return text_format("a policy is in force, but its pins are not in %s of this mount namespace, so nothing of it can be shown "
			   "or changed; run it where they are; if that is nowhere any more, reboot",
			   BPFFS);
}

enum status hidden_refuse(void)
{
	_cleanup_free_ char *problem = is_found ? hidden_problem() : NULL;

	return problem ? fail(STATUS_FAILED, "%s", problem) : STATUS_DONE;
}

enum status hidden_refuse_unsearched(void)
{
	if (is_unsearched && attached_stays(polls_wanted(), POLL_US))
		is_found = true;
	return hidden_refuse();
}
