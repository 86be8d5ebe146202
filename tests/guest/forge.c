/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * forge: makes the kernel believe that this process runs another file, by prctl(PR_SET_MM), and accepts.
 *
 *   forge WAY FILE PORT     prints what prctl() said (0 or an error's name), what /proc/self/exe says then, and what
 *                           accept() came to (see loopback.h), all on one line
 *   forge harmless          other options of prctl(), which must go on as ever; prints what each said
 *
 * WAY   map       PR_SET_MM_MAP
 *       exe       PR_SET_MM_EXE_FILE
 *       absent    PR_SET_MM_MAP, its argument on a page that isn't there before the kernel looks at it
 *       wide      PR_SET_MM_MAP, with bits set that the kernel throws away
 *       compat    PR_SET_MM_MAP, called as a 32-bit program does, which the kernel reads as another structure
 *       child     PR_SET_MM_MAP by a child in a user namespace, with which this process shares its memory
 *
 * and these, which come to nothing: keep (PR_SET_MM_MAP without a file), null (no argument), short (of a wrong size),
 * fifth (with an argument too many), closed and execlosed (of a file that isn't open).
 *
 * The kernel refuses as long as the old file is mapped, so all of its pages are exchanged for copies first.
 */
#include "loopback.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define MAPPINGS 16
#define PAGE 4096

/* ---------------------------------------------------------------------------------------------
 * Getting rid of the file
 */

struct mapping {
	char *start, *end;
	int protection;
};

static int protection_of(const char *text)
{
	return (text[0] == 'r' ? PROT_READ : 0) | (text[1] == 'w' ? PROT_WRITE : 0) | (text[2] == 'x' ? PROT_EXEC : 0);
}

static int find_mappings(const char *file, struct mapping *mappings)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[4400], path[4100], protection[8];
	int count = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		void *start, *end;

		if (sscanf(line, "%p-%p %7s %*s %*s %*s %4099s", &start, &end, protection, path) != 4)
			continue;
		if (strcmp(path, file) || count == MAPPINGS)
			continue;
		mappings[count++] = (struct mapping){ start, end, protection_of(protection) };
	}
	if (maps)
		fclose(maps);
	return count;
}

/* Puts a copy into the place of a mapping in one step: the next instruction may be in it. */
static void exchange(const struct mapping *mapping)
{
	size_t size = mapping->end - mapping->start;
	char *copy = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		not_tried("mmap");
	memcpy(copy, mapping->start, size);
	if (mprotect(copy, size, mapping->protection))
		not_tried("mprotect");
	if (mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, mapping->start) == MAP_FAILED)
		not_tried("mremap");
}

static void leave_file(void)
{
	struct mapping mappings[MAPPINGS];
	char file[4096] = "";
	int count;

	if (readlink("/proc/self/exe", file, sizeof(file) - 1) < 0)
		not_tried("/proc/self/exe");
	count = find_mappings(file, mappings);
	if (!count)
		not_tried("finding the file's mappings");
	for (int i = 0; i < count; i++)
		exchange(&mappings[i]);
	if (find_mappings(file, mappings))
		not_tried("leaving the file");
}

/* ---------------------------------------------------------------------------------------------
 * Ways. Each returns 0 or a negative error.
 */

/* Where the process has what, as the kernel wants to be told together with the file; none of it matters here. */
static struct prctl_mm_map map_of(int fd)
{
	struct prctl_mm_map map = { .exe_fd = fd };
	uintptr_t here = (uintptr_t)map_of, stack = (uintptr_t)&map;

	map.start_code = map.start_data = map.end_data = here;
	map.end_code = here + 1;
	map.start_brk = map.brk = (uintptr_t)sbrk(0);
	map.start_stack = map.arg_start = map.arg_end = map.env_start = map.env_end = stack;
	return map;
}

static int set_mm(unsigned long option, const void *argument, unsigned long size, unsigned long fifth)
{
	return syscall(SYS_prctl, PR_SET_MM, option, argument, size, fifth) ? -errno : 0;
}

static int by_map(int fd)
{
	struct prctl_mm_map map = map_of(fd);

	return set_mm(PR_SET_MM_MAP, &map, sizeof(map), 0);
}

static int by_exe(int fd)
{
	return set_mm(PR_SET_MM_EXE_FILE, (void *)(uintptr_t)fd, 0, 0);
}

/* Nobody has touched the page through this address, so that only who may wait for the page can read it. */
static int by_absent(int fd)
{
	struct prctl_mm_map map = map_of(fd);
	int memory = memfd_create("map", MFD_CLOEXEC);
	void *page;

	if (memory < 0 || pwrite(memory, &map, sizeof(map), 0) != sizeof(map) || ftruncate(memory, PAGE))
		not_tried("memfd_create");
	page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, memory, 0);
	if (page == MAP_FAILED)
		not_tried("mmap");
	return set_mm(PR_SET_MM_MAP, page, sizeof(map), 0);
}

/* prctl_set_mm() takes an int, the hook of the security modules a long. */
static int by_wide(int fd)
{
	struct prctl_mm_map map = map_of(fd);

	return set_mm(1UL << 32 | PR_SET_MM_MAP, &map, sizeof(map), 0);
}

static int child_result;

static int child(void *fd)
{
	child_result = by_map(*(int *)fd);
	return 0;
}

static int by_child(int fd)
{
	static char stack[16 * PAGE];
	pid_t pid = clone(child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | CLONE_NEWUSER | SIGCHLD, &fd);

	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		not_tried("clone");
	return child_result;
}

static int by_keep(int fd)
{
	(void)fd;
	return by_map(-1);
}

static int by_null(int fd)
{
	(void)fd;
	return set_mm(PR_SET_MM_MAP, NULL, sizeof(struct prctl_mm_map), 0);
}

static int by_short(int fd)
{
	struct prctl_mm_map map = map_of(fd);

	return set_mm(PR_SET_MM_MAP, &map, 1, 0);
}

static int by_fifth(int fd)
{
	struct prctl_mm_map map = map_of(fd);

	return set_mm(PR_SET_MM_MAP, &map, sizeof(map), 1);
}

static int by_closed(int fd)
{
	(void)fd;
	return by_map(1000);
}

static int by_execlosed(int fd)
{
	(void)fd;
	return by_exe(1000);
}

static const struct way {
	const char *name;
	int (*set)(int fd);
} ways[] = {
	{ "map", by_map },     { "exe", by_exe },       { "absent", by_absent },       { "wide", by_wide },
	{ "child", by_child }, { "keep", by_keep },     { "null", by_null },           { "short", by_short },
	{ "fifth", by_fifth }, { "closed", by_closed }, { "execlosed", by_execlosed },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < WAYS; i++)
		if (!strcmp(ways[i].name, name))
			return &ways[i];
	return NULL;
}

static const char *name_of(int error)
{
	return error ? strerrorname_np(-error) ?: "unknown" : "0";
}

static int forge(const struct way *way, const char *file, unsigned port)
{
	int fd = open(file, O_RDONLY), result;
	char exe[4096] = "";

	if (fd < 0)
		not_tried(file);
	leave_file();
	result = way->set(fd);
	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0)
		not_tried("/proc/self/exe");
	printf("%s %s ", name_of(result), exe);
	take(loopback_listen(port));
	return 0;
}

static int harmless(void)
{
	char name[16] = "";
	unsigned size = 0;
	int named = prctl(PR_SET_NAME, "forged") || prctl(PR_GET_NAME, name) ? -errno : 0;
	int sized = set_mm(PR_SET_MM_MAP_SIZE, &size, 0, 0);
	int begun = set_mm(PR_SET_MM_ARG_START, name, 0, 0);
	int unknown = prctl(123456) ? -errno : 0;

	printf("name %s %s, size %s %u, start %s, unknown %s\n", name_of(named), name, name_of(sized), size, name_of(begun),
	       name_of(unknown));
	return 0;
}

int main(int argc, char **argv)
{
	const struct way *way = argc == 4 ? find_way(argv[1]) : NULL;

	if (way)
		return forge(way, argv[2], strtoul(argv[3], NULL, 10));
	if (argc == 2 && !strcmp(argv[1], "harmless"))
		return harmless();
	fputs("usage: forge WAY FILE PORT | harmless\n", stderr);
	return 2;
}
