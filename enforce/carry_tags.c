/* SPDX-License-Identifier: GPL-2.0-only */
#include "enforce/carry_tags.h"

#include <bpf/bpf.h>
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "enforce/entries.h"
#include "policy/cleanup.h"
#include "policy/text.h"

/* True if the tags there are what this version takes them for. */
static bool has_such_tags(const struct kernel *kernel)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return kernel->fd[MAP_FILE_TAGS] >= 0 && !bpf_obj_get_info_by_fd(kernel->fd[MAP_FILE_TAGS], &info, &size) &&
	       info.value_size == sizeof(struct file_tag);
}

static uint32_t number_of(const struct policy *policy, const uint32_t *numbers, uint32_t number)
{
	for (size_t i = 0; i < policy->binary_count && number != BINARY_ANY; i++)
		if (numbers[i] == number)
			return policy->binaries[i].number;
	return BINARY_ANY;
}

void carry_tags(const struct kernel *from, const struct kernel *to, const struct policy *policy, const uint32_t *numbers)
{
	_cleanup_closedir_ DIR *processes = has_such_tags(from) ? opendir("/proc") : NULL;
	struct dirent *process;

	while (processes && (process = readdir(processes))) {
		_cleanup_free_ char *path = text_format("/proc/%s/exe", process->d_name);
		_cleanup_close_ int fd = isdigit((unsigned char)process->d_name[0]) ? open(path, O_PATH | O_CLOEXEC) : -1;
		uint32_t number = fd < 0 ? BINARY_ANY : number_of(policy, numbers, tagged_binary(from, fd));

		if (number != BINARY_ANY && tagged_binary(to, fd) == BINARY_ANY)
			tag_file(to, fd, number);
	}
}
