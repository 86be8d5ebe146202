/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * handles: which of the kernel's BPF maps and programs this process can get a descriptor of, by their ids.
 *
 *   handles                  a line for each: its kind, its name (its number, where there is no descriptor), and in which modes:
 *                            `any`, `read` (for reading alone), or `none`
 *   handles above MAP PROG   the same of those with higher ids
 *   handles last             the highest id of a map, and of a program
 *   handles write MAP        opens the map with this id, an array, for reading alone, and has a BPF program that is loaded with that
 *                            descriptor write to its first word: `written`, or what failed
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A descriptor of the map, or -1. */
static int open_map(uint32_t id, uint32_t flags)
{
	union bpf_attr attr = { .map_id = id, .open_flags = flags };

	return bpf(BPF_MAP_GET_FD_BY_ID, &attr);
}

static int open_program(uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	return bpf(BPF_PROG_GET_FD_BY_ID, &attr);
}

static void get_info(int fd, void *info, uint32_t size)
{
	union bpf_attr attr = { .info = { .bpf_fd = (uint32_t)fd, .info_len = size, .info = (uintptr_t)info } };

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		perror("BPF_OBJ_GET_INFO_BY_FD");
}

/* Closes `fd`. */
static void print(const char *kind, uint32_t id, const char *name, const char *mode, int fd)
{
	if (fd >= 0) {
		printf("%s %s %s\n", kind, name, mode);
		close(fd);
	} else if (errno == EPERM) {
		printf("%s #%u none\n", kind, id);
	} else if (errno != ENOENT) {
		printf("%s #%u %s\n", kind, id, strerror(errno));
	}
}

static const char *map_modes(int reading, int writing, int both)
{
	if (both >= 0)
		return reading >= 0 && writing >= 0 ? "any" : "both";
	return writing >= 0 ? "write" : "read";
}

static void try_map(uint32_t id)
{
	int reading = open_map(id, BPF_F_RDONLY), writing = open_map(id, BPF_F_WRONLY), both = open_map(id, 0);
	int error = errno, fd = reading >= 0 ? reading : writing >= 0 ? writing : both;
	struct bpf_map_info info = { 0 };
	const char *modes = map_modes(reading, writing, both);

	if (fd >= 0)
		get_info(fd, &info, sizeof(info));
	errno = error;
	print("map", id, info.name, modes, fd);
}

static void try_program(uint32_t id)
{
	int fd = open_program(id);
	struct bpf_prog_info info = { 0 };

	if (fd >= 0)
		get_info(fd, &info, sizeof(info));
	print("program", id, info.name, "any", fd);
}

static uint32_t each(enum bpf_cmd command, uint32_t above, void (*try)(uint32_t id))
{
	union bpf_attr attr = { .start_id = above };

	while (!bpf(command, &attr)) {
		above = attr.next_id;
		if (try)
			try(above);
		attr = (union bpf_attr){ .start_id = above };
	}
	return above;
}

/* r0 = the map's element 0; if there is one, its first word = ~0 */
static int load_writer(int map)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = BPF_REG_10, .off = -4, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_2, .src_reg = BPF_REG_10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_2, .imm = -4 },
		{ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = BPF_REG_1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .imm = 0, .off = 1 },
		{ .code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SYSCALL,
		.insns = (uintptr_t)program,
		.insn_cnt = sizeof(program) / sizeof(program[0]),
		.license = (uintptr_t) "GPL",
		.prog_flags = BPF_F_SLEEPABLE,
		.log_buf = (uintptr_t)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		fputs(log, stderr);
	return fd;
}

static int write_through(uint32_t id)
{
	int map = open_map(id, BPF_F_RDONLY), program = map < 0 ? -1 : load_writer(map);
	union bpf_attr attr = { .test = { .prog_fd = (uint32_t)program } };

	if (program < 0 || bpf(BPF_PROG_TEST_RUN, &attr)) {
		printf("%s: %s\n", map < 0 ? "open" : program < 0 ? "load" : "run", strerror(errno));
		return 1;
	}
	puts("written");
	return 0;
}

int main(int count, char **arguments)
{
	uint32_t maps = 0, programs = 0;

	if (count == 3 && !strcmp(arguments[1], "write"))
		return write_through((uint32_t)strtoul(arguments[2], NULL, 10));
	if (count == 2 && !strcmp(arguments[1], "last")) {
		maps = each(BPF_MAP_GET_NEXT_ID, 0, NULL);
		programs = each(BPF_PROG_GET_NEXT_ID, 0, NULL);
		printf("%u %u\n", maps, programs);
		return 0;
	}
	if (count == 4 && !strcmp(arguments[1], "above")) {
		maps = (uint32_t)strtoul(arguments[2], NULL, 10);
		programs = (uint32_t)strtoul(arguments[3], NULL, 10);
	}
	each(BPF_MAP_GET_NEXT_ID, maps, try_map);
	each(BPF_PROG_GET_NEXT_ID, programs, try_program);
	return 0;
}
