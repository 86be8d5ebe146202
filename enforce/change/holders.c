/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/change/holders.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "enforce/base/link_target.h"
#include "enforce/kernel/object_id.h"
#include "policy/cleanup.h"
#include "policy/text.h"

bool object_ids_has(const uint32_t *list, size_t count, uint32_t id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == id)
			return true;
	return false;
}

void object_ids_add(uint32_t *list, size_t *count, uint32_t id)
{
	if (id && *count < OBJECT_IDS_MAX && !object_ids_has(list, *count, id))
		list[(*count)++] = id;
}

/* Returns true if the descriptor with this fdinfo (proc(5)) is one of `ids` through which it can be changed, and sets *what to its kind. */
static bool is_ours(FILE *fdinfo, const struct object_ids *ids, const char **what)
{
	unsigned flags = O_RDWR;
	char line[128];
	uint32_t id;

	while (fgets(line, sizeof(line), fdinfo)) {
		if (sscanf(line, "flags: %o", &flags) == 1)
			continue;
		if (sscanf(line, "map_id: %" SCNu32, &id) == 1 && object_ids_has(ids->maps, ids->map_count, id) &&
		    ((flags & O_ACCMODE) != O_RDONLY || !object_ids_has(ids->readable, ids->readable_count, id)))
			*what = "map";
		else if (sscanf(line, "link_id: %" SCNu32, &id) == 1 && object_ids_has(ids->links, ids->link_count, id))
			*what = "link";
		/* The fdinfo of a link has the program's id too. */
		else if (!*what && sscanf(line, "prog_id: %" SCNu32, &id) == 1 && object_ids_has(ids->programs, ids->program_count, id) &&
			 !object_ids_has(ids->open_programs, ids->open_program_count, id))
			*what = "program";
	}
	return *what;
}

static enum status check_descriptor(const char *pid, const char *fd, const struct object_ids *ids)
{
	_cleanup_free_ char *path = text_format("/proc/%s/fdinfo/%s", pid, fd), *program = NULL;
	_cleanup_fclose_ FILE *stream = fopen(path, "re");
	const char *what = NULL;

	if (!stream || !is_ours(stream, ids, &what))
		return STATUS_DONE;
	program = executable_path((unsigned)strtoul(pid, NULL, 10));
	return fail(STATUS_FAILED,
		    "process %s (%s) holds a %s of sockaccept's, through which it could go on changing it, so nothing was locked; "
		    "end it, and try again",
		    pid, program ? program : "?", what);
}

static enum status check_process(const char *pid, const struct object_ids *ids)
{
	_cleanup_free_ char *path = text_format("/proc/%s/fdinfo", pid);
	_cleanup_closedir_ DIR *directory = opendir(path);
	struct dirent *entry;

	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			TRY(check_descriptor(pid, entry->d_name, ids));
	return STATUS_DONE;
}

static enum status check_processes(const struct object_ids *ids)
{
	_cleanup_closedir_ DIR *directory = opendir("/proc");
	_cleanup_free_ char *own = text_format("%d", getpid());
	struct dirent *entry;

	if (!directory)
		return fail(STATUS_FAILED, "/proc: %s; can't tell who holds what", strerror(errno));
	while ((entry = readdir(directory)))
		if (entry->d_name[strspn(entry->d_name, "0123456789")] == '\0' && strcmp(entry->d_name, own) != 0)
			TRY(check_process(entry->d_name, ids));
	return STATUS_DONE;
}

static bool uses_ours(int program, const struct object_ids *ids)
{
	struct program_ids used = { 0 };

	program_ids(program, &used);
	for (size_t i = 0; i < used.map_count; i++)
		if (object_ids_has(ids->maps, ids->map_count, used.maps[i]))
			return true;
	return false;
}

static enum status check_programs(const struct object_ids *ids)
{
	uint32_t id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		_cleanup_close_ int program = object_ids_has(ids->programs, ids->program_count, id) ? -1 : bpf_prog_get_fd_by_id(id);

		if (program >= 0 && uses_ours(program, ids))
			return fail(STATUS_FAILED,
				    "the BPF program with id %" PRIu32 " uses a map of sockaccept's, and could go on changing it, so "
				    "nothing was locked; detach it (bpftool prog show id %" PRIu32 "), and try again",
				    id, id);
	}
	return errno == ENOENT ? STATUS_DONE : fail(STATUS_FAILED, "can't tell which BPF programs there are: %s", strerror(errno));
}

enum status holders_check(const struct object_ids *ids)
{
	TRY(check_processes(ids));
	return check_programs(ids);
}
